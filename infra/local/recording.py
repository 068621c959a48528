"""A venue's public trades, recorded through our own dialect and stream into a tape."""

import asyncio
import datetime
import gzip
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from adapters.access import Access, Network, PaperAddress
from adapters.clock import SystemClock
from adapters.failures import understood
from adapters.opener import dialect_of
from adapters.sequence import Numbers
from adapters.streams import Patience, Stream
from adapters.venues import Dialect, Socket, TellsTime, Trade
from adapters.wire import Wire
from engine.errors import CtsError, RefusedError
from engine.ports import Clock
from local.paper.market.instruments import by_symbol

VENUES = ("binance", "bybit", "okx")
COLUMNS = "ts_ms,symbol,price,qty,buyer_is_maker"
_KIND = "perpetual_futures"
_IN_ORDER_MS = 2_000  # trades of one symbol that overtook each other stand in order by then
_TELL_MS = 5_000
_FIRST_MESSAGE_MS = 15_000

Say = Callable[[str], None]


class RecordingError(Exception):
    """Nothing can be recorded; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to record, for how long, into which file (`.gz` packs it)."""

    venue: str
    symbols: Sequence[str]
    seconds: int
    out: Path
    paper: PaperAddress | None = None


@dataclass(slots=True)
class Tape:
    """Rows in order of time, written as soon as no earlier one can come any more."""

    file: TextIO
    waiting: list[tuple[int, int, Trade]] = field(default_factory=list)
    trades: int = 0
    newest_ms: int = 0

    def begin(self, wanted: Wanted, begun_ms: int) -> None:
        """Where it comes from, for whoever finds it."""
        at = datetime.datetime.fromtimestamp(begun_ms / 1000, datetime.UTC)
        source = "the paper exchange" if wanted.paper else "production"
        for line in (
            "public trades recorded by `cts record`",
            f"venue: {wanted.venue} {_KIND}, {source}",
            f"symbols: {' '.join(wanted.symbols)}",
            f"begun: {at.isoformat(timespec='milliseconds')} ({begun_ms} ms)",
        ):
            self.file.write(f"# {line}\n")
        self.file.write(f"{COLUMNS}\n")

    def add(self, trade: Trade) -> None:
        """Keep a trade until its turn."""
        self.trades += 1
        self.newest_ms = max(self.newest_ms, trade.event_ms)
        heapq.heappush(self.waiting, (trade.event_ms, self.trades, trade))
        while self.waiting[0][0] < self.newest_ms - _IN_ORDER_MS:
            self._write(heapq.heappop(self.waiting)[2])

    def end(self, note: str) -> None:
        """Write what waits, and how it went."""
        while self.waiting:
            self._write(heapq.heappop(self.waiting)[2])
        self.file.write(f"# {note}\n")

    def _write(self, trade: Trade) -> None:
        maker = int(trade.is_buyer_maker)
        row = (trade.event_ms, trade.symbol, trade.price, trade.quantity, maker)
        self.file.write(",".join(map(str, row)) + "\n")


async def record(wanted: Wanted, *, say: Say, stop: asyncio.Event) -> str:
    """Record until the time is up or `stop` is set; what was recorded by then is kept.

    Returns a sentence on what the tape holds.

    Raises
    ------
    RecordingError
        If the venue cannot be reached, does not list a symbol, or says nothing.
    """
    clock = SystemClock()
    dialect = dialect_of(wanted.venue, _KIND)
    network = Network.PAPER if wanted.paper else Network.LIVE
    access = Access(venue=wanted.venue, network=network, paper=wanted.paper)
    wire = Wire(access, clock, dialect)
    try:
        await _check(wanted, wire, dialect)
        say(f"{wanted.venue} is reached; recording {', '.join(wanted.symbols)}")
        with _opened(wanted.out) as file:
            return await _recorded(wanted, wire, dialect, clock, Tape(file), say=say, stop=stop)
    finally:
        await wire.close()


async def _check(wanted: Wanted, wire: Wire, dialect: Dialect) -> None:
    try:
        for symbol in wanted.symbols:
            by_symbol(symbol)
        listed = await understood(dialect.instruments(wire, ranked=False))
    except ValueError as error:
        raise RecordingError(f"{error}: the tape could not be played") from error
    except RefusedError as error:
        raise RecordingError(str(error)) from error
    except CtsError as error:
        raise RecordingError(
            f"{wanted.venue} cannot be reached from this machine, nothing was recorded ({error}); "
            "with --paper the paper exchange of a running twin is recorded"
        ) from error
    missing = sorted(set(wanted.symbols) - {each.symbol for each in listed})
    if missing:
        raise RecordingError(f"{wanted.venue} does not list {', '.join(missing)}")


def _opened(path: Path) -> TextIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        return gzip.open(path, "wt", encoding="utf-8")
    return path.open("w", encoding="utf-8")


async def _recorded(
    wanted: Wanted,
    wire: Wire,
    dialect: Dialect,
    clock: Clock,
    tape: Tape,
    *,
    say: Say,
    stop: asyncio.Event,
) -> str:
    numbers = Numbers()
    tape.begin(wanted, clock.now_ms())

    def hear(message: Any) -> None:
        for trade in dialect.read_trades(message):
            if numbers.take(trade) and trade.is_sound and not stop.is_set():
                tape.add(trade)

    async def open_socket() -> Socket:
        return dialect.market_socket(wire.client(), wanted.symbols, key="record")

    stream = Stream(
        wire,
        clock,
        open_socket,
        hear,
        patience=Patience(),
        speaks=True,
        on_break=lambda seen_ms: numbers.forget(wanted.symbols),
        time_of=dialect.event_ms if isinstance(dialect, TellsTime) else None,
    )
    try:
        await _watched(wanted, stream, clock, tape, say=say, stop=stop)
    finally:
        stop.set()  # what still comes is not written
        note = f"{tape.trades} trades; {numbers.jumps} losses seen, {stream.breaks} breaks"
        tape.end(note)
        await stream.close()
    return f"{wanted.out}: {note}"


async def _watched(
    wanted: Wanted, stream: Stream, clock: Clock, tape: Tape, *, say: Say, stop: asyncio.Event
) -> None:
    """Tell how it goes until the end; watch over the stream meanwhile."""
    begun_ms = told_ms = clock.now_ms()
    end_ms = begun_ms + wanted.seconds * 1000
    while not stop.is_set() and (now_ms := clock.now_ms()) < end_ms:
        stream.check(now_ms)
        if not stream.seen_ms and now_ms - begun_ms > _FIRST_MESSAGE_MS:
            raise RecordingError(
                f"{wanted.venue} said nothing: {stream.last_problem or 'no error'}"
            )
        if now_ms - told_ms >= _TELL_MS:
            told_ms = now_ms
            say(f"{(now_ms - begun_ms) // 1000} of {wanted.seconds} s: {tape.trades} trades")
        await _pause(stop, min(end_ms, now_ms + 250) - now_ms)


async def _pause(stop: asyncio.Event, milliseconds: int) -> None:
    try:
        async with asyncio.timeout(milliseconds / 1000):
            await stop.wait()
    except TimeoutError:
        return
