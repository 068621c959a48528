"""First exits: stop, trailing and target of all positions at once, by a pyramid of blocks.

Prices are integer ticks on the *mirrored axis*: as they are for a long, negated for a short
(high' = -low, low' = -high), so that no rule has a side branch. Positions skip every block of
candles that cannot end them and are decided on ticks at the single candle. Cost follows exits,
not candles. Live is the same call with a window of one candle.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.candles import Ints
from engine.descent import candle, first_touch
from engine.pyramid import Window, make_window
from engine.trails import Trails, first_retrace

__all__ = [
    "OPEN",
    "STOP",
    "TARGET",
    "TRAILING",
    "FirstExits",
    "Triggers",
    "Window",
    "first_exit",
    "make_window",
]

STOP, TRAILING, TARGET = 0, 1, 2
OPEN = -1
"""Reasons of `Exits`; the last one for a position that lives on."""

_TOGETHER = 1 << 15  # positions searched at once: their columns stay in the cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Triggers:
    """P positions as they wait for their exit; all prices in ticks on the mirrored axis.

    Attributes
    ----------
    row : (P,) int64
        Row of the window.
    start : (P,) int64
        First candle that may end it (the one after its entry).
    stop, target : (P,) int64
        Stop and target price.
    arm : (P,) int64
        Best price from which the trailing stop counts; without trailing it means nothing.
    trail : (P,) int64
        Retrace from the best price that ends it, in millionths of a percent; 0 without.
    peak : (P,) int64
        Best price so far.
    """

    row: Ints
    start: Ints
    stop: Ints
    target: Ints
    arm: Ints
    trail: Ints
    peak: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstExits:
    """What became of P positions.

    Attributes
    ----------
    bar : (P,) int64
        Candle of the exit, N for those still open.
    reason : (P,) int8
        STOP, TRAILING, TARGET or OPEN.
    price : (P,) int64
        Fill price in ticks on the mirrored axis, 0 for those still open.
    peak : (P,) int64
        Best price up to the end of the window of those with trailing that are still open; of
        others one on the way there, or the one they came with.
    """

    bar: Ints
    reason: NDArray[np.int8]
    price: Ints
    peak: Ints


def first_exit(window: Window, triggers: Triggers) -> FirstExits:
    """Where each position ends within the window, all of them together.

    Inside one candle: stop, then the trailing stop, both against the best price of *earlier*
    candles, then the target, then the best price is raised. A stop fills at the worse of its
    trigger and the candle's open, a target at its trigger.
    """
    count = len(triggers.row)
    exits = FirstExits(
        bar=np.full(count, window.length, np.int64),
        reason=np.full(count, OPEN, np.int8),
        price=np.zeros(count, np.int64),
        peak=triggers.peak.copy(),
    )
    for begin in range(0, count, _TOGETHER):
        part = slice(begin, begin + _TOGETHER)
        _Search(window, _part(triggers, part), _part(exits, part)).run()
    return exits


def _part[T: (Triggers, FirstExits)](columns: T, part: slice) -> T:
    """A view: what is written to it is written to the whole."""
    names = type(columns).__slots__
    return replace(columns, **{name: getattr(columns, name)[part] for name in names})


class _Search:
    """Some positions: they wait for triggers that stand still, and once armed for one that moves.

    `exits` is written in place.
    """

    def __init__(self, window: Window, own: Triggers, exits: FirstExits) -> None:
        self.window, self.own, self.exits = window, own, exits
        self.start = np.minimum(own.start, window.length)
        self.trailing = own.trail > 0
        self.trails = bool(self.trailing.any())

    def run(self) -> None:
        """First those that wait, then all that are armed, until each has ended or lives on."""
        own, every = self.own, slice(None)
        if not self.trails:
            self._wait(every, own.target, own.stop)
            return
        armed = self.trailing & (own.peak >= own.arm)
        upper = np.where(self.trailing & ~armed, np.minimum(own.target, own.arm), own.target)
        if self.window.length == 1:  # in one candle no stop moves
            self._wait(every, upper, self._stops(armed.nonzero()[0]))
            return
        waiting = (~armed).nonzero()[0]
        arming, since = self._wait(waiting, upper[waiting], own.stop[waiting])
        who = np.concatenate([armed.nonzero()[0], arming])
        start = np.concatenate([self.start[armed], since])
        while len(who):
            who, start = self._trail(who, start)

    def _stops(self, armed: Ints) -> Ints:
        stops = self.own.stop.copy()
        stops[armed] = self._armed(armed, self.start[armed]).effective(self.own.peak[armed])
        return stops

    def _wait(self, who: Ints | slice, upper: Ints, lower: Ints) -> tuple[Ints, Ints]:
        """Ends positions at triggers that stand still; those it armed, and the candle after."""
        row, trailing = self.own.row[who], self.trailing[who]
        best = self.exits.peak[who] if self.trails else None
        bar = first_touch(self.window, row, self.start[who], upper, lower, best)
        if best is not None:
            self.exits.peak[who] = np.where(trailing, best, self.own.peak[who])
        hit = np.flatnonzero(bar < self.window.length)
        touched = hit if isinstance(who, slice) else who[hit]
        goes_on, high = self._decide(touched, bar[hit], lower[hit])
        arming = touched[goes_on]
        self.exits.peak[arming] = high
        return arming, bar[hit[goes_on]] + 1

    def _trail(self, who: Ints, start: Ints) -> tuple[Ints, Ints]:
        """Ends armed positions; those chosen for nothing, and the candle after."""
        trails = self._armed(who, start)
        bar, peak = first_retrace(self.window, trails)
        self.exits.peak[who] = peak
        hit = np.flatnonzero(bar < self.window.length)
        who, bar, peak = who[hit], bar[hit], peak[hit]
        goes_on, high = self._decide(who, bar, trails.take(hit).effective(peak))
        who = who[goes_on]
        self.exits.peak[who] = np.maximum(peak[goes_on], high)
        return who, bar[goes_on] + 1

    def _armed(self, who: Ints, start: Ints) -> Trails:
        own = self.own
        return Trails(
            row=own.row[who],
            start=start,
            stop=own.stop[who],
            target=own.target[who],
            trail=own.trail[who],
            peak=self.exits.peak[who],
        )

    def _decide(self, who: Ints, bar: Ints, stop: Ints) -> tuple[Ints, Ints]:
        """Book what a candle ends: those of `who` it does not, and its highest price for them."""
        row, target, fixed = self.own.row[who], self.own.target[who], self.own.stop[who]
        high, low = candle(self.window, row, bar)
        stopped = low <= stop
        open_ = self.window.open[bar, row >> 1] * (1 - 2 * (row & 1))
        price = np.where(stopped, np.minimum(stop, open_), target)
        reason = np.where(stopped, np.where(stop > fixed, TRAILING, STOP), TARGET)
        ended = stopped | (high >= target)
        if not ended.all():
            whose = who[ended]
            bar, price, reason = bar[ended], price[ended], reason[ended]
        else:
            whose = who
        self.exits.bar[whose] = bar
        self.exits.price[whose] = price
        self.exits.reason[whose] = reason
        goes_on = (~ended).nonzero()[0]
        return goes_on, high[goes_on]
