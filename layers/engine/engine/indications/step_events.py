"""Where steps happen: at moves of one unit, or at every candle."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.market import Ints
from engine.ticks import nearest_distance, nearest_ticks


class Events(NamedTuple):
    """Steps in the order of the candles: candle, symbol, sign, and where each step ended."""

    bar: Ints
    symbol: Ints
    sign: Ints
    anchor: Ints


def cost_events(anchor: Ints, close: Ints, unit: int) -> Events:
    """A step for every unit the close is away from the anchor (S,), which follows."""
    length, symbols = close.shape
    if length <= symbols:
        events = list(_together(anchor, close, unit))
    else:  # a long stretch is walked faster symbol by symbol
        events = [_alone(symbol, anchor, close[:, symbol], unit) for symbol in range(symbols)]
    if not events:
        empty = np.zeros(0, np.int64)
        return Events(empty, empty, empty, empty)
    found = Events(*(np.concatenate(part) for part in zip(*events, strict=True)))
    order = np.argsort(found.bar, kind="stable")
    return Events(*(part[order] for part in found))


def _together(anchor: Ints, close: Ints, unit: int) -> Iterator[Events]:
    """All symbols candle by candle."""
    anchor = anchor.copy()
    size = nearest_distance(anchor, unit)
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
            yield Events(np.full(len(moved), bar), moved, sign, anchor[moved])
            away = np.abs(price - anchor) >= size


def _alone(symbol: int, anchors: Ints, close: Ints, unit: int) -> Events:
    """One symbol, in plain integers."""
    anchor = int(anchors[symbol])
    size = nearest_ticks(anchor, unit)
    below, above = anchor - size, anchor + size
    steps: list[tuple[int, int, int]] = []
    for bar, price in enumerate(close.tolist()):
        if below < price < above:
            continue
        while price > 0 and not below < price < above:
            sign = 0 if anchor == 0 else 1 if price > anchor else -1
            anchor = price if anchor == 0 else anchor + sign * size
            size = nearest_ticks(anchor, unit)
            below, above = anchor - size, anchor + size
            steps.append((bar, sign, anchor))
    columns = np.array(steps, np.int64).reshape(-1, 3)
    return Events(columns[:, 0], np.full(len(columns), symbol), columns[:, 1], columns[:, 2])


def candle_events(anchor: Ints, close: Ints, known: NDArray[np.bool_]) -> Events:
    """A step for every known candle: the sign of its change, 0 where there is none.

    `anchor` (S,) is the last known close, 0 before the first; gaps hold it in `close`.
    """
    bar, symbol = np.nonzero(known)
    before = np.vstack([anchor, close[:-1]])[bar, symbol]
    price = close[bar, symbol]
    sign = np.where(before > 0, np.sign(price - before), 0)
    return Events(bar, symbol, sign, price)
