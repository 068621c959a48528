"""Candles for tests: written out as prices, or walked at random from a seed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from tests.builders import NOW_MS

from engine.market import Candles, Ints, Kind

START_MS = NOW_MS // 60_000 * 60_000


def candles_of(
    closes: Sequence[int] | Sequence[Sequence[int]],
    *,
    symbols: Sequence[str] = ("BTCUSDT",),
    span_ms: int = 1000,
    start_ms: int = START_MS,
) -> Candles:
    """Candles without wicks: each is its close alone. Rows are candles, columns symbols."""
    close = np.array(closes, np.int64).reshape(len(closes), len(symbols))
    return _candles(symbols, span_ms, start_ms, (close, close, close, close))


def bars_of(
    bars: Sequence[tuple[int, int, int, int]], *, span_ms: int = 1000, start_ms: int = START_MS
) -> Candles:
    """Candles of one symbol as (open, high, low, close)."""
    prices = np.array(bars, np.int64)[:, None, :]
    open_, high, low, close = (prices[..., column] for column in range(4))
    return _candles(("BTCUSDT",), span_ms, start_ms, (open_, high, low, close))


def mirrored(candles: Candles, around: int) -> Candles:
    """The same path upside down: what went up goes down by as many ticks."""
    return replace(
        candles,
        open=2 * around - candles.open,
        high=2 * around - candles.low,
        low=2 * around - candles.high,
        close=2 * around - candles.close,
    )


def walked(
    seed: int,
    *,
    length: int,
    symbols: Sequence[str] = ("BTCUSDT",),
    span_ms: int = 60_000,
    volatility: float = 1.2e-3,
    drift: float = 0.0,
    start: int = 500_000,
    gap_share: float = 0.0,
    start_ms: int = START_MS,
) -> Candles:
    """A random walk with fat tails; `drift` and `volatility` are of each candle's logarithm."""
    rng = np.random.default_rng(seed)
    parts = 4
    shape = (length * parts, len(symbols))
    moves = rng.standard_t(4, size=shape) * volatility / np.sqrt(2 * parts) + drift / parts
    path = np.rint(start * np.exp(np.cumsum(moves, axis=0))).astype(np.int64)
    inside = np.maximum(path, 2).reshape(length, parts, len(symbols))
    close = inside[:, -1]
    open_ = np.vstack([inside[:1, 0], close[:-1]])
    high, low = np.maximum(inside.max(axis=1), open_), np.minimum(inside.min(axis=1), open_)
    candles = _candles(symbols, span_ms, start_ms, (open_, high, low, close))
    return with_gaps(candles, rng.random(close.shape) < gap_share)


def with_gaps(candles: Candles, gaps: np.ndarray) -> Candles:
    """The same candles with gaps where `gaps` (T, S) is set."""
    prices: dict[str, Any] = {
        name: np.where(gaps, 0, getattr(candles, name))
        for name in ("open", "high", "low", "close", "volume")
    }
    kind = np.where(gaps, Kind.GAP, candles.kind).astype(np.int8)
    return replace(candles, kind=kind, **prices)


def without_rows(candles: Candles, rows: Sequence[int]) -> Candles:
    """The same candles, some of them never delivered."""
    kept = np.delete(np.arange(len(candles)), rows)
    names = ("close_ms", "open", "high", "low", "close", "volume", "kind")
    return replace(candles, **{name: getattr(candles, name)[kept] for name in names})


def _candles(
    symbols: Sequence[str], span_ms: int, start_ms: int, prices: tuple[Ints, Ints, Ints, Ints]
) -> Candles:
    open_, high, low, close = prices
    return Candles(
        symbols=tuple(symbols),
        span_ms=span_ms,
        close_ms=start_ms + span_ms * np.arange(1, len(close) + 1, dtype=np.int64),
        open=open_,
        high=high,
        low=low,
        close=close,
        volume=np.ones_like(close),
        kind=np.full(close.shape, Kind.TRADED, np.int8),
    )
