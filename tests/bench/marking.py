"""J2: every open position marked against one candle, through the generic `first_exit`."""

import numpy as np
from tests.bench.markets import walk

from engine.exits import FirstExits, Triggers, first_exit, make_window
from engine.market import Candles, Ints
from engine.ticks import RATIO, distance

SYMBOLS = 100
NEVER = 1 << 60


def make_marking(count: int, *, seed: int = 5, symbols: int = SYMBOLS) -> tuple[Candles, Triggers]:
    """A candle, and positions sorted by symbol: longs and shorts, fixed and trailing, some armed.

    They were entered up to 0.3 % away; about one in a hundred ends now.
    """
    rng = np.random.default_rng(seed)
    candles = walk(seed, bars=2, symbols=symbols)
    symbol = np.sort(rng.integers(0, symbols, count))
    short = rng.integers(0, 2, count)
    sign = 1 - 2 * short
    opened = candles.close[0, symbol]
    entry = opened + np.rint(opened * rng.uniform(-3e-3, 3e-3, count)).astype(np.int64)
    own = sign * entry
    trails = rng.random(count) < 0.5
    now = sign * opened
    best = np.maximum(own, now) + rng.integers(0, 1_900, count)
    triggers = Triggers(
        row=2 * symbol + short,
        start=np.zeros(count, np.int64),
        stop=np.minimum(own - _apart(entry, rng.uniform(0.3, 2, count)), now),
        target=np.maximum(own + _apart(entry, rng.uniform(0.3, 2, count)), now),
        arm=np.where(trails, own + _apart(entry, rng.uniform(0.1, 0.4, count)), NEVER),
        trail=np.where(trails, 200_000, 0),
        peak=np.where(trails, best, own),
    )
    return candles.rows(1, 2), triggers


def mark(candles: Candles, triggers: Triggers) -> FirstExits:
    """One tick: the pyramid of one candle and all exits."""
    return first_exit(make_window(candles), triggers)


def _apart(entry: Ints, percentages: np.ndarray) -> Ints:
    return distance(entry, np.rint(percentages * (RATIO // 100)).astype(np.int64))
