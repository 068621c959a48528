"""Whatever the candles, what is opened and closed is what the market allowed."""

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.everything import everything
from tests.market import START_MS, without_rows
from tests.unit.engine.trading import books_of, fresh, in_pieces, lenient, planned, timeline

from engine.candles import PRICE_LIMIT, Candles, Kind
from engine.exits import TARGET
from engine.settings import Settings
from engine.trade import TradePlan

SYMBOLS = ("AUSDT", "BUSDT")
LENGTH = 400
SOON: dict[str, object] = {"validationTimeout": 1, "positionCooldown": 0, "failedRetryHours": 1}
RULES = {"few": lenient(**SOON), "all": everything(maxSetsPerSymbol=300, **SOON)}
ON = pytest.mark.parametrize("on", RULES)
MANY = settings(max_examples=12)
MOST = 32_767  # hundredths of a position cost a result can hold


@st.composite
def wild(draw: st.DrawFn) -> Candles:
    """Prices of a few ticks or of billions, calm or mad, with wicks, gaps, and candles missing."""
    seed = draw(st.integers(0, 10**6))
    start = draw(st.sampled_from([1, 3, 40, 10_000, 10**9, PRICE_LIMIT - 2]))
    pace = draw(st.sampled_from([1e-4, 1e-3, 1e-2, 0.3, 2.0]))
    gaps = draw(st.sampled_from([0.0, 0.05, 0.6]))
    missing = draw(st.lists(st.integers(0, LENGTH - 1), max_size=4))
    rng = np.random.default_rng(seed)
    shape = (LENGTH, len(SYMBOLS))
    moves = rng.standard_t(2, shape) * pace
    level = np.log(start) + np.cumsum(np.clip(moves, -3, 3), axis=0)
    close = within(np.exp(np.clip(level, 0, 25)))
    open_ = np.where(rng.random(shape) < 0.5, np.vstack([close[:1], close[:-1]]), close)
    wick = np.exp(np.abs(rng.standard_t(2, (2, *shape))).clip(0, 3) * pace)
    kind = np.where(rng.random(shape) < gaps, Kind.GAP, Kind.TRADED).astype(np.int8)
    candles = Candles(
        symbols=SYMBOLS,
        span_ms=1000,
        close_ms=START_MS + 1000 * np.arange(1, LENGTH + 1, dtype=np.int64),
        open=open_,
        high=within(np.maximum(open_, close) * wick[0]),
        low=np.minimum(within(np.minimum(open_, close) / wick[1]), np.minimum(open_, close)),
        close=close,
        volume=rng.integers(0, 1000, shape),
        kind=kind,
    )
    return without_rows(candles, missing)


def within(prices: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(prices), 1, PRICE_LIMIT - 1).astype(np.int64)


@ON
@MANY
@given(candles=wild())
def test_entries_are_closes_and_no_exit_is_better_than_its_candle(
    on: str, candles: Candles
) -> None:
    state, plan = planned(candles, RULES[on])

    at = (plan.openings["bar"], plan.openings["symbol"])
    assert (candles.kind[at] != Kind.GAP).all()
    assert (plan.openings["entry"] == candles.close[at]).all()
    at = (plan.closings["bar"], plan.closings["symbol"])
    assert (candles.kind[at] != Kind.GAP).all()
    sign = state.grid.sign[plan.closings["set"]]
    best = np.where(sign > 0, candles.high[at], -candles.low[at])
    left = sign * plan.closings["exit"]
    assert (left <= best).all()
    stopped = plan.closings["reason"] < TARGET
    assert (left <= sign * candles.open[at])[stopped].all()


@ON
@MANY
@given(candles=wild())
def test_at_most_one_position_holds_a_short_key_and_none_opens_twice(
    on: str, candles: Candles
) -> None:
    _, plan = planned(candles, RULES[on])

    ends = {(c["symbol"], c["set"], c["opened_ms"]): int(c["bar"]) for c in plan.closings}
    by_set, by_key = defaultdict(list), defaultdict(list)
    for one in plan.openings:
        life = (int(one["bar"]), ends.get((one["symbol"], one["set"], one["at_ms"]), LENGTH))
        by_set[one["symbol"], one["set"]].append(life)
        if not one["shadow"]:
            by_key[one["symbol"], plan.grid.short[one["set"]]].append(life)
    for lives in (*by_set.values(), *by_key.values()):
        assert all(later[0] >= earlier[1] for earlier, later in pairwise(sorted(lives)))
    assert len(plan.openings) == len(ends) + open_at_the_end(plan, ends)


def open_at_the_end(plan: TradePlan, ends: dict[tuple[int, int, int], int]) -> int:
    return sum((o["symbol"], o["set"], o["at_ms"]) not in ends for o in plan.openings)


@MANY
@given(candles=wild(), costs=st.sampled_from([("0", "0"), ("0.055", "0.02"), ("0.5", "0.5")]))
def test_results_are_net_of_fees_and_slippage_and_cut_where_they_would_not_fit(
    candles: Candles, costs: tuple[str, str]
) -> None:
    rules: Settings = lenient(
        takerFeePercent=costs[0], slippagePercent=costs[1], minViableExits=False, **SOON
    )

    _, plan = planned(candles, rules)

    fee, slip = (float(each) for each in costs)
    sign = plan.grid.sign[plan.closings["set"]]
    bought = plan.closings["entry"] * (1 + sign * slip / 100)
    sold = plan.closings["exit"] * (1 - sign * slip / 100)
    net = (sign * (sold / bought - 1) * 100 - 2 * fee) / float(rules.position_cost_pct) * 100
    assert np.abs(plan.closings["result"] - np.clip(net, -MOST, MOST)).max(initial=0) <= 0.5 + 1e-6
    assert plan.counts["saturated"] == (np.abs(np.rint(net)) > MOST).sum()


@ON
@MANY
@given(candles=wild(), cuts=st.lists(st.integers(1, LENGTH - 6), min_size=1, max_size=3))
def test_wild_candles_give_the_same_in_pieces(on: str, candles: Candles, cuts: list[int]) -> None:
    state, plan = planned(candles, RULES[on])

    split, plans = in_pieces(fresh(SYMBOLS, RULES[on]), candles, cuts, RULES[on])

    assert timeline(plans) == timeline([plan])
    assert books_of(split) == books_of(state)
