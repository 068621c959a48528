"""The bands of John Bollinger (Bollinger on Bollinger Bands, 2001): mean and deviation."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.indicators.bars import Bars, Floats
from engine.indicators.windows import joined, sums
from engine.market import Ints


class BollingerBands(NamedTuple):
    """(T, S, P) each, in ticks: a band lies any number of deviations from the middle."""

    middle: Floats
    deviation: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class BollingerCarry:
    """`seen` (S,) bars so far, `closes` (S, longest period) of the last ones, zero before."""

    seen: Ints
    closes: Ints


@dataclass(frozen=True, slots=True)
class Bollinger:
    """Mean and population standard deviation of the last n closes, from bar n on.

    The squares are summed around the whole part m of the mean: of sum (x - m)^2 = sum x^2 -
    m (2 sum x - n m) every term may wrap around, their sum is exact while it fits 63 bits, which
    is while the deviation is below 3 * 10^9 / sqrt(n) ticks. Nothing cancels, however small the
    deviation is beside the price.
    """

    periods: tuple[int, ...]

    def fresh(self, symbols: int) -> BollingerCarry:
        return BollingerCarry(
            seen=np.zeros(symbols, np.int64),
            closes=np.zeros((symbols, max(self.periods)), np.int64),
        )

    def advance(self, carry: BollingerCarry, bars: Bars) -> tuple[BollingerCarry, BollingerBands]:
        values = joined(carry.closes, bars.close)
        squares = values * values
        shape = (*bars.close.shape, len(self.periods))
        bands = BollingerBands(np.full(shape, np.nan), np.full(shape, np.nan))
        for lane, period in enumerate(self.periods):
            warm = bars.warm(carry.seen, period)
            total, squared = (sums(each, period, len(bars)) for each in (values, squares))
            np.copyto(bands.middle[..., lane], total / period, where=warm)
            square = _variance(total, squared, period)
            np.sqrt(square, out=bands.deviation[..., lane], where=warm)
        after = BollingerCarry(
            seen=carry.seen + bars.count, closes=bars.kept(values, max(self.periods))
        )
        return after, bands


def _variance(total: Ints, squared: Ints, period: int) -> Floats:
    whole, rest = np.divmod(total, period)
    around = squared - whole * (total + rest)
    variance: Floats = (around - rest * rest / period) / period
    return variance
