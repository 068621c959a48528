"""The slow stochastic of George Lane: where the close lies in the range of the last bars."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.indicators.bars import Bars, Floats
from engine.indicators.windows import extremes, joined, means
from engine.market import Ints


class StochasticLines(NamedTuple):
    """(T, S, P) each, 0 to 100: %K, slowed, and %D, its mean."""

    k: Floats
    d: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class StochasticCarry:
    """What the stochastic of S symbols remembers; the last of each row is the newest.

    `seen` (S,) bars so far; `highs`, `lows` (S, longest period); `raw` (S, longest slowing, P)
    and `slow` (S, longest mean, P) of the last bars.
    """

    seen: Ints
    highs: Ints
    lows: Ints
    raw: Floats
    slow: Floats


@dataclass(frozen=True, slots=True)
class Stochastic:
    """%K is the mean of `slowing` raw values, %D the mean of `d` of those.

    The raw value is 100 * (close - lowest low) / (highest high - lowest low) of the last k bars,
    0 if all were at one price. Each parameter set is (k, d, slowing); both lines begin at bar
    k + slowing + d - 2.
    """

    sets: tuple[tuple[int, int, int], ...]

    def fresh(self, symbols: int) -> StochasticCarry:
        k, d, slowing = self._longest()
        return StochasticCarry(
            seen=np.zeros(symbols, np.int64),
            highs=np.zeros((symbols, k), np.int64),
            lows=np.zeros((symbols, k), np.int64),
            raw=np.zeros((symbols, slowing, len(self.sets))),
            slow=np.zeros((symbols, d, len(self.sets))),
        )

    def advance(
        self, carry: StochasticCarry, bars: Bars
    ) -> tuple[StochasticCarry, StochasticLines]:
        highs, lows = joined(carry.highs, bars.high), joined(carry.lows, bars.low)
        rows, shape = len(bars), (*bars.close.shape, len(self.sets))
        raw = np.concatenate([np.swapaxes(carry.raw, 0, 1), np.empty(shape)])
        slow = np.concatenate([np.swapaxes(carry.slow, 0, 1), np.empty(shape)])
        lines = StochasticLines(np.full(shape, np.nan), np.full(shape, np.nan))
        for lane, (k, d, slowing) in enumerate(self.sets):
            raw[len(raw) - rows :, :, lane] = _raw(highs, lows, bars.close, k)
            slow[len(slow) - rows :, :, lane] = means(raw[..., lane], slowing, rows)
            warm = bars.warm(carry.seen, k + slowing + d - 2)
            np.copyto(lines.k[..., lane], slow[len(slow) - rows :, :, lane], where=warm)
            np.copyto(lines.d[..., lane], means(slow[..., lane], d, rows), where=warm)
        return self._after(carry, bars, highs, lows, raw, slow), lines

    def _after(
        self,
        carry: StochasticCarry,
        bars: Bars,
        highs: Ints,
        lows: Ints,
        raw: Floats,
        slow: Floats,
    ) -> StochasticCarry:
        k, d, slowing = self._longest()
        return StochasticCarry(
            seen=carry.seen + bars.count,
            highs=bars.kept(highs, k),
            lows=bars.kept(lows, k),
            raw=_kept(bars, raw, slowing),
            slow=_kept(bars, slow, d),
        )

    def _longest(self) -> tuple[int, int, int]:
        k, d, slowing = (max(column) for column in zip(*self.sets, strict=True))
        return k, d, slowing


def _raw(highs: Ints, lows: Ints, close: Ints, period: int) -> Floats:
    top = extremes(np.maximum, highs, period, len(close))
    bottom = extremes(np.minimum, lows, period, len(close))
    span = top - bottom
    raw: Floats = np.divide(100 * (close - bottom), span, out=np.zeros(close.shape), where=span > 0)
    return raw


def _kept(bars: Bars, values: Floats, size: int) -> Floats:
    """(S, size, P): the last rows that are bars."""
    rows = bars.count + np.arange(size)[:, None]
    kept: Floats = np.swapaxes(values[rows, np.arange(len(bars.count))], 0, 1).copy()
    return kept
