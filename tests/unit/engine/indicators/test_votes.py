"""What each indicator says, both ways, and which decisions were nearly ties."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from engine.indicators.configurations import IndicatorKind, PresetConfiguration
from engine.indicators.panel import rules_of
from engine.indicators.votes import Votes, votes
from engine.settings import Settings, with_values
from engine.values import Side

NAN = float("nan")
SIDES = pytest.mark.parametrize("side", Side)
Said = tuple[int, int]  # sign and strength


def heard(kind: IndicatorKind, rule: Sequence[str], outputs: Any, **values: object) -> Votes:
    """Votes of one rule on one bar that closed at 1000."""
    parameters = tuple(Decimal(each) for each in rule)
    (rules,) = rules_of([PresetConfiguration(parameters=((kind, parameters),))])
    close = np.full((1, 1), 1000, np.int64)
    return votes(rules, outputs, close, with_values(Settings(), values))


def cell(value: float) -> np.ndarray:
    return np.full((1, 1, 1), value)


def lines(*values: float) -> tuple[np.ndarray, ...]:
    return tuple(cell(each) for each in values)


def said(found: Votes) -> Said:
    return int(found.sign[0, 0, 0]), int(found.strength[0, 0, 0])


def rsi(value: float) -> Votes:
    return heard(IndicatorKind.RSI, ("14", "30", "70"), cell(value))


@SIDES
@pytest.mark.parametrize(
    ("off", "strength"), [(0.0, 0), (19.9, 0), (20, 0), (20.003, 1), (35, 5000), (50, 10_000)]
)
def test_rsi_is_long_when_oversold_and_short_when_overbought(
    side: Side, off: float, strength: int
) -> None:
    sign = side.sign if off > 20 else 0

    assert said(rsi(50 - side.sign * off)) == (sign, strength)


def macd(histogram: float, before: float, **values: object) -> Votes:
    outputs = lines(5 + histogram, 5, histogram, before)
    return heard(IndicatorKind.MACD, ("12", "26", "9"), outputs, **values)


@SIDES
@pytest.mark.parametrize(
    ("histogram", "before", "strength"),
    [
        (0.5, 0.1, 5000),
        (1, 0.1, 10_000),
        (9, 0.1, 10_000),
        (0.01, -0.01, 10_000),
        (0.01, 0, 10_000),
        (0.5, NAN, 5000),
    ],
)
def test_macd_is_on_the_side_of_its_histogram_and_strongest_where_that_turns(
    side: Side, histogram: float, before: float, strength: int
) -> None:
    found = macd(side.sign * histogram, side.sign * before)

    assert said(found) == (side.sign, strength)


def test_the_strength_of_a_turn_can_be_taken_away() -> None:
    assert said(macd(0.5, -0.1, macdCrossStrength="0")) == (1, 5000)
    assert said(macd(0.5, -0.1, macdCrossStrength="0.7")) == (1, 7000)
    assert said(macd(0, 1)) == (0, 0)


@SIDES
@pytest.mark.parametrize(
    ("place", "strength"), [(0.5, 0), (0.2, 0), (0.1, 5000), (0.0, 10_000), (-0.4, 10_000)]
)
def test_bollinger_is_long_near_the_lower_band_and_short_near_the_upper(
    side: Side, place: float, strength: int
) -> None:
    # The bands reach 2 deviations of 50 from the middle: 200 from band to band.
    middle = 1000 - side.sign * 200 * (place - 0.5)

    found = heard(IndicatorKind.BOLLINGER, ("20", "2"), lines(middle, 50))

    assert said(found) == (side.sign if strength else 0, strength)


def test_bands_without_width_say_nothing() -> None:
    found = heard(IndicatorKind.BOLLINGER, ("20", "2"), lines(1000, 0))

    assert said(found) == (0, 0)
    assert not found.near.any()


@SIDES
def test_sar_is_on_the_side_of_the_price_ten_times_the_distance_strong(side: Side) -> None:
    outputs = lines(1000 - side.sign * 50, 40)

    assert said(heard(IndicatorKind.SAR, ("0.02", "0.2"), outputs)) == (side.sign, 5000)
    halved = heard(IndicatorKind.SAR, ("0.02", "0.2"), outputs, sarFullPercent="20")
    assert said(halved) == (side.sign, 2500)


@SIDES
@pytest.mark.parametrize(
    ("adx", "strength"), [(24.9, 0), (25, 5000), (40, 8000), (50, 10_000), (80, 10_000)]
)
def test_adx_is_on_the_side_of_the_larger_di_in_a_trend(
    side: Side, adx: float, strength: int
) -> None:
    outputs = lines(adx, 20 + side.sign * 5, 20 - side.sign * 5)

    found = heard(IndicatorKind.ADX, ("14", "25"), outputs)

    assert said(found) == (side.sign if strength else 0, strength)


@SIDES
@pytest.mark.parametrize("kind", [IndicatorKind.EMA, IndicatorKind.SMA])
def test_a_fast_average_above_the_slow_one_is_long_and_below_it_short(
    side: Side, kind: IndicatorKind
) -> None:
    averages = np.array([[[1000 + side.sign * 0.25, 1000]]])

    assert said(heard(kind, ("9", "21"), averages)) == (side.sign, 2500)
    assert said(heard(kind, ("9", "21"), averages, crossFullPercent="0.05")) == (side.sign, 5000)
    assert said(heard(kind, ("9", "21"), np.full((1, 1, 2), 7.0))) == (0, 0)


@SIDES
@pytest.mark.parametrize(
    ("k", "d", "strength"), [(10, 5, 5000), (10, 15, 0), (10, 10, 0), (25, 15, 0), (0.2, 0, 9900)]
)
def test_stochastic_needs_an_extreme_and_the_turn_out_of_it(
    side: Side, k: float, d: float, strength: int
) -> None:
    outputs = lines(*(each if side is Side.LONG else 100 - each for each in (k, d)))

    found = heard(IndicatorKind.STOCHASTIC, ("14", "3", "3"), outputs)

    assert said(found) == (side.sign if strength else 0, strength)


@pytest.mark.parametrize(("span", "covers"), [(0.66, 0), (0.67, 1), (5, 1)])
def test_atr_says_whether_its_multiple_covers_the_position_cost(span: float, covers: int) -> None:
    found = heard(IndicatorKind.ATR, ("14", "1.5"), cell(span))

    assert found.sign[0, 0, 0] == covers


EVERY: list[tuple[IndicatorKind, tuple[str, ...], int]] = [
    (IndicatorKind.RSI, ("14", "30", "70"), 0),
    (IndicatorKind.MACD, ("12", "26", "9"), 4),
    (IndicatorKind.BOLLINGER, ("20", "2"), 2),
    (IndicatorKind.SAR, ("0.02", "0.2"), 2),
    (IndicatorKind.ADX, ("14", "25"), 3),
    (IndicatorKind.STOCHASTIC, ("14", "3", "3"), 2),
    (IndicatorKind.ATR, ("14", "1.5"), 0),
]


@pytest.mark.parametrize(("kind", "rule", "count"), EVERY)
def test_an_indicator_that_warms_up_says_nothing(
    kind: IndicatorKind, rule: tuple[str, ...], count: int
) -> None:
    outputs = lines(*[NAN] * count) if count else cell(NAN)

    found = heard(kind, rule, outputs)

    assert said(found) == (0, 0)
    assert not found.warm.any()
    assert not found.near.any()


def after(value: float) -> float:
    return float(np.nextafter(value, np.inf))


@pytest.mark.parametrize(
    ("kind", "rule", "outputs"),
    [
        (IndicatorKind.RSI, ("14", "30", "70"), cell(after(30))),
        (IndicatorKind.RSI, ("14", "30", "70"), cell(70)),
        (IndicatorKind.RSI, ("14", "30", "70"), cell(30 * (1 - 0.00005))),  # strength 0.00005
        (IndicatorKind.MACD, ("12", "26", "9"), lines(after(5), 5, after(5) - 5, 1)),
        (IndicatorKind.BOLLINGER, ("20", "2"), lines(1060, 50)),
        (IndicatorKind.SAR, ("0.02", "0.2"), lines(after(1000), 5)),
        (IndicatorKind.SAR, ("0.02", "0.2"), lines(900, 1e-10)),
        (IndicatorKind.ADX, ("14", "25"), lines(after(25), 10, 20)),
        (IndicatorKind.ADX, ("14", "25"), lines(30, after(10), 10)),
        (IndicatorKind.EMA, ("9", "21"), np.array([[[after(7), 7]]])),
        (IndicatorKind.STOCHASTIC, ("14", "3", "3"), lines(after(20), 5)),
        (IndicatorKind.STOCHASTIC, ("14", "3", "3"), lines(after(10), 10)),
        (IndicatorKind.ATR, ("10", "2"), cell(after(0.5))),
    ],
)
def test_decisions_that_nearly_fell_the_other_way_are_marked(
    kind: IndicatorKind, rule: tuple[str, ...], outputs: Any
) -> None:
    assert heard(kind, rule, outputs).near.sum() == 1


@pytest.mark.parametrize(
    ("kind", "rule", "outputs"),
    [
        (IndicatorKind.RSI, ("14", "30", "70"), cell(30.001)),
        (IndicatorKind.MACD, ("12", "26", "9"), lines(5, 5, 0, 0)),
        (IndicatorKind.BOLLINGER, ("20", "2"), lines(1061, 50)),
        (IndicatorKind.SAR, ("0.02", "0.2"), lines(1000, 0)),
        (IndicatorKind.ADX, ("14", "25"), lines(20, after(10), 10)),
        (IndicatorKind.SMA, ("10", "50"), np.full((1, 1, 2), 7.0)),
        (IndicatorKind.STOCHASTIC, ("14", "3", "3"), lines(0, 0)),
        (IndicatorKind.STOCHASTIC, ("14", "3", "3"), lines(after(50), 50)),
    ],
)
def test_clear_decisions_and_a_standing_market_are_not_marked(
    kind: IndicatorKind, rule: tuple[str, ...], outputs: Any
) -> None:
    assert not heard(kind, rule, outputs).near.any()
