import numpy as np
import pytest
from tests.indicating import indicated
from tests.market import candles_of, mirrored

from engine.indications.activity import active_units
from engine.indications.slots import Slot
from engine.market import Candles
from engine.settings import Settings, with_values
from engine.values import IndicationType, Side, Variant

START = 10_000_000
FAST = 250  # ticks in a second: range 1 asks 100, a tenth of the position cost in 10 s
RULES: dict[str, object] = {
    "marketActivityEnabled": False,
    "activityEnabled": True,
    "activeWindowSeconds": 20,
    "marketChangeRange": 1,
    "lastPartRatioFactor": "1.0",
    "drawdownRatio": "0.5",
}


def facing(moves: list[int], side: Side) -> Candles:
    path = candles_of([START, *(START + np.cumsum(moves)).tolist()])
    return path if side is Side.LONG else mirrored(path, START)


def shares(
    moves: list[int], side: Side, *, active: int, last: int, a: int = 1, **values: object
) -> list[tuple[int, int, int]]:
    """(sign, share, share of the last part) of the signals of a slot that asks for these."""
    slots = tuple(
        Slot(
            indication=IndicationType.ACTIVITY,
            parameter=a,
            side=each,
            variant=Variant(activity_pct=active, last_activity_pct=last),
        )
        for each in Side
    )
    rules = with_values(Settings(), RULES | values)
    _, signals, _ = indicated(facing(moves, side), slots, rules)
    names = ("sign", "active", "last_active")
    return list(zip(*(signals[name].tolist() for name in names), strict=True))


HALF = [FAST, 0] * 10  # ten of twenty, two of the last four


@pytest.mark.parametrize("side", Side)
def test_enough_samples_of_the_window_and_of_its_last_part_must_move(side: Side) -> None:
    assert shares(HALF, side, active=50, last=50) == [(side.sign, 50, 50)]
    assert shares(HALF, side, active=60, last=50) == []
    assert shares(HALF, side, active=50, last=60) == []
    assert shares([FAST] * 10 + [0] * 10, side, active=10, last=10) == []


@pytest.mark.parametrize("side", Side)
def test_a_sample_moves_when_it_is_as_fast_as_the_range_asks(side: Side) -> None:
    assert active_units(1, 1000, Settings()) == 1_000
    assert active_units(5, 1000, Settings()) == 7_224
    assert active_units(1, 60_000, Settings()) == 60_000

    assert shares([101] * 20, side, active=90, last=90) == [(side.sign, 100, 100)]
    assert not shares([99] * 19 + [300], side, active=10, last=10)
    assert not shares(HALF, side, active=10, last=10, a=2)
    assert shares([256, 0] * 10, side, active=50, last=50, a=2)


@pytest.mark.parametrize("side", Side)
def test_a_sample_exactly_as_fast_as_asked_is_active(side: Side) -> None:
    found = shares([100, 0, 300], side, active=60, last=90, activeWindowSeconds=3)

    assert found == [(side.sign, 66, 100)]
    assert not shares([99, 0, 301], side, active=60, last=90, activeWindowSeconds=3)


@pytest.mark.parametrize("side", Side)
def test_samples_against_the_side_of_the_window_do_not_count(side: Side) -> None:
    assert shares([-FAST, *[FAST] * 19], side, active=90, last=90) == [(side.sign, 95, 100)]
    assert not shares([FAST] * 17 + [-FAST] * 3, side, active=10, last=30)


@pytest.mark.parametrize("side", Side)
def test_the_common_filters_hold_for_activity_too(side: Side) -> None:
    assert shares([FAST] * 20, side, active=90, last=90, lastPartRatioFactor="1.0")
    assert not shares([FAST] * 20, side, active=90, last=90, lastPartRatioFactor="1.5")
    assert not shares([FAST] * 20, side, active=90, last=90, marketChangeRange=2)


def test_activity_is_silent_unless_it_is_enabled() -> None:
    assert not shares(HALF, Side.LONG, active=50, last=50, activityEnabled=False)
