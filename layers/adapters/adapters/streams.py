"""One watched socket: opened, judged by its own silence, and reopened for ever.

ccxt never notices a socket that stays open and says nothing: it answers pings below the level at
which a venue's publisher can fall silent. So every message counts as proof of life, a venue adds a
stream that always speaks (see `Dialect.market_socket`), and whoever is silent too long is closed
and dialled anew. The user-data stream is silent by nature; there the pongs of its own pings are
the proof (ccxt closes it when two are missed), and the rest is left to reconciliation.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from adapters.failures import UNREADABLE, redact
from adapters.venues import Socket
from engine.errors import CtsError
from engine.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long silence is borne, and how slowly a broken socket is dialled again."""

    silence_ms: int = 3_000
    freeze_ms: int = 2_000
    first_retry_ms: int = 1_000
    last_retry_ms: int = 30_000

    def retry_ms(self, attempt: int) -> int:
        """Doubling with each attempt, jittered between half and the whole."""
        longest = min(self.last_retry_ms, self.first_retry_ms << min(attempt, 16))
        return int(longest * random.uniform(0.5, 1.0))


class Dialler(Protocol):
    """Opens sockets; see `Wire`, which implements it."""

    def listen(self, url: str, listener: Callable[[str, Any], None] | None) -> None: ...

    async def dial(self, socket: Socket) -> None: ...

    async def say(self, url: str, message: Mapping[str, Any]) -> None: ...

    async def hang_up(self, url: str) -> None: ...

    def hide(self, text: str) -> str: ...


