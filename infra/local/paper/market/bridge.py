"""Longer candles become one-second candles, and only here.

A bridge pinned to open, high, low and close.
"""

import numpy as np

from local.paper.market import noise
from local.paper.market.candles import Candles, Ints


def bridge(
    candle: tuple[int, int, int, int, int], span_s: int, name: tuple[int, str, int]
) -> Candles:
    """Second candles of one longer candle ``(open, high, low, close, volume)``; exact in all five.

    ``name`` is (seed, symbol, index) and addresses the noise. The path starts at open, touches high
    and low once drawn, ends at close, and never leaves the range. ``start_s`` of the result is 0:
    the caller knows the time.
    """
    opening, high, low, close, volume = candle
    draw = noise.generator(name[0], name[1], "bridge", name[2])
    path = _path((opening, high, low, close), span_s, draw)
    starts, ends = path[:-1], path[1:]
    return Candles(
        start_s=0, span_s=1, open=starts, high=np.maximum(starts, ends),
        low=np.minimum(starts, ends), close=ends, volume=_spread(volume, span_s, draw),
    )  # fmt: skip


def _path(ohlc: tuple[int, int, int, int], span_s: int, draw: np.random.Generator) -> Ints:
    opening, high, low, close = ohlc
    early, late = np.sort(draw.choice(np.arange(1, span_s), 2, replace=False))
    low_first = (close >= opening) == (draw.random() < 0.75)
    touches = (low, high) if low_first else (high, low)
    places = np.array([0, early, late, span_s])
    values = np.array([opening, *touches, close], dtype=np.float64)
    seconds = np.arange(span_s + 1)
    wander = np.concatenate(([0.0], np.cumsum(draw.standard_normal(span_s))))
    wander -= np.interp(seconds, places, wander[places])
    scale = 0.6 * (high - low) / np.sqrt(span_s)
    path = np.rint(np.interp(seconds, places, values) + scale * wander).astype(np.int64)
    return np.asarray(np.clip(path, low, high), dtype=np.int64)


def _spread(volume: int, span_s: int, draw: np.random.Generator) -> Ints:
    """Whole steps that sum to the volume; zero or at least five a second."""
    seconds = min(span_s, volume // 5)
    spread = np.zeros(span_s, dtype=np.int64)
    if seconds == 0:
        spread[0] = volume
        return spread
    chosen = np.sort(draw.permutation(span_s)[:seconds])
    weights = draw.random(seconds) + 0.1
    spread[chosen] = 5 + ((volume - 5 * seconds) * weights / weights.sum()).astype(np.int64)
    spread[chosen[-1]] += volume - int(spread.sum())
    return spread
