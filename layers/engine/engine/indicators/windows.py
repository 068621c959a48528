"""Windows over the last bars, on integers: exact, whatever pieces the bars come in."""

from collections.abc import Callable

import numpy as np

from engine.indicators.bars import Floats
from engine.market import Ints

Better = Callable[[Ints, Ints], Ints]


def joined(window: Ints, values: Ints) -> Ints:
    """(W + T, S): the remembered values (S, W) and behind them the new ones (T, S)."""
    return np.concatenate([window.T, values])


def sums(values: Ints, length: int, rows: int) -> Ints:
    """(T, S): sums of the `length` values up to each of the last `rows`.

    Needs `length` values before those rows. Integers wrap around, so a sum is exact if it fits
    into 64 bits, even where sums before it did not.
    """
    first = len(values) - rows
    ahead = values[first - length : first].sum(axis=0)
    total: Ints = ahead + np.cumsum(values[first:] - values[first - length : -length], axis=0)
    return total


def extremes(better: Better, values: Ints, length: int, rows: int) -> Ints:
    """(T, S): the best of the `length` values up to each of the last `rows`."""
    best, width = values[len(values) - rows - length + 1 :], 1
    while 2 * width <= length:
        best = better(best[width:], best[:-width])
        width *= 2
    rest = length - width
    return better(best[rest:], best[: len(best) - rest])


def means(values: Floats, length: int, rows: int) -> Floats:
    """(T, S): means of the `length` values up to each of the last `rows`, summed oldest first."""
    first = len(values) - rows - length + 1
    total = values[first : first + rows]
    for offset in range(1, length):
        total = total + values[first + offset : first + offset + rows]
    return total / length
