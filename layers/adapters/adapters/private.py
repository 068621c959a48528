"""The account's own events from the user-data stream, named as ours and in order."""

import asyncio
from collections import deque
from typing import Any

from adapters.failures import understood
from adapters.streams import Patience, Stream
from adapters.venues import Dialect, PrivateNews, Socket, TellsElsewhere
from adapters.wire import Wire
from engine.errors import CtsError
from engine.events import Event, StreamBroken
from engine.ports import Clock

_NAME_WAIT_MS = 2_000
_KEEP_ALIVE_MS = 20 * 60_000
_REPEAT_MS = 8_000  # two full readings of the account in that time cost a third of the budget


class BlindAccount:
    """Where a venue or a setting gives no user-data stream: only the news that news are missing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._missing_since_ms = clock.now_ms()
        self._told_ms = 0

    def drain(self) -> tuple[Event, ...]:
        """A `StreamBroken` every few seconds, so that the account is read instead."""
        now_ms = self._clock.now_ms()
        if now_ms - self._told_ms < _REPEAT_MS:
            return ()
        self._told_ms = now_ms
        return (StreamBroken(since_ms=self._missing_since_ms, at_ms=now_ms),)

    def check(self, now_ms: int, *, frozen_ms: int) -> None:
        """Nothing is open."""

    async def close(self) -> None:
        """Nothing is open."""


class PrivateStream:
    """Gathers order updates and fills until they are drained.

    While the stream is broken, a `StreamBroken` every few seconds asks for reading the account
    instead, and one when it is back tells from when on events may be missing.

    A fill whose order nobody has named yet waits a little for the message that does, because an
    order born of a triggered stop carries an id we never chose.
    """

    def __init__(self, wire: Wire, dialect: Dialect, clock: Clock, *, patience: Patience) -> None:
        self._wire = wire
        self._dialect = dialect
        self._clock = clock
        self._events: list[Event] = []
        self._unnamed: deque[tuple[int, Any]] = deque()
        # Whatever happened before the first connection was missed too.
        self._missing_since_ms = self._told_ms = clock.now_ms()
        self.stream = Stream(
            wire,
            clock,
            self._open_socket,
            self._on_message,
            patience=patience,
            speaks=False,
            on_break=self._on_break,
        )
        self._streams = (self.stream, *self._elsewhere(patience))
        self._keeper = asyncio.create_task(self._keep_alive())

    def drain(self) -> tuple[Event, ...]:
        """Events since the last call."""
        is_due = self._clock.now_ms() - self._told_ms >= _REPEAT_MS
        if self._missing_since_ms and (self._is_live or is_due):
            self._tell_missing()
        self._read_unnamed()
        events, self._events = tuple(self._events), []
        return events

    def check(self, now_ms: int, *, frozen_ms: int) -> None:
        """Dial anew after a freeze, or if the stream does not tell what the venue knows."""
        for stream in self._streams:
            stream.check(now_ms, frozen_ms=frozen_ms)
        unheard = self._wire.witness.unheard(self.stream.live_since_ms)
        if unheard:
            self.stream.kick(f"it said nothing of the filled order {unheard}")

    async def close(self) -> None:
        """Stop listening."""
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        await asyncio.gather(*(stream.close() for stream in self._streams))

    @property
    def _is_live(self) -> bool:
        return all(stream.is_live for stream in self._streams)

    def _elsewhere(self, patience: Patience) -> tuple[Stream, ...]:
        """A second socket where the venue tells of conditional orders on one of their own."""
        dialect = self._dialect
        if not isinstance(dialect, TellsElsewhere):
            return ()

        async def open_socket() -> Socket:
            return await understood(dialect.second_private_socket(self._wire))

        return (
            Stream(
                self._wire,
                self._clock,
                open_socket,
                self._on_message,
                patience=patience,
                speaks=False,
                on_break=self._on_break,
            ),
        )

    async def _open_socket(self) -> Socket:
        return await understood(self._dialect.private_socket(self._wire))

    async def _keep_alive(self) -> None:
        while True:
            await self._clock.sleep_until_ms(self._clock.now_ms() + _KEEP_ALIVE_MS)
            try:
                await self._dialect.keep_private_alive(self._wire)
            except CtsError as error:
                self.stream.kick(f"keep-alive failed: {error}")

    def _on_message(self, message: Any) -> None:
        news = self._dialect.read_private(message, self._wire.names, patient=True)
        if news.waits_for:
            self._unnamed.append((self._clock.now_ms(), message))
            return
        self._take(news)
        self._read_unnamed()

    def _read_unnamed(self) -> None:
        """Read the messages whose orders have a name by now, or waited long enough for one."""
        for _ in range(len(self._unnamed)):
            since_ms, message = self._unnamed.popleft()
            patient = self._clock.now_ms() - since_ms < _NAME_WAIT_MS
            news = self._dialect.read_private(message, self._wire.names, patient=patient)
            if news.waits_for:
                self._unnamed.append((since_ms, message))
            else:
                self._take(news)

    def _take(self, news: PrivateNews) -> None:
        self._wire.witness.stream_told((*news.updates, *news.fills))
        self._events += (*news.updates, *news.fills, *news.funding)
        if news.expired:
            self.stream.kick("the venue ended the stream's key")

    def _on_break(self, seen_ms: int) -> None:
        was_missing, since_ms = bool(self._missing_since_ms), self._missing_since_ms or seen_ms
        self._missing_since_ms = min(since_ms, seen_ms)
        if not was_missing:
            self._tell_missing()

    def _tell_missing(self) -> None:
        self._told_ms = self._clock.now_ms()
        self._events.append(StreamBroken(since_ms=self._missing_since_ms, at_ms=self._told_ms))
        if self._is_live:
            self._missing_since_ms = 0
