"""How large an opening is against a plain one, by Block and Level."""

import numpy as np
from numpy.typing import NDArray

from engine.history import History
from engine.market import Ints
from engine.sets import Grid
from engine.settings import Settings
from engine.strategies.block import BlockRules, block_lookback, raised_sizes
from engine.strategies.level import PLAIN, level_ratios
from engine.strategies.results import Booked, Results
from engine.values import IndicationType

LARGEST = 500
"""No ratio is larger, in hundredths; it is as much as an order is sized for."""


def size_ratios(
    history: History, booked: Booked, grid: Grid, ids: Ints, count: Ints, settings: Settings
) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """Ratios of openings in hundredths, and which of them Block raised.

    `ids` (M,) are the Sets opened, `count` (M,) how many results each had by then. `history` is
    that of before `booked`. Where Block and Level both raise, the larger ratio counts.
    """
    auto, optimal = (grid.of_type(each) for each in (IndicationType.AUTO, IndicationType.OPTIMAL))
    results = Results.of(history, np.unique(ids), booked, block_lookback(settings))
    at, k = results.last(ids, count), ids % len(grid)
    raised = np.zeros(len(ids), np.int64)
    if settings.block_enabled:
        own = results.ids % len(grid)
        raised = raised_sizes(results, at, BlockRules.of(auto[own], optimal[own], settings))
    added = np.rint(raised * float(settings.block_adjustment_ratio) * 100).astype(np.int64)
    ratio = np.minimum(PLAIN + added, int(settings.block_max_ratio * 100))
    if settings.level_enabled and auto[k].any():
        leveled = level_ratios(results, at, grid.take_profit[k], LARGEST, settings)
        ratio = np.where(auto[k], np.maximum(ratio, leveled), ratio)
    return np.minimum(ratio, LARGEST).astype(np.int16), raised > 0
