"""Profit-back on paper: under water, back at break-even, part taken, the rest trails."""

import pytest
from tests.unit.engine.strategies.living import Bar, Position, flat, settings_of

from engine.pseudo import RECOVERY, STEPS, TAKEN
from engine.strategies.adjusting import Recovery
from engine.values import CloseReason, Side

BOTH = pytest.mark.parametrize("side", Side)
UNDER, BACK = flat(99.8), flat(100.11)
"""Half of the stop's 0.4 %, and the entry with 0.11 % of fees."""


def lived(side: Side, *bars: Bar | None, **values: object) -> Position:
    values = {"profitBackEnabled": True, "slippagePercent": "0"} | values
    return Position(side, bars, settings_of(**values))


@BOTH
def test_half_the_stop_s_distance_is_under_water_and_no_less(side: Side) -> None:
    assert lived(side, flat(99.81)).now.adjust[0, RECOVERY] == Recovery.NONE
    assert lived(side, UNDER).now.adjust[0, RECOVERY] == Recovery.UNDER


@BOTH
def test_back_at_break_even_and_fees_the_share_is_taken_there(side: Side) -> None:
    short_of_it = lived(side, UNDER, flat(100.10))
    back = lived(side, UNDER, BACK)

    assert short_of_it.now.adjust[0, TAKEN] == 0
    assert back.as_long(side.sign * int(back.now.adjust[0, TAKEN])) == 100.11
    assert back.end is None


@BOTH
def test_without_having_been_under_water_nothing_is_taken(side: Side) -> None:
    assert lived(side, flat(99.9), BACK).now.adjust[0, TAKEN] == 0


@BOTH
def test_a_candle_that_dips_and_recovers_takes_nothing_yet(side: Side) -> None:
    wild: Bar = (100, 100.3, 99.7, 100.3)

    assert lived(side, wild).now.adjust[0, TAKEN] == 0
    assert lived(side, wild, wild).now.adjust[0, TAKEN] > 0


@BOTH
def test_the_rest_trails_by_0_2_percent_from_there(side: Side) -> None:
    end = lived(side, UNDER, BACK, flat(100.3), flat(100.0)).end

    assert end is not None
    assert end[:2] == (3, CloseReason.TRAILING_STOP)


@BOTH
def test_the_target_of_the_rest_is_half_as_far_if_aggressive(side: Side) -> None:
    path = [UNDER, BACK, (100.2, 100.4, 100.2, 100.3)]

    assert lived(side, *path).end == (2, CloseReason.TAKE_PROFIT, 100.4)
    assert lived(side, *path, profitBackAggressive=False).end is None


@BOTH
def test_the_result_weighs_share_and_rest(side: Side) -> None:
    ended = lived(side, UNDER, BACK, (100.2, 100.4, 100.2, 100.3))

    assert ended.net_pct == pytest.approx((0.11 + 0.4) / 2 - 0.11, abs=1e-6)
    more = lived(side, UNDER, BACK, (100.2, 100.4, 100.2, 100.3), profitBackShare=80)
    assert more.net_pct == pytest.approx(0.8 * 0.11 + 0.2 * 0.4 - 0.11, abs=1e-6)


@BOTH
def test_the_stop_ends_all_of_it_under_water(side: Side) -> None:
    assert lived(side, UNDER, flat(99.5)).end == (1, CloseReason.STOP_LOSS, 99.5)


@BOTH
def test_a_target_in_the_candle_that_dips_under_water_is_reached(side: Side) -> None:
    end = lived(side, (100, 100.9, 99.7, 100.5)).end

    assert end == (0, CloseReason.TAKE_PROFIT, 100.8)


@BOTH
def test_the_target_of_the_rest_is_not_short_of_break_even(side: Side) -> None:
    near: dict[str, object] = {"gridTakeProfits": ["2"], "minViableExits": False}

    assert lived(side, flat(99.95), BACK, **near).target == 100.11


@BOTH
def test_trailing_goes_on_under_water_from_the_best_price_of_before(side: Side) -> None:
    wide: dict[str, object] = {
        "gridStopLosses": ["1.5"],
        "trailingEnabled": True,
        "trailingOnly": True,
        "trailingStartValues": ["0.1"],
        "trailingStopValues": ["0.9"],
    }

    end = lived(side, flat(100.2), flat(99.4), flat(99.29), **wide).end

    assert end == (2, CloseReason.TRAILING_STOP, 99.29)


@BOTH
def test_where_step_and_water_meet_it_is_under_water_before_the_step(side: Side) -> None:
    both: dict[str, object] = {"dcaEnabled": True, "dcaOnly": True, "gridStopLosses": ["1.25"]}

    met = lived(side, flat(99.5), **both)

    assert met.now.adjust[0, RECOVERY] == Recovery.UNDER
    assert met.now.adjust[0, STEPS] == 1
