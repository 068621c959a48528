"""Candles of many symbols as integer arrays, and their lossless packing."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import CorruptStateError, InvalidCandleError

Ints = NDArray[np.int64]

_FIELDS = ("open", "high", "low", "close", "volume", "kind")
_PRICES = ("open", "high", "low", "close")


class Kind(IntEnum):
    """What a candle is made of."""

    TRADED = 0
    FLAT = 1  # the feed was alive and nothing traded: all four prices are the last close
    GAP = 2  # nobody knows: prices are zero, mean nothing and decide nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Candles:
    """T candles of S symbols, oldest first.

    Attributes
    ----------
    symbols : tuple of str, length S
    span_ms : int
        Length of one candle.
    close_ms : (T,) int64
        Close times, strictly rising, UTC epoch milliseconds.
    open, high, low, close : (T, S) int64
        Prices in ticks of each symbol's instrument.
    volume : (T, S) int64
        Traded quantity in steps of each symbol's instrument.
    kind : (T, S) int8
        `Kind` of each candle.
    """

    symbols: tuple[str, ...]
    span_ms: int
    close_ms: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    kind: NDArray[np.int8]

    def __post_init__(self) -> None:
        shape = (len(self.close_ms), len(self.symbols))
        for name in _FIELDS:
            if getattr(self, name).shape != shape:
                raise InvalidCandleError(
                    f"{name} must be (T, S) = {shape}, was {getattr(self, name).shape}"
                )
        if len(self.close_ms) > 1 and not (np.diff(self.close_ms) > 0).all():
            raise InvalidCandleError("close_ms must rise strictly")

    def __len__(self) -> int:
        return len(self.close_ms)

    def rows(self, start: int, stop: int) -> "Candles":
        """Candles `start` up to, not including, `stop`."""
        return self._taken((slice(start, stop), slice(None)), self.symbols)

    def between(self, start_ms: int, end_ms: int) -> "Candles":
        """Candles that closed in (start_ms, end_ms]."""
        first, last = np.searchsorted(self.close_ms, [start_ms, end_ms], side="right")
        return self.rows(int(first), int(last))

    def select(self, symbols: Sequence[str]) -> "Candles":
        """Only these symbols, in this order; raises InvalidCandleError if one is missing."""
        missing = [symbol for symbol in symbols if symbol not in self.symbols]
        if missing:
            raise InvalidCandleError(f"candles hold {self.symbols}, not {missing}")
        columns = [self.symbols.index(symbol) for symbol in symbols]
        return self._taken((slice(None), columns), tuple(symbols))

    def check_prices(self) -> "Candles":
        """Itself, if every candle that is no gap has 0 < low <= open, close <= high.

        Raises
        ------
        InvalidCandleError
            Naming the first symbol and close time that break this.
        """
        inside = (np.minimum(self.open, self.close) >= self.low) & (
            np.maximum(self.open, self.close) <= self.high
        )
        wrong = (self.kind != Kind.GAP) & ~(inside & (self.low > 0))
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise InvalidCandleError(
                f"{self.symbols[column]} at {self.close_ms[row]}: prices must be "
                "0 < low <= open, close <= high"
            )
        return self

    def _taken(self, index: Any, symbols: tuple[str, ...]) -> "Candles":
        parts = {name: getattr(self, name)[index] for name in _FIELDS}
        return Candles(
            symbols=symbols, span_ms=self.span_ms, close_ms=self.close_ms[index[0]], **parts
        )


def join_time(pieces: Sequence[Candles]) -> Candles:
    """Adjacent pieces of the same symbols and span as one, oldest first."""
    first = pieces[0]
    for piece in pieces[1:]:
        if (piece.symbols, piece.span_ms) != (first.symbols, first.span_ms):
            raise InvalidCandleError("pieces to join in time must have equal symbols and span")
    parts = {name: np.concatenate([getattr(p, name) for p in pieces]) for name in _FIELDS}
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
        for name in _FIELDS:
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
    for name in _FIELDS:
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


# --- packing ----------------------------------------------------------------------------------

_CODEC = 1


def pack(candles: Candles) -> bytes:
    """Lossless and small: tick deltas at their least width, byte-shuffled, zlib.

    Prices and volume of gaps are not kept; they unpack as zero.
    """
    gap = candles.kind == Kind.GAP
    close = _filled_forward(candles.close, gap)
    before = np.vstack([close[:1], close[:-1]])
    open_ = np.where(gap, before, candles.open)
    top, bottom = np.maximum(open_, close), np.minimum(open_, close)
    columns = [
        np.diff(close, axis=0),
        open_ - before,
        np.where(gap, 0, candles.high - top),
        np.where(gap, 0, bottom - candles.low),
        np.where(gap, 0, candles.volume),
        candles.kind.astype(np.int64),
        np.diff(candles.close_ms) - candles.span_ms,
    ]
    packed = [_shuffled(column) for column in columns]
    header = {
        "codec": _CODEC,
        "symbols": candles.symbols,
        "span_ms": candles.span_ms,
        "length": len(candles),
        "close_ms": int(candles.close_ms[0]) if len(candles) else 0,
        "close": close[0].tolist() if len(candles) else [],
        "widths": [width for width, _ in packed],
    }
    body = b"".join(part for _, part in packed)
    return zlib.compress(json.dumps(header, separators=(",", ":")).encode() + b"\n" + body, 6)


def unpack(packed: bytes) -> Candles:
    """What `pack` packed; raises CorruptStateError on anything else."""
    try:
        head, _, body = zlib.decompress(packed).partition(b"\n")
        header = json.loads(head)
        if header["codec"] != _CODEC:
            raise CorruptStateError(f"candles packed by codec {header['codec']}")
        return _unpacked(header, body)
    except (zlib.error, ValueError, KeyError, IndexError) as error:
        raise CorruptStateError(f"packed candles are damaged: {error}") from error


def _unpacked(header: dict[str, Any], body: bytes) -> Candles:
    length, symbols = header["length"], tuple(header["symbols"])
    shape, less = (length, len(symbols)), (max(length - 1, 0), len(symbols))
    shapes: list[tuple[int, ...]] = [less, shape, shape, shape, shape, shape, less[:1]]
    columns = []
    for size, width in zip(shapes, header["widths"], strict=True):
        count = int(np.prod(size)) * width
        columns.append(_unshuffled(body[:count], width, size))
        body = body[count:]
    change, opened, above, below, volume, kind, late = columns
    start = np.array(header["close"], np.int64).reshape(-1, len(symbols))
    close = np.cumsum(np.vstack([start, change]), axis=0) if length else change
    open_ = np.vstack([close[:1], close[:-1]]) + opened
    prices = {
        "open": open_,
        "high": np.maximum(open_, close) + above,
        "low": np.minimum(open_, close) - below,
        "close": close,
    }
    known = kind != Kind.GAP
    times = np.concatenate([[header["close_ms"]], late + header["span_ms"]]).cumsum()
    return Candles(
        symbols=symbols,
        span_ms=header["span_ms"],
        close_ms=times[:length].astype(np.int64),
        volume=volume,
        kind=kind.astype(np.int8),
        **{name: np.where(known, price, 0) for name, price in prices.items()},
    )


def _filled_forward(values: Ints, missing: NDArray[np.bool_]) -> Ints:
    rows = np.where(missing, -1, np.arange(len(values))[:, None])
    latest = np.maximum.accumulate(rows, axis=0)
    filled = np.take_along_axis(values, np.maximum(latest, 0), axis=0)
    return np.where(latest >= 0, filled, 0)


def _shuffled(values: Ints) -> tuple[int, bytes]:
    """Least byte width that holds all values, and their bytes sorted by significance."""
    column = np.ascontiguousarray(values.T)
    low, high = (int(column.min()), int(column.max())) if column.size else (0, 0)
    width = next(w for w in (1, 2, 4, 8) if -(1 << 8 * w - 1) <= low and high < 1 << 8 * w - 1)
    raw = column.astype(f"<i{width}").view(np.uint8).reshape(-1, width)
    return width, raw.T.tobytes()


def _unshuffled(raw: bytes, width: int, shape: tuple[int, ...]) -> Ints:
    planes = np.frombuffer(raw, np.uint8).reshape(width, -1)
    flat = np.ascontiguousarray(planes.T).view(f"<i{width}").reshape(shape[::-1])
    return np.ascontiguousarray(flat.T).astype(np.int64)
