"""Directional movement of J. Welles Wilder (1978): the average index and the two indicators."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.indicators.bars import Bars, Floats
from engine.indicators.ranges import true_range
from engine.indicators.smoothing import Smoothing
from engine.market import Ints


class AdxLines(NamedTuple):
    """(T, S, P) each, 0 to 100: the average index, +DI and -DI."""

    adx: Floats
    plus: Floats
    minus: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class AdxCarry:
    """Directional movement of S symbols.

    `seen` bars so far and `high`, `low`, `close` of the last, (S,) each; `average` (S, 3 P) of
    the movements up, down and the true range; `index` (S, P).
    """

    seen: Ints
    high: Ints
    low: Ints
    close: Ints
    average: Floats
    index: Floats


@dataclass(frozen=True, slots=True)
class Adx:
    """The Wilder average of 100 * |+DI - -DI| / (+DI + -DI), from bar 2 n on.

    DI are 100 * average movement up (down) / average true range, from bar n + 1 on. Their
    averages start one bar before that with a sum of n - 1 values over n; the index starts with
    the mean of its first n values. Without movement or range a ratio is 0. Periods are at least 2.
    """

    periods: tuple[int, ...]

    def fresh(self, symbols: int) -> AdxCarry:
        nothing = np.zeros(symbols, np.int64)
        averages, index = self._smoothings()
        return AdxCarry(
            seen=nothing,
            high=nothing,
            low=nothing,
            close=nothing,
            average=averages.fresh(symbols),
            index=index.fresh(symbols),
        )

    def advance(self, carry: AdxCarry, bars: Bars) -> tuple[AdxCarry, AdxLines]:
        lanes = len(self.periods)
        averages, indexes = self._smoothings()
        average, moved = averages.advance(
            carry.average, carry.seen, bars, self._movements(carry, bars)
        )
        begun = bars.number(carry.seen)[..., None] > np.array(self.periods)
        span = moved[..., 2 * lanes :]
        plus, minus = (
            np.where(begun, 100 * _ratio(part, span), np.nan)
            for part in (moved[..., :lanes], moved[..., lanes : 2 * lanes])
        )
        index, adx = indexes.advance(
            carry.index, carry.seen, bars, 100 * _ratio(np.abs(plus - minus), plus + minus)
        )
        after = AdxCarry(
            seen=carry.seen + bars.count,
            high=bars.latest(bars.high, carry.high),
            low=bars.latest(bars.low, carry.low),
            close=bars.latest(bars.close, carry.close),
            average=average,
            index=index,
        )
        return after, AdxLines(adx, plus, minus)

    def _movements(self, carry: AdxCarry, bars: Bars) -> Floats:
        """(T, S, 3 P): movement up, movement down, true range."""
        up = bars.high - bars.before(bars.high, carry.high)
        down = bars.before(bars.low, carry.low) - bars.low
        parts = (
            np.where(up > down, np.maximum(up, 0), 0),
            np.where(down > up, np.maximum(down, 0), 0),
            true_range(bars, carry.close),
        )
        lanes = len(self.periods)
        values = np.empty((*up.shape, 3 * lanes))
        for place, part in enumerate(parts):
            values[..., place * lanes : (place + 1) * lanes] = part[..., None]
        return values

    def _smoothings(self) -> tuple[Smoothing, Smoothing]:
        thrice = 3 * self.periods
        averages = Smoothing.wilder(thrice, (1,) * len(thrice), short=1)
        return averages, Smoothing.wilder(self.periods, self.periods)


def _ratio(part: Floats, whole: Floats) -> Floats:
    """`part / whole`, 0 where the whole is; NaN stays."""
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole != 0)
