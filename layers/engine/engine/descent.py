"""Walks of many positions through a pyramid: up past what cannot end them, down into what does.

All stand on the same level at any time, so that a step is a handful of array operations. On the
way up a position asks one block and its later siblings at once; on the way down the first
sibling that is hit is found as the lowest of 16 bits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.candles import Ints
from engine.pyramid import BRANCH, Level, Window

Flags = NDArray[np.bool_]

SHIFT = BRANCH.bit_length() - 1
WITHIN = BRANCH - 1
_EVERY = np.uint16(0xFFFF)
_FAR = 1 << 62


def _lowest_bits() -> NDArray[np.int8]:
    places = np.full(1 << BRANCH, BRANCH, np.int8)
    for place in range(BRANCH):
        places[1 << place :: 2 << place] = place
    return places


_FIRST = _lowest_bits()


@dataclass(slots=True, kw_only=True)
class Stack:
    """Positions by the level on which they found what may end them, those of the top first.

    Attributes
    ----------
    who : (P,) int64
        Numbers of positions.
    at : (P,) int64
        Block each stands at; the way down moves them.
    counts : how many were found on each level, from the candles up.
    """

    who: Ints
    at: Ints
    counts: list[int]

    @staticmethod
    def of(found: list[tuple[Ints, Ints]]) -> "Stack":
        """From the numbers and blocks that each level found, from the candles up."""
        who, at = (np.concatenate(each) for each in zip(*reversed(found), strict=True))
        return Stack(who=who, at=at, counts=[len(numbers) for numbers, _ in found])


def first_touch(
    window: Window, row: Ints, start: Ints, upper: Ints, lower: Ints, best: Ints | None = None
) -> Ints:
    """First candle of each position that reaches `upper` or `lower`, N for none.

    `best`, where it is given, is raised to the highest price from the start on of the positions
    that touch nothing; of the others it is left below `upper`.
    """
    if window.length == 1:
        return _touch_one(window, row, start, upper, lower, best)
    triggers = as_pairs(window, row, upper, lower)
    stack = _climb(window, row, start, triggers, best)
    bar = np.full(len(row), window.length, np.int64)
    symbol, triggers = row[stack.who] >> 1, triggers.take(stack.who, axis=0)[:, :, None]
    count = 0
    for level, found in zip(
        window.levels[len(stack.counts) - 1 :: -1], reversed(stack.counts), strict=True
    ):
        count += found
        _into(level, symbol[:count], triggers[:count], stack.at[:count])
        if level is not window.levels[0]:
            stack.at[:count] <<= SHIFT
    bar[stack.who] = stack.at
    return bar


def _touch_one(
    window: Window, row: Ints, start: Ints, upper: Ints, lower: Ints, best: Ints | None
) -> Ints:
    """The same in a window of one candle: no way to walk."""
    rows = np.arange(2 * len(window.levels[0].rest) // window.levels[0].width)
    highs, lows = candle(window, rows, np.zeros_like(rows))
    gap = highs < lows  # it meets no trigger, however far that lies
    highs[gap], lows[gap] = -_FAR, _FAR
    high = highs.take(row)
    touched = (lows.take(row) <= lower) | (high >= upper)
    touched &= start < 1
    if best is not None:
        np.maximum(best, high, out=best, where=~touched & (start < 1))
    return 1 - touched.astype(np.int64)


def _climb(window: Window, row: Ints, start: Ints, triggers: Ints, best: Ints | None) -> Stack:
    symbol, who, at = row >> 1, np.arange(len(row)), start
    found: list[tuple[Ints, Ints]] = []
    for level in window.levels:
        rest = level.rest.take(symbol * level.width + at, axis=0)
        hit = either(rest >= triggers)
        yes, no = hit.nonzero()[0], (~hit).nonzero()[0]
        found.append((who[yes], at[yes]))
        who = who[no]
        if best is not None:
            best[who] = np.maximum(best[who], rest[no, row[who] & 1])
        if not len(who) or level is window.levels[-1]:
            break
        at = (at[no] >> SHIFT) + 1
        symbol, triggers = symbol[no], triggers.take(no, axis=0)
    return Stack.of(found)


def _into(level: Level, symbol: Ints, triggers: Ints, at: Ints) -> None:
    """Move `at` to the first sibling from there on that is hit."""
    group = (symbol * level.width + at) >> SHIFT
    hits = level.block.take(group, axis=0) >= triggers
    bits = as_bits(hits)
    at += first_from(at & WITHIN, bits[::2] | bits[1::2])


def first_from(within: Ints, bits: NDArray[np.uint16]) -> Ints:
    """Steps from a place within its siblings to the first one, itself included, that is hit."""
    later = _EVERY << within.astype(np.uint16)
    return _FIRST[bits & later] - within


def as_bits(hits: Flags) -> NDArray[np.uint16]:
    """Siblings, the last axis, as the bits of one number, the first as the lowest."""
    return np.packbits(hits, bitorder="little").view(np.dtype("<u2"))


def either(hits: Flags) -> Flags:
    """Which pairs, the last axis, hold at least one."""
    pairs: Flags = hits.view(np.uint16)[:, 0] != 0
    return pairs


def as_pairs(window: Window, row: Ints, upper: Ints, lower: Ints) -> Ints:
    """Triggers as the pyramid holds prices: a short meets its stop in the first column."""
    short = (row & 1).astype(np.bool_)
    pairs = np.empty((len(row), 2), window.levels[0].rest.dtype)
    above, below = bounded(window, upper), bounded(window, -lower)
    pairs[:, 0] = np.where(short, below, above)
    pairs[:, 1] = np.where(short, above, below)
    return pairs


def bounded(window: Window, price: Ints) -> Ints:
    """Prices no market of the window reaches as ones its type holds, for the same decisions."""
    within: Ints = np.minimum(np.maximum(price, 1 - window.limit), window.limit)
    return within


def candle(window: Window, row: Ints, bar: Ints) -> tuple[Ints, Ints]:
    """Mirrored high and low of one candle for each position."""
    level, side = window.levels[0], row & 1
    index = (row >> 1) * level.width + bar
    first = ((index >> SHIFT) << SHIFT + 1) + (index & WITHIN)
    high, low = (
        level.block.reshape(-1).take(first + column * BRANCH).astype(np.int64)
        for column in (side, 1 - side)
    )
    return high, -low
