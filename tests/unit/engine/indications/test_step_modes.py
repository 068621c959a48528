import numpy as np
import pytest
from tests.indicating import both_sides, indicated
from tests.market import candles_of, mirrored, with_gaps

from engine.market import Candles
from engine.settings import Settings, with_values
from engine.values import IndicationType, Side

ENTRY = 1_000_000
LENIENT = {
    "marketActivityEnabled": False,
    "drawdownRatio": "0.5",
    "marketChangeRange": 1,
    "lastPartRatioFactor": "1.0",
}


def facing(moves: list[int], side: Side) -> Candles:
    """Closes from 100 in moves of thousandths of a percent; upside down for a short."""
    path = candles_of([ENTRY, *(ENTRY + np.cumsum(moves) * 10).tolist()])
    return path if side is Side.LONG else mirrored(path, ENTRY)


def found(
    candles: Candles, indication: IndicationType, n: int, **values: object
) -> list[tuple[int, int]]:
    """(bar, sign) of the signals of one range."""
    rules = with_values(Settings(), {**LENIENT, **values})
    _, signals, _ = indicated(candles, both_sides(indication, (n,)), rules)
    return list(zip(signals["bar"].tolist(), signals["sign"].tolist(), strict=True))


@pytest.mark.parametrize("side", Side)
def test_in_time_every_candle_is_a_step_and_direction_turns_after_n_of_them(side: Side) -> None:
    falls = [0, 0, -5, -5, -5, -5, 90]

    turned = found(facing(falls, side), IndicationType.DIRECTION, 4, stepMode="time")

    assert turned == [(7, side.sign)]
    assert not found(facing(falls, side), IndicationType.DIRECTION, 5, stepMode="time")


@pytest.mark.parametrize("side", Side)
def test_in_time_a_flat_candle_ends_a_run(side: Side) -> None:
    interrupted = [0, 0, -5, -5, 0, -5, -5, 90]
    late = [0, 0, -5, -5, -5, -5, 0, 90]

    assert not found(facing(interrupted, side), IndicationType.DIRECTION, 3, stepMode="time")
    assert not found(facing(late, side), IndicationType.DIRECTION, 3, stepMode="time")


@pytest.mark.parametrize("side", Side)
def test_in_time_the_first_price_is_no_step(side: Side) -> None:
    rules = {"stepMode": "time", "minCalculationTime": 1}

    assert not found(facing([-5, -5, 90], side), IndicationType.DIRECTION, 3, **rules)
    assert found(facing([-5, -5, -5, 90], side), IndicationType.DIRECTION, 3, **rules)


@pytest.mark.parametrize("side", Side)
def test_in_time_a_gap_is_no_candle_to_compare(side: Side) -> None:
    falls = facing([0, 0, -5, -5, -5, -5, -5, 90], side)
    gaps = np.zeros((len(falls), 1), np.bool_)
    gaps[5] = True

    turned = found(with_gaps(falls, gaps), IndicationType.DIRECTION, 4, stepMode="time")

    assert turned == [(8, side.sign)]


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("moves", "fires"),
    [
        ([60, 0, 60, 0, 180], True),  # three of five moved, 0.3 % in all
        ([60, 0, 0, 0, 240], False),  # two of five
        ([60, 0, 60, 0, 179], False),  # not far enough
        ([60, -1, 61, 0, 180], False),  # one went back
    ],
)
def test_in_time_move_needs_no_opposite_enough_real_moves_and_its_change(
    side: Side, moves: list[int], fires: bool
) -> None:
    went_on = found(facing([0, 0, *moves], side), IndicationType.MOVE, 5, stepMode="time")

    assert went_on == ([(7, side.sign)] if fires else [])


@pytest.mark.parametrize("side", Side)
def test_in_time_move_follows_its_own_settings(side: Side) -> None:
    moves = facing([0, 0, 60, 0, 0, 0, 240], side)
    less = facing([0, 0, 30, 0, 30, 0, 90], side)

    assert found(moves, IndicationType.MOVE, 5, stepMode="time", moveRealShare="0.4")
    assert found(less, IndicationType.MOVE, 5, stepMode="time", moveThreshold="0.15")


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("rise", "fires"), [(1_510, True), (1_500, False)])
def test_in_windows_direction_follows_the_mean_of_n_closes(
    side: Side, rise: int, fires: bool
) -> None:
    # the mean of 0, 0 and the rise is a third of it: 0.5 % exactly is not past the threshold
    path = facing([0] * 5 + [rise], side)

    fired = found(path, IndicationType.DIRECTION, 3, stepMode="window")

    assert fired == ([(6, side.sign)] if fires else [])


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("rise", "fires"), [(301, True), (300, False)])
def test_in_windows_move_compares_the_close_with_that_n_candles_back(
    side: Side, rise: int, fires: bool
) -> None:
    path = facing([0] * 5 + [rise], side)

    assert found(path, IndicationType.MOVE, 4, stepMode="window") == (
        [(6, side.sign)] if fires else []
    )


@pytest.mark.parametrize("side", Side)
def test_in_windows_thresholds_are_settings(side: Side) -> None:
    path = facing([0] * 5 + [700], side)

    assert not found(path, IndicationType.DIRECTION, 3, stepMode="window")
    assert found(path, IndicationType.DIRECTION, 3, stepMode="window", directionThreshold="0.2")
    assert not found(path, IndicationType.MOVE, 3, stepMode="window", moveThreshold="0.8")
