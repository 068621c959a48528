"""What every indicator owes: however bars are cut and grouped, nothing differs; no look-ahead."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.market import walked, with_gaps
from tests.unit.engine.indicators.computing import INDICATORS, bars_of, computed
from tests.unit.engine.indicators.properties import (
    NAMES,
    assert_cutting_changes_nothing,
    assert_grouping_changes_nothing,
    assert_same,
    held,
    market,
    spread,
)

from engine.errors import CorruptStateError, InvalidCandleError
from engine.indicators import carry
from engine.indicators.bars import Bars

LENGTH = 60
FEW = settings(max_examples=4)

seeds, shares = st.integers(0, 1 << 20), st.sampled_from([0.0, 0.1, 0.7])


@pytest.mark.parametrize("name", INDICATORS)
@FEW
@given(seed=seeds, share=shares, where=st.lists(st.integers(0, LENGTH), max_size=3))
def test_bars_cut_in_time_give_the_same_carry_and_outputs_to_the_bit(
    name: str, seed: int, share: float, where: list[int]
) -> None:
    assert_cutting_changes_nothing(name, market(seed, share, LENGTH), where)


@pytest.mark.parametrize("name", INDICATORS)
@FEW
@given(seed=seeds, share=shares, order=st.permutations(NAMES), group=st.integers(1, 2))
def test_symbols_grouped_otherwise_give_the_same_carry_and_outputs_to_the_bit(
    name: str, seed: int, share: float, order: list[str], group: int
) -> None:
    assert_grouping_changes_nothing(name, market(seed, share, LENGTH), order, group)


@pytest.mark.parametrize("name", INDICATORS)
def test_a_later_bar_changes_nothing_earlier(name: str) -> None:
    candles = market(4, 0.1, 90)
    other = market(5, 0.1, 90)
    prices = {
        field: np.concatenate([getattr(candles, field)[:60], getattr(other, field)[60:]])
        for field in ("high", "low", "close")
    }

    _, before = computed(
        INDICATORS[name], Bars.of(candles.high[:60], candles.low[:60], candles.close[:60])
    )
    changed = Bars.of(**prices)
    _, outputs = computed(INDICATORS[name], changed)
    _, original = spread(INDICATORS[name], INDICATORS[name].fresh(3), candles)

    kept = Bars.of(candles.high[:60], candles.low[:60], candles.close[:60])
    assert_same([kept.spread(each) for each in before], [each[:60] for each in original])
    assert_same([changed.spread(each)[:60] for each in outputs], [each[:60] for each in original])


@pytest.mark.parametrize("name", INDICATORS)
def test_bars_without_a_price_are_no_bars(name: str) -> None:
    candles = walked(8, length=120, start=2000)
    gaps = np.random.default_rng(8).random((120, 1)) < 0.3
    known = ~gaps[:, 0]

    carried, lines = spread(INDICATORS[name], INDICATORS[name].fresh(1), with_gaps(candles, gaps))
    dense, expected = computed(
        INDICATORS[name], Bars.of(candles.high[known], candles.low[known], candles.close[known])
    )

    assert held(carried) == held(dense)
    assert_same([line[known] for line in lines], list(expected))
    assert all(np.isnan(line[~known]).all() for line in lines)


def test_bars_of_different_shapes_are_refused() -> None:
    prices = np.ones((3, 2), np.int64)

    with pytest.raises(
        InvalidCandleError, match=r"must be \(T, S\), were \(3, 2\), \(3, 2\), \(2, 2\)"
    ):
        Bars.of(prices, prices, prices[:2])


@pytest.mark.parametrize("name", INDICATORS)
def test_a_carry_comes_back_from_its_arrays(name: str) -> None:
    state, _ = computed(INDICATORS[name], bars_of(market(2, 0.1, 60)))

    back = carry.restored(INDICATORS[name].fresh(3), dict(carry.parts(state)))

    assert held(back) == held(state)


def test_arrays_that_do_not_fit_make_no_carry() -> None:
    fresh = INDICATORS["rsi"].fresh(3)
    arrays = dict(carry.parts(fresh))

    with pytest.raises(CorruptStateError, match=r"average must be float64 \(3, 8\), was missing"):
        carry.restored(fresh, {name: arrays[name] for name in ("seen", "close")})
    with pytest.raises(CorruptStateError, match=r"was float64 \(2, 8\)"):
        carry.restored(fresh, arrays | {"average": arrays["average"][:2]})
