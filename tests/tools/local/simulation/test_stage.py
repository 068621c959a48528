"""Virtual time: actors that die, stand still inside a call, and wait for nobody's clock."""

import asyncio
from collections.abc import Awaitable, Callable

from local.simulation.clocks import MachineClock
from local.simulation.stage import SECOND_US, ActorLoop, Stage


def begin(loop: ActorLoop, work: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await work()

    loop.call_soon(lambda: loop.create_task(run()))


def test_an_hour_passes_at_once_and_in_order() -> None:
    stage, told = Stage(), list[tuple[str, float]]()
    for name, wait_s in (("late", 3_600), ("early", 60)):
        loop = stage.actor(name)

        async def work(name: str = name, wait_s: int = wait_s, loop: ActorLoop = loop) -> None:
            await asyncio.sleep(wait_s)
            told.append((name, loop.time()))

        begin(loop, work)
    stage.run_until(4_000 * SECOND_US)

    assert told == [("early", 60.0), ("late", 3_600.0)]


def test_what_an_actor_meant_to_do_dies_with_it() -> None:
    stage, told = Stage(), list[str]()
    loop = stage.actor("mortal")

    async def work() -> None:
        try:
            told.append("begun")
            await asyncio.sleep(10)
        finally:
            told.append("tidied up")

    begin(loop, work)
    stage.run_until(SECOND_US)
    loop.kill()
    stage.run_until(100 * SECOND_US)

    assert told == ["begun"]
    stage.bury()


def test_held_inside_a_call_an_actor_lets_the_others_go_on_and_misses_nothing() -> None:
    stage, told = Stage(), list[tuple[str, float]]()
    held, other = stage.actor("held"), stage.actor("other")

    async def call() -> None:
        held.call_later(1, lambda: told.append(("held", held.time())))
        stage.pass_time(held, 5 * SECOND_US)
        told.append(("answered", held.time()))

    async def tick() -> None:
        await asyncio.sleep(2)
        told.append(("other", other.time()))

    begin(held, call)
    begin(other, tick)
    stage.run_until(10 * SECOND_US)

    assert told == [("other", 2.0), ("answered", 5.0), ("held", 5.0)]


def test_parked_it_waits_and_then_catches_up() -> None:
    stage, told = Stage(), list[float]()
    loop = stage.actor("container")
    loop.call_later(1, lambda: told.append(loop.time()))
    loop.is_parked = True
    stage.run_until(20 * SECOND_US)
    assert told == []

    loop.unpark()
    stage.run_until(21 * SECOND_US)
    assert told == [20.0]


def test_timeouts_and_skewed_clocks_follow_virtual_time() -> None:
    stage, told = Stage(), list[int]()
    loop = stage.actor("worker")
    clock = MachineClock(stage, 1_000_000, skew_ms=-250)

    async def work() -> None:
        try:
            async with asyncio.timeout(3):
                await asyncio.Event().wait()
        except TimeoutError:
            told.append(clock.now_ms())
        await clock.sleep_until_ms(1_010_000)
        told.append(stage.now_us // 1000)

    begin(loop, work)
    stage.run_until(60 * SECOND_US)

    assert told == [1_002_750, 10_250]
