"""Percentages as integers, and distances in whole ticks."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np

from engine.candles import Ints

RATIO = 100_000_000
"""Ratios of a price are integers of a millionth of a percent: one is this many."""


def ratio_units(pct: Decimal) -> int:
    """A percentage in millionths of a percent, half to even."""
    return int((pct * (RATIO // 100)).to_integral_value(ROUND_HALF_EVEN))


def distance(price: Ints, ratio: Ints) -> Ints:
    """`price * ratio / RATIO` in whole ticks, rounded up: a trigger is never nearer than asked."""
    return -(-np.abs(price) * ratio // RATIO)


def nearest_distance(price: Ints, ratio: int) -> Ints:
    """`price * ratio / RATIO` in whole ticks, half up, at least 1; prices are not negative."""
    return np.maximum(1, (price * ratio + RATIO // 2) // RATIO)


def nearest_ticks(price: int, ratio: int) -> int:
    """The same of one price."""
    return max(1, (price * ratio + RATIO // 2) // RATIO)
