"""Recursive averages: the one place where floats are carried from bar to bar.

An average starts as the mean of its first values and then moves a fixed share of the way to each
next one: 2 / (n + 1) for exponential averages, 1 / n for Wilder's.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from engine.indicators.bars import Bars, Floats
from engine.market import Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothing:
    """L averages side by side, all fed at every bar.

    Attributes
    ----------
    gain : (L,) float64
        Share of the way to the next value.
    seed : (L,) int64
        Values whose sum, over `divisor`, is the start.
    skipped : (L,) int64
        Bars before those; what is fed there does not count.
    divisor : (L,) int64
    """

    gain: Floats
    seed: Ints
    skipped: Ints
    divisor: Ints

    @staticmethod
    @cache
    def exponential(periods: tuple[int, ...], skipped: tuple[int, ...]) -> "Smoothing":
        """Averages that start with the mean of n values after the skipped ones."""
        n = np.array(periods, np.int64)
        return Smoothing(gain=2 / (n + 1), seed=n, skipped=np.array(skipped, np.int64), divisor=n)

    @staticmethod
    @cache
    def wilder(periods: tuple[int, ...], skipped: tuple[int, ...], short: int = 0) -> "Smoothing":
        """Wilder's; `short` is how many of the n values the start leaves out, as if they were 0."""
        n = np.array(periods, np.int64)
        skip = np.array(skipped, np.int64)
        return Smoothing(gain=1 / n, seed=n - short, skipped=skip, divisor=n)

    def fresh(self, symbols: int) -> Floats:
        """(S, L): averages of nothing yet."""
        return np.zeros((symbols, len(self.gain)))

    def advance(
        self, average: Floats, seen: Ints, bars: Bars, values: Floats
    ) -> tuple[Floats, Floats]:
        """Averages after `bars`, and at each of them.

        Parameters
        ----------
        average : (S, L) float64
            Before these bars: the average, or the sum so far of one that has not started.
        seen : (S,) int64
            Bars of each symbol before these.
        values : (T, S, L) float64

        Returns
        -------
        (S, L) and (T, S, L) float64; NaN where an average has not started.
        """
        averages = np.empty(values.shape)
        steady = len(bars)
        if len(seen):
            steady = max(int((self.skipped + self.seed).max() - seen.min()), 0)
        until = int(bars.count.min(initial=len(bars)))
        for row in range(min(steady, until)):
            average = self._begun(average, seen, bars, values[row], row, averages[row])
        scratch = np.empty(average.shape)
        for row in range(steady, until):
            np.subtract(values[row], average, out=scratch)
            np.multiply(scratch, self.gain, out=scratch)
            average = np.add(average, scratch, out=averages[row])
        for row in range(until, len(bars)):
            average = self._begun(average, seen, bars, values[row], row, averages[row])
        return average.copy(), averages

    def _begun(
        self, average: Floats, seen: Ints, bars: Bars, value: Floats, row: int, shown: Floats
    ) -> Floats:
        """One bar that may be one of the first of some symbols, or none of others."""
        place = (seen + (row + 1))[:, None] - self.skipped
        grown = average + value
        moved = average + (value - average) * self.gain
        started = np.where(place == self.seed, grown / self.divisor, moved)
        summed = np.where(place > 0, grown, 0.0)
        live = (row < bars.count)[:, None]
        after = np.where(live, np.where(place < self.seed, summed, started), average)
        shown[:] = np.where(live & (place >= self.seed), after, np.nan)
        return after
