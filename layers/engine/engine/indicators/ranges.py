"""The true range of a bar, and its average, by J. Welles Wilder (1978)."""

from dataclasses import dataclass

import numpy as np

from engine.indicators.bars import Bars, Floats
from engine.indicators.smoothing import Smoothing
from engine.market import Ints


def true_range(bars: Bars, before: Ints) -> Ints:
    """(T, S): from the lower of low and the close before to the higher of high and that close."""
    close = bars.before(bars.close, before)
    span: Ints = np.maximum(bars.high, close) - np.minimum(bars.low, close)
    return span


@dataclass(frozen=True, slots=True, kw_only=True)
class AtrCarry:
    """`seen` (S,) bars so far, `close` (S,) of the last, `average` (S, P)."""

    seen: Ints
    close: Ints
    average: Floats


@dataclass(frozen=True, slots=True)
class Atr:
    """The Wilder average of n true ranges, in ticks; from bar n + 1 on, with their mean."""

    periods: tuple[int, ...]

    def fresh(self, symbols: int) -> AtrCarry:
        return AtrCarry(
            seen=np.zeros(symbols, np.int64),
            close=np.zeros(symbols, np.int64),
            average=self._smoothing().fresh(symbols),
        )

    def advance(self, carry: AtrCarry, bars: Bars) -> tuple[AtrCarry, Floats]:
        span = true_range(bars, carry.close)[..., None].astype(np.float64)
        values = np.broadcast_to(span, (*bars.close.shape, len(self.periods)))
        average, averages = self._smoothing().advance(carry.average, carry.seen, bars, values)
        after = AtrCarry(
            seen=carry.seen + bars.count,
            close=bars.latest(bars.close, carry.close),
            average=average,
        )
        return after, averages

    def _smoothing(self) -> Smoothing:
        return Smoothing.wilder(self.periods, (1,) * len(self.periods))
