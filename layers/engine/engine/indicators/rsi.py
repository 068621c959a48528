"""The relative strength index of J. Welles Wilder (New Concepts in Technical Trading, 1978)."""

from dataclasses import dataclass

import numpy as np

from engine.indicators.bars import Bars, Floats
from engine.indicators.smoothing import Smoothing
from engine.market import Ints

_NEUTRAL = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RsiCarry:
    """`seen` (S,) bars so far, `close` (S,) of the last, `average` (S, 2 P) rises, then falls."""

    seen: Ints
    close: Ints
    average: Floats


@dataclass(frozen=True, slots=True)
class Rsi:
    """100 * rises / (rises + falls), each a Wilder average of n changes; from bar n + 1 on.

    The averages start as the means of the first n changes. A market that never moved has no
    strength either way: 50, where TA-Lib says 0.
    """

    periods: tuple[int, ...]

    def fresh(self, symbols: int) -> RsiCarry:
        return RsiCarry(
            seen=np.zeros(symbols, np.int64),
            close=np.zeros(symbols, np.int64),
            average=self._smoothing().fresh(symbols),
        )

    def advance(self, carry: RsiCarry, bars: Bars) -> tuple[RsiCarry, Floats]:
        change = bars.close - bars.before(bars.close, carry.close)
        lanes = len(self.periods)
        values = np.empty((*change.shape, 2 * lanes))
        values[..., :lanes] = np.maximum(change, 0)[..., None]
        values[..., lanes:] = np.maximum(-change, 0)[..., None]
        average, averages = self._smoothing().advance(carry.average, carry.seen, bars, values)
        rises, both = averages[..., :lanes], averages[..., :lanes] + averages[..., lanes:]
        strength = np.full(rises.shape, _NEUTRAL)
        np.divide(100 * rises, both, out=strength, where=both != 0)
        after = RsiCarry(
            seen=carry.seen + bars.count,
            close=bars.latest(bars.close, carry.close),
            average=average,
        )
        return after, strength

    def _smoothing(self) -> Smoothing:
        return Smoothing.wilder(2 * self.periods, (1,) * 2 * len(self.periods))
