"""How large an opening is against a plain one, by Block and Level."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.history import History
from engine.market import Ints
from engine.sets import Grid
from engine.settings import Settings
from engine.strategies.auto import LOOKBACK, choices
from engine.strategies.block import BlockRules, block_lookback, raised_sizes
from engine.strategies.level import PLAIN, level_ratios
from engine.strategies.results import Booked, Results
from engine.values import IndicationType

LARGEST = 500
"""No ratio is larger, in hundredths; it is as much as an order is sized for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Of M openings: ratios in hundredths, which Block raised, and which suit a real position."""

    ratio: NDArray[np.int16]
    raised: NDArray[np.bool_]
    suits: NDArray[np.bool_]

    @staticmethod
    def plain(count: int) -> "Sizes":
        return Sizes(
            ratio=np.full(count, PLAIN, np.int16),
            raised=np.zeros(count, np.bool_),
            suits=np.ones(count, np.bool_),
        )


def sizes_of(
    history: History,
    booked: Booked,
    grid: Grid,
    openings: tuple[Ints, Ints, NDArray[np.void]],
    settings: Settings,
) -> Sizes:
    """Sizes of openings: (M,) Sets, how many results each had by then, and their signals.

    `history` is that of before `booked`. Where Block and Level both raise, the larger ratio
    counts. Of Auto Sets both are used where they suit, see `engine.strategies.auto`.
    """
    ids, count, signals = openings
    auto, optimal = (grid.of_type(each) for each in (IndicationType.AUTO, IndicationType.OPTIMAL))
    lookback = max(block_lookback(settings), LOOKBACK)
    results = Results.of(history, np.unique(ids), booked, lookback)
    at, k = results.last(ids, count), ids % len(grid)
    raised = np.zeros(len(ids), np.int64)
    if settings.block_enabled:
        own = results.ids % len(grid)
        raised = raised_sizes(results, at, BlockRules.of(auto[own], optimal[own], settings))
    leveled, suits = np.full(len(ids), PLAIN), np.ones(len(ids), np.bool_)
    if auto[k].any():
        choice = choices(signals, results, at, grid, k, settings)
        raised = np.where(auto[k] & ~choice.block, 0, raised)
        suits = ~auto[k] | choice.wish
        if settings.level_enabled:
            levels = level_ratios(results, at, grid.take_profit[k], LARGEST, settings)
            leveled = np.where(auto[k] & choice.level, levels, PLAIN)
    added = np.rint(raised * float(settings.block_adjustment_ratio) * 100).astype(np.int64)
    ratio = np.minimum(PLAIN + added, int(settings.block_max_ratio * 100))
    ratio = np.minimum(np.maximum(ratio, leveled), LARGEST)
    return Sizes(ratio=ratio.astype(np.int16), raised=raised > 0, suits=suits)
