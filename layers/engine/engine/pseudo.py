"""Pseudo positions: paper positions of Sets, their triggers, results and uniqueness."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.exits import STOP, TARGET, TRAILING, Triggers
from engine.market import Ints
from engine.sets import Grid
from engine.settings import Settings
from engine.ticks import distance
from engine.values import CloseReason

NEVER = np.int64(1 << 60)
TIMEOUT, STRATEGY_EXIT = 3, 4
REASONS = {
    STOP: CloseReason.STOP_LOSS,
    TRAILING: CloseReason.TRAILING_STOP,
    TARGET: CloseReason.TAKE_PROFIT,
    TIMEOUT: CloseReason.TIMEOUT,
    STRATEGY_EXIT: CloseReason.STRATEGY_EXIT,
}
"""Close reasons by their number."""

STEPS, STEP_MS, RECOVERY, TAKEN, FILLS = range(5)
"""Columns of `Pseudo.adjust`: steps of the ladder taken; close of the candle of the last one;
how far profit-back is (`Recovery`); price at which it took its share, 0 before; and from the last
on the price of each step, 0 before."""
_SATURATION = 32767


@dataclass(frozen=True, slots=True, kw_only=True)
class Pseudo:
    """Open pseudo positions as columns, sorted by Set number (symbol * K + k).

    Attributes
    ----------
    ids : Set number.
    entry : close of the candle it was opened on, in ticks.
    stop, target, arm, peak : ticks on the mirrored axis, as in `Triggers`.
    opened_ms : close time of that candle.
    stage : stage of its Set then.
    shadow : whether it is virtual: it gives its Set a result, but holds no short key.
    adjust : (P, A) what ladder and profit-back did to it, see `STEPS`; A is 0 for a grid without.
        Prices are ticks, not mirrored.
    """

    ids: Ints
    entry: Ints
    stop: Ints
    target: Ints
    arm: Ints
    peak: Ints
    opened_ms: Ints
    stage: NDArray[np.int8]
    shadow: NDArray[np.bool_]
    adjust: Ints

    def __len__(self) -> int:
        return len(self.ids)

    @staticmethod
    def none(adjusts: int = 0) -> "Pseudo":
        """No positions, of a grid with that many columns of `adjust`."""
        nothing = np.zeros(0, np.int64)
        return Pseudo(
            ids=nothing,
            entry=nothing,
            stop=nothing,
            target=nothing,
            arm=nothing,
            peak=nothing,
            opened_ms=nothing,
            stage=np.zeros(0, np.int8),
            shadow=np.zeros(0, np.bool_),
            adjust=np.zeros((0, adjusts), np.int64),
        )

    def take(self, chosen: Ints | NDArray[np.bool_]) -> "Pseudo":
        return Pseudo(**{name: getattr(self, name)[chosen] for name in Pseudo.__slots__})

    @staticmethod
    def join(parts: "list[Pseudo]") -> "Pseudo":
        names = Pseudo.__slots__
        return Pseudo(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})


def open_positions(
    grid: Grid, ids: Ints, entry: Ints, opened_ms: Ints, stage: NDArray[np.int8], adjusts: int
) -> Pseudo:
    """Positions opened at `entry`; triggers are whole ticks, never nearer than configured.

    Stop and target count from the candle's close; slippage is part of the fills alone. The target
    of trailing alone is never reached.
    """
    k = ids % len(grid)
    mirrored = grid.sign[k] * entry
    trailing = grid.trail_stop[k] > 0
    target = mirrored + distance(entry, grid.take_profit[k])
    if grid.trailing_only.any():
        target = np.where(grid.trailing_only[k], NEVER, target)
    return Pseudo(
        ids=ids,
        entry=entry,
        stop=mirrored - distance(entry, grid.stop_loss[k]),
        target=target,
        arm=np.where(trailing, mirrored + distance(entry, grid.trail_start[k]), NEVER),
        peak=mirrored,
        opened_ms=opened_ms,
        stage=stage,
        shadow=np.zeros(len(ids), np.bool_),
        adjust=np.zeros((len(ids), adjusts), np.int64),
    )


def triggers_of(grid: Grid, positions: Pseudo, start: Ints) -> Triggers:
    """What `first_exit` needs; `start` is the first candle that may end each position."""
    k = positions.ids % len(grid)
    return Triggers(
        row=rows_of(grid, positions.ids),
        start=start,
        stop=positions.stop,
        target=positions.target,
        arm=positions.arm,
        trail=grid.trail_stop[k],
        peak=positions.peak,
    )


def rows_of(grid: Grid, ids: Ints) -> Ints:
    """Rows of a window with longs and shorts of a symbol side by side: 2 * symbol + short."""
    return 2 * (ids // len(grid)) + (grid.sign[ids % len(grid)] < 0)


def results_of(
    sign: Ints, entry: Ints, exit_: Ints, settings: Settings
) -> tuple[NDArray[np.int16], int]:
    """Net results in hundredths of a position cost, and how many were out of range and cut."""
    return quantised(net_pct(sign, entry, exit_, settings), settings)


def net_pct(sign: Ints, entry: Ints, exit_: Ints, settings: Settings) -> NDArray[np.float64]:
    """What is earned between two prices, in percent of the entry.

    Both fills are `slippagePercent` worse than their price; the taker fee of both sides is
    taken off the move.
    """
    slip = float(settings.slippage_pct / 100)
    fees = float(2 * settings.taker_fee_pct)
    bought = entry * (1 + sign * slip)
    sold = exit_ * (1 - sign * slip)
    net: NDArray[np.float64] = sign * (sold - bought) / bought * 100 - fees
    return net


def quantised(net: NDArray[np.float64], settings: Settings) -> tuple[NDArray[np.int16], int]:
    """Percentages in hundredths of a position cost, rounded half to even, and how many were cut."""
    hundredths = np.rint(net / float(settings.position_cost_pct) * 100)
    cut = np.clip(hundredths, -_SATURATION, _SATURATION)
    return cut.astype(np.int16), int((cut != hundredths).sum())


def unique(
    key: Ints, bar: Ints, until: Ints, may: NDArray[np.bool_], free: Ints
) -> NDArray[np.bool_]:
    """Which openings hold their short key: the first one while no other holds it.

    Parameters
    ----------
    key, bar, until : (P,) int64
        Short key, opening and closing candle of openings sorted by (bar, Set).
    may : (P,) bool
        Whether an opening may hold a key at all.
    free : (keys,) int64
        Candle from which each key is free. Exits come before entries within a candle.
    """
    holds = np.zeros(len(key), np.bool_)
    chosen = np.flatnonzero(may)
    chosen = chosen[np.argsort(key[chosen], kind="stable")]
    keys = np.unique(key[chosen])
    reach = int(max(bar.max(initial=0), until.max(initial=0), free.max(initial=0))) + 1
    order = key[chosen] * reach + bar[chosen]
    earliest = free[keys]
    while len(keys):
        found = np.searchsorted(order, keys * reach + earliest)
        inside = found < len(order)
        keys, found = keys[inside], found[inside]
        same = key[chosen[found]] == keys
        keys, found = keys[same], chosen[found[same]]
        holds[found] = True
        earliest = until[found]
    return holds
