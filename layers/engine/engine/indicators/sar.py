"""The parabolic stop and reverse of J. Welles Wilder (1978), on real highs and lows."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.indicators.bars import Bars, Floats
from engine.market import Ints


class SarLines(NamedTuple):
    """(T, S, P) each, in ticks: the stop of a bar, and how far the bar stayed from turning it.

    `margin` is the distance of the bar's adverse extreme from the stop it met: the trend has
    turned at the bars where it is not positive.
    """

    stop: Floats
    margin: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class SarCarry:
    """What the stop of S symbols remembers.

    `seen` bars so far and `high`, `low` of the last, (S,) each; (S, P) each: `sign` of the trend,
    its `extreme` price, the `factor` of acceleration, the `stop` of the next bar.
    """

    seen: Ints
    high: Ints
    low: Ints
    sign: Ints
    extreme: Floats
    factor: Floats
    stop: Floats


@dataclass(frozen=True, slots=True)
class Sar:
    """A stop that follows the trend ever faster and turns it when touched; from bar 2 on.

    Each parameter set is (acceleration, maximum). The first trend is down if the second bar's
    low fell further than its high rose, else up; its stop is the other end of the first bar.
    A falling trend is a rising one on the mirrored price.
    """

    sets: tuple[tuple[float, float], ...]

    def fresh(self, symbols: int) -> SarCarry:
        nothing, lanes = np.zeros(symbols, np.int64), (symbols, len(self.sets))
        return SarCarry(
            seen=nothing,
            high=nothing,
            low=nothing,
            sign=np.ones(lanes, np.int64),
            extreme=np.zeros(lanes),
            factor=np.zeros(lanes),
            stop=np.zeros(lanes),
        )

    def advance(self, carry: SarCarry, bars: Bars) -> tuple[SarCarry, SarLines]:
        lines = SarLines(*np.full((2, *bars.close.shape, len(self.sets)), np.nan))
        trend = _Trend(self.sets, carry)
        high, low = (each[..., None].astype(np.float64) for each in (bars.high, bars.low))
        high_before, low_before = (
            each[..., None].astype(np.float64)
            for each in (bars.before(bars.high, carry.high), bars.before(bars.low, carry.low))
        )
        begun = bars.warm(carry.seen, 2)
        first = begun & (bars.number(carry.seen) == 2)
        begins, always = first.any(axis=1), begun.all(axis=1)
        for row in range(len(bars)):
            now, last = (high[row], low[row]), (high_before[row], low_before[row])
            if begins[row]:
                last = trend.begin(first[row][:, None], now, last)
            where = None if always[row] else begun[row][:, None]
            trend.step(now, last, where, lines.stop[row], lines.margin[row])
        after = SarCarry(
            seen=carry.seen + bars.count,
            high=bars.latest(bars.high, carry.high),
            low=bars.latest(bars.low, carry.low),
            sign=trend.sign.astype(np.int64),
            extreme=trend.extreme,
            factor=trend.factor,
            stop=trend.stop,
        )
        return after, lines


_Ends = tuple[Floats, Floats]


class _Trend:
    """The trends of (S, P) lanes, moved on bar by bar."""

    def __init__(self, sets: tuple[tuple[float, float], ...], carry: SarCarry) -> None:
        self.maximum = np.array([maximum for _, maximum in sets])
        self.acceleration = np.minimum([step for step, _ in sets], self.maximum)
        self.sign = carry.sign.astype(np.float64)
        self.extreme, self.factor, self.stop = carry.extreme, carry.factor, carry.stop

    def begin(self, first: Floats, now: _Ends, last: _Ends) -> _Ends:
        """Lanes at their second bar; returns the bar before, which for them is this one."""
        (high, low), (high_before, low_before) = now, last
        down, up = low_before - low, high - high_before
        sign = np.where((down > 0) & (down > up), -1.0, 1.0)
        self.sign = np.where(first, sign, self.sign)
        self.extreme = np.where(first, np.where(sign > 0, high, low), self.extreme)
        self.stop = np.where(first, np.where(sign > 0, low_before, high_before), self.stop)
        self.factor = np.where(first, self.acceleration, self.factor)
        return np.where(first, high, high_before), np.where(first, low, low_before)

    def step(
        self, now: _Ends, last: _Ends, where: Floats | None, stops: Floats, margins: Floats
    ) -> None:
        """One bar, in prices of the trend: mirrored where it falls."""
        sign, rising = self.sign, self.sign > 0
        top, bottom = np.where(rising, now[0], -now[1]), np.where(rising, now[1], -now[0])
        top_before = np.where(rising, last[0], -last[1])
        bottom_before = np.where(rising, last[1], -last[0])
        stop, extreme = sign * self.stop, sign * self.extreme
        margin = bottom - stop
        turned = margin <= 0
        ceiling = np.maximum(top, top_before)
        shown = np.where(turned, np.maximum(extreme, ceiling), stop)
        further = top > extreme
        grown = np.minimum(self.factor + self.acceleration, self.maximum)
        faster = np.where(further, grown, self.factor)
        factor = np.where(turned, self.acceleration, faster)
        extreme = np.where(turned, bottom, np.maximum(extreme, top))
        ahead = shown + factor * (extreme - shown)
        kept = np.minimum(ahead, np.minimum(bottom, bottom_before))
        ahead = np.where(turned, np.maximum(ahead, ceiling), kept)
        self._take(where, np.where(turned, -sign, sign), sign * extreme, factor, sign * ahead)
        np.copyto(stops, sign * shown, where=True if where is None else where)
        np.copyto(margins, margin, where=True if where is None else where)

    def _take(
        self, where: Floats | None, sign: Floats, extreme: Floats, factor: Floats, stop: Floats
    ) -> None:
        if where is not None:
            sign = np.where(where, sign, self.sign)
            extreme = np.where(where, extreme, self.extreme)
            factor = np.where(where, factor, self.factor)
            stop = np.where(where, stop, self.stop)
        self.sign, self.extreme, self.factor, self.stop = sign, extreme, factor, stop
