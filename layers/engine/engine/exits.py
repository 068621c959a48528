"""First exits: stop, trailing and target of all positions at once, by a pyramid of blocks.

Prices are integer ticks on the *mirrored axis*: as they are for a long, negated for a short
(high' = -low, low' = -high), so that no rule has a side branch. A window of N candles is
summarised in blocks of 4, 16, 64 ... candles; a position skips every block that cannot end it
and decides on ticks at the single candle. Cost follows exits, not candles. Live is the same
call with a window of one candle.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.market import Candles, Ints, Kind
from engine.ticks import RATIO, distance

STOP, TRAILING, TARGET = 0, 1, 2
OPEN = -1
"""Reasons of `Exits`; the last one for a position that lives on."""

_NEVER = 1 << 60
_LOG_UNITS = 1e12  # resolution of the logarithms that prune
_MARGIN = 1000  # and the error allowed for, far above that of a float logarithm
_BRANCH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """N candles of R rows (symbol, side) on the mirrored axis, with their pyramid.

    Attributes
    ----------
    length : int
        N, candles.
    open : (R, N) int64
        Mirrored open prices in ticks.
    blocks : (R * B, 3) int64
        Highest, lowest price, and largest retrace (high before low, candle apart, in units of
        1e-12 of the natural logarithm) of every block; level after level for each row.
    offsets : (L + 1,) int64
        Where each level starts within a row; the last is B.
    """

    length: int
    open: Ints
    blocks: Ints
    offsets: Ints


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
        Best price from which the trailing stop counts; never without trailing.
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
        Best price up to the exit candle (exclusive) or the end of the window.
    """

    bar: Ints
    reason: NDArray[np.int8]
    price: Ints
    peak: Ints


def make_window(candles: Candles) -> Window:
    """The pyramid over `candles`: row 2s is the long, 2s + 1 the short side of symbol s.

    Gaps hold no price: they neither end a position nor raise its best price.
    """
    known = _both_sides(candles.kind != Kind.GAP, candles.kind != Kind.GAP)
    highs = np.where(known, _both_sides(candles.high, -candles.low), -_NEVER)
    lows = np.where(known, _both_sides(candles.low, -candles.high), _NEVER)
    blocks, offsets = _pyramid(highs, lows)
    return Window(
        length=len(candles),
        open=_both_sides(candles.open, -candles.open),
        blocks=blocks,
        offsets=offsets,
    )


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
    trailing = triggers.trail > 0
    for chosen in (np.flatnonzero(~trailing), np.flatnonzero(trailing)):
        if len(chosen):
            _Descent(window, triggers, chosen).run(exits)
    return exits


