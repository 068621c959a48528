"""Indicators where there is little or nothing to go by, and bands where TA-Lib itself cancels."""

import math

import numpy as np
import pytest
from tests.market import walked
from tests.unit.engine.indicators.computing import INDICATORS, bars_of, computed

from engine.indicators.bars import Bars
from engine.indicators.bollinger import Bollinger
from engine.indicators.rsi import Rsi
from engine.market import Ints


@pytest.mark.parametrize("name", INDICATORS)
def test_an_indicator_of_fewer_bars_than_it_needs_says_nothing(name: str) -> None:
    _, outputs = computed(INDICATORS[name], bars_of(walked(1, length=1)))

    assert all(np.isnan(output[..., 0]).all() for output in outputs)


def test_a_market_that_never_moved_has_no_strength() -> None:
    still = np.full((40, 1), 500, np.int64)

    _, (strength,) = computed(Rsi((14,)), Bars.of(still, still, still))

    assert np.isnan(strength[:14]).all()
    assert (strength[14:] == 50).all()


def deviation(closes: Ints) -> tuple[float, float]:
    """Mean and population deviation, each sum rounded once."""
    values = [int(each) for each in closes]
    mean = math.fsum(values) / len(values)
    whole = sum(values) // len(values)
    squares = math.fsum((each - whole) ** 2 for each in values) / len(values)
    rest = math.fsum(each - whole for each in values) / len(values)
    return mean, math.sqrt(squares - rest * rest)


@pytest.mark.parametrize(
    ("start", "volatility"),
    [(500_000, 1e-3), (1_000_000_000, 1e-3), (1_000_000_000, 3e-9), (1_000_000_000, 0.05)],
)
@pytest.mark.parametrize("period", [2, 20, 30])
def test_bands_are_exact_where_squares_of_large_prices_cancel(
    start: int, volatility: float, period: int
) -> None:
    candles = walked(3, length=150, start=start, volatility=volatility)

    _, (middle, spread) = computed(Bollinger((period,)), bars_of(candles))

    assert np.isnan(middle[: period - 1]).all()
    for row in range(period - 1, len(candles)):
        mean, sigma = deviation(candles.close[row - period + 1 : row + 1, 0])
        assert middle[row, 0, 0] == pytest.approx(mean, rel=1e-12)
        assert spread[row, 0, 0] == pytest.approx(sigma, rel=1e-9)


def test_bands_of_a_still_market_have_no_width_even_at_large_prices() -> None:
    still = np.full((40, 1), 999_999_937, np.int64)

    _, (middle, spread) = computed(Bollinger((20,)), Bars.of(still, still, still))

    assert (spread[19:] == 0).all()
    assert (middle[19:] == 999_999_937).all()


def test_bands_hold_a_crash_from_a_thousand_million_ticks_to_one() -> None:
    close = np.array([*[1_000_000_000] * 25, *[1] * 25], np.int64)[:, None]

    _, (_, spread) = computed(Bollinger((20,)), Bars.of(close, close, close))

    for row in range(19, 50):
        _, sigma = deviation(close[row - 19 : row + 1, 0])
        assert spread[row, 0, 0] == pytest.approx(sigma, rel=1e-9)
