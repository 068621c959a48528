"""Bars as indicators take them: the known ones of each symbol in front, without holes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidCandleError
from engine.market import Ints

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """T rows of S symbols, in ticks; the first `count` rows of a symbol are bars, the rest zero.

    Attributes
    ----------
    high, low, close : (T, S) int64
    count : (S,) int64
        Known bars of each symbol.
    even : bool
        Whether every row of every symbol is a bar.
    source : (T, S) int64
        The row each came from, a permutation of every column.
    """

    high: Ints
    low: Ints
    close: Ints
    count: Ints
    even: bool
    source: Ints

    @staticmethod
    def of(high: Ints, low: Ints, close: Ints) -> "Bars":
        """Bars from (T, S) prices in ticks, oldest first; a close of zero is not known.

        Raises
        ------
        InvalidCandleError
            If the shapes differ or are not (T, S).
        """
        if close.ndim != 2 or not high.shape == low.shape == close.shape:
            raise InvalidCandleError(
                f"bars must be (T, S), were {high.shape}, {low.shape}, {close.shape}"
            )
        rows = np.arange(len(close), dtype=np.int64)[:, None]
        known = close > 0
        if known.all():
            count = np.full(close.shape[1], len(close), np.int64)
            source = np.broadcast_to(rows, close.shape)
            return Bars(high=high, low=low, close=close, count=count, even=True, source=source)
        order = np.argsort(~known, axis=0, kind="stable")
        count = known.sum(axis=0)
        live = rows < count
        high, low, close = (
            np.where(live, np.take_along_axis(each, order, axis=0), 0)
            for each in (high, low, close)
        )
        return Bars(high=high, low=low, close=close, count=count, even=False, source=order)

    def __len__(self) -> int:
        return len(self.close)

    @property
    def live(self) -> Bools:
        """(T, S): which rows are bars."""
        live: Bools = np.arange(len(self))[:, None] < self.count
        return live

    def number(self, seen: Ints) -> Ints:
        """(T, S): how many bars of its symbol a row completes, `seen` (S,) before these."""
        number: Ints = seen + np.arange(1, len(self) + 1, dtype=np.int64)[:, None]
        return number

    def warm(self, seen: Ints, needed: int) -> Bools:
        """(T, S): which rows are bars with at least `needed` known ones up to them."""
        warm: Bools = (self.number(seen) >= needed) & self.live
        return warm

    def before(self, values: Ints, held: Ints) -> Ints:
        """`values` (T, S) of the bar before; `held` (S,) before the first."""
        return np.concatenate([held[None], values[:-1]])

    def latest(self, values: Ints, held: Ints) -> Ints:
        """(S,): `values` (T, S) of the last bar, `held` for symbols without one here."""
        if self.even:
            return values[-1].copy() if len(self) else held
        return self.kept(np.concatenate([held[None], values]), 1)[:, 0]

    def kept(self, joined: Ints, size: int) -> Ints:
        """(S, size): the last rows of `joined`, which are `size` remembered rows and then T."""
        if self.even:
            return joined[len(joined) - size :].copy().T
        rows = self.count + np.arange(size)[:, None]
        return np.take_along_axis(joined, rows, axis=0).T

    def spread(self, values: NDArray[np.float64]) -> Floats:
        """Outputs (T, S, ...) in the rows the bars came from; NaN where there was none."""
        if self.even:
            return values
        spread = np.full_like(values, np.nan)
        symbols = np.arange(values.shape[1])
        spread[self.source, symbols] = values
        return spread
