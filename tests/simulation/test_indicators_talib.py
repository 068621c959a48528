"""Each indicator is TA-Lib's, warm-up included, where TA-Lib itself is exact."""

import numpy as np
import pytest
import talib
from tests.market import walked
from tests.simulation.oracle import ORACLES, assert_equals_talib
from tests.unit.engine.indicators.computing import INDICATORS, computed
from tests.unit.engine.indicators.test_preset import ALONE, fresh

from engine.indicators.bars import Bars
from engine.indicators.preset import preset_signals
from engine.indicators.rsi import Rsi
from engine.settings import Settings, with_values


@pytest.mark.parametrize("name", ORACLES)
def test_an_indicator_equals_talib_on_random_walks(name: str) -> None:
    assert_equals_talib(name, walked(11, length=400, symbols=("A", "B", "C")))


@pytest.mark.parametrize("name", ORACLES)
def test_an_indicator_equals_talib_on_a_coarse_market_full_of_equal_prices(name: str) -> None:
    assert_equals_talib(name, walked(5, length=400, symbols=("A", "B"), start=40, volatility=0.02))


def test_talib_calls_a_market_that_never_moved_weak_where_ours_has_no_side() -> None:
    still = np.full((40, 1), 500, np.int64)

    _, (strength,) = computed(Rsi((14,)), Bars.of(still, still, still))

    assert strength[-1, 0, 0] == 50
    assert talib.RSI(still[:, 0].astype(float), 14)[-1] == 0


@pytest.mark.parametrize(
    "second", [(105, 95), (103, 90), (110, 97), (100, 100), (99, 94), (104, 99)]
)
def test_the_first_trend_of_the_stop_is_that_of_talib(second: tuple[int, int]) -> None:
    high = np.array([103, second[0], 104, 101, 99], np.int64)[:, None]
    low = np.array([97, second[1], 98, 96, 93], np.int64)[:, None]

    _, (stop, _) = computed(INDICATORS["sar"], Bars.of(high, low, low))

    expected = talib.SAR(high[:, 0].astype(float), low[:, 0].astype(float), 0.02, 0.2)
    np.testing.assert_allclose(stop[:, 0, 0], expected, rtol=1e-12)


def test_signals_are_what_talib_and_the_rules_say() -> None:
    settings = with_values(Settings(), ALONE)
    candles = walked(21, length=600, span_ms=60_000)
    close = candles.close[:, 0].astype(np.float64)
    rsi = talib.RSI(close, 14)
    upper, _, lower = talib.BBANDS(close, 20, 2.0, 2.0)
    place = (close - lower) / (upper - lower)
    expected = []
    for bar in range(29, 600):
        for sign, off, band in ((1, rsi[bar], place[bar]), (-1, 100 - rsi[bar], 1 - place[bar])):
            strengths = ((30 - off) / 30, min(1 - band / 0.2, 1))
            if min(strengths) > 0 and sum(strengths) / 2 >= 0.5:
                expected.append((bar, sign, round(sum(strengths) * 5000)))

    _, signals, counts = preset_signals(fresh(candles, settings), candles, settings)

    assert {sign for _, sign, _ in expected} == {1, -1}
    assert signals[["bar", "sign"]].tolist() == [(bar, sign) for bar, sign, _ in expected]
    assert signals["strength"] == pytest.approx([strength for *_, strength in expected], abs=1)
    assert (signals["agreeing"] == 2).all()
    both = 0b101  # the first and the third kind: RSI and Bollinger
    assert signals["longs"].tolist() == [both if sign > 0 else 0 for _, sign, _ in expected]
    assert signals["shorts"].tolist() == [both if sign < 0 else 0 for _, sign, _ in expected]
    assert signals["price"].tolist() == candles.close[signals["bar"], 0].tolist()
    assert counts["refused_confluence"] > 0
