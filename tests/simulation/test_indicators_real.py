"""The indicators on candles that venues really made, held to TA-Lib; skipped where absent."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.market import walked
from tests.recordings import month_of_minutes, needs_recordings, some_seconds
from tests.simulation.oracle import ORACLES, assert_equals_talib
from tests.unit.engine.indicators.computing import INDICATORS
from tests.unit.engine.indicators.properties import (
    NAMES,
    assert_cutting_changes_nothing,
    assert_grouping_changes_nothing,
    market,
)

from engine.market import Candles, join_symbols

LENGTH = 200
MANY = settings(max_examples=40)

seeds, shares = st.integers(0, 1 << 20), st.sampled_from([0.0, 0.05, 0.5, 0.95])


@pytest.fixture(scope="module")
def minutes() -> Candles:
    return month_of_minutes()


@pytest.fixture(scope="module")
def seconds() -> Candles:
    """Two symbols, side by side."""
    return join_symbols([some_seconds("btc"), some_seconds("eth")])


@needs_recordings
@pytest.mark.parametrize("name", ORACLES)
def test_an_indicator_equals_talib_over_a_real_month_of_minutes(
    name: str, minutes: Candles
) -> None:
    assert_equals_talib(name, minutes)


@needs_recordings
@pytest.mark.parametrize("name", ORACLES)
def test_an_indicator_equals_talib_on_real_seconds_of_two_symbols(
    name: str, seconds: Candles
) -> None:
    assert (seconds.close > 0).all()
    assert_equals_talib(name, seconds)


@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("seed", range(5))
def test_an_indicator_equals_talib_on_long_walks_at_every_scale_of_price(
    name: str, seed: int
) -> None:
    start, volatility = [
        (60, 0.02),
        (3_000, 4e-3),
        (5 * 10**5, 1e-3),
        (10**7, 2e-4),
        (10**9, 1e-3),
    ][seed]

    assert_equals_talib(
        name, walked(seed, length=5_000, symbols=NAMES, start=start, volatility=volatility)
    )


@pytest.mark.parametrize("name", INDICATORS)
@MANY
@given(seed=seeds, share=shares, where=st.lists(st.integers(0, LENGTH), max_size=12))
def test_bars_cut_in_time_give_the_same_carry_and_outputs_to_the_bit(
    name: str, seed: int, share: float, where: list[int]
) -> None:
    assert_cutting_changes_nothing(name, market(seed, share, LENGTH), where)


@pytest.mark.parametrize("name", INDICATORS)
@MANY
@given(seed=seeds, share=shares, order=st.permutations(NAMES), group=st.integers(1, 2))
def test_symbols_grouped_otherwise_give_the_same_carry_and_outputs_to_the_bit(
    name: str, seed: int, share: float, order: list[str], group: int
) -> None:
    assert_grouping_changes_nothing(name, market(seed, share, LENGTH), order, group)


@needs_recordings
@pytest.mark.parametrize("name", INDICATORS)
def test_real_seconds_in_single_candles_are_those_at_once(name: str, seconds: Candles) -> None:
    rng = np.random.default_rng(1)

    assert_cutting_changes_nothing(name, seconds, rng.integers(0, len(seconds), 60).tolist())
    assert_cutting_changes_nothing(name, seconds.rows(0, 120), range(120))