class _Descent:
    """Positions walking the pyramid: `at` is the block looked at on `level`."""

    def __init__(self, window: Window, triggers: Triggers, chosen: Ints) -> None:
        self.window = window
        self.top = len(window.offsets) - 2
        self.position = chosen
        self.base = triggers.row[chosen] * window.offsets[-1]
        self.at = triggers.start[chosen]
        self.level = np.zeros(len(chosen), np.int64)
        self.target = triggers.target[chosen]
        self.stop = triggers.stop[chosen]
        self.static = self.stop.copy()
        self.peak = triggers.peak[chosen]
        self.arm = triggers.arm[chosen]
        self.trail = triggers.trail[chosen]
        self.trailing = bool(self.trail.any())
        # log(1 + t) is what a short retraces, and less than the -log(1 - t) of a long: below it
        # neither can be hit, above it the ticks decide.
        self.retrace = (np.log1p(self.trail / RATIO) * _LOG_UNITS).astype(np.int64) - _MARGIN
        if self.trailing:
            self._ratchet(np.arange(len(chosen)))

    def run(self, exits: FirstExits) -> None:
        """Walk until every position has ended or passed the window's end."""
        self._keep(self.at < self.window.length, exits)
        while len(self.at):
            index = self.base + self.window.offsets[self.level] + self.at
            high, low, retrace = self.window.blocks[index].T
            hit = (low <= self.stop) | (high >= self.target)
            look = hit
            if self.trailing:
                armed = self.peak >= self.arm
                look = hit | np.where(armed, retrace >= self.retrace, high >= self.arm)
            leaf = self.level == 0
            ended = hit & leaf
            if ended.any():
                self._end(np.flatnonzero(ended), low[ended], exits)
            down = look & ~leaf
            self._move(down, np.where(down | ended, -_NEVER, high))
            self._keep(~ended & (self.at << 2 * self.level < self.window.length), exits)

    def _end(self, ended: Ints, low: Ints, exits: FirstExits) -> None:
        position, bar = self.position[ended], self.at[ended]
        stop, target = self.stop[ended], self.target[ended]
        row = self.base[ended] // self.window.offsets[-1]
        stopped = low <= stop
        price = np.where(stopped, np.minimum(stop, self.window.open[row, bar]), target)
        trailed = stop > self.static[ended]
        exits.bar[position] = bar
        exits.price[position] = price
        exits.reason[position] = np.where(stopped, np.where(trailed, TRAILING, STOP), TARGET)

    def _move(self, down: NDArray[np.bool_], high: Ints) -> None:
        """Into the block where something may happen, else past it and up while aligned."""
        if self.trailing:
            raised = np.flatnonzero(high > self.peak)
            self.peak[raised] = high[raised]
            self._ratchet(raised)
        past = self.at + 1
        climb = (past % _BRANCH == 0) & (self.level < self.top) & ~down
        past >>= 2 * climb
        self.at = np.where(down, self.at << 2, past)
        self.level += climb.astype(np.int64) - down

    def _ratchet(self, raised: Ints) -> None:
        """Trailing stops of raised best prices; never below the fixed stop."""
        peak = self.peak[raised]
        trail = peak - distance(peak, self.trail[raised])
        armed = peak >= self.arm[raised]
        fixed = self.static[raised]
        self.stop[raised] = np.where(armed & (trail > fixed), trail, fixed)

    def _keep(self, alive: NDArray[np.bool_], exits: FirstExits) -> None:
        if alive.all():
            return
        if self.trailing:
            exits.peak[self.position[~alive]] = self.peak[~alive]
        names = ("position", "base", "at", "level", "target", "stop", "static", "peak")
        for name in (*names, "arm", "trail", "retrace"):
            setattr(self, name, getattr(self, name)[alive])


def _both_sides(long: NDArray[Any], short: NDArray[Any]) -> NDArray[Any]:
    """(T, S) of both sides as (2S, T)."""
    return np.stack([long.T, short.T], axis=1).reshape(2 * long.shape[1], len(long))


def _pyramid(highs: Ints, lows: Ints) -> tuple[Ints, Ints]:
    rows, length = highs.shape
    high_log, low_log = _logs(highs, -_NEVER), _logs(lows, _NEVER)
    drop = np.full((rows, length), -_NEVER, np.int64)
    levels = [np.stack([highs, lows, drop], axis=-1)]
    while levels[-1].shape[1] > 1:
        part = _padded(levels[-1], (-_NEVER, _NEVER, -_NEVER))
        high_log, low_log = _padded(high_log, -_NEVER), _padded(low_log, _NEVER)
        levels.append(
            np.stack(
                [
                    part[..., 0].max(axis=-1),
                    part[..., 1].min(axis=-1),
                    _retrace(part[..., 2], high_log, low_log),
                ],
                axis=-1,
            )
        )
        high_log, low_log = high_log.max(axis=-1), low_log.min(axis=-1)
    sizes = [level.shape[1] for level in levels]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return np.concatenate(levels, axis=1).reshape(-1, 3), offsets


def _retrace(drop: Ints, high_log: Ints, low_log: Ints) -> Ints:
    """Largest fall from a high to a later low over the joined children."""
    before = np.maximum.accumulate(high_log, axis=-1)[..., :-1]
    across = (before - low_log[..., 1:]).max(axis=-1)
    joined: Ints = np.maximum(drop.max(axis=-1), across)
    return joined


def _padded(values: Ints, neutral: int | tuple[int, ...]) -> Ints:
    """(R, n, ...) as (R, ceil(n / 4), 4, ...) with neutral blocks at the end."""
    rows, length, *rest = values.shape
    blocks = -(-length // _BRANCH)
    padded = np.empty((rows, blocks * _BRANCH, *rest), np.int64)
    padded[:, :length] = values
    padded[:, length:] = neutral
    shaped = padded.reshape(rows, blocks, _BRANCH, *rest)
    return shaped


def _logs(prices: Ints, neutral: int) -> Ints:
    """Mirrored logarithms: sign(x) * log|x|, in integer units; `neutral` stays as it is."""
    real = np.abs(prices) < _NEVER
    logs = np.log(np.where(real, np.maximum(np.abs(prices), 1), 1))
    units = np.rint(np.where(prices < 0, -logs, logs) * _LOG_UNITS).astype(np.int64)
    return np.where(real, units, neutral)
