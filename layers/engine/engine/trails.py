"""Trailing stops through a pyramid: where the price first retraces from its best by enough."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.candles import Ints
from engine.descent import (
    SHIFT,
    WITHIN,
    Flags,
    Stack,
    as_bits,
    as_pairs,
    bounded,
    either,
    first_from,
)
from engine.pyramid import BRANCH, Fall, Level, Window
from engine.ticks import RATIO, distance

# Rounded retraces choose a little early; the second share makes sure that a chosen block holds a
# chosen candle. The candle itself is decided on ticks.
_SURELY, _MORE_SURELY = 1 - 1e-6, 1 - 2e-6
_PART = 0.01  # of a tick: far above the error of a float price

_RANKS = np.arange(BRANCH)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trails:
    """Armed positions; (P,) int64 each, prices in ticks on the mirrored axis.

    Attributes
    ----------
    row, start, stop, target, trail : as in `Triggers`
    peak : best price so far, at least the arming one
    """

    row: Ints
    start: Ints
    stop: Ints
    target: Ints
    trail: Ints
    peak: Ints

    def take(self, who: Ints | Flags) -> "Trails":
        return Trails(**{name: getattr(self, name)[who] for name in Trails.__slots__})

    def effective(self, peak: Ints) -> Ints:
        """Where each is stopped after that best price: never below the fixed stop."""
        stop: Ints = np.maximum(self.stop, peak - distance(peak, self.trail))
        return stop


def first_retrace(window: Window, trails: Trails) -> tuple[Ints, Ints]:
    """First candle that meets each position's stop, target or trailing stop, and its peak before.

    N stands for none, with the best price of all candles. Very rarely the candle is one that
    only nearly does: the caller decides on ticks.
    """
    peak = trails.peak.copy()
    stack = _climb(window, trails, peak)
    bar = np.full(len(peak), window.length, np.int64)
    way = _Way(window, trails.take(stack.who), peak[stack.who], stack.at)
    count = 0
    for number in range(len(stack.counts) - 1, -1, -1):
        count += stack.counts[number]
        way.down(number, count)
    bar[stack.who], peak[stack.who] = way.at, way.peak
    return bar, peak


def _climb(window: Window, trails: Trails, peak: Ints) -> Stack:
    """Up to where something may happen; `peak` is raised by all that is passed."""
    row, who, at = trails.row, np.arange(len(peak)), trails.start
    triggers = as_pairs(window, row, trails.target, trails.effective(peak))
    share = (trails.trail * (_SURELY / RATIO)).astype(np.float32)
    found: list[tuple[Ints, Ints]] = []
    for level, fall in zip(window.levels, window.falls, strict=True):
        rest = level.rest.take((row >> 1) * level.width + at, axis=0)
        hit = either(rest >= triggers) | (fall.rest.take(row * level.width + at) >= share)
        yes, no = hit.nonzero()[0], (~hit).nonzero()[0]
        found.append((who[yes], at[yes]))
        who, row, at = who[no], row[no], (at[no] >> SHIFT) + 1
        triggers, share = triggers.take(no, axis=0), share[no]
        raised = np.flatnonzero(rest[no, row & 1] > peak[who])
        if len(raised):
            high = who[raised]
            peak[high] = rest[no[raised], row[raised] & 1]
            stops = trails.take(high).effective(peak[high])
            side = row[raised] & 1
            triggers[raised, 1 - side] = bounded(window, -stops)
        if not len(who):
            break
    return Stack.of(found)


class _Way:
    """Positions on their way down: where each stands, and its best price before."""

    def __init__(self, window: Window, own: Trails, peak: Ints, at: Ints) -> None:
        self.window, self.row, self.at, self.peak = window, own.row, at, peak
        self.target = bounded(window, own.target)
        self.stop = own.stop + _PART
        self.share = (own.trail * (_SURELY / RATIO)).astype(np.float32)
        sign = 1 - 2 * (own.row & 1)
        self.factor = 1 - sign * own.trail * (_MORE_SURELY / RATIO)

    def down(self, number: int, count: int) -> None:
        """The first `count` positions into the first of the siblings that may end them."""
        level, fall, at = self.window.levels[number], self.window.falls[number], self.at[:count]
        high, low, retrace = _siblings(level, fall, self.row[:count], at)
        within = at & WITHIN
        before = np.empty((count, BRANCH + 1), np.int64)
        before[:, 0] = self.peak[:count]
        before[:, 1:] = np.where(within[:, None] <= _RANKS, high, -self.window.limit)
        np.maximum.accumulate(before, axis=1, out=before)
        stop = before[:, :-1] * self.factor[:count, None] + _PART
        hits = low <= np.maximum(stop, self.stop[:count, None], out=stop)
        hits |= high >= self.target[:count, None]
        hits |= retrace >= self.share[:count, None]
        place = within + first_from(within, as_bits(hits))
        self.peak[:count] = before[np.arange(count), place]
        at += place - within
        if number:
            at <<= SHIFT


def _siblings(
    level: Level, fall: Fall, row: Ints, at: Ints
) -> tuple[Ints, Ints, NDArray[np.float32]]:
    """Mirrored highs, lows and retraces of a block and all its siblings, (P, 16) each."""
    group = ((row >> 1) * level.width + at) >> SHIFT
    columns, side = level.block.reshape(-1, BRANCH), row & 1
    high = columns.take(2 * group + side, axis=0)
    low = -columns.take(2 * group + (1 - side), axis=0)
    return high, low, fall.block.take((row * level.width + at) >> SHIFT, axis=0)
