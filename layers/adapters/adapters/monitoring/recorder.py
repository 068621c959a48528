"""Gathers entries in memory and stores them seldom, beside whoever tells them.

A teller never waits: rows are written by one thread of their own, a few a minute. What cannot be
written stays in memory, up to a limit past which it is only counted, and goes with a later row.
"""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import replace
from threading import Lock
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from adapters.monitoring.entries import Category, Entry, Level
from adapters.monitoring.packets import MAX_SPAN_MS, SYSTEM
from engine.ports import Clock

MINUTE_MS = 60_000
URGENT_MS = 10_000
"""A problem is written at once if the last row is this old."""
ALIKE = 10
"""Entries of one kind in a row that keep values of their own."""
HELD = 200
"""Entries that wait at most; more are counted."""
WAIT_S = 0.3
"""How long the end of a burst waits for its row; the next burst waits for that end."""


class WritePacket(Protocol):
    """Stores entries of one stream; raises what the table raises."""

    def __call__(self, stream: str, entries: Sequence[Entry], *, now_ms: int) -> None: ...


class Recorder:
    """At most `rows_a_minute` rows a minute, however much is told."""

    def __init__(self, write: WritePacket, clock: Clock, *, rows_a_minute: int = 6) -> None:
        self._write, self._clock = write, clock
        self._rows_a_minute = rows_a_minute
        self._held: list[Entry] = []
        self._alike: Counter[tuple[str, ...]] = Counter()
        self._dropped: Counter[str] = Counter()
        self._written: deque[int] = deque()
        self._failures = 0
        self._not_before_ms = 0
        self._last_ms = clock.now_ms()
        self._urgent = False
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="site-logs")
        self._running: Future[None] | None = None

    def add(self, entry: Entry) -> None:
        """Note an entry; returns at once."""
        with self._lock:
            self._keep(entry)
            self._urgent = self._urgent or entry.level is Level.ERROR
            due = self._is_due()
        if due:
            self._start()

    def flush(self) -> None:
        """Write what waits, as far as the minute's rows allow, and wait a little for it."""
        if self._clock.now_ms() < self._not_before_ms:
            return
        if (self._held or self._dropped) and (self._running is None or self._running.done()):
            self._start()
        if self._running is not None:
            wait_for([self._running], timeout=WAIT_S)

    def _keep(self, entry: Entry) -> None:
        """Hold it; the eleventh of a kind is counted on the newest one of them."""
        if self._alike[entry.kind] >= ALIKE:
            at = next(
                i for i in reversed(range(len(self._held))) if self._held[i].kind == entry.kind
            )
            self._held[at] = replace(entry, count=self._held[at].count + entry.count)
        elif len(self._held) >= HELD:
            self._dropped[entry.connection_id] += entry.count
        else:
            self._held.append(entry)
            self._alike[entry.kind] += 1

    def _is_due(self) -> bool:
        now_ms = self._clock.now_ms()
        waited_ms = now_ms - self._last_ms
        is_time = waited_ms >= (URGENT_MS if self._urgent else MINUTE_MS)
        is_idle = self._running is None or self._running.done()
        return is_time and is_idle and now_ms >= self._not_before_ms

    def _start(self) -> None:
        self._running = self._thread.submit(self._write_all)

    def _write_all(self) -> None:
        """One row for each stream; what fails comes back, and is tried later and later."""
        with self._lock:
            streams = self._taken()
        for number, (stream, entries) in enumerate(streams):
            now_ms = self._clock.now_ms()
            try:
                self._write(stream, [_in_span(one, now_ms) for one in entries], now_ms=now_ms)
            except (PynamoDBException, BotoCoreError, ClientError):
                with self._lock:
                    self._failed([one for _, rest in streams[number:] for one in rest], now_ms)
                return
            self._written.append(now_ms)
        self._failures = 0

    def _taken(self) -> list[tuple[str, list[Entry]]]:
        """What this minute still has rows for, by stream; the rest stays held."""
        now_ms = self._clock.now_ms()
        while self._written and now_ms - self._written[0] >= MINUTE_MS:
            self._written.popleft()
        free = self._rows_a_minute - len(self._written)
        if free <= 0:
            return []
        by_stream: dict[str, list[Entry]] = {}
        for entry in (*self._held, *self._lost(now_ms)):
            by_stream.setdefault(entry.connection_id or SYSTEM, []).append(entry)
        taken = list(by_stream.items())[:free]
        self._reset([entry for _, rest in list(by_stream.items())[free:] for entry in rest])
        self._last_ms = now_ms
        return taken

    def _lost(self, now_ms: int) -> list[Entry]:
        """What was only counted, as an entry that says so."""
        lost = [
            Entry(
                at_ms=now_ms,
                level=Level.WARN,
                category=Category.SYSTEM,
                message="log entries dropped",
                values={},
                connection_id=connection_id,
                count=count,
            )
            for connection_id, count in self._dropped.items()
        ]
        self._dropped.clear()
        return lost

    def _failed(self, entries: Sequence[Entry], now_ms: int) -> None:
        self._failures += 1
        pause_ms = URGENT_MS * 2 ** min(self._failures, 5)
        self._not_before_ms = now_ms + pause_ms
        newer = self._held
        self._reset(entries)
        for entry in newer:
            self._keep(entry)

    def _reset(self, entries: Sequence[Entry]) -> None:
        """Hold exactly these."""
        self._held, self._alike = [], Counter()
        for entry in entries:
            self._keep(entry)
        self._urgent = any(entry.level is Level.ERROR for entry in self._held)


def _in_span(entry: Entry, now_ms: int) -> Entry:
    """An entry that waited very long, told as of a time at which readers look for it."""
    earliest = now_ms - MAX_SPAN_MS
    if entry.at_ms >= earliest:
        return entry
    return replace(entry, at_ms=earliest, values={**entry.values, "told_ms": str(entry.at_ms)})


def kept_for(days: Callable[[], int], write: Callable[..., None]) -> WritePacket:
    """`write` with the days its rows last asked of `days` each time."""

    def written(stream: str, entries: Sequence[Entry], *, now_ms: int) -> None:
        write(stream, entries, now_ms=now_ms, keep_days=days())

    return written
