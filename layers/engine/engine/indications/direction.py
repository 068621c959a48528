"""Direction: a straight run of N steps has turned, so the price may go on the other way."""

import numpy as np

from engine.indications.legs import Extremes, Legs, Samples, step_legs, window_legs
from engine.indications.slots import SlotTable
from engine.indications.steps import Walk
from engine.indications.windows import hundredths
from engine.market import Ints
from engine.settings import Settings


def direction_legs(
    walk: Walk, extremes: Extremes, table: SlotTable, groups: Ints, settings: Settings
) -> Legs:
    """Candidates: the last completed run had at least N steps, and m opposite ones followed.

    m is N times `directionConfirmRatio`, half to even, at least 1. The side is that of the
    opposite steps; the leg is their last N at most. Looked at on candles that made a step.
    """
    n, side = table.group_parameter[groups], table.group_sign[groups]
    needed = confirming(n, settings)
    sign, run = walk.log.sign[walk.index], walk.log.run[walk.index]
    before = walk.log.before[walk.index]
    near = np.flatnonzero((before >= n.min()) & (run >= needed.min()))
    event, chosen = np.nonzero(
        (sign[near, None] == side) & (before[near, None] >= n) & (run[near, None] >= needed)
    )
    event = near[event]
    length = np.minimum(run[event], n[chosen])
    return step_legs(walk, extremes, table, groups[chosen], event, length)


def confirming(n: Ints, settings: Settings) -> Ints:
    """Opposite steps that confirm a turn after runs of `n`."""
    ratio = settings.direction_confirm_ratio
    return np.array([max(1, round(int(each) * ratio)) for each in n], np.int64)


def direction_windows(
    samples: Samples, table: SlotTable, groups: Ints, settings: Settings
) -> list[Legs]:
    """Candidates of step mode `window`: the mean of the newest N closes has moved.

    It is away from the close before them by more than `directionThreshold`; the side is that of
    the change.
    """
    threshold = hundredths(settings.direction_threshold_pct)
    legs = []
    for window in np.unique(table.group_parameter[groups]).tolist():
        first, usable = samples.decidable(window)
        if not usable.any():
            continue
        mine = groups[table.group_parameter[groups] == window]
        total = np.cumsum(samples.close, axis=0)
        old = samples.close[first - window : -window]
        newest = total[first:] - total[first - window : -window]
        change = (newest - window * old) * 10_000
        reached = change[..., None] * table.group_sign[mine] > (threshold * window * old)[..., None]
        row, symbol, chosen = np.nonzero(reached & usable[..., None])
        legs.append(window_legs(samples, table, mine[chosen], row + first, symbol, window))
    return legs
