"""What a Set's results say of it: phases, and promotion Base -> Main -> Real -> exchange.

Results are hundredths of a position cost, net of fees. Every test compares integer sums.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from engine.market import Ints
from engine.settings import Settings

WINDOW = 50
"""Results of the rolling window."""
TIMES = 30
"""Close times kept."""

_FIRST_CHECK, _FIRST_WIN_PCT = 10, 40
_SECOND_WIN_PCT, _SECOND_WIN_TO_LOSS = 45, Decimal("1.2")
_PAUSE_WIN_PCT, _RESUME_WIN_PCT, _DRAWDOWN_PCT = 38, 43, 30
_BASE_COUNT, _MAIN_COUNT, _REAL_MAIN, _REAL_WINDOW = 8, 10, 10, 20
_MAIN_MASK = (1 << _REAL_WINDOW) - 1
_HOUR_MS = 3_600_000

Bools = NDArray[np.bool_]
Small = NDArray[np.int8]


class Status(IntEnum):
    """Phase of a Set."""

    EVALUATING = 0  # fewer than 10 results in this epoch
    CONFIRMING = 1  # passed the first check, fewer than 50
    ACTIVE = 2
    PAUSED = 3  # goes on in shadow
    FAILED = 4  # opens nothing until its retry time, then a new epoch begins


class Stage(IntEnum):
    """How far a Set has proved itself."""

    BASE = 0
    MAIN = 1
    REAL = 2
    EXCHANGE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where M Sets stand, as columns.

    Attributes
    ----------
    status, stage : (M,) int8
    results : (M,) int64
        Results of this epoch.
    main_mask : (M,) int64
        Bit i is set if the i-th last result was of a position opened at Main or above.
    filtered : (M,) bool
        Its results have fallen too far from their peak: it opens in shadow only.
    underwater_ms : (M,) int64
        Since when the last 30 results are below their peak, 0 at the peak. Known for Sets that
        passed the averages of the exchange; 0 for all others.
    """

    status: Small
    stage: Small
    results: Ints
    main_mask: Ints
    filtered: Bools
    underwater_ms: Ints


def advance(
    before: Standing, window: NDArray[np.int16], times: Ints, from_main: Bools, settings: Settings
) -> Standing:
    """Standing of M Sets after one more result each, the last column of `window`.

    `window` (M, 50) holds the results of the epoch and `times` (M, 30) their close times, newest
    last, zero where there are fewer. `from_main` says whether the position was opened at Main.
    """
    failed = before.status == Status.FAILED  # this result begins a new epoch
    results = np.where(failed, 0, before.results) + 1
    mask = (np.where(failed, 0, before.main_mask) << 1 | from_main) & _MAIN_MASK
    status = np.where(failed, Status.EVALUATING, before.status).astype(np.int8)
    r = window.astype(np.int64)
    curve = np.cumsum(r, axis=1)
    below = np.maximum(np.maximum.accumulate(curve, axis=1), 0) - curve
    profit = np.where(r > 0, r, 0).sum(axis=1)
    status = _phase(status, results, r, profit, below.max(axis=1))
    given_back = below[:, -1] * 1000 > int(settings.drawdown_ratio * 1000) * profit
    stage, underwater = _stage(status, results, mask, r, curve, times, settings)
    return Standing(
        status=status,
        stage=stage,
        results=results,
        main_mask=mask,
        filtered=given_back & (results >= _FIRST_CHECK),
        underwater_ms=underwater,
    )


