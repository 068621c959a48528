"""All strategies at once: the same candles give the same state and plans, however they come."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.market import walked, without_rows
from tests.unit.engine.trading import (
    WORKED,
    books_of,
    fresh,
    in_pieces,
    lenient,
    planned,
    timeline,
)

from engine.books import restore
from engine.exits import TRAILING
from engine.market import Candles, Kind
from engine.pseudo import TIMEOUT
from engine.settings import Settings
from engine.trade import TradeState, plan_trade
from engine.trade_plan import join_plans

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
LENGTH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A market and the strategies it is traded by."""

    seed: int
    span_ms: int
    gap_share: float
    drift: float
    missing: list[int]
    mode: str
    cooldown_s: int
    only: str
    neutral: int
    window: int

    @property
    def candles(self) -> Candles:
        market = walked(
            self.seed,
            length=LENGTH,
            symbols=SYMBOLS,
            span_ms=self.span_ms,
            volatility=2e-3 if self.span_ms == 60_000 else 9e-4,
            drift=self.drift,
            gap_share=self.gap_share,
        )
        return without_rows(market, self.missing)

    @property
    def rules(self) -> Settings:
        rules: dict[str, object] = {
            "dcaTakeProfitMode": self.mode,
            "dcaStepCooldownSeconds": self.cooldown_s,
            "trailingOnly": self.only == "trailing",
            "dcaOnly": self.only == "dca",
            "blockOnly": self.only == "block",
            "blockNeutralPositions": self.neutral,
            "blockComparisonWindow": self.window,
            "block_reactivate_threshold": self.window,
            "exitOnOpposite": True,
            "mainPositionTimeoutHours": 1,
            "baseProfitFactor": "0.1",
            "mainProfitFactor": "0.1",
        }
        return lenient(**{**WORKED, **rules})


cases = st.builds(
    Case,
    seed=st.integers(0, 10**6),
    span_ms=st.sampled_from([1000, 60_000]),
    gap_share=st.sampled_from([0.0, 0.05]),
    drift=st.sampled_from([-4e-4, 0.0, 4e-4]),
    missing=st.lists(st.integers(0, LENGTH - 1), max_size=3),
    mode=st.sampled_from(["average", "first_entry", "breakeven_plus"]),
    cooldown_s=st.sampled_from([1, 30, 90]),
    only=st.sampled_from(["", "trailing", "dca", "block"]),
    neutral=st.integers(0, 3),
    window=st.sampled_from([10, 25, 50]),
)
cuts_in_time = st.lists(st.integers(0, LENGTH - 4), max_size=8)


@settings(max_examples=40)
@given(case=cases, cuts=cuts_in_time)
def test_any_split_in_time_gives_the_same(case: Case, cuts: list[int]) -> None:
    candles, rules = case.candles, case.rules
    state, plan = planned(candles, rules)

    split, plans = in_pieces(fresh(SYMBOLS, rules), candles, cuts, rules)

    assert timeline(plans) == timeline([plan])
    assert books_of(split) == books_of(state)
    assert [turn for each in plans for turn in each.turns] == list(plan.turns)


@settings(max_examples=40)
@given(case=cases, cut=st.integers(0, LENGTH - 4), first=st.sampled_from(SYMBOLS))
def test_any_grouping_and_a_restart_between_give_the_same(case: Case, cut: int, first: str) -> None:
    candles, rules = case.candles, case.rules
    order = [first, *(symbol for symbol in SYMBOLS if symbol != first)]
    state, plan = planned(candles.select(order), rules)

    before = []
    plans = []
    for group in (order[:1], order[1:]):
        early, one = plan_trade(fresh(group, rules), candles.select(group).rows(0, cut), rules)
        woken = restore(early.instruments, rules, books_of(early))
        part, other = plan_trade(woken, candles.select(group).rows(cut, LENGTH), rules)
        before.append(part)
        plans.append((one, other))

    most = rules.max_mirrored_per_cycle
    joined = [join_plans(each, max_mirrored_per_cycle=most) for each in zip(*plans, strict=True)]
    assert books_of(TradeState.join(before)) == books_of(state)
    assert timeline(joined) == timeline([plan])


@settings(max_examples=4)
@given(case=cases)
def test_one_candle_at_a_time_gives_the_same(case: Case) -> None:
    candles, rules = case.candles, case.rules
    state, plan = planned(candles, rules)

    live, plans = in_pieces(fresh(SYMBOLS, rules), candles, range(1, len(candles)), rules)

    assert timeline(plans) == timeline([plan])
    assert books_of(live) == books_of(state)


@settings(max_examples=40)
@given(case=cases, cut=st.integers(1, LENGTH - 5))
def test_later_candles_change_nothing_earlier(case: Case, cut: int) -> None:
    candles, rules = case.candles, case.rules

    _, plan = planned(candles, rules)
    _, earlier = planned(candles.rows(0, cut), rules)

    for name in ("signals", "openings", "closings", "changes"):
        one, two = getattr(plan, name), getattr(earlier, name)
        assert one[one["bar"] < cut].tolist() == two.tolist(), name


@settings(max_examples=40)
@given(case=cases)
def test_whatever_the_candles_paper_trades_at_prices_of_the_market(case: Case) -> None:
    candles, rules = case.candles, case.rules

    state, plan = planned(candles, rules)

    known = candles.kind != Kind.GAP
    openings, closings = plan.openings, plan.closings
    rows = (openings["bar"], openings["symbol"])
    assert known[rows].all()
    assert (openings["entry"] == candles.close[rows]).all()
    rows = (closings["bar"], closings["symbol"])
    assert known[rows].all()
    sign = state.grid.sign[closings["set"]]
    best = np.where(sign > 0, candles.high[rows], -candles.low[rows])
    assert (sign * closings["exit"] <= best).all()
    stopped = closings["reason"] <= TRAILING
    assert (sign * closings["exit"] <= sign * candles.open[rows])[stopped].all()
    asked = closings["reason"] >= TIMEOUT
    assert (closings["exit"] == candles.close[rows])[asked].all()


@settings(max_examples=40)
@given(case=cases)
def test_whatever_the_candles_a_short_key_is_held_once_and_results_are_net(case: Case) -> None:
    candles, rules = case.candles, case.rules

    state, plan = planned(candles, rules)

    ended = {
        (int(each["symbol"]), int(each["set"]), int(each["opened_ms"])): int(each["bar"])
        for each in plan.closings
    }
    held: dict[tuple[int, int], int] = {}
    for each in plan.openings[~plan.openings["shadow"]]:
        symbol, k = int(each["symbol"]), int(each["set"])
        key = symbol, int(state.grid.short[k])
        assert held.get(key, 0) <= each["bar"]
        held[key] = ended.get((symbol, k, int(each["at_ms"])), LENGTH)
    plain = plan.closings[(plan.closings["steps"] == 0) & (plan.closings["taken"] == 0)]
    sign = state.grid.sign[plain["set"]]
    gross = sign * (plain["exit"] / plain["entry"] - 1) * 1e5
    costs = float(rules.round_trip_cost_pct / rules.position_cost_pct) * 100
    assert (np.abs(plain["result"] - (gross - costs)) < 3).all()
