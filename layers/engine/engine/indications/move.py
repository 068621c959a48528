"""Move: N steps one way in a short time, so the price may go on."""

import numpy as np
from numpy.typing import NDArray

from engine.indications.legs import Extremes, Legs, Samples, step_legs, window_legs
from engine.indications.slots import SlotTable
from engine.indications.steps import Walk
from engine.indications.windows import hundredths
from engine.market import Ints
from engine.settings import Settings


def move_legs(
    walk: Walk, extremes: Extremes, table: SlotTable, groups: Ints, settings: Settings
) -> Legs:
    """Candidates: the last N steps had one sign, the first and the last of them close in time.

    They may lie N times `moveSecondsPerStep` apart. Looked at on candles that made a step.
    """
    n, side = table.group_parameter[groups], table.group_sign[groups]
    log, index = walk.log, walk.index
    near = np.flatnonzero(log.run[index] >= n.min())
    at = index[near]
    lasted = log.at_ms[at][:, None] - log.at_ms[at[:, None] - n + 1]
    quick = lasted <= n * settings.move_seconds_per_range * 1000
    event, chosen = np.nonzero((log.sign[at, None] == side) & (log.run[at, None] >= n) & quick)
    return step_legs(walk, extremes, table, groups[chosen], near[event], n[chosen])


def move_comparisons(
    walk: Walk, extremes: Extremes, table: SlotTable, groups: Ints, settings: Settings
) -> list[Legs]:
    """Candidates of step mode `time`: of the last N candles none moved the other way.

    At least `moveRealShare` of them moved, and all of them together by at least `moveThreshold`.
    """
    log, index = walk.log, walk.index
    legs = []
    for number in groups.tolist():
        n, sign = int(table.group_parameter[number]), int(table.group_sign[number])
        with_it, against = (_count(log.sign == s, index, n) for s in (sign, -sign))
        start = log.anchor[index - n]
        moved = sign * (log.anchor[index] - start) * 10_000
        far = (start > 0) & (moved >= hundredths(settings.move_threshold_pct) * start)
        real = with_it * 100 >= hundredths(settings.move_real_share) * n
        event = np.flatnonzero(far & real & (against == 0))
        group, length = np.full(len(event), number), np.full(len(event), n)
        legs.append(step_legs(walk, extremes, table, group, event, length))
    return legs


def move_windows(
    samples: Samples, table: SlotTable, groups: Ints, settings: Settings
) -> list[Legs]:
    """Candidates of step mode `window`: the close is away from that N candles back.

    By more than `moveThreshold`; the side is that of the change.
    """
    threshold = hundredths(settings.move_threshold_pct)
    legs = []
    for window in np.unique(table.group_parameter[groups]).tolist():
        first, usable = samples.decidable(window)
        if not usable.any():
            continue
        mine = groups[table.group_parameter[groups] == window]
        old = samples.close[first - window : -window]
        change = (samples.close[first:] - old) * 10_000
        reached = change[..., None] * table.group_sign[mine] > (threshold * old)[..., None]
        row, symbol, chosen = np.nonzero(reached & usable[..., None])
        legs.append(window_legs(samples, table, mine[chosen], row + first, symbol, window))
    return legs


def _count(marked: NDArray[np.bool_], index: Ints, n: int) -> Ints:
    """How many of the `n` rows up to each `index` are marked."""
    total = np.cumsum(marked)
    counted: Ints = total[index] - total[index - n]
    return counted
