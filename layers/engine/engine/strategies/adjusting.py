"""The ladder (DCA) and profit-back in whole ticks, on the mirrored axis of `engine.exits`.

A ladder adds to a losing position at distances from its first entry; target and trailing then
count from the average entry, the stop from the first. Profit-back waits for a position that was
half its stop's distance under water to come back to its average entry and the fees: it takes a
share off there, lets the rest trail at once, and may halve what is left to the target.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from engine.ladder import admitted
from engine.market import Ints
from engine.pseudo import FILLS, NEVER, RECOVERY, STEPS, TAKEN, Pseudo, net_pct
from engine.sets import Grid
from engine.settings import Settings
from engine.ticks import distance, ratio_units

ONE = 10_000
"""Volumes are in ten thousandths of the first one."""


class Recovery(IntEnum):
    """How far profit-back is with a position."""

    NONE = 0
    UNDER = 1  # it was under water
    BACK = 2  # its share is taken


def adjust_columns(grid: Grid, settings: Settings) -> int:
    """How many columns `Pseudo.adjust` has."""
    return FILLS + len(admitted(settings)) if grid.is_adjusted else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjusting:
    """The rules of ladder and profit-back; distances in millionths of a percent.

    Attributes
    ----------
    grid : whose Sets they apply to.
    distances, volumes : (N,) of the admitted steps.
    stop : distance of the stop of a ladder, unless its Set's is further.
    mode : what the target is measured from after a step.
    plus, fees : `breakevenPlusPct`, and the fees of both sides.
    trail, is_halved : how the rest of a position trails that came back, and whether its target is
        cut.
    """

    grid: Grid
    distances: Ints
    volumes: Ints
    stop: Ints
    mode: str
    plus: Ints
    fees: Ints
    trail: Ints
    is_halved: bool

    @staticmethod
    def of(grid: Grid, settings: Settings) -> "Adjusting":
        steps = admitted(settings)
        volumes = [(step.volume * ONE).to_integral_value(ROUND_HALF_EVEN) for step in steps]
        last = steps[-1].distance_pct + settings.dca_stop_margin_pct if steps else Decimal(0)
        return Adjusting(
            grid=grid,
            distances=np.array([ratio_units(step.distance_pct) for step in steps], np.int64),
            volumes=np.array([int(volume) for volume in volumes], np.int64),
            stop=_units(last),
            mode=settings.dca_take_profit_mode,
            plus=_units(settings.breakeven_plus_pct),
            fees=_units(2 * settings.taker_fee_pct),
            trail=_units(settings.profit_back_trail_pct),
            is_halved=settings.profit_back_aggressive,
        )

    def widened_stop(self, opened: Pseudo) -> Ints:
        """The stops of positions just opened; a ladder's lies beyond its last step."""
        k = opened.ids % len(self.grid)
        beyond = self._first(opened) - distance(opened.entry, self.stop)
        ladder = self.grid.ladder[k] & (self.stop > 0)
        return np.where(ladder, np.minimum(opened.stop, beyond), opened.stop)

    def step_level(self, positions: Pseudo) -> Ints:
        """Where the next step is taken, -`NEVER` without one."""
        taken = positions.adjust[:, STEPS]
        has_next = (taken < len(self.distances)) & self.grid.ladder[positions.ids % len(self.grid)]
        has_next &= positions.adjust[:, RECOVERY] != Recovery.BACK
        ahead = np.append(self.distances, 0)[taken]
        return np.where(has_next, self._first(positions) - distance(positions.entry, ahead), -NEVER)

    def water_level(self, positions: Pseudo) -> Ints:
        """Where a position is under water that was not before, -`NEVER` without profit-back."""
        k = positions.ids % len(self.grid)
        waits = self.grid.profit_back[k] & (positions.adjust[:, RECOVERY] == Recovery.NONE)
        average = self.average(positions)
        half = distance(average, self.grid.stop_loss[k] // 2)
        return np.where(waits, average - half, -NEVER)

    def back_level(self, positions: Pseudo) -> Ints:
        """Where a position that was under water is back, `NEVER` for all others."""
        average = self.average(positions)
        back = average + distance(average, self.fees)
        return np.where(positions.adjust[:, RECOVERY] == Recovery.UNDER, back, NEVER)

    def average(self, positions: Pseudo) -> Ints:
        """Average entries, never nearer to a target than they are."""
        total = np.full(len(positions), ONE, np.int64)
        cost = ONE * positions.entry
        for fills, volume in zip(positions.adjust.T[FILLS:], self.volumes, strict=True):
            total += np.where(fills > 0, volume, 0)
            cost = cost + fills * volume
        rounded: Ints = -(-self._sign(positions) * cost // total)
        return rounded

    def target(self, positions: Pseudo) -> Ints:
        """Targets after a step; `NEVER` stays."""
        k = positions.ids % len(self.grid)
        average = self.average(positions)
        ahead = self.grid.take_profit[k]
        base = average
        if self.mode == "first_entry":
            base = self._first(positions)
        elif self.mode == "breakeven_plus":
            ahead = np.full(len(k), self.fees + self.plus, np.int64)
        return np.where(positions.target == NEVER, NEVER, base + distance(base, ahead))

    def cut_target(self, positions: Pseudo) -> Ints:
        """Targets of positions that are back: half as far, but not short of break-even."""
        if not self.is_halved:
            return positions.target
        average = self.average(positions)
        half = average - (average - positions.target) // 2
        back = average + distance(average, self.fees)
        return np.where(positions.target == NEVER, NEVER, np.maximum(half, back))

    def arm(self, positions: Pseudo) -> Ints:
        """Where trailing arms after a step, `NEVER` without."""
        k = positions.ids % len(self.grid)
        average = self.average(positions)
        ahead = average + distance(average, self.grid.trail_start[k])
        return np.where(self.grid.trail_stop[k] > 0, ahead, NEVER)

    def trailing(self, positions: Pseudo) -> Ints:
        """Retraces that end positions, 0 without."""
        trail = self.grid.trail_stop[positions.ids % len(self.grid)]
        return np.where(positions.adjust[:, RECOVERY] == Recovery.BACK, self.trail, trail)

    def net_pct(self, positions: Pseudo, exit_: Ints, settings: Settings) -> NDArray[np.float64]:
        """What positions earned that ended at `exit_`, in percent of the first volume.

        Every part counts from its own entry; the share that profit-back took, from where it did.
        """
        sign = self._sign(positions)
        taken = positions.adjust[:, TAKEN]
        share = np.where(taken > 0, settings.profit_back_share_pct / 100, 0.0)
        early = np.where(taken > 0, taken, exit_)

        def earned(entry: Ints) -> NDArray[np.float64]:
            late = net_pct(sign, entry, exit_, settings)
            return (1 - share) * late + share * net_pct(sign, entry, early, settings)

        total = earned(positions.entry)
        for fills, volume in zip(positions.adjust.T[FILLS:], self.volumes, strict=True):
            entry = np.where(fills > 0, fills, positions.entry)
            total = total + np.where(fills > 0, int(volume) / ONE, 0.0) * earned(entry)
        return total

    def _sign(self, positions: Pseudo) -> Ints:
        return self.grid.sign[positions.ids % len(self.grid)]

    def _first(self, positions: Pseudo) -> Ints:
        return self._sign(positions) * positions.entry


def _units(pct: Decimal) -> Ints:
    return np.array(ratio_units(pct), np.int64)
