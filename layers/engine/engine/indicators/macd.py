"""Moving average convergence and divergence of Gerald Appel (1979)."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from engine.indicators.bars import Bars, Floats
from engine.indicators.smoothing import Smoothing
from engine.market import Ints


class MacdLines(NamedTuple):
    """(T, S, P) each, in ticks: the line, its average, their difference, and that a bar before."""

    line: Floats
    signal: Floats
    histogram: Floats
    before: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class MacdCarry:
    """`seen` (S,) bars so far; `average` (S, 2 P) fast, then slow; `signal`, `histogram` (S, P)."""

    seen: Ints
    average: Floats
    signal: Floats
    histogram: Floats


@dataclass(frozen=True, slots=True)
class Macd:
    """The fast less the slow exponential average of the close, and the average of that line.

    Each parameter set is (fast, slow, signal) with fast below slow. Line and signal begin at bar
    slow + signal - 1. The fast average starts with the mean of the last `fast` closes at bar
    `slow`, where the slow one starts; the signal with the mean of the first values of the line.
    """

    sets: tuple[tuple[int, int, int], ...]

    def fresh(self, symbols: int) -> MacdCarry:
        averages, signals = self._smoothings()
        return MacdCarry(
            seen=np.zeros(symbols, np.int64),
            average=averages.fresh(symbols),
            signal=signals.fresh(symbols),
            histogram=np.full((symbols, len(self.sets)), np.nan),
        )

    def advance(self, carry: MacdCarry, bars: Bars) -> tuple[MacdCarry, MacdLines]:
        averages, signals = self._smoothings()
        lanes = len(self.sets)
        close = bars.close[:, :, None].astype(np.float64)
        closes = np.broadcast_to(close, (*bars.close.shape, 2 * lanes))
        average, both = averages.advance(carry.average, carry.seen, bars, closes)
        line = both[..., :lanes] - both[..., lanes:]
        signal, smooth = signals.advance(carry.signal, carry.seen, bars, line)
        line = np.where(np.isnan(smooth), np.nan, line)
        known = np.concatenate([carry.histogram[None], line - smooth])
        after = MacdCarry(
            seen=carry.seen + bars.count,
            average=average,
            signal=signal,
            histogram=known[bars.count, np.arange(len(carry.seen))],
        )
        before = np.where(np.isnan(known[1:]), np.nan, known[:-1])
        return after, MacdLines(line, smooth, known[1:], before)

    def _smoothings(self) -> tuple[Smoothing, Smoothing]:
        fast, slow, signal = zip(*self.sets, strict=True)
        apart = tuple(slow - fast for fast, slow, _ in self.sets)
        return (
            Smoothing.exponential(fast + slow, apart + (0,) * len(apart)),
            Smoothing.exponential(signal, tuple(each - 1 for each in slow)),
        )
