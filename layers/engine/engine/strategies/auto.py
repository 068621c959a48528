"""What Auto chooses for its Sets: whether a signal is worth a real position, and how it is sized.

A signal's market and what its Set earned lately decide together. The share of wins and the mean
are those of the last 50 results of the Set's epoch.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from engine.market import Ints
from engine.sets import Grid
from engine.settings import Settings
from engine.strategies.results import Results

LOOKBACK = 50
"""Results of a Set that are looked at."""

_MILLION = 1_000_000
_MOST_VOLATILE = 2 * _MILLION  # 2 %: more does not widen the range
_LEAST_CALM = _MILLION // 2

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What suits each of M openings: `wish` a real position, `block` and `level` a larger one."""

    wish: Bools
    block: Bools
    level: Bools


def choices(
    signals: NDArray[np.void], results: Results, at: Ints, grid: Grid, k: Ints, settings: Settings
) -> Choice:
    """Choices for openings of Auto Sets `k` (M,) on `signals` (M,) after results `at` (-1: none).

    A real position needs a Set that earns (mean of `autoMinProfitFactor`) or wins often
    (`autoSituationSuccess`); with a ladder one that earns, in a market whose deviation of eight
    hours is above `autoLadderVolatility`; with trailing one that trails no nearer than the
    `trailing_range` of the signal. Block suits Sets that win often (`autoMinSuccess`), Level a
    market whose activity is above `autoLevelActivity`.
    """
    count = np.where(at >= 0, np.minimum(results.epoch[at], LOOKBACK), 0)
    wins = _sum_of_last(results.r > 0, at, count)
    total = _sum_of_last(results.r, at, count)
    earns = (count > 0) & (total >= int(settings.auto_min_profit_factor * 100) * count)
    often, mostly = (
        (count > 0) & (wins * 100 >= int(share * 100) * count)
        for share in (settings.auto_situation_success, settings.auto_min_success)
    )
    volatile = signals["day_volatility"] > int(settings.auto_ladder_volatility_pct * _MILLION)
    trails = _trails_far_enough(signals, grid.trail_start[k], grid.trail_stop[k], settings)
    return Choice(
        wish=(earns | often) & (~grid.ladder[k] | (earns & volatile)) & trails,
        block=mostly,
        level=signals["activity"] > int(settings.auto_level_activity_pct * _MILLION),
    )


def trailing_range(volatility: Ints, momentum: Ints, share: Decimal) -> Ints:
    """`share` of the range, in millionths of a percent, as all; wider when it is volatile.

    share * v * m with v = the volatility of an hour, at most 2, and m = 1 - |momentum| / 2, at
    least 0.5, both in percent.
    """
    calm = np.maximum(_LEAST_CALM, _MILLION - np.abs(momentum) // 2)
    scale = np.minimum(volatility, _MOST_VOLATILE) * calm // _MILLION
    spread: Ints = scale * int(share * 100) // 100
    return spread


def _trails_far_enough(
    signals: NDArray[np.void], start: Ints, stop: Ints, settings: Settings
) -> Bools:
    """Sets without trailing do, too."""
    far = np.ones(len(signals), np.bool_)
    for own, share in ((start, settings.auto_trail_start), (stop, settings.auto_trail_stop)):
        far &= own >= trailing_range(signals["volatility"], signals["momentum"], share)
    suits: Bools = far | (stop == 0)
    return suits


def _sum_of_last(values: Ints | Bools, at: Ints, count: Ints) -> Ints:
    """Sums of the `count` values that end at `at`."""
    upto = np.concatenate([[0], np.cumsum(values, dtype=np.int64)])
    sums: Ints = upto[at + 1] - upto[at + 1 - count]
    return sums
