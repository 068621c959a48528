"""Legs: the moves that signals rest on, from a start price to the close of a candle.

Samples are closes of consecutive candles; windows in seconds become whole candles, at least 3.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.indications.slots import SlotTable
from engine.indications.steps import StepLog, Walk
from engine.market import Ints

MIN_SAMPLES = 3
"""Fewer closes than these make no mean."""

FACTS = (
    "active",  # samples of the window that moved fast enough
    "last_active",  # and of its last part
    "overall",  # the move the parameter is compared with, millionths of a percent, as are:
    "last",  # change over the last part of the window
    "volatility",  # standard deviation over the mean; of an hour for Auto
    "momentum",  # newest mean against the oldest, in signal direction
    "decline",  # highest against lowest price of the window
    "activity",  # mean change a minute over an hour
    "day_volatility",  # of eight hours
    "day_momentum",
    "progressive",  # how much more the newest samples moved than those before them
    "progression",  # way gone times its one-sidedness
    "trend",  # +1, -1: the trends of all frames agree; 0: they do not
    "turn",  # sign of the last long enough run of samples, 0 without one
)
"""What a leg was found by, beside its prices; 0 where the type of an indication has none."""

_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Candles looked back on, (H + T, S): H remembered ones, then those of this call.

    Gaps hold the last known close in `close`, `high` and `low`; 0 where none is known. `known`
    (T, S) says which of the candles of this call are no gaps.
    """

    span_ms: int
    at_ms: Ints
    close: Ints
    high: Ints
    low: Ints
    known: NDArray[np.bool_]
    remembered: int

    def count(self, seconds: int) -> int:
        """`seconds` in candles, at least 3."""
        return max(MIN_SAMPLES, seconds * 1000 // self.span_ms)

    def decidable(self, window: int) -> tuple[int, NDArray[np.bool_]]:
        """First row whose window is remembered; and from it on where a window can decide.

        That takes a known candle, a known price `window` candles back, and no candle missing
        in between.
        """
        first = max(self.remembered, window)
        if first >= len(self.at_ms):
            return first, np.zeros((0, self.close.shape[1]), np.bool_)
        lasted = self.at_ms[first:] - self.at_ms[first - window : -window]
        whole = (lasted == window * self.span_ms)[:, None]
        begun = self.close[first - window : -window] > 0
        return first, whole & begun & self.known[first - self.remembered :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Legs:
    """Candidates for a signal as columns; `row` is the candle in `Samples`, prices in ticks.

    `facts` (L, F) are named by `FACTS`.
    """

    row: Ints
    symbol: Ints
    group: Ints
    sign: Ints
    start_ms: Ints
    start: Ints
    best: Ints
    facts: Ints

    def __len__(self) -> int:
        return len(self.row)

    @staticmethod
    def none() -> "Legs":
        nothing = np.zeros(0, np.int64)
        columns = dict.fromkeys(Legs.__slots__, nothing)
        return Legs(**columns | {"facts": no_facts(0)})

    @staticmethod
    def join(parts: "list[Legs]") -> "Legs":
        names = Legs.__slots__
        return Legs(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})

    def take(self, chosen: Ints | NDArray[np.bool_]) -> "Legs":
        return Legs(**{name: getattr(self, name)[chosen] for name in Legs.__slots__})


def no_facts(count: int) -> Ints:
    """Rows of `FACTS` that say nothing."""
    return np.zeros((count, len(FACTS)), np.int64)


def facts_of(count: int, values: Mapping[str, Ints]) -> Ints:
    """Rows of `FACTS` with these columns."""
    facts = no_facts(count)
    for name, column in values.items():
        facts[:, FACTS.index(name)] = column
    return facts


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
    walk: Walk, extremes: Extremes, table: SlotTable, group: Ints, event: Ints, length: Ints
) -> Legs:
    """Legs of the last `length` steps up to `event` of a walk, for the sides of `group`."""
    index, sign = walk.index[event], table.group_sign[group]
    origin = index - length
    return Legs(
        row=walk.bar[event] + walk.ahead,
        symbol=walk.symbol[event],
        group=group,
        sign=sign,
        start_ms=walk.log.at_ms[origin],
        start=walk.log.anchor[origin],
        best=extremes.best(index, length, sign),
        facts=no_facts(len(group)),
    )


def window_legs(
    samples: Samples,
    table: SlotTable,
    group: Ints,
    row: Ints,
    symbol: Ints,
    window: int,
    facts: Ints | None = None,
) -> Legs:
    """Legs of the last `window` candles up to `row`."""
    sign = table.group_sign[group]
    return Legs(
        row=row,
        symbol=symbol,
        group=group,
        sign=sign,
        start_ms=samples.at_ms[row - window],
        start=samples.close[row - window, symbol],
        best=best_within(samples.high, samples.low, row, symbol, sign, window),
        facts=no_facts(len(group)) if facts is None else facts,
    )


def best_within(high: Ints, low: Ints, row: Ints, symbol: Ints, sign: Ints, window: int) -> Ints:
    """Best price for side `sign` in the `window` rows up to `row`."""
    best = np.zeros(len(row), np.int64)
    size = max(1, _BLOCK // window)
    for begin in range(0, len(row), size):
        some = slice(begin, begin + size)
        within = (row[some, None] + np.arange(1 - window, 1), symbol[some, None])
        top = high[within].max(axis=1, initial=0)
        best[some] = np.where(sign[some] > 0, top, low[within].min(axis=1, initial=1 << 60))
    return best


def _joined(better: np.ufunc, values: Ints, shift: int) -> Ints:
    joined = values.copy()
    joined[shift:] = better(values[shift:], values[:-shift])
    return joined
