"""Calls that can wait are made in batches, few at once, with a pause between."""

import asyncio
from dataclasses import dataclass, field

import pytest
from tests.fakes import FakeClock

from adapters.pacing import Pace, paced
from engine.settings import Settings

START_MS = FakeClock().now_ms()


@dataclass(slots=True)
class Calls:
    """What was called when, and how many ran at once."""

    clock: FakeClock
    begun: list[tuple[int, int]] = field(default_factory=list)
    running: int = 0
    most: int = 0

    async def call(self, item: int) -> str:
        self.begun.append((item, self.clock.now_ms() - START_MS))
        self.running += 1
        self.most = max(self.most, self.running)
        for _ in range(3):
            await asyncio.sleep(0)
        self.running -= 1
        return f"answer {item}"


async def made(items: int, pace: Pace) -> tuple[Calls, list[str]]:
    clock = FakeClock()
    calls = Calls(clock)
    return calls, await paced(range(items), calls.call, clock, pace)


async def test_answers_stand_in_the_order_of_the_questions() -> None:
    _, answers = await made(23, Pace(batch_size=4, max_concurrent=3))

    assert answers == [f"answer {each}" for each in range(23)]


@pytest.mark.parametrize("most", [1, 5, 20])
async def test_no_more_calls_run_at_once_than_allowed(most: int) -> None:
    calls, _ = await made(60, Pace(batch_size=30, max_concurrent=most))

    assert calls.most == most


async def test_between_batches_there_is_a_pause_and_none_before_the_first_or_after_the_last() -> (
    None
):
    calls, _ = await made(25, Pace(batch_size=10, max_concurrent=5, batch_delay_ms=100))

    assert {at_ms: sum(at == at_ms for _, at in calls.begun) for _, at_ms in calls.begun} == {
        0: 10,
        100: 10,
        200: 5,
    }
    assert calls.clock.now_ms() == START_MS + 200


async def test_a_failed_call_ends_it() -> None:
    clock = FakeClock()

    async def fail(item: int) -> None:
        if item == 3:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await paced(range(10), fail, clock, Pace())


def test_an_operator_sets_the_pace() -> None:
    assert Pace.of(Settings()) == Pace(batch_size=10, max_concurrent=5, batch_delay_ms=100)
    changed = Settings(batch_size=20, max_concurrent=2, batch_delay_ms=500)
    assert Pace.of(changed) == Pace(batch_size=20, max_concurrent=2, batch_delay_ms=500)
