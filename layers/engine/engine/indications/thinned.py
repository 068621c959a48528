"""Prices on a coarse grid of time, for windows of minutes and hours.

A cell ends at a multiple of the period since the epoch and holds the last price known in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.indications.legs import Samples
from engine.market import Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinned:
    """The last M cells of S symbols; the newest may still be open.

    Attributes
    ----------
    period_ms : length of a cell, 0 before the first candle; a longer candle is a cell itself.
    cell : (M,) number of each cell: it ends at `cell * period_ms`.
    close : (M, S) last known price in each, 0 where none is known yet.
    """

    period_ms: int
    cell: Ints
    close: Ints

    @staticmethod
    def fresh(symbols: int) -> "Thinned":
        nothing = np.zeros((0, symbols), np.int64)
        return Thinned(period_ms=0, cell=np.zeros(0, np.int64), close=nothing)

    def select(self, columns: Ints) -> "Thinned":
        """The prices of these symbols alone, in this order."""
        return replace(self, close=self.close[:, columns])

    @staticmethod
    def join(all_thinned: "Sequence[Thinned]") -> "Thinned":
        """Prices of different symbols; those that began later know no earlier ones."""
        longest = max(all_thinned, key=lambda each: len(each.cell))
        missing = [(len(longest.cell) - len(each.cell), each.close) for each in all_thinned]
        columns = [np.pad(close, ((before, 0), (0, 0))) for before, close in missing]
        return replace(longest, close=np.hstack(columns))

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Everything under names that begin with `name`; `of_arrays` undoes it."""
        return {
            f"{name}_period_ms": np.array([self.period_ms]),
            f"{name}_cell": np.diff(self.cell, prepend=0),
            f"{name}_close": self.close,
        }

    @staticmethod
    def of_arrays(arrays: Mapping[str, NDArray[Any]], name: str) -> "Thinned":
        """The prices `arrays` were taken of."""
        return Thinned(
            period_ms=int(arrays[f"{name}_period_ms"][0]),
            cell=np.cumsum(arrays[f"{name}_cell"]),
            close=arrays[f"{name}_close"],
        )

    def with_candles(self, samples: Samples, base_ms: int) -> "Thinned":
        """With the cells of the candles of a call behind; cells are `base_ms` long or a candle.

        Cells of another length than before start anew.
        """
        period_ms = max(base_ms, samples.span_ms)
        cell = -(-samples.at_ms[samples.remembered :] // period_ms)
        if not len(cell):
            return self
        last = np.append(cell[1:] != cell[:-1], True)
        kept = len(self.cell) if self.period_ms == period_ms else 0
        if kept and self.cell[-1] == cell[0]:
            kept -= 1
        return Thinned(
            period_ms=period_ms,
            cell=np.concatenate([self.cell[:kept], cell[last]]),
            close=np.vstack([self.close[:kept], samples.close[samples.remembered :][last]]),
        )

    def newest(self, count: int) -> "Thinned":
        """The last `count` cells."""
        first = max(0, len(self.cell) - count)
        return replace(self, cell=self.cell[first:], close=self.close[first:])

    def ends(self, samples: Samples) -> tuple[Ints, Ints]:
        """Rows of `samples` of this call that end a cell, and the places of those cells."""
        at_ms = samples.at_ms[samples.remembered :]
        rows = np.flatnonzero(at_ms % self.period_ms == 0) if self.period_ms else at_ms[:0]
        return rows + samples.remembered, np.searchsorted(self.cell, at_ms[rows] // self.period_ms)

    def stretch(self) -> Ints:
        """(M, S) cells in a row, none missing and each with a price, up to each one."""
        index = np.arange(len(self.cell))[:, None]
        torn = np.append(True, np.diff(self.cell) != 1)[: len(index), None]
        unknown = self.close == 0  # only before the first price
        begin = np.where(unknown, index + 1, np.where(torn, index, 0))
        stretch: Ints = index - np.maximum.accumulate(begin, axis=0) + 1
        return stretch


def totals(values: Ints) -> Ints:
    """Sums of the first 0, 1, 2 ... rows; differences of two are exact even if they wrap."""
    total = np.zeros((len(values) + 1, *values.shape[1:]), np.int64)
    np.cumsum(values, axis=0, out=total[1:])
    return total
