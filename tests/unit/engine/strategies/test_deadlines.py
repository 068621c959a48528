"""Ends that no price brings: the time limit and an opposite signal."""

import numpy as np
import pytest
from tests.market import candles_of, mirrored, walked
from tests.unit.engine.strategies.living import Bar, Position, flat, settings_of
from tests.unit.engine.trading import lenient, planned

from engine.market import Candles
from engine.pseudo import STRATEGY_EXIT
from engine.values import CloseReason, IndicationType, Side, TradeMode

BOTH = pytest.mark.parametrize("side", Side)
TURNING = settings_of(exitOnOpposite=True)
HOUR = settings_of(mainPositionTimeoutHours=1)
MINUTE_MS = 60_000


def quiet(minutes: int) -> list[Bar | None]:
    return [flat(100.1)] * minutes


@BOTH
def test_a_position_ends_with_the_candle_that_closes_at_its_limit(side: Side) -> None:
    assert Position(side, quiet(59), HOUR, span_ms=MINUTE_MS).end is None
    ended = Position(side, quiet(60), HOUR, span_ms=MINUTE_MS)
    assert ended.end == (59, CloseReason.TIMEOUT, 100.1)


@BOTH
def test_gaps_put_the_end_off_to_the_first_known_candle(side: Side) -> None:
    path = [*quiet(58), None, None, None, flat(100.2)]

    assert Position(side, path[:-1], HOUR, span_ms=MINUTE_MS).end is None
    ended = Position(side, path, HOUR, span_ms=MINUTE_MS)
    assert ended.end == (61, CloseReason.TIMEOUT, 100.2)


@BOTH
@pytest.mark.parametrize(
    ("last", "reason", "price"),
    [
        ((100, 100, 99.5, 99.9), CloseReason.STOP_LOSS, 99.6),
        ((100, 100.9, 100, 100.1), CloseReason.TAKE_PROFIT, 100.8),
    ],
)
def test_in_the_candle_of_the_limit_stop_and_target_come_first(
    side: Side, last: Bar, reason: CloseReason, price: float
) -> None:
    ended = Position(side, [*quiet(59), last], HOUR, span_ms=MINUTE_MS)

    assert ended.end == (59, reason, price)


@BOTH
def test_without_a_limit_it_lives_on(side: Side) -> None:
    assert Position(side, quiet(3000), settings_of(), span_ms=MINUTE_MS).end is None


def test_presets_end_after_two_hours_and_main_positions_never_unless_asked() -> None:
    settings = settings_of()

    assert IndicationType.PRESET.mode is TradeMode.PRESET
    assert (settings.preset_timeout_h, settings.main_timeout_h) == (2, 0)


@BOTH
def test_an_opposite_signal_ends_it_at_that_candle_s_close(side: Side) -> None:
    path = [flat(100.1), (100.1, 100.3, 100.0, 100.2), flat(100.3)]

    turned = Position(side, path, TURNING, turns=[1])

    assert turned.end == (1, CloseReason.STRATEGY_EXIT, 100.2)


@BOTH
def test_signals_turn_nothing_unless_that_is_asked_for(side: Side) -> None:
    assert Position(side, quiet(3), settings_of(), turns=[1]).end is None


@BOTH
def test_the_stop_comes_before_the_opposite_signal_of_its_candle(side: Side) -> None:
    path = [flat(100.1), (100.1, 100.1, 99.6, 99.9)]

    assert Position(side, path, TURNING, turns=[1]).end == (1, CloseReason.STOP_LOSS, 99.6)


@BOTH
def test_a_ladder_ends_with_all_its_parts(side: Side) -> None:
    settings = settings_of(exitOnOpposite=True, dcaEnabled=True, dcaOnly=True)
    path = [flat(99.5), flat(99.6)]

    turned = Position(side, path, settings, span_ms=MINUTE_MS, turns=[1])

    assert turned.end == (1, CloseReason.STRATEGY_EXIT, 99.6)
    assert turned.net_pct < -0.4 * 2.5 * 0.25


def reversal(side: Side) -> Candles:
    """Quick steps up, and quick steps down: Move signals both ways."""
    up = [1_000_000] * 6 + [1_000_000 + 1_100 * step for step in range(1, 9)]
    down = [up[-1] - 1_100 * step for step in range(1, 9)]
    candles = candles_of(up + down)
    return candles if side is Side.LONG else mirrored(candles, 1_000_000)


@BOTH
def test_the_set_that_turned_another_opens_on_the_same_candle(side: Side) -> None:
    settings = lenient(
        exitOnOpposite=True,
        directionEnabled=False,
        activeEnabled=False,
        marketActivityEnabled=False,
        gridRanges=[3],
        gridTakeProfits=["6"],
        gridStopLosses=["1.5"],
        trailingEnabled=False,
    )

    _, plan = planned(reversal(side), settings)

    turned = plan.closings[plan.closings["reason"] == STRATEGY_EXIT]
    assert len(turned)
    bar = int(turned["bar"][0])
    opened = plan.openings[plan.openings["bar"] == bar]
    assert plan.grid.sign[opened["set"]].tolist() == [-side.sign] * len(opened) != []
    assert not opened["shadow"].any()
    turn = next(each for each in plan.turns if each.at_ms == int(turned["at_ms"][0]))
    assert (turn.side, turn.indication, turn.parameter) == (side, IndicationType.MOVE, 3)


def test_turns_are_told_only_where_an_opposite_signal_closes() -> None:
    candles = walked(3, length=400, volatility=2e-3)

    told = planned(candles, lenient(exitOnOpposite=True))[1]
    silent = planned(candles, lenient())[1]

    assert len(told.turns) == len(told.signals) > 0
    assert silent.turns == ()


def long_trend(side: Side) -> Candles:
    """Quick steps one way: every entry with them earns."""
    rates = np.where(np.arange(1200) % 3 == 2, 1.0016, 1.0009)
    path = 100_000 * np.cumprod(rates if side is Side.LONG else 1 / rates)
    return candles_of(np.rint(path * (1 if side is Side.LONG else 100)).astype(np.int64).tolist())


@BOTH
def test_optimal_opens_in_shadow_until_it_is_active(side: Side) -> None:
    settings = lenient(
        optimalEnabled=True,
        optimalSource="move",
        directionEnabled=False,
        moveEnabled=False,
        activeEnabled=False,
        marketActivityEnabled=False,
        positionCooldown=1,
        validationTimeout=1,
        maxMirroredPerCycle=50,
    )

    _, plan = planned(long_trend(side), settings)

    number = np.zeros(len(plan.openings), np.int64)
    for k in np.unique(plan.openings["set"]):
        own = plan.openings["set"] == k
        number[own] = np.arange(own.sum())
    active = number >= 50  # the second check makes it active or pauses it
    assert plan.openings["shadow"][~active].all()
    assert not plan.openings["shadow"][active].all()


@BOTH
@pytest.mark.parametrize(
    ("turn", "bar", "reason"),
    [
        (10, 10, CloseReason.STRATEGY_EXIT),
        (59, 59, CloseReason.TIMEOUT),
        (70, 59, CloseReason.TIMEOUT),
    ],
)
def test_limit_and_signal_end_it_at_the_earlier_of_both(
    side: Side, turn: int, bar: int, reason: CloseReason
) -> None:
    both = settings_of(exitOnOpposite=True, mainPositionTimeoutHours=1)

    ended = Position(side, quiet(80), both, span_ms=MINUTE_MS, turns=[turn])

    assert ended.end == (bar, reason, 100.1)
