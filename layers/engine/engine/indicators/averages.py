"""Moving averages of the close: exponential and simple."""

from dataclasses import dataclass

import numpy as np

from engine.indicators.bars import Bars, Floats
from engine.indicators.smoothing import Smoothing
from engine.indicators.windows import joined, sums
from engine.market import Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class EmaCarry:
    """`seen` (S,) bars so far, `average` (S, P)."""

    seen: Ints
    average: Floats


@dataclass(frozen=True, slots=True)
class Ema:
    """Exponential moving averages: average += (close - average) * 2 / (n + 1).

    The first is the mean of the first n closes, at bar n.
    """

    periods: tuple[int, ...]

    def fresh(self, symbols: int) -> EmaCarry:
        return EmaCarry(seen=np.zeros(symbols, np.int64), average=self._smoothing().fresh(symbols))

    def advance(self, carry: EmaCarry, bars: Bars) -> tuple[EmaCarry, Floats]:
        close = bars.close[:, :, None].astype(np.float64)
        values = np.broadcast_to(close, (*bars.close.shape, len(self.periods)))
        average, averages = self._smoothing().advance(carry.average, carry.seen, bars, values)
        return EmaCarry(seen=carry.seen + bars.count, average=average), averages

    def _smoothing(self) -> Smoothing:
        return Smoothing.exponential(self.periods, (0,) * len(self.periods))


@dataclass(frozen=True, slots=True, kw_only=True)
class SmaCarry:
    """`seen` (S,) bars so far, `closes` (S, longest period) of the last ones, zero before."""

    seen: Ints
    closes: Ints


@dataclass(frozen=True, slots=True)
class Sma:
    """Simple moving averages: the mean of the last n closes, from bar n on."""

    periods: tuple[int, ...]

    def fresh(self, symbols: int) -> SmaCarry:
        return SmaCarry(
            seen=np.zeros(symbols, np.int64),
            closes=np.zeros((symbols, max(self.periods)), np.int64),
        )

    def advance(self, carry: SmaCarry, bars: Bars) -> tuple[SmaCarry, Floats]:
        values = joined(carry.closes, bars.close)
        averages = np.full((*bars.close.shape, len(self.periods)), np.nan)
        for lane, period in enumerate(self.periods):
            mean = sums(values, period, len(bars)) / period
            np.copyto(averages[..., lane], mean, where=bars.warm(carry.seen, period))
        after = SmaCarry(seen=carry.seen + bars.count, closes=bars.kept(values, max(self.periods)))
        return after, averages
