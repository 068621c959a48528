"""Legs: the moves that signals rest on, from a start price to the close of a candle.

Samples are closes of consecutive candles; windows in seconds become whole candles, at least 3.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.indications.steps import StepLog, Walk
from engine.market import Ints

MIN_SAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Candles looked back on, (H + T, S): H remembered ones, then those of this call.

    Gaps hold the last known close in `close`, `high` and `low`; 0 where none is known.
    """

    span_ms: int
    at_ms: Ints
    close: Ints
    high: Ints
    low: Ints
    remembered: int

    def count(self, seconds: int) -> int:
        """`seconds` in candles, at least 3."""
        return max(MIN_SAMPLES, seconds * 1000 // self.span_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    """Candidates for a signal as columns; `row` is the candle in `Samples`, prices in ticks."""

    row: Ints
    symbol: Ints
    slot: Ints
    sign: Ints
    start_ms: Ints
    start: Ints
    best: Ints

    @staticmethod
    def join(parts: "list[Legs]") -> "Legs":
        names = Legs.__slots__
        return Legs(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})

    def take(self, chosen: Ints | NDArray[np.bool_]) -> "Legs":
        return Legs(**{name: getattr(self, name)[chosen] for name in Legs.__slots__})


@dataclass(frozen=True, slots=True, kw_only=True)
class Extremes:
    """Highest and lowest prices over any number of steps back, by windows of 1, 2, 4 ... steps."""

    high: Ints
    low: Ints

    @staticmethod
    def over(log: StepLog, longest: int) -> "Extremes":
        """For legs of up to `longest` steps."""
        highs, lows = [log.high], [log.low]
        for power in range(longest.bit_length() - 1):
            shift = 1 << power
            highs.append(_joined(np.maximum, highs[-1], shift))
            lows.append(_joined(np.minimum, lows[-1], shift))
        return Extremes(high=np.stack(highs), low=np.stack(lows))

    def best(self, index: Ints, length: Ints, sign: Ints) -> Ints:
        """Best price for side `sign` over the `length` steps that end at `index`."""
        power = np.frexp(length)[1] - 1
        back = index - length + (1 << power)
        top = np.maximum(self.high[power, index], self.high[power, back])
        bottom = np.minimum(self.low[power, index], self.low[power, back])
        best: Ints = np.where(sign > 0, top, bottom)
        return best


def step_legs(
    walk: Walk, extremes: Extremes, slot: int, chosen: NDArray[np.bool_], length: Ints, ahead: int
) -> Legs:
    """Legs of the last `length` steps for the `chosen` candles of a walk.

    `ahead` is the number of remembered samples before the first candle of the walk.
    """
    index, length = walk.index[chosen], length[chosen]
    sign = walk.log.sign[index]
    origin = index - length
    return Legs(
        row=walk.bar[chosen] + ahead,
        symbol=walk.symbol[chosen],
        slot=np.full(len(index), slot, np.int64),
        sign=sign,
        start_ms=walk.log.at_ms[origin],
        start=walk.log.anchor[origin],
        best=extremes.best(index, length, sign),
    )


def _joined(better: np.ufunc, values: Ints, shift: int) -> Ints:
    joined = values.copy()
    joined[shift:] = better(values[shift:], values[:-shift])
    return joined
