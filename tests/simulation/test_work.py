"""The work of `plan_trade` follows what changes, not candles times Sets. Counted, not timed."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from tests.builders import an_instrument
from tests.markets import IMPULSE, QUIET, path_of

from engine import course
from engine.market import Candles
from engine.pyramid import Fall, Level, Window, make_window
from engine.settings import Settings, with_values
from engine.strategies import lives
from engine.trade import TradePlan, TradeState, plan_trade

FINE = an_instrument(price_tick=Decimal("0.0001"))
MAIN = with_values(Settings(), {"tradeMode": "main"})
"""Presets look at minutes and end by time, so that pauses of other lengths change what they do."""
STAIRS = 60
DAYS_5 = 432_000


@dataclass(slots=True)
class Work:
    """What was done: blocks of prices looked at, and rounds of all Sets together."""

    looks: int = 0
    rounds: int = 0


class Watched(np.ndarray[Any, Any]):
    """Prices that count how many of them are looked at."""

    work: Work

    def __array_finalize__(self, other: object) -> None:
        self.work = getattr(other, "work", Work())

    def take(self, indices: Any, *args: Any, **kwargs: Any) -> Any:
        self.work.looks += np.size(indices)
        return self.view(np.ndarray).take(indices, *args, **kwargs)


def watched(array: np.ndarray, work: Work) -> Any:
    view = array.view(Watched)
    view.work = work
    return view


def watched_window(candles: Candles, work: Work) -> Window:
    window = make_window(candles)
    falls = [
        Fall(block=watched(fall.block, work), rest=watched(fall.rest, work))
        for fall in window.falls
    ]
    levels: list[Level] = [
        replace(level, block=watched(level.block, work), rest=watched(level.rest, work))
        for level in window.levels
    ]
    made = replace(window, levels=tuple(levels))
    made.__dict__["falls"] = tuple(falls)
    return made


def stairs_over(bars: int) -> Candles:
    """The same rises, with more or less time in which nothing moves between them."""
    pause = (bars - len(QUIET)) // STAIRS - len(IMPULSE)
    return path_of([*QUIET, *(IMPULSE + (0.0,) * pause) * STAIRS])


def worked(candles: Candles, monkeypatch: pytest.MonkeyPatch) -> tuple[TradePlan, Work]:
    work = Work()
    live = course.Course._live

    def counted(own: course.Course, *args: Any) -> None:
        work.rounds += 1
        live(own, *args)

    with monkeypatch.context() as patch:
        patch.setattr(lives, "make_window", lambda some: watched_window(some, work))
        patch.setattr(course.Course, "_live", counted)
        _, plan = plan_trade(TradeState.fresh([FINE], MAIN), candles, MAIN)
    return plan, work


@pytest.mark.timeout(300)
def test_five_days_of_seconds_cost_what_half_a_day_with_the_same_changes_costs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    short, little = worked(stairs_over(DAYS_5 // 10), monkeypatch)
    long, much = worked(stairs_over(DAYS_5), monkeypatch)
    bars_times_sets = DAYS_5 * len(long.grid)
    changes = len(long.openings) + len(long.closings)

    print(f"{changes} changes: {little} over a tenth of {much}; bars x Sets {bars_times_sets}")
    assert len(long.openings) == len(short.openings) > 5_000
    assert len(long.closings) == len(short.closings)
    assert much.rounds == little.rounds <= STAIRS + 2
    assert much.looks < 1.5 * little.looks  # a level more of the pyramid
    assert changes < much.looks < 20 * changes < bars_times_sets / 100


@pytest.mark.timeout(300)
def test_five_days_in_which_nothing_moves_cost_no_look_and_one_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan, work = worked(path_of([0.0] * DAYS_5), monkeypatch)

    assert (len(plan.openings), work.looks, work.rounds) == (0, 0, 1)
