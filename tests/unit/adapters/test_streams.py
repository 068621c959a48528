"""A watched socket: its silence, its breaks, its return. Times are milliseconds."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.clock import SystemClock
from adapters.streams import Patience, Stream
from adapters.venues import Socket
from engine.errors import VenueBusyError

URL = "wss://venue/stream"
SECRET = "phrase-of-the-account"
QUICK = Patience(silence_ms=60, first_retry_ms=4, last_retry_ms=16)


@dataclass(slots=True)
class FakeDialler:
    """Sockets that open at once and break when a test says so."""

    listener: Callable[[str, Any], None] | None = None
    dialled: list[Socket] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)
    hung_up: int = 0
    fault: asyncio.Event = field(default_factory=asyncio.Event)

    def listen(self, url: str, listener: Callable[[str, Any], None] | None) -> None:
        self.listener = listener

    async def dial(self, socket: Socket) -> None:
        self.dialled.append(socket)
        if self.listener is not None:
            self.listener(socket.url, None)
        await self.fault.wait()
        self.fault.clear()
        raise VenueBusyError("the line was cut")

    def hide(self, text: str) -> str:
        return text.replace(SECRET, "***")

    async def hang_up(self, url: str) -> None:
        self.listener = None
        self.hung_up += 1

    async def say(self, url: str, message: Mapping[str, Any]) -> None:
        self.said.append(dict(message))

    def hear(self, message: Any) -> None:
        assert self.listener is not None
        self.listener(URL, message)


@dataclass(slots=True)
class Watched:
    dialler: FakeDialler
    stream: Stream
    heard: list[Any]
    breaks: list[int]
    unreadable: bool = False

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(2):
            while not condition():
                await asyncio.sleep(0.001)

    async def dialled(self, times: int) -> None:
        await self.until(lambda: len(self.dialler.dialled) >= times)


@asynccontextmanager
async def watched(
    *, speaks: bool = True, reply: Callable[[Any], Mapping[str, Any] | None] | None = None
) -> AsyncIterator[Watched]:
    dialler, heard, breaks = FakeDialler(), list[Any](), list[int]()

    async def open_socket() -> Socket:
        return Socket(url=URL, request=None, reply=reply)

    def hear(message: Any) -> None:
        if it.unreadable:
            raise KeyError("p")
        heard.append(message)

    stream = Stream(
        dialler,
        SystemClock(),
        open_socket,
        hear,
        patience=QUICK,
        speaks=speaks,
        on_break=breaks.append,
    )
    it = Watched(dialler, stream, heard, breaks)
    try:
        yield it
    finally:
        await stream.close()


def now_ms() -> int:
    return SystemClock().now_ms()


async def test_it_is_live_from_its_first_message_on() -> None:
    async with watched() as it:
        await it.dialled(1)
        before = it.stream.is_live
        it.dialler.hear({"e": "trade"})

        assert not before
        assert it.stream.is_live
        assert it.heard == [{"e": "trade"}]


async def test_it_covers_only_what_began_after_it_was_live() -> None:
    async with watched() as it:
        await it.dialled(1)
        it.dialler.hear({})
        live_ms = it.stream.live_since_ms

        assert await it.stream.covers(live_ms, live_ms, wait_ms=0)
        assert not await it.stream.covers(live_ms - 1, live_ms, wait_ms=0)


async def test_a_second_is_proven_by_a_message_heard_after_its_end() -> None:
    async with watched() as it:
        await it.dialled(1)
        it.dialler.hear({})
        live_ms = it.stream.live_since_ms
        await it.until(lambda: now_ms() > live_ms + 5)

        unproven = await it.stream.covers(live_ms, live_ms + 5, wait_ms=1)
        waiting = asyncio.create_task(it.stream.covers(live_ms, live_ms + 5, wait_ms=1000))
        await asyncio.sleep(0)
        it.dialler.hear({})

        assert not unproven
        assert await waiting


async def test_silence_ends_in_a_new_socket() -> None:
    async with watched() as it:
        await it.dialled(1)
        it.dialler.hear({})

        it.stream.check(now_ms() + QUICK.silence_ms + 1)
        await it.dialled(2)

        assert it.breaks == [it.stream.seen_ms]
        assert "silent" in it.stream.last_problem


async def test_a_socket_that_never_speaks_is_dialled_anew() -> None:
    async with watched() as it:
        await it.dialled(1)
        it.stream.check(now_ms() + QUICK.silence_ms + 10)
        await it.dialled(2)

        assert it.breaks == []


async def test_a_stream_that_is_quiet_by_nature_is_live_once_connected() -> None:
    async with watched(speaks=False) as it:
        await it.dialled(1)
        it.stream.check(now_ms() + 3_600_000)
        await asyncio.sleep(0.02)

        assert it.stream.is_live
        assert len(it.dialler.dialled) == 1


async def test_a_cut_line_is_dialled_again_for_ever() -> None:
    async with watched() as it:
        for times in range(1, 6):
            await it.dialled(times)
            it.dialler.hear({})
            it.dialler.fault.set()
            await it.until(lambda: not it.stream.is_live)

        assert it.stream.breaks == 5
        assert it.dialler.hung_up == 5
        assert it.stream.last_problem == "the line was cut"


async def test_between_a_kick_and_the_new_socket_nothing_is_covered() -> None:
    async with watched() as it:
        await it.dialled(1)
        it.dialler.hear({})
        it.stream.kick("frozen")

        live_ms = it.stream.live_since_ms
        assert not await it.stream.covers(live_ms, live_ms, wait_ms=0)


async def test_what_a_kicked_socket_still_says_proves_nothing() -> None:
    async with watched() as it:
        await it.dialled(1)
        it.dialler.hear({"e": "trade"})
        before = it.stream.proof_ms

        it.stream.check(now_ms(), frozen_ms=5_000)
        it.dialler.hear({"e": "trade, of before the freeze"})

        assert before > 0
        assert it.stream.proof_ms == 0


async def test_a_refused_subscription_is_no_sign_of_life() -> None:
    async with watched() as it:
        await it.dialled(1)
        it.dialler.hear({"error": {"code": 2, "msg": "Invalid request"}, "id": 1})
        was_live = it.stream.is_live
        await it.dialled(2)

        assert not was_live
        assert it.heard == []


async def test_a_login_that_is_refused_in_its_own_words_tells_no_secret() -> None:
    async with watched() as it:
        await it.dialled(1)
        it.dialler.hear({"event": "error", "code": "60024", "msg": f"wrong: {SECRET}"})
        await it.dialled(2)

        assert it.stream.last_problem.startswith("the venue refused: ")
        assert "wrong: ***" in it.stream.last_problem


async def test_a_message_that_cannot_be_read_breaks_the_stream_not_the_process() -> None:
    async with watched() as it:
        await it.dialled(1)
        it.unreadable = True
        it.dialler.hear({"e": "trade"})
        await it.dialled(2)

        assert "could not be read" in it.stream.last_problem
        assert len(it.breaks) == 1


@pytest.mark.parametrize("attempt", range(0, 40))
def test_retries_slow_down_to_a_bound_and_are_jittered(attempt: int) -> None:
    patience = Patience()
    longest = min(30_000, 1_000 * 2**attempt)

    delays = {patience.retry_ms(attempt) for _ in range(50)}

    assert len(delays) > 1
    assert all(longest / 2 - 1 <= delay <= longest for delay in delays)


async def test_a_stream_with_a_login_is_live_once_its_subscription_was_answered() -> None:
    def reply(message: Any) -> Mapping[str, Any] | None:
        return {"subscribe": "orders"} if message == "logged in" else None

    async with watched(speaks=False, reply=reply) as it:
        await it.dialled(1)
        was_live = [it.stream.is_live]
        it.dialler.hear("logged in")
        await it.until(lambda: it.dialler.said == [{"subscribe": "orders"}])
        was_live.append(it.stream.is_live)
        it.dialler.hear("subscribed")

        assert [*was_live, it.stream.is_live] == [False, False, True]
        assert it.heard == ["subscribed"]
