from dataclasses import replace
from decimal import Decimal

import pytest
from tests.builders import NOW_MS, a_position, a_set_key, an_instrument, some_exits

from engine.ledger import Fill, Position
from engine.shares import (
    exit_due,
    fee_in_quote,
    fixed_stop,
    fixed_target,
    stop_would_trigger,
    trailed,
    with_entry,
    with_exit,
    with_exits,
)
from engine.values import CloseReason, Side

BOTH = pytest.mark.parametrize("side", list(Side))
FINE = an_instrument(price_tick=Decimal("0.0001"))
COARSE = an_instrument(price_tick=Decimal("0.5"))


def mirrored(side: Side, price: str) -> Decimal:
    """The price as far on the favourable side of 100 for a SHORT as it is for a LONG."""
    return Decimal(price) if side is Side.LONG else 200 - Decimal(price)


def a_fill(side: Side, price: Decimal, quantity: str, *, closing: bool = False) -> Fill:
    return Fill(
        trade_id="1",
        client_order_id="",
        exchange_order_id="",
        symbol="BTCUSDT",
        side=side,
        order_side=side.exit if closing else side.entry,
        price=price,
        quantity=Decimal(quantity),
        fee=Decimal("0.1"),
        fee_asset="USDT",
        is_maker=False,
        executed_at_ms=NOW_MS,
    )


def empty(side: Side) -> Position:
    return a_position(side, quantity=Decimal(0), entry_quantity=Decimal(0), entry_price=None)


def armed(side: Side, *, stop: str = "0.4") -> Position:
    key = a_set_key(side, exits=some_exits("8", stop, ("0.6", "0.2")))
    return with_exits(a_position(side, key=key), FINE)


@BOTH
def test_exits_come_from_the_real_entry_price(side: Side) -> None:
    position = a_position(side)

    assert fixed_stop(position, FINE) == mirrored(side, "99.6")
    assert fixed_target(position, FINE) == mirrored(side, "100.8")


@BOTH
def test_distances_are_rounded_up_to_whole_ticks(side: Side) -> None:
    position = a_position(side)

    assert fixed_stop(position, COARSE) == mirrored(side, "99.5")
    assert fixed_target(position, COARSE) == mirrored(side, "101")


@BOTH
def test_fills_average_the_entry_and_book_result_and_fees(side: Side) -> None:
    first = with_entry(empty(side), a_fill(side, Decimal(100), "1"), Decimal("0.1"))
    both = with_entry(first, a_fill(side, mirrored(side, "98"), "3"), Decimal("0.2"))
    part = with_exit(both, a_fill(side, mirrored(side, "102"), "1", closing=True), Decimal("0.1"))
    done = with_exit(part, a_fill(side, mirrored(side, "99"), "3", closing=True), Decimal("0.1"))

    assert both.entry_price == mirrored(side, "98.5")
    assert both.quantity == both.entry_quantity == 4
    assert (part.quantity, part.realized_pnl) == (Decimal(3), Decimal("3.5"))
    assert (done.quantity, done.realized_pnl) == (Decimal(0), Decimal(5))
    assert done.exit_price == mirrored(side, "99.75")
    assert done.fees == Decimal("0.5")


def test_a_fee_in_the_base_asset_is_valued_at_the_fills_price_and_a_third_asset_is_not() -> None:
    fill = a_fill(Side.LONG, Decimal(100), "1")
    instrument = an_instrument()

    assert fee_in_quote(fill, instrument) == Decimal("0.1")
    assert fee_in_quote(replace(fill, fee_asset="BTC"), instrument) == 10
    assert fee_in_quote(replace(fill, fee_asset="BNB"), instrument) is None


@BOTH
def test_trailing_arms_at_its_start_follows_the_best_price_and_ends_at_the_retrace(
    side: Side,
) -> None:
    position = trailed(armed(side), mirrored(side, "100.5"), FINE)
    assert not position.trail_armed

    position = trailed(position, mirrored(side, "100.6"), FINE)
    assert position.trail_armed
    assert position.stop_price == _trail(side, "100.6")

    position = trailed(position, mirrored(side, "101"), FINE)
    assert position.stop_price == _trail(side, "101")
    assert exit_due(position, mirrored(side, "100.9"), FINE) is None
    assert exit_due(position, mirrored(side, "100.79"), FINE) is CloseReason.TRAILING_STOP


def _trail(side: Side, best: str) -> Decimal:
    """0.2 percent of the best price behind it, the distance rounded up to a tick of 0.0001."""
    price = mirrored(side, best)
    exact = price * (1 - side.sign * Decimal("0.002"))
    return exact.quantize(
        Decimal("0.0001"), rounding="ROUND_FLOOR" if side is Side.LONG else "ROUND_CEILING"
    )


@BOTH
def test_a_trailing_stop_never_loosens(side: Side) -> None:
    position = trailed(armed(side), mirrored(side, "101"), FINE)

    for price in ("100.85", "100.9", "100.99"):
        assert trailed(position, mirrored(side, price), FINE) == position


@BOTH
def test_a_trailing_stop_is_never_worse_than_the_fixed_one(side: Side) -> None:
    key = a_set_key(side, exits=some_exits("8", "0.1", ("0.3", "0.9")))
    position = with_exits(a_position(side, key=key), FINE)

    assert trailed(position, mirrored(side, "100.4"), FINE).stop_price == mirrored(side, "99.9")


@BOTH
def test_more_entry_fills_do_not_loosen_an_armed_stop(side: Side) -> None:
    position = trailed(armed(side), mirrored(side, "101"), FINE)

    more = with_exits(
        with_entry(position, a_fill(side, mirrored(side, "99"), "1"), Decimal(0)), FINE
    )

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
    position = with_exits(a_position(side), FINE)

    assert exit_due(position, mirrored(side, price), FINE) is reason


@BOTH
def test_the_fixed_stop_comes_before_the_trailing_one(side: Side) -> None:
    position = trailed(armed(side), mirrored(side, "101"), FINE)

    assert exit_due(position, mirrored(side, "99"), FINE) is CloseReason.STOP_LOSS


@BOTH
def test_a_stop_beyond_the_price_would_fire_at_once(side: Side) -> None:
    assert stop_would_trigger(a_position(side), mirrored(side, "99.6"), FINE)
    assert not stop_would_trigger(a_position(side), mirrored(side, "99.7"), FINE)
