from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.builders import a_fill, a_position, a_set_key, an_instrument, on, some_exits

from engine.ledger import Position, Recovery
from engine.levels import (
    exit_due,
    fixed_stop,
    fixed_target,
    recovered,
    stop_would_trigger,
    trailed,
    with_exits,
)
from engine.settings import Settings, with_values
from engine.shares import with_entry
from engine.values import CloseReason, Side

BOTH = pytest.mark.parametrize("side", list(Side))
FINE = an_instrument(price_tick=Decimal("0.0001"))
COARSE = an_instrument(price_tick=Decimal("0.5"))
DEFAULTS = Settings()


def armed(side: Side, *, stop: str = "0.4") -> Position:
    key = a_set_key(side, exits=some_exits("8", stop, ("0.6", "0.2")))
    return with_exits(a_position(side, key=key), FINE, DEFAULTS)


@BOTH
def test_exits_come_from_the_real_entry_price(side: Side) -> None:
    position = a_position(side)

    assert fixed_stop(position, FINE, DEFAULTS) == on(side, "99.6")
    assert fixed_target(position, FINE, DEFAULTS) == on(side, "100.8")


@BOTH
def test_distances_are_rounded_up_to_whole_ticks(side: Side) -> None:
    position = a_position(side)

    assert fixed_stop(position, COARSE, DEFAULTS) == on(side, "99.5")
    assert fixed_target(position, COARSE, DEFAULTS) == on(side, "101")


@BOTH
def test_trailing_arms_at_its_start_follows_the_best_price_and_ends_at_the_retrace(
    side: Side,
) -> None:
    position = trailed(armed(side), on(side, "100.5"), FINE, DEFAULTS)
    assert not position.trail_armed

    position = trailed(position, on(side, "100.6"), FINE, DEFAULTS)
    assert position.trail_armed
    assert position.stop_price == _trail(side, "100.6")

    position = trailed(position, on(side, "101"), FINE, DEFAULTS)
    assert position.stop_price == _trail(side, "101")
    assert exit_due(position, on(side, "100.9"), FINE, DEFAULTS) is None
    assert exit_due(position, on(side, "100.79"), FINE, DEFAULTS) is CloseReason.TRAILING_STOP


def _trail(side: Side, best: str) -> Decimal:
    """0.2 percent of the best price behind it, the distance rounded up to a tick of 0.0001."""
    price = on(side, best)
    exact = price * (1 - side.sign * Decimal("0.002"))
    return exact.quantize(
        Decimal("0.0001"), rounding="ROUND_FLOOR" if side is Side.LONG else "ROUND_CEILING"
    )


@BOTH
def test_a_trailing_stop_never_loosens(side: Side) -> None:
    position = trailed(armed(side), on(side, "101"), FINE, DEFAULTS)

    for price in ("100.85", "100.9", "100.99"):
        assert trailed(position, on(side, price), FINE, DEFAULTS) == position


@BOTH
def test_a_trailing_stop_is_never_worse_than_the_fixed_one(side: Side) -> None:
    key = a_set_key(side, exits=some_exits("8", "0.1", ("0.3", "0.9")))
    position = with_exits(a_position(side, key=key), FINE, DEFAULTS)

    assert trailed(position, on(side, "100.4"), FINE, DEFAULTS).stop_price == on(side, "99.9")


@BOTH
def test_more_entry_fills_do_not_loosen_an_armed_stop(side: Side) -> None:
    position = trailed(armed(side), on(side, "101"), FINE, DEFAULTS)

    fill = a_fill(side, on(side, "99"), "1")
    more = with_exits(with_entry(position, fill, Decimal(0), first=True), FINE, DEFAULTS)

    assert more.stop_price == position.stop_price


@BOTH
@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("99.6", CloseReason.STOP_LOSS),
        ("99.6001", None),
        ("100.7999", None),
        ("100.8", CloseReason.TAKE_PROFIT),
    ],
)
def test_exact_touches_end_a_position(side: Side, price: str, reason: CloseReason | None) -> None:
    position = with_exits(a_position(side), FINE, DEFAULTS)

    assert exit_due(position, on(side, price), FINE, DEFAULTS) is reason


