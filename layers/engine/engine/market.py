"""Everything about candles: values, joining, gaps, bars from trades, and the codec."""

from collections.abc import Sequence

import numpy as np

from engine.candles import FIELDS, Candles, Ints, Kind
from engine.errors import InvalidCandleError
from engine.packing import pack, unpack

__all__ = [
    "Candles",
    "Ints",
    "Kind",
    "bars_from_trades",
    "fill_gaps",
    "flat_candle",
    "gap_candles",
    "join_symbols",
    "join_time",
    "pack",
    "unpack",
]

_PRICES = ("open", "high", "low", "close")


def join_time(pieces: Sequence[Candles]) -> Candles:
    """Adjacent pieces of the same symbols and span as one, oldest first."""
    first = pieces[0]
    for piece in pieces[1:]:
        if (piece.symbols, piece.span_ms) != (first.symbols, first.span_ms):
            raise InvalidCandleError("pieces to join in time must have equal symbols and span")
    parts = {name: np.concatenate([getattr(p, name) for p in pieces]) for name in FIELDS}
    close_ms = np.concatenate([piece.close_ms for piece in pieces])
    return Candles(symbols=first.symbols, span_ms=first.span_ms, close_ms=close_ms, **parts)


def join_symbols(pieces: Sequence[Candles]) -> Candles:
    """Pieces of different symbols as one; a candle that a piece lacks becomes a gap."""
    spans = {piece.span_ms for piece in pieces}
    symbols = tuple(symbol for piece in pieces for symbol in piece.symbols)
    if len(spans) != 1 or len(set(symbols)) != len(symbols):
        raise InvalidCandleError("pieces to join must have one span and different symbols")
    close_ms = np.unique(np.concatenate([piece.close_ms for piece in pieces]))
    joined = gap_candles(symbols, span_ms=spans.pop(), close_ms=close_ms)
    column = 0
    for piece in pieces:
        rows = np.searchsorted(close_ms, piece.close_ms)
        columns = slice(column, column + len(piece.symbols))
        for name in FIELDS:
            getattr(joined, name)[rows, columns] = getattr(piece, name)
        column = columns.stop
    return joined


def gap_candles(symbols: Sequence[str], *, span_ms: int, close_ms: Ints) -> Candles:
    """Candles nobody knows anything of."""
    shape = (len(close_ms), len(symbols))
    prices = {name: np.zeros(shape, np.int64) for name in (*_PRICES, "volume")}
    kind = np.full(shape, Kind.GAP, np.int8)
    return Candles(symbols=tuple(symbols), span_ms=span_ms, close_ms=close_ms, kind=kind, **prices)


def fill_gaps(candles: Candles, *, start_ms: int, end_ms: int) -> Candles:
    """Candles on the whole grid of close times in (start_ms, end_ms], missing ones as gaps."""
    span = candles.span_ms
    first = start_ms - start_ms % span + span
    grid = np.arange(first, end_ms + 1, span, dtype=np.int64)
    filled = gap_candles(candles.symbols, span_ms=span, close_ms=grid)
    inside = candles.between(start_ms, end_ms)
    rows = np.searchsorted(grid, inside.close_ms)
    if len(inside) and (rows.max() >= len(grid) or (grid[rows] != inside.close_ms).any()):
        raise InvalidCandleError(f"close times must be multiples of {span} ms")
    for name in FIELDS:
        getattr(filled, name)[rows] = getattr(inside, name)
    return filled


def flat_candle(symbol: str, *, span_ms: int, close_ms: int, price: int) -> Candles:
    """One candle of a live market in which nothing traded; `price` is the last close in ticks."""
    cell = np.full((1, 1), price, np.int64)
    return Candles(
        symbols=(symbol,),
        span_ms=span_ms,
        close_ms=np.array([close_ms], np.int64),
        open=cell,
        high=cell,
        low=cell,
        close=cell,
        volume=np.zeros((1, 1), np.int64),
        kind=np.full((1, 1), Kind.FLAT, np.int8),
    )


def bars_from_trades(
    symbol: str,
    trade_ms: Ints,
    price: Ints,
    quantity: Ints,
    *,
    start_ms: int,
    end_ms: int,
    span_ms: int = 1000,
    last_close: int = 0,
) -> Candles:
    """Candles that closed in (start_ms, end_ms] from trades ordered by time.

    A trade at `m` belongs to the candle that closes at the next multiple of `span_ms` later
    than `m`. A candle without trades is flat at the close before it, or a gap if none is known
    (`last_close` 0). Prices are in ticks, quantities in steps.
    """
    first = start_ms - start_ms % span_ms + span_ms
    close_ms = np.arange(first, end_ms + 1, span_ms, dtype=np.int64)
    bar = (trade_ms - (first - span_ms)) // span_ms
    inside = (bar >= 0) & (bar < len(close_ms))
    bar, price, quantity = bar[inside], price[inside], quantity[inside]
    bars, begin = np.unique(bar, return_index=True)
    end = np.append(begin[1:], len(bar)) - 1
    made = gap_candles((symbol,), span_ms=span_ms, close_ms=close_ms)
    if len(bars):
        made.open[bars, 0] = price[begin]
        made.high[bars, 0] = np.maximum.reduceat(price, begin)
        made.low[bars, 0] = np.minimum.reduceat(price, begin)
        made.close[bars, 0] = price[end]
        made.volume[bars, 0] = np.add.reduceat(quantity, begin)
        made.kind[bars, 0] = Kind.TRADED
    _flatten_quiet(made, last_close)
    return made


def _flatten_quiet(candles: Candles, last_close: int) -> None:
    traded = candles.kind[:, 0] == Kind.TRADED
    latest = np.maximum.accumulate(np.where(traded, np.arange(len(traded)), -1))
    known = np.where(latest >= 0, candles.close[latest, 0], last_close) if len(latest) else latest
    quiet = ~traded & (known > 0)
    for name in _PRICES:
        getattr(candles, name)[quiet, 0] = known[quiet]
    candles.kind[quiet, 0] = Kind.FLAT
