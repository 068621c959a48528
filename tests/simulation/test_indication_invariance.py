"""Every type of indication gives the same, however its candles come, and never looks ahead."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.indicating import (
    EVERY,
    TYPES,
    every_setting,
    indicated,
    state_of,
    types_of,
)
from tests.market import walked, without_rows

from engine.indications.signals import IndicationState, indicate
from engine.market import Candles
from engine.settings import Settings

SYMBOLS = ("AUSDT", "BUSDT", "CUSDT")
LENGTH = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A market and how it is looked at; small to print."""

    seed: int
    span_ms: int
    gap_share: float
    missing: list[int]
    step_mode: str
    gated: bool
    source: str

    @property
    def candles(self) -> Candles:
        market = walked(
            self.seed,
            length=LENGTH,
            symbols=SYMBOLS,
            span_ms=self.span_ms,
            volatility=1e-3,
            gap_share=self.gap_share,
        )
        return without_rows(market, self.missing)

    @property
    def rules(self) -> Settings:
        return every_setting(
            stepMode=self.step_mode,
            marketActivityEnabled=self.gated,
            marketActivityPositionCostRatio=10,
            optimalSource=self.source,
        )


cases = st.builds(
    Case,
    seed=st.integers(0, 10**6),
    span_ms=st.sampled_from([1000, 5000, 60_000]),
    gap_share=st.sampled_from([0.0, 0.02]),
    missing=st.lists(st.integers(0, LENGTH - 1), max_size=2),
    step_mode=st.sampled_from(["cost", "time", "window"]),
    gated=st.booleans(),
    source=st.sampled_from(["direction", "move"]),
)


@settings(max_examples=15)
@given(case=cases, cuts=st.lists(st.integers(0, LENGTH - 3), max_size=6))
def test_any_split_in_time_gives_the_same(case: Case, cuts: list[int]) -> None:
    state, signals, counts = indicated(case.candles, EVERY, case.rules)

    split, pieces, sums = indicated(case.candles, EVERY, case.rules, cuts)

    assert pieces.tolist() == signals.tolist()
    assert sums == counts
    for symbol in range(len(SYMBOLS)):
        assert state_of(split, symbol) == state_of(state, symbol)


@settings(max_examples=8)
@given(case=cases, order=st.permutations(SYMBOLS), first=st.integers(1, 2))
def test_any_grouping_of_symbols_gives_the_same(case: Case, order: list[str], first: int) -> None:
    candles = case.candles.select(order)
    state, signals, _ = indicated(candles, EVERY, case.rules)
    states = []

    for group in (order[:first], order[first:]):
        part, found, _ = indicated(candles.select(group), EVERY, case.rules)
        found["symbol"] += order.index(group[0])
        mine = np.isin(signals["symbol"], [order.index(symbol) for symbol in group])
        assert found.tolist() == signals[mine].tolist()
        states.append(part)

    joined = IndicationState.join(states)
    for symbol in range(len(order)):
        assert state_of(joined, symbol) == state_of(state, symbol)


@settings(max_examples=8)
@given(case=cases, cut=st.integers(1, LENGTH - 4))
def test_later_candles_change_nothing_earlier(case: Case, cut: int) -> None:
    candles = case.candles
    changed = {name: getattr(candles, name).copy() for name in ("open", "high", "low", "close")}
    for prices in changed.values():
        prices[cut:] *= 2

    _, signals, _ = indicated(candles, EVERY, case.rules)
    _, others, _ = indicated(replace(candles, **changed), EVERY, case.rules)

    assert signals[signals["bar"] < cut].tolist() == others[others["bar"] < cut].tolist()


@settings(max_examples=5)
@given(case=cases, cut=st.integers(0, LENGTH - 3))
def test_a_state_is_whole_again_from_its_arrays(case: Case, cut: int) -> None:
    candles, rules = case.candles, case.rules
    state, _, _ = indicated(candles.rows(0, cut), EVERY, rules)

    woken = IndicationState.of_arrays(state.arrays(), state.span_ms)

    for symbol in range(len(SYMBOLS)):
        assert state_of(woken, symbol) == state_of(state, symbol)


@pytest.mark.parametrize("span_ms", [1000, 60_000])
def test_candle_by_candle_all_types_speak_as_in_a_replay(span_ms: int) -> None:
    rules = every_setting()
    candles = walked(5, length=4000, symbols=SYMBOLS, span_ms=span_ms, volatility=1e-3)

    state, signals, counts = indicated(candles, EVERY, rules)
    live, ticks, sums = indicated(candles, EVERY, rules, range(1, len(candles)))

    assert types_of(signals) == set(TYPES)
    assert ticks.tolist() == signals.tolist()
    assert sums == counts
    assert state_of(live, 1) == state_of(state, 1)


def test_a_history_in_minutes_goes_on_in_seconds() -> None:
    rules = every_setting()
    minutes = walked(1, length=700, symbols=SYMBOLS, volatility=1e-3)
    end_ms = int(minutes.close_ms[-1])
    seconds = walked(
        2, length=1500, symbols=SYMBOLS, span_ms=1000, volatility=1e-3, start_ms=end_ms
    )
    learned, _, _ = indicated(minutes, EVERY, rules)
    cuts = [1, 50, 333, 1000]

    whole = _onwards(learned, seconds, rules, [])
    split = _onwards(learned, seconds, rules, cuts)

    assert split == whole
    assert whole


def _onwards(
    state: IndicationState, candles: Candles, rules: Settings, cuts: list[int]
) -> list[tuple[int, ...]]:
    found = []
    for begin, end in pairwise([0, *cuts, len(candles)]):
        state, signals, _ = indicate(state, candles.rows(begin, end), EVERY, rules)
        signals["bar"] += begin
        found += signals.tolist()
    return found