@BOTH
def test_the_fixed_stop_comes_before_the_trailing_one(side: Side) -> None:
    position = trailed(armed(side), on(side, "101"), FINE, DEFAULTS)

    assert exit_due(position, on(side, "99"), FINE, DEFAULTS) is CloseReason.STOP_LOSS


@BOTH
def test_a_stop_beyond_the_price_would_fire_at_once(side: Side) -> None:
    assert stop_would_trigger(a_position(side), on(side, "99.6"), FINE, DEFAULTS)
    assert not stop_would_trigger(a_position(side), on(side, "99.7"), FINE, DEFAULTS)


# --- trailing only


def trailing_only(side: Side) -> Position:
    exits = some_exits("0.8", "0.4", ("0.6", "0.2"), trailing_only=True)
    return with_exits(a_position(side, key=a_set_key(side, exits=exits)), FINE, DEFAULTS)


@BOTH
def test_with_trailing_only_there_is_no_target_and_none_closes(side: Side) -> None:
    position = trailing_only(side)

    assert position.target_price is None
    assert exit_due(position, on(side, "105"), FINE, DEFAULTS) is None
    assert exit_due(position, on(side, "99.6"), FINE, DEFAULTS) is CloseReason.STOP_LOSS


# --- the ladder


def a_ladder(side: Side, *, take_profit: str = "0.8", stop_loss: str = "0.4") -> Position:
    """Two steps taken: one at 100, one and a half at 99.5, two at 99."""
    exits = some_exits(take_profit, stop_loss, ladder=True)
    position = a_position(
        side,
        key=a_set_key(side, exits=exits),
        quantity=Decimal(0),
        entry_quantity=Decimal(0),
        entry_price=None,
    )
    for price, quantity in (("100", "1"), ("99.5", "1.5"), ("99", "2")):
        fill = a_fill(side, on(side, price), quantity)
        position = with_entry(position, fill, Decimal(0), first=price == "100")
    return with_exits(position, FINE, DEFAULTS)


@BOTH
@pytest.mark.parametrize(
    ("ratio", "stop_loss", "stop"),
    [("5", "0.4", "98.8"), ("1", "0.4", "99.6"), ("20", "0.4", "97.8"), ("5", "1.5", "98.5")],
)
def test_the_stop_of_a_ladder_lies_beyond_the_last_admitted_step_from_the_first_entry(
    side: Side, ratio: str, stop_loss: str, stop: str
) -> None:
    changed = with_values(DEFAULTS, {"dcaMaxTotalRatio": ratio})

    assert fixed_stop(a_ladder(side, stop_loss=stop_loss), FINE, changed) == on(side, stop)


@BOTH
@pytest.mark.parametrize(
    ("mode", "exact"),
    [
        ("average", Decimal("447.25") / Decimal("4.5") * Decimal("1.008")),
        ("first_entry", Decimal("100.8")),
        ("breakeven_plus", Decimal("447.25") / Decimal("4.5") * Decimal("1.0021")),
    ],
)
def test_the_target_of_a_ladder_is_measured_as_its_mode_says(
    side: Side, mode: str, exact: Decimal
) -> None:
    changed = with_values(DEFAULTS, {"dcaTakeProfitMode": mode})

    target = fixed_target(a_ladder(side), FINE, changed)

    ladder = a_ladder(side)
    pct = {"average": "0.8", "first_entry": "0.8", "breakeven_plus": "0.21"}[mode]
    base = ladder.first_price if mode == "first_entry" else ladder.entry_price
    assert base is not None
    assert target is not None
    distance = (target - base * (1 + side.sign * Decimal(pct) / 100)) * side.sign
    assert -Decimal("1e-14") < distance < FINE.price_tick
    assert side is Side.SHORT or abs(target - exact) < FINE.price_tick


@pytest.mark.parametrize("mode", ["first_entry", "breakeven_plus"])
def test_before_its_first_step_a_ladder_has_the_plain_target(mode: str) -> None:
    key = a_set_key(exits=some_exits(ladder=True))
    position = a_position(key=key, first_price=Decimal(100), first_quantity=Decimal(1))

    target = fixed_target(position, FINE, with_values(DEFAULTS, {"dcaTakeProfitMode": mode}))

    assert target == Decimal("100.8")