def _phase(status: Small, results: Ints, r: Ints, profit: Ints, drawdown: Ints) -> Small:
    """One transition at most; checks at 10 and 50 results, then on the rolling 50."""
    count = np.minimum(results, WINDOW)
    wins = (r > 0).sum(axis=1)
    loss = profit - r.sum(axis=1)
    shallow = drawdown * 100 <= _DRAWDOWN_PCT * profit
    factor = int(_SECOND_WIN_TO_LOSS * 10)
    rewarding = profit * (count - wins) * 10 >= factor * loss * wins
    good = (wins * 100 >= _SECOND_WIN_PCT * count) & rewarding & (wins > 0)
    kept = (wins * 100 >= _PAUSE_WIN_PCT * count) & shallow
    resumed = (wins * 100 >= _RESUME_WIN_PCT * count) & shallow
    passed = wins * 100 >= _FIRST_WIN_PCT * count
    return np.select(
        [
            (status == Status.EVALUATING) & (results >= _FIRST_CHECK),
            (status == Status.CONFIRMING) & (results >= WINDOW),
            status == Status.ACTIVE,
            status == Status.PAUSED,
        ],
        [
            np.where(passed, Status.CONFIRMING, Status.FAILED),
            np.where(good, Status.ACTIVE, Status.PAUSED),
            np.where(kept, Status.ACTIVE, Status.PAUSED),
            np.where(resumed, Status.ACTIVE, Status.PAUSED),
        ],
        status,
    ).astype(np.int8)


def _stage(
    status: Small,
    results: Ints,
    mask: Ints,
    r: Ints,
    curve: Ints,
    times: Ints,
    settings: Settings,
) -> tuple[Small, Ints]:
    """The highest stage whose rule and all rules below it hold."""

    def averages(count: int, least: Decimal) -> Bools:
        before = curve[:, -1 - count] if count < WINDOW else 0
        return (results >= count) & (curve[:, -1] - before >= _sum_of(least, count))

    states = settings.last_state_count
    winners = (r[:, -states:] > 0).sum(axis=1) >= (states + 1) // 2
    healthy = (status == Status.CONFIRMING) | (status == Status.ACTIVE)
    main = healthy & (results >= _MAIN_COUNT) & winners
    main &= averages(_BASE_COUNT, settings.base_min_avg_r)
    main &= averages(settings.previous_positions_count, settings.main_min_avg_r)
    least = settings.real_min_avg_r
    real = main & (np.bitwise_count(mask) >= _REAL_MAIN) & averages(_BASE_COUNT, least)
    real &= averages(15, least) | averages(25, least)
    limit = settings.max_drawdown_time_h * _HOUR_MS
    real = _within(real, r[:, -_REAL_WINDOW:], times[:, -_REAL_WINDOW:], limit)
    last = r[:, -TIMES:]
    gains = np.where(last > 0, last, 0).sum(axis=1)
    factor = int(settings.exchange_min_profit_factor * 100)
    proven = real & averages(TIMES, settings.exchange_min_avg_r)
    proven &= gains * 100 >= factor * (gains - last.sum(axis=1))
    proven = _within(proven, last, times, limit)
    stage = main.astype(np.int8) + real + proven
    underwater = np.zeros(len(r), np.int64)
    underwater[proven] = drawdown_time(last[proven], times[proven])[1]
    return stage.astype(np.int8), underwater


def _within(candidates: Bools, r: Ints, times: Ints, limit_ms: int) -> Bools:
    """Those candidates whose drawdown time is within the limit."""
    rows = np.flatnonzero(candidates)
    passed = np.zeros(len(candidates), np.bool_)
    passed[rows] = drawdown_time(r[rows], times[rows])[0] <= limit_ms
    return passed


def drawdown_time(r: Ints, times: Ints) -> tuple[Ints, Ints]:
    """Longest time (M,) that cumulative results were below their peak, and since when they are.

    A drawdown starts with the close that leaves the peak and ends with the one that regains it;
    an open one lasts until the newest close. The curve starts at 0. The second array is 0 for
    those at their peak.
    """
    curve = np.cumsum(r, axis=1)
    below = curve < np.maximum(np.maximum.accumulate(curve, axis=1), 0)
    was = np.zeros_like(below)
    was[:, 1:] = below[:, :-1]
    began = np.maximum.accumulate(np.where(below & ~was, times, 0), axis=1)
    lasted = np.where(below | was, times - began, 0)
    return lasted.max(axis=1, initial=0), np.where(below[:, -1], began[:, -1], 0)


def _sum_of(average: Decimal, count: int) -> int:
    """Least integer sum of hundredths whose mean over `count` reaches `average`."""
    return int((average * 100 * count).to_integral_value(ROUND_CEILING))
