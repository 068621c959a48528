"""What a Set's results say of it: phases, and promotion Base -> Main -> Real -> exchange."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from engine.market import Ints
from engine.promotion import (
    FIRST_CHECK,
    PROMOTION,
    TIMES,
    WINDOW,
    Bools,
    Evidence,
    Small,
    Stage,
    Status,
    all_passed,
    drawdown_time,
    first_check,
    give_back,
    keep_rules,
    resume_rules,
    second_check,
)
from engine.settings import Settings

__all__ = ["TIMES", "WINDOW", "Stage", "Standing", "Status", "advance", "drawdown_time"]

_MAIN_MASK = (1 << TIMES) - 1


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
        passed the rules of the exchange; 0 for all others.
    """

    status: Small
    stage: Small
    results: Ints
    main_mask: Ints
    filtered: Bools
    underwater_ms: Ints


COLUMNS = tuple(field.name for field in fields(Standing))


def advance(
    before: Standing,
    window: NDArray[np.int16],
    times: Ints,
    from_main: Bools,
    is_preset: Bools,
    settings: Settings,
) -> Standing:
    """Standing of M Sets after one more result each, the last column of `window`.

    `window` (M, 50) holds the results of the epoch and `times` (M, 30) their close times, newest
    last, zero where there are fewer. `from_main` says whether the position was opened at Main,
    `is_preset` whether the Set trades in preset mode.
    """
    failed = before.status == Status.FAILED  # this result begins a new epoch
    results = np.where(failed, 0, before.results) + 1
    mask = (np.where(failed, 0, before.main_mask) << 1 | from_main) & _MAIN_MASK
    known = Evidence(
        status=np.where(failed, Status.EVALUATING, before.status).astype(np.int8),
        results=results,
        main_mask=mask,
        r=window.astype(np.int64),
        times=times,
        is_preset=is_preset,
    )
    status = _phase(known, settings)
    known = Evidence(**{n: getattr(known, n) for n in Evidence.__slots__} | {"status": status})
    stage = stage_of(known, settings)
    return Standing(
        status=status,
        stage=stage,
        results=results,
        main_mask=mask,
        filtered=~give_back(known, settings).passed,
        underwater_ms=_underwater(known, stage),
    )


def stage_of(known: Evidence, settings: Settings) -> Small:
    """The highest stage whose rules and all rules below it hold."""
    stage = np.zeros(len(known.status), np.int8)
    rows = np.arange(len(stage))
    for reached, rules in PROMOTION:
        if not len(rows):
            break
        passed = all_passed(rules(known, settings))
        rows, known = rows[passed], known.take(passed)
        stage[rows] = reached
    return stage


def _phase(known: Evidence, settings: Settings) -> Small:
    """One transition at most; checks at 10 and 50 results, then on the rolling 50."""
    status = known.status.copy()
    checks = (
        (Status.EVALUATING, FIRST_CHECK, first_check, Status.CONFIRMING, Status.FAILED),
        (Status.CONFIRMING, WINDOW, second_check, Status.ACTIVE, Status.PAUSED),
        (Status.ACTIVE, 0, keep_rules, Status.ACTIVE, Status.PAUSED),
        (Status.PAUSED, 0, resume_rules, Status.ACTIVE, Status.PAUSED),
    )
    for phase, count, rules, good, bad in checks:
        rows = np.flatnonzero((known.status == phase) & (known.results >= count))
        if len(rows):
            passed = all_passed(rules(known.take(rows), settings))
            status[rows] = np.where(passed, good, bad)
    return status


def _underwater(known: Evidence, stage: Small) -> Ints:
    underwater = np.zeros(len(stage), np.int64)
    proven = stage == Stage.EXCHANGE
    underwater[proven] = drawdown_time(known.r[proven, -TIMES:], known.times[proven])[1]
    return underwater
