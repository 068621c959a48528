"""Markets of every temper, and a real one, through the whole trade side; `pytest -s` tells them.

Told is one Set that got furthest: each change of its stage, with the figures it stood at and the
rule that kept it from the next one.
"""

from collections import defaultdict
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from tests.builders import an_instrument
from tests.markets import choppy, crashing, frozen, gapped, trending
from tests.recordings import month_of_minutes, needs_recordings
from tests.unit.engine.trading import lenient

from engine.exits import STOP, TARGET, TRAILING
from engine.market import Candles, Kind
from engine.promotion import Stage
from engine.settings import Settings, with_values
from engine.standing import explain_standing
from engine.trade import TradePlan, TradeState, plan_trade
from engine.values import Instrument, Side

FINE = an_instrument(price_tick=Decimal("0.0001"))
COARSE = an_instrument(price_tick=Decimal("0.5"))
UP = [Stage.BASE, Stage.MAIN, Stage.REAL, Stage.EXCHANGE]
Stages = list[Stage]


def walked_through(
    candles: Candles, settings: Settings, instrument: Instrument = FINE
) -> tuple[TradeState, TradePlan]:
    fresh = TradeState.fresh([instrument], settings)
    return plan_trade(fresh, candles, settings)


def walks(plan: TradePlan) -> dict[int, Stages]:
    """The stages each Set stood at, one after another, from Base on."""
    found: dict[int, Stages] = defaultdict(lambda: [Stage.BASE])
    for change in plan.changes:
        stages = found[int(change["set"])]
        assert stages[-1] == change["before"]
        stages.append(Stage(int(change["after"])))
    return found


def climbs_and_returns(stages: Stages) -> bool:
    """Whether it came up from Base step by step to the exchange, and back to Base later."""
    for begin in range(len(stages) - len(UP)):
        if stages[begin : begin + len(UP)] == UP:
            return Stage.BASE in stages[begin + len(UP) :]
    return False


def came_and_went(stages: Stages) -> bool:
    """Whether it stood at every lower stage before the exchange, and at Base after."""
    at = stages.index(Stage.EXCHANGE)
    return set(UP[:-1]) <= set(stages[:at]) and Stage.BASE in stages[at:]


def tell(candles: Candles, settings: Settings, k: int, instrument: Instrument = FINE) -> list[str]:
    """Every change of one Set with its reasons, said aloud too."""
    state = TradeState.fresh([instrument], settings)
    _, plan = plan_trade(state, candles, settings)
    told = [state.set_key(candles.symbols[0], k).text]
    bars = plan.changes["bar"][plan.changes["set"] == k].tolist()
    for begin, end in pairwise([-1, *bars]):
        state, _ = plan_trade(state, candles.rows(begin + 1, end + 1), settings)
        why = explain_standing(state.history, state.grid, 0, k, settings, at_ms=state.last_close_ms)
        known = why.standing
        told.append(
            f"{end:6} {why.text}; {known.count} results, {known.win_pct} % won, "
            f"average {known.average_r}, profit factor {known.profit_factor}"
        )
    print(*told, sep="\n")
    return told