@BOTH
@settings(max_examples=25)
@given(
    fills=st.lists(st.tuples(st.integers(900, 1100), st.integers(1, 9)), min_size=1, max_size=4),
    pct=st.sampled_from(["0.1", "0.2", "0.8", "2"]),
)
@example(fills=[(1000, 1), (1005, 6)], pct="2")  # 703 / 7 less 2 percent is 98.42 to the last digit
def test_averages_without_an_end_still_have_exact_levels(
    side: Side, fills: list[tuple[int, int]], pct: str
) -> None:
    key = a_set_key(side, exits=some_exits(pct, pct))
    nothing = Decimal(0)
    position = a_position(side, key=key, quantity=nothing, entry_quantity=nothing, entry_price=None)
    for tenths, quantity in fills:
        fill = a_fill(side, Decimal(tenths) / 10, str(quantity))
        position = with_entry(position, fill, nothing, first=True)
    value = Fraction(sum(tenths * quantity for tenths, quantity in fills), 10)
    average = value / sum(quantity for _, quantity in fills)
    share, tick = Fraction(pct) / 100, Fraction(1, 1000)
    instrument = an_instrument(price_tick=Decimal("0.001"))

    stop = fixed_stop(position, instrument, DEFAULTS)
    target = fixed_target(position, instrument, DEFAULTS)

    assert target is not None
    exact_stop = average * (1 - side.sign * share) / tick * side.sign
    exact_target = average * (1 + side.sign * share) / tick * side.sign
    assert Fraction(stop) / tick * side.sign == floor(exact_stop)
    assert Fraction(target) / tick * side.sign == ceil(exact_target)


# --- profit-back


def coming_back(side: Side, *prices: str, settings: Settings, take_profit: str = "0.8") -> Position:
    exits = some_exits(take_profit, "0.4", profit_back=True)
    position = with_exits(a_position(side, key=a_set_key(side, exits=exits)), FINE, settings)
    for price in prices:
        position = recovered(position, on(side, price), FINE, settings)
    return position


BACK_ON = with_values(DEFAULTS, {"profitBackExchangeEnabled": True})


@BOTH
@pytest.mark.parametrize(
    ("prices", "recovery"),
    [
        (["99.8001"], Recovery.NONE),
        (["99.8"], Recovery.UNDER),
        (["100.2"], Recovery.NONE),
        (["99.8", "100.1099"], Recovery.UNDER),
        (["99.8", "100.11"], Recovery.BACK),
        (["99.8", "100.11", "99.7"], Recovery.BACK),
    ],
)
def test_half_the_stop_under_water_then_break_even_after_fees_is_back(
    side: Side, prices: list[str], recovery: Recovery
) -> None:
    assert coming_back(side, *prices, settings=BACK_ON).recovery is recovery
    assert coming_back(side, *prices, settings=DEFAULTS).recovery is Recovery.NONE


@BOTH
def test_what_came_back_trails_at_once_and_its_target_is_half_as_far(side: Side) -> None:
    position = coming_back(side, "99.8", "100.11", settings=BACK_ON)
    position = trailed(position, on(side, "100.11"), FINE, BACK_ON)

    assert position.trail_armed
    assert position.target_price == on(side, "100.4")
    best = on(side, "100.11")
    assert position.stop_price is not None
    behind = best * (1 - side.sign * Decimal("0.002")) - position.stop_price
    assert 0 <= behind * side.sign < FINE.price_tick
    assert exit_due(position, on(side, "99.9"), FINE, BACK_ON) is CloseReason.TRAILING_STOP


@BOTH
def test_a_halved_target_is_not_short_of_break_even(side: Side) -> None:
    position = coming_back(side, "99.8", "100.11", settings=BACK_ON, take_profit="0.2")

    assert position.target_price == on(side, "100.11")


@BOTH
def test_the_target_stays_where_it_was_unless_aggressive(side: Side) -> None:
    changed = with_values(BACK_ON, {"profitBackAggressive": False})

    position = coming_back(side, "99.8", "100.11", settings=changed)

    assert position.target_price == on(side, "100.8")
