"""Candles of the past from a venue's klines, asked for in pages at a measured pace."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import compress

import numpy as np

from adapters.pacing import Pace as Pace
from adapters.pacing import paced
from adapters.venues import Caller, Dialect, Kline
from engine.errors import RefusedError
from engine.market import Candles, Kind, fill_gaps, gap_candles
from engine.ports import Clock
from engine.values import Instrument


async def klines(
    wire: Caller,
    dialect: Dialect,
    clock: Clock,
    instrument: Instrument,
    *,
    span_ms: int,
    start_ms: int,
    end_ms: int,
    pace: Pace,
) -> Candles:
    """Candles that opened in [start, end), all on the grid, missing or unfinished ones as gaps.

    Raises
    ------
    RefusedError
        If the venue has no candles of that span: prices are never invented.
    """
    if span_ms not in dialect.kline_spans_ms:
        known = ", ".join(map(str, sorted(dialect.kline_spans_ms)))
        raise RefusedError(f"span_ms must be one of {known}, was {span_ms}")
    page_ms = dialect.kline_page * span_ms
    starts = range(start_ms, end_ms, page_ms)

    async def page(page_start: int) -> Sequence[Kline]:
        wanted = min(end_ms, page_start + page_ms) - page_start
        return await dialect.klines(
            wire,
            instrument.symbol,
            span_ms=span_ms,
            start_ms=page_start,
            limit=-(-wanted // span_ms),
        )

    pages = await paced(starts, page, clock, pace)
    rows = {each.open_ms: each for found in pages for each in found}
    last_open_ms = min(end_ms, clock.now_ms()) - span_ms
    kept = [rows[ms] for ms in sorted(rows) if start_ms <= ms <= last_open_ms]
    return fill_gaps(
        to_candles(kept, instrument, span_ms=span_ms), start_ms=start_ms, end_ms=end_ms
    )


def to_candles(rows: Sequence[Kline], instrument: Instrument, *, span_ms: int) -> Candles:
    """Klines of one symbol, oldest first; those without volume are flat, unsound ones gaps."""
    close_ms = np.array([row.open_ms + span_ms for row in rows], np.int64)
    made = gap_candles((instrument.symbol,), span_ms=span_ms, close_ms=close_ms)
    sound = np.array([row.is_sound for row in rows], np.bool_)
    kept = list(compress(rows, sound))
    for name in ("open", "high", "low", "close"):
        prices = [instrument.to_ticks(Decimal(getattr(row, name))) for row in kept]
        getattr(made, name)[sound, 0] = prices
    volume = [to_steps(instrument, row.volume) for row in kept]
    made.volume[sound, 0] = volume
    made.kind[sound, 0] = [Kind.TRADED if each else Kind.FLAT for each in volume]
    return made


def to_steps(instrument: Instrument, quantity: str) -> int:
    """Integer quantity steps nearest to what the venue printed."""
    return round(Decimal(quantity) / instrument.quantity_step)