class Stream:
    """Keeps one socket open until closed.

    Attributes
    ----------
    live_since_ms : int
        When it last began to speak; zero while it is broken.
    seen_ms : int
        When it last spoke.
    said_ms : int
        The latest moment it spoke of, by the venue's clock: what is read late was said long ago.
        Where messages tell no time it is when they came.
    """

    def __init__(
        self,
        wire: Dialler,
        clock: Clock,
        open_socket: Callable[[], Awaitable[Socket]],
        on_message: Callable[[Any], None],
        *,
        patience: Patience,
        speaks: bool,
        on_break: Callable[[int], None] | None = None,
        time_of: Callable[[Any], int | None] | None = None,
    ) -> None:
        self.live_since_ms = 0
        self.seen_ms = 0
        self.said_ms = 0
        self.breaks = 0
        self.last_problem = ""
        self._wire = wire
        self._clock = clock
        self._open_socket = open_socket
        self._on_message = on_message
        self._patience = patience
        self._speaks = speaks
        self._on_break = on_break
        self._time_of = time_of
        self._dialled_ms = 0
        self._made_ms = clock.now_ms()
        self._socket: Socket | None = None
        self._replies: set[asyncio.Task[None]] = set()
        self._replied = False
        self._kicked = asyncio.Event()
        self._awaited = asyncio.Event()
        self._task = asyncio.create_task(self._keep())

    @property
    def is_live(self) -> bool:
        return self.live_since_ms > 0

    @property
    def proof_ms(self) -> int:
        """Until when its prices are known to be current; zero once it is broken or to be closed.

        After a freeze, or where we cannot keep up, old messages arrive as if they were new: their
        age is the venue's, never that of their arrival.
        """
        if not self.is_live or self._kicked.is_set():
            return 0
        return min(self.seen_ms, self.said_ms)

    @property
    def late_ms(self) -> int:
        """How old the latest message was when it was read, by both clocks."""
        return max(0, self.seen_ms - self.said_ms) if self.is_live and self.said_ms else 0

    def was_live_since(self, at_ms: int) -> bool:
        """Whether it spoke at `at_ms` or later, or had no time to yet."""
        return max(self.seen_ms, self._made_ms) >= at_ms

    def kick(self, why: str) -> None:
        """Close the socket and dial again."""
        self.last_problem = why
        self._kicked.set()

    def check(self, now_ms: int, *, frozen_ms: int = 0) -> None:
        """Kick it if it has been silent too long, or our own process stood still."""
        if frozen_ms > self._patience.freeze_ms:
            self.kick(f"frozen for {frozen_ms} ms")
        heard_ms = max(self.seen_ms, self._dialled_ms)
        if self._speaks and self._dialled_ms and now_ms - heard_ms > self._patience.silence_ms:
            self.kick(f"silent for {now_ms - heard_ms} ms")

    async def covers(self, start_ms: int, end_ms: int, *, wait_ms: int) -> bool:
        """Whether nothing in [start, end) can have been missed, waiting a little for the proof.

        A socket keeps order: a message of a time after the end proves that all before it came
        through, whenever it is read.
        """
        if not self._watched_since(start_ms):
            return False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_ms / 1000):
                while self.said_ms < end_ms and not self._kicked.is_set():
                    self._awaited.clear()
                    await self._awaited.wait()
        return self.said_ms >= end_ms and self._watched_since(start_ms)

    async def close(self) -> None:
        """Stop for good."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _watched_since(self, start_ms: int) -> bool:
        return 0 < self.live_since_ms <= start_ms and not self._kicked.is_set()

    async def _keep(self) -> None:
        attempt = 0
        while True:
            started_ms = self._clock.monotonic_ms()
            await self._once()
            lived_ms = self._clock.monotonic_ms() - started_ms
            attempt = 0 if lived_ms > self._patience.last_retry_ms else attempt
            delay_ms = self._patience.retry_ms(attempt)
            await self._clock.sleep_until_ms(self._clock.now_ms() + delay_ms)
            attempt += 1

    async def _once(self) -> None:
        """Dial, and stay until the socket breaks or is kicked."""
        self._kicked.clear()
        socket = None
        try:
            socket = await self._open_socket()
            await self._until_broken(socket)
        except CtsError as error:  # a refused key too: only the order path may halt for it
            self.last_problem = str(error)
        finally:
            if socket is not None:
                await self._wire.hang_up(socket.url)
            self._ended()

    async def _until_broken(self, socket: Socket) -> None:
        self._socket, self._replied = socket, False
        self._wire.listen(socket.url, self._heard)
        self._dialled_ms = self._clock.now_ms()
        broken = asyncio.ensure_future(self._wire.dial(socket))
        kicked = asyncio.create_task(self._kicked.wait())
        try:
            await asyncio.wait({broken, kicked}, return_when=asyncio.FIRST_COMPLETED)
            if broken.done() and not broken.cancelled() and broken.exception() is not None:
                self.last_problem = self._words(broken.exception())
        finally:
            kicked.cancel()
            broken.cancel()

    def _words(self, said: object) -> str:
        """What a venue or ccxt said, without anything secret that was sent there."""
        return redact(self._wire.hide(str(said)))

    def _heard(self, url: str, message: Any) -> None:
        """`message` is None when the socket has just connected."""
        now_ms = self._clock.now_ms()
        if message is None and self._speaks:
            return
        if isinstance(message, dict) and _is_refusal(message):
            self.kick(f"the venue refused: {self._words(message)}")
            return
        if not self._is_open(url, message):
            return
        self.seen_ms = now_ms
        self._tell_time(message, now_ms)
        if not self.live_since_ms:
            self.live_since_ms = max(now_ms, self.said_ms)
        if message is not None:
            self._tell(message)

    def _is_open(self, url: str, message: Any) -> bool:
        """Whether all that opens the stream was said: with a login, once its answers are in."""
        if self._socket is None or self._socket.reply is None:
            return True
        reply = None if message is None else self._socket.reply(message)
        if reply is not None:
            self._replied = True
            task = asyncio.ensure_future(self._wire.say(url, reply))
            self._replies.add(task)
            task.add_done_callback(self._replies.discard)
            return False
        return self._replied

    def _tell_time(self, message: Any, now_ms: int) -> None:
        said_ms: int | None = now_ms
        if self._time_of is not None:
            said_ms = None if message is None else self._time_of(message)
        if said_ms is not None and said_ms > self.said_ms:
            self.said_ms = said_ms
            self._awaited.set()

    def _tell(self, message: Any) -> None:
        try:
            self._on_message(message)
        except UNREADABLE as error:  # it was lost: as bad as a broken socket
            self.kick(f"a message could not be read: {type(error).__name__} {error}")

    def _ended(self) -> None:
        was_live, self.live_since_ms, self._dialled_ms = self.is_live, 0, 0
        self.said_ms = 0
        if was_live:
            self.breaks += 1
            if self._on_break is not None:
                self._on_break(self.seen_ms)


def _is_refusal(message: Mapping[str, Any]) -> bool:
    """Whether a venue says no to a login or a subscription, in any venue's words."""
    said_no = message.get("event") == "error" or message.get("success") is False
    return said_no or bool(message.get("error"))
