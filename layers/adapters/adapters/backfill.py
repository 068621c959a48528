"""Candles missed while nobody watched: seconds from trades for the last minutes, minutes before."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import numpy as np

from adapters.history import klines, to_steps
from adapters.pacing import Pace, paced
from adapters.seconds import SPAN_MS
from adapters.venues import Caller, Dialect, Trade, TradesGoneError
from engine.errors import VenueRefusedError
from engine.market import Candles, Ints, bars_from_trades, gap_candles, join_symbols, join_time
from engine.ports import Clock
from engine.values import Instrument

MINUTE_MS = 60_000
SECONDS_BACK_MS = 10 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Told:
    """Trades of a chunk, wholly known since `from_ms`."""

    trades: Sequence[Trade]
    from_ms: int


Chunk = tuple[int, int, list[Told | None]]


async def backfill(
    wire: Caller,
    dialect: Dialect,
    clock: Clock,
    instruments: Sequence[Instrument],
    *,
    start_ms: int,
    end_ms: int,
    pace: Pace,
    room: Callable[[int], bool],
) -> tuple[Candles, ...]:
    """Candles that closed in (start, end] of all instruments, oldest first.

    Trades are asked for minute by minute, the newest first, at most ten minutes back, as far as the
    venue tells them and `room` grants their weight: what lies before comes as whole 1 m candles. A
    symbol that the venue refuses is a gap and keeps the others from nothing.
    """
    if end_ms - start_ms < SPAN_MS or not instruments:
        return ()
    chunks = await _latest_trades(
        wire, dialect, clock, instruments, start_ms=start_ms, end_ms=end_ms, pace=pace, room=room
    )
    border_ms = chunks[0][0] if chunks else end_ms
    pieces: list[Candles] = []
    first_minute = -(-start_ms // MINUTE_MS) * MINUTE_MS
    last_minute = border_ms // MINUTE_MS * MINUTE_MS
    if last_minute > first_minute:
        columns = [
            await _minutes(
                wire, dialect, clock, each, start_ms=first_minute, end_ms=last_minute, pace=pace
            )
            for each in instruments
        ]
        pieces.append(join_symbols(columns))
    for chunk_start, chunk_end, trades in chunks:
        before = pieces[-1].close[-1] if pieces else np.zeros(len(instruments), np.int64)
        pieces.append(
            join_symbols(
                [
                    _bars(each, rows, chunk_start, chunk_end, int(close))
                    for each, rows, close in zip(instruments, trades, before, strict=True)
                ]
            )
        )
    return tuple(pieces)


async def _latest_trades(
    wire: Caller,
    dialect: Dialect,
    clock: Clock,
    instruments: Sequence[Instrument],
    *,
    start_ms: int,
    end_ms: int,
    pace: Pace,
    room: Callable[[int], bool],
) -> list[Chunk]:
    chunks: list[Chunk] = []
    oldest_ms = max(start_ms, -(-(end_ms - SECONDS_BACK_MS) // MINUTE_MS) * MINUTE_MS)
    chunk_end = end_ms
    while chunk_end > oldest_ms and room(dialect.trades_weight * len(instruments)):
        chunk_start = max(oldest_ms, (chunk_end - 1) // MINUTE_MS * MINUTE_MS)
        fetch = partial(_trades, wire, dialect, start_ms=chunk_start, end_ms=chunk_end)
        rows = await paced([each.symbol for each in instruments], fetch, clock, pace)
        is_torn = any(each is not None and each.from_ms > chunk_start for each in rows)
        if is_torn and chunk_end - chunk_start == MINUTE_MS:
            break  # as one candle it is whole
        chunks.insert(0, (chunk_start, chunk_end, rows))
        if is_torn:
            break
        chunk_end = chunk_start
    return chunks


async def _minutes(
    wire: Caller,
    dialect: Dialect,
    clock: Clock,
    instrument: Instrument,
    *,
    start_ms: int,
    end_ms: int,
    pace: Pace,
) -> Candles:
    try:
        return await klines(
            wire,
            dialect,
            clock,
            instrument,
            span_ms=MINUTE_MS,
            start_ms=start_ms,
            end_ms=end_ms,
            pace=pace,
        )
    except VenueRefusedError:
        return _nothing(instrument, MINUTE_MS, start_ms, end_ms)


async def _trades(
    wire: Caller, dialect: Dialect, symbol: str, *, start_ms: int, end_ms: int
) -> Told | None:
    """All trades of the chunk, or those since the first whole second the venue still tells."""
    try:
        return Told(await dialect.trades(wire, symbol, start_ms=start_ms, end_ms=end_ms), start_ms)
    except TradesGoneError as error:
        from_ms = -(-error.told_from_ms // SPAN_MS) * SPAN_MS + SPAN_MS  # more come meanwhile
    except VenueRefusedError:
        return None
    if from_ms >= end_ms:
        return Told((), end_ms)
    try:
        return Told(await dialect.trades(wire, symbol, start_ms=from_ms, end_ms=end_ms), from_ms)
    except VenueRefusedError:
        return Told((), end_ms)


def _nothing(instrument: Instrument, span_ms: int, start_ms: int, end_ms: int) -> Candles:
    """Gaps alone: prices are never invented."""
    closes = np.arange(start_ms + span_ms, end_ms + 1, span_ms, dtype=np.int64)
    return gap_candles((instrument.symbol,), span_ms=span_ms, close_ms=closes)


def _bars(
    instrument: Instrument,
    told: Told | None,
    start_ms: int,
    end_ms: int,
    last_close: int,
) -> Candles:
    from_ms = end_ms if told is None else told.from_ms
    unknown = _nothing(instrument, SPAN_MS, start_ms, from_ms)
    if told is None or from_ms >= end_ms:
        return unknown
    sound = (each for each in told.trades if each.is_sound)
    ordered = sorted(sound, key=lambda each: (each.event_ms, each.trade_id))
    known = bars_from_trades(
        instrument.symbol,
        _ints([each.event_ms for each in ordered]),
        _ints([instrument.to_ticks(Decimal(each.price)) for each in ordered]),
        _ints([to_steps(instrument, each.quantity) for each in ordered]),
        start_ms=from_ms,
        end_ms=end_ms,
        last_close=last_close if from_ms == start_ms else 0,
    )
    return join_time([unknown, known])


def _ints(values: Sequence[int]) -> Ints:
    return np.array(values, np.int64)
