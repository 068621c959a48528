"""Where steps happen: at moves of one unit, or at every candle."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.market import Ints
from engine.ticks import nearest_distance


class Events(NamedTuple):
    """Steps in the order of the candles: candle, symbol, sign, and where each step ended."""

    bar: Ints
    symbol: Ints
    sign: Ints
    anchor: Ints


def cost_events(anchor: Ints, close: Ints, unit: int) -> Events:
    """A step for every unit the close is away from the anchor (S,), which follows."""
    anchor = anchor.copy()
    size = nearest_distance(anchor, unit)
    events: list[tuple[Ints, Ints, Ints, Ints]] = []
    for bar, price in enumerate(close):
        away = np.abs(price - anchor) >= size
        while away.any():
            moved = np.flatnonzero(away & (price > 0))
            if not len(moved):
                break
            first = anchor[moved] == 0
            sign = np.where(first, 0, np.sign(price[moved] - anchor[moved]))
            anchor[moved] = np.where(first, price[moved], anchor[moved] + sign * size[moved])
            size[moved] = nearest_distance(anchor[moved], unit)
            events.append((np.full(len(moved), bar), moved, sign, anchor[moved]))
            away = np.abs(price - anchor) >= size
    if not events:
        empty = np.zeros(0, np.int64)
        return Events(empty, empty, empty, empty)
    return Events(*(np.concatenate(part) for part in zip(*events, strict=True)))


def candle_events(anchor: Ints, close: Ints, known: NDArray[np.bool_]) -> Events:
    """A step for every known candle: the sign of its change, 0 where there is none.

    `anchor` (S,) is the last known close, 0 before the first; gaps hold it in `close`.
    """
    bar, symbol = np.nonzero(known)
    before = np.vstack([anchor, close[:-1]])[bar, symbol]
    price = close[bar, symbol]
    sign = np.where(before > 0, np.sign(price - before), 0)
    return Events(bar, symbol, sign, price)