@pytest.mark.parametrize("side", Side)
def test_in_a_trend_sets_walk_from_base_to_the_exchange_and_back_with_default_settings(
    side: Side,
) -> None:
    candles, settings = trending(side), Settings()

    state, plan = walked_through(candles, settings)

    found = walks(plan)
    proven = [k for k, stages in found.items() if climbs_and_returns(stages)]
    assert len(proven) > 10
    assert {state.set_key("BTCUSDT", k).side for k in proven} == {side}
    assert [*UP, Stage.BASE] in [found[k] for k in proven]
    story = tell(candles, settings, next(k for k in proven if found[k] == [*UP, Stage.BASE]))
    assert [line.split()[1].strip(":,") for line in story[1:]] == [
        *("main", "real", "exchange", "base")
    ]
    turned = int(candles.close_ms[len(candles) // 2])
    wished = [wish.key.side for wish in plan.wishes if wish.entry_close_ms < turned]
    assert set(wished) == {side}
    assert len(wished) > 100


def test_a_choppy_market_sends_sets_back_and_mirrors_nothing() -> None:
    candles, settings = choppy(), lenient(trailingEnabled=False)

    _, plan = walked_through(candles, settings)

    found = walks(plan)
    assert plan.counts["closed"] > 100
    assert plan.closings["result"].mean() < 0
    assert not [stages for stages in found.values() if Stage.EXCHANGE in stages]
    assert plan.wishes == ()
    for k, stages in found.items():
        print(k, [stage.name for stage in stages])


def test_gaps_open_and_close_nothing_and_the_price_after_them_does() -> None:
    candles, settings = gapped(), lenient()

    state, plan = walked_through(candles, settings)

    gap = candles.kind[:, 0] == Kind.GAP
    assert gap.sum() > 300
    for records in (plan.signals, plan.openings, plan.closings, plan.changes):
        assert not gap[records["bar"]].any()
    after_gap = np.append(False, gap[:-1]) & ~gap
    at_once = plan.closings[after_gap[plan.closings["bar"]]]
    assert len(at_once) > 10
    sign = state.grid.sign[at_once["set"]]
    stopped = at_once["reason"] != TARGET
    opens = candles.open[at_once["bar"], 0]
    assert (sign * at_once["exit"] <= sign * opens)[stopped].all()
    print(f"{gap.sum()} unknown seconds; {len(at_once)} exits right after one")


def test_in_a_crash_every_long_leaves_at_the_open_that_jumped_over_its_stop() -> None:
    candles, settings = crashing(), lenient(positionCooldown=1, validationTimeout=1)
    first = int(np.argmin(np.diff(candles.close[:, 0]))) + 1

    state, plan = walked_through(candles, settings)

    fell = plan.closings[plan.closings["bar"] == first]
    longs = fell[state.grid.sign[fell["set"]] > 0]
    assert len(longs) > 5
    assert set(longs["reason"].tolist()) <= {STOP, TRAILING}
    assert (longs["exit"] == candles.open[first, 0]).all()
    assert (longs["result"] < -3000).all()  # a loss of 7 % is 70 position costs
    held = (plan.openings["bar"] < first) & (state.grid.sign[plan.openings["set"]] > 0)
    left = (plan.closings["bar"] <= first) & (state.grid.sign[plan.closings["set"]] > 0)
    assert held.sum() == left.sum()
    down = walks(plan)
    print({k: [stage.name for stage in stages] for k, stages in down.items()})
    assert any(stages[-1] is Stage.BASE and len(stages) > 2 for stages in down.values())


@pytest.mark.parametrize("rules", [Settings(), lenient()], ids=["default", "lenient"])
def test_in_a_frozen_market_nothing_happens_at_all(rules: Settings) -> None:
    candles = frozen()

    state, plan = walked_through(candles, rules)

    for records in (plan.signals, plan.openings, plan.closings, plan.changes):
        assert len(records) == 0
    assert state.history.count.sum() == 0
    assert plan.wishes == ()


FILTERS_OPEN = with_values(
    Settings(),
    {
        "marketActivityEnabled": False,
        "marketChangeRange": 1,
        "lastPartRatioFactor": "1.0",
        "drawdownRatio": "0.5",
        "moveSecondsPerStep": 600,
    },
)
"""Filters made for seconds, opened for minutes; fees, slippage and every proof stay as they are."""


@needs_recordings
def test_on_a_real_month_a_set_walks_to_the_exchange_and_back_net_of_all_costs() -> None:
    candles = month_of_minutes()

    _, plan = walked_through(candles, FILTERS_OPEN, COARSE)

    found = walks(plan)
    proven = [k for k, stages in found.items() if Stage.EXCHANGE in stages]
    returned = [k for k in proven if came_and_went(found[k])]
    assert returned
    tell(candles, FILTERS_OPEN, returned[0], COARSE)
    assert 0 < plan.counts["wishes"] < plan.counts["closed"] / 100
    assert plan.closings["result"].mean() < 0  # most of the Sets lose, and are not mirrored


@needs_recordings
def test_on_a_real_month_the_default_settings_mirror_nothing() -> None:
    """The filters want quick moves of seconds: minutes are too coarse to show them."""
    _, plan = walked_through(month_of_minutes(), Settings(), COARSE)

    assert plan.counts["closed"] > 1000
    assert plan.wishes == ()
