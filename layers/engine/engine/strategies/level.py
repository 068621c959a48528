"""Level: an Auto Set's positions grow with the losses since its last win.

Level l is the number of results without a win since the last one, at most `levelMaxLevels`. With
q the `levelIncrementRatio`, the ratio is 1 + l (q - 1) by `linear`, q ** l by `exponential`,
1 + (F - 1)(q - 1) by `fibonacci` with F = 1, 2, 3, 5, 8 ... at levels 0, 1, 2, 3, 4 ... By
`optimal` it is the smallest with which one win at the target earns back what the last l results
lost, were they sized so from the first of them on.
"""

import numpy as np

from engine.market import Ints
from engine.settings import Settings
from engine.strategies.results import Results
from engine.ticks import ratio_units

PLAIN = 100
"""Ratios are in hundredths."""


def level_ratios(
    results: Results, at: Ints, take_profit: Ints, most: int, settings: Settings
) -> Ints:
    """The ratio after result `at` (-1: none yet), in hundredths, at most `most`.

    `take_profit` is the Set's target in millionths of a percent.
    """
    losses = _losses(results, at, settings.level_max_levels)
    if settings.level_increment_type == "optimal":
        return _recovering(losses, take_profit, most, settings)
    ratios = np.array(_ratios(settings), np.float64) * PLAIN
    return np.minimum(np.rint(ratios).astype(np.int64), most)[(losses >= 0).sum(axis=1)]


def _losses(results: Results, at: Ints, levels: int) -> Ints:
    """(M, levels) losses since the last win, newest first, -1 where there are fewer."""
    losses = np.full((len(at), levels), -1, np.int64)
    goes_on = at >= 0
    for back in range(levels):
        goes_on[goes_on] = results.before(at[goes_on], back)
        goes_on[goes_on] = results.r[at[goes_on] - back] <= 0
        losses[goes_on, back] = -results.r[at[goes_on] - back]
    return losses


def _ratios(settings: Settings) -> list[float]:
    """The ratio of every level, from 0 on."""
    levels, growth = settings.level_max_levels, float(settings.level_increment_ratio)
    if settings.level_increment_type == "exponential":
        return [growth**level for level in range(levels + 1)]
    steps, following = [1, 2], list(range(levels + 1))
    while len(steps) <= levels:
        steps.append(steps[-1] + steps[-2])
    if settings.level_increment_type == "fibonacci":
        following = [step - 1 for step in steps]
    return [1 + (growth - 1) * following[level] for level in range(levels + 1)]


def _recovering(losses: Ints, take_profit: Ints, most: int, settings: Settings) -> Ints:
    costs, unit = (
        ratio_units(each) for each in (settings.round_trip_cost_pct, settings.position_cost_pct)
    )
    win = (take_profit - costs) * 100 // unit
    ratio = np.full(len(losses), PLAIN, np.int64)
    owed = np.zeros(len(losses), np.int64)
    for loss in losses.T[::-1]:
        owed += np.where(loss > 0, loss * ratio, 0)
        needed = -(-owed // np.maximum(win, 1))
        ratio = np.where(win > 0, np.clip(needed, PLAIN, most), PLAIN)
    return ratio
