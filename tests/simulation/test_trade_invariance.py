"""The same candles give the same state and plans, however they come."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.market import walked, without_rows
from tests.unit.engine.trading import WORKED, books_of, fresh, in_pieces, lenient, planned, timeline

from engine.books import restore
from engine.market import Candles, Kind
from engine.settings import Settings
from engine.trade import TradeState, plan_trade
from engine.trade_plan import add_counts, join_plans

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
LENGTH = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A market and the rules it is traded by; small to print."""

    seed: int
    span_ms: int
    gap_share: float
    drift: float
    missing: list[int]
    cooldown_s: int
    timeout_s: int
    proof: str
    worked: bool  # ladder, profit-back, turns, and a time limit

    @property
    def candles(self) -> Candles:
        market = walked(
            self.seed,
            length=LENGTH,
            symbols=SYMBOLS,
            span_ms=self.span_ms,
            volatility=2e-3 if self.span_ms == 60_000 else 1e-3,
            drift=self.drift,
            gap_share=self.gap_share,
        )
        return without_rows(market, self.missing)

    @property
    def rules(self) -> Settings:
        worked = {**WORKED, "exitOnOpposite": True, "mainPositionTimeoutHours": 1}
        rules: dict[str, object] = {
            "positionCooldown": self.cooldown_s,
            "validationTimeout": self.timeout_s,
            "baseProfitFactor": self.proof,
            "mainProfitFactor": self.proof,
            "realProfitFactor": self.proof,
            "profitFactorMinMain": self.proof,
            "maxMirroredPerCycle": 1,
        }
        return lenient(**(worked if self.worked else {}) | rules)


cases = st.builds(
    Case,
    seed=st.integers(0, 10**6),
    span_ms=st.sampled_from([1000, 60_000]),
    gap_share=st.sampled_from([0.0, 0.05]),
    drift=st.sampled_from([-1e-3, 0.0, 1e-3]),
    missing=st.lists(st.integers(0, LENGTH - 1), max_size=2),
    cooldown_s=st.sampled_from([0, 20, 90]),
    timeout_s=st.sampled_from([1, 15]),
    proof=st.sampled_from(["0.1", "0.5"]),
    worked=st.booleans(),
)
cuts_in_time = st.lists(st.integers(0, LENGTH - 3), max_size=5)


@settings(max_examples=6)
@given(case=cases, cuts=cuts_in_time)
def test_any_split_in_time_gives_the_same(case: Case, cuts: list[int]) -> None:
    candles, rules = case.candles, case.rules
    state, plan = planned(candles, rules)

    split, plans = in_pieces(fresh(SYMBOLS, rules), candles, cuts, rules)

    assert timeline(plans) == timeline([plan])
    assert books_of(split) == books_of(state)
    assert {k: v for k, v in add_counts([each.counts for each in plans]).items() if v} == {
        k: v for k, v in plan.counts.items() if v
    }


@settings(max_examples=6)
@given(case=cases, first=st.sets(st.sampled_from(SYMBOLS), min_size=1, max_size=2))
def test_any_grouping_of_symbols_gives_the_same(case: Case, first: set[str]) -> None:
    candles, rules = case.candles, case.rules
    state, plan = planned(candles, rules)
    groups = [sorted(first), sorted(set(SYMBOLS) - first)]
    order = [symbol for group in groups for symbol in group]

    parts = [planned(candles.select(group), rules) for group in groups]
    joined = TradeState.join([part for part, _ in parts])
    plans = join_plans([each for _, each in parts], max_mirrored_per_cycle=1)

    assert books_of(joined) == books_of(state)
    assert plans.counts.keys() == plan.counts.keys()
    _, together = planned(candles.select(order), rules)
    assert timeline([plans]) == timeline([together])
    assert plans.counts == together.counts


@settings(max_examples=6)
@given(case=cases, cut=st.integers(0, LENGTH - 3))
def test_a_restart_from_the_books_changes_nothing(case: Case, cut: int) -> None:
    candles, rules = case.candles, case.rules
    state, plan = planned(candles, rules)

    before, first = plan_trade(fresh(SYMBOLS, rules), candles.rows(0, cut), rules)
    woken = restore(before.instruments, rules, books_of(before))
    after, second = plan_trade(woken, candles.rows(cut, LENGTH), rules)

    assert timeline([first, second]) == timeline([plan])
    assert books_of(after) == books_of(state)


@settings(max_examples=1)
@given(case=cases)
def test_one_candle_at_a_time_gives_the_same(case: Case) -> None:
    candles, rules = case.candles, case.rules
    state, plan = planned(candles, rules)

    live, plans = in_pieces(fresh(SYMBOLS, rules), candles, range(1, len(candles)), rules)

    assert timeline(plans) == timeline([plan])
    assert books_of(live) == books_of(state)


@settings(max_examples=6)
@given(case=cases, cut=st.integers(1, LENGTH - 4))
def test_later_candles_change_nothing_earlier(case: Case, cut: int) -> None:
    candles, rules = case.candles, case.rules
    rest = slice(cut, None)
    changed = {name: getattr(candles, name).copy() for name in ("open", "high", "low", "close")}
    for prices in changed.values():
        prices[rest] *= 2
    other = replace(candles, **changed)

    _, plan = planned(candles, rules)
    _, plan_of_other = planned(other, rules)

    for name in ("signals", "openings", "closings", "changes"):
        one, two = getattr(plan, name), getattr(plan_of_other, name)
        assert one[one["bar"] < cut].tolist() == two[two["bar"] < cut].tolist(), name


def test_a_history_in_minutes_goes_on_in_seconds() -> None:
    rules = lenient()
    minutes = walked(1, length=200, symbols=SYMBOLS, volatility=2e-3)
    seconds = walked(
        2,
        length=200,
        symbols=SYMBOLS,
        span_ms=1000,
        volatility=1e-3,
        start_ms=int(minutes.close_ms[-1]),
    )
    learned, _ = planned(minutes, rules)

    state, plan = plan_trade(learned, seconds, rules)
    split, plans = in_pieces(learned, seconds, [1, 50, 120], rules)

    assert plan.counts["signals"] > 0
    assert timeline(plans) == timeline([plan])
    assert books_of(split) == books_of(state)


def test_the_state_passed_in_is_left_alone() -> None:
    rules = lenient()
    candles = walked(7, length=200, symbols=SYMBOLS, volatility=3e-3)
    state, _ = planned(candles.rows(0, 120), rules)
    before = books_of(state)

    first = plan_trade(state, candles.rows(120, 200), rules)
    second = plan_trade(state, candles.rows(120, 200), rules)

    assert books_of(state) == before
    assert books_of(first[0]) == books_of(second[0])
    assert len(first[1].closings) > 0


def test_gaps_open_and_close_nothing() -> None:
    rules = lenient()
    candles = walked(11, length=400, symbols=SYMBOLS, volatility=3e-3, gap_share=0.3)

    _, plan = planned(candles, rules)

    assert len(plan.openings) > 0
    for records in (plan.signals, plan.openings, plan.closings):
        assert (candles.kind[records["bar"], records["symbol"]] != Kind.GAP).all()
    assert np.all(plan.openings["entry"] > 0)
