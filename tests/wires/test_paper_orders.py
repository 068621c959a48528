"""Orders, fills and positions on the paper exchange."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.wires.scripted import (
    BTC,
    SIDES,
    D,
    a_limit_order,
    a_market_order,
    a_stage,
    opposite,
)

from local.paper.core import modes
from local.paper.core.filling import move
from local.paper.core.records import OrderSide, OrderStatus, Position, PositionSide
from local.paper.core.refusals import Reason, RefusedError


@SIDES
def test_a_market_order_pays_half_the_spread_and_the_taker_fee(
    tmp_path: Path, side: OrderSide
) -> None:
    exchange = a_stage(tmp_path, 100_000).exchange

    order = exchange.place_order(a_market_order(side))

    assert order.status is OrderStatus.FILLED
    assert order.average_price == 100_000 + side.sign * 2
    fee = order.average_price * D("0.01") * D("0.0005")
    assert exchange.books.account.wallet == 10_000 - fee


@SIDES
def test_a_round_trip_books_the_price_move_minus_fees(tmp_path: Path, side: OrderSide) -> None:
    stage = a_stage(tmp_path, 100_000, 100_000 + 1_000 * side.sign)
    stage.at(0).place_order(a_market_order(side))

    exchange = stage.at(1)
    exchange.place_order(a_market_order(opposite(side), reduce_only=True))

    fills = exchange.books.fills
    assert stage.held() == 0
    assert fills[1].realized == abs(fills[1].price - fills[0].price) * D("0.01")
    assert exchange.books.account.wallet == 10_000 + sum(one.realized - one.fee for one in fills)


@SIDES
def test_a_resting_limit_order_fills_at_its_price_when_the_market_reaches_it(
    tmp_path: Path, side: OrderSide
) -> None:
    limit = 100_000 - 500 * side.sign
    stage = a_stage(tmp_path, 100_000, 100_000 - 499 * side.sign, limit)
    order = stage.at(0).place_order(a_limit_order(side, limit, client_order_id="rest"))

    stage.at(1)
    assert order.status is OrderStatus.NEW

    fill = stage.at(2).books.fills[0]
    assert fill.price == limit
    assert fill.maker
    assert fill.fee == limit * D("0.01") * D("0.0002")


@SIDES
def test_time_in_force_decides_what_may_rest_and_what_may_take(
    tmp_path: Path, side: OrderSide
) -> None:
    exchange = a_stage(tmp_path, 100_000).exchange
    away, through = 100_000 - 500 * side.sign, 100_000 + 500 * side.sign

    now_or_never = exchange.place_order(a_limit_order(side, away, time_in_force="IOC"))
    assert now_or_never.status is OrderStatus.EXPIRED
    with pytest.raises(RefusedError, match=Reason.FILL_OR_KILL):
        exchange.place_order(a_limit_order(side, away, time_in_force="FOK"))
    with pytest.raises(RefusedError, match=Reason.POST_ONLY_WOULD_TAKE):
        exchange.place_order(a_limit_order(side, through, time_in_force="GTX"))
    assert exchange.place_order(a_limit_order(side, through)).status is OrderStatus.FILLED


@SIDES
def test_a_reduce_only_order_shrinks_to_the_position_and_never_turns_it(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_stage(tmp_path, 100_000)
    stage.exchange.place_order(a_market_order(side, "0.01"))

    order = stage.exchange.place_order(a_market_order(opposite(side), "0.05", reduce_only=True))

    assert order.quantity == D("0.01")
    assert stage.held() == 0
    with pytest.raises(RefusedError, match=Reason.REDUCE_ONLY_REJECTED):
        stage.exchange.place_order(a_market_order(opposite(side), "0.01", reduce_only=True))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"quantity": D("0.0105")}, Reason.QUANTITY_PRECISION),
        ({"quantity": D("0.0001")}, Reason.QUANTITY_TOO_SMALL),
        ({"price": D("99000.05")}, Reason.PRICE_PRECISION),
        ({"price": D(0)}, Reason.PRICE_NOT_POSITIVE),
        ({"price": D(100), "quantity": D("0.002")}, Reason.NOTIONAL_TOO_SMALL),
        ({"quantity": D(5)}, Reason.MARGIN_INSUFFICIENT),
        ({"client_order_id": "x" * 37}, Reason.BAD_CLIENT_ID),
        ({"client_order_id": "a b"}, Reason.BAD_CLIENT_ID),
        ({"position_side": PositionSide.LONG}, Reason.WRONG_POSITION_SIDE),
        ({"symbol": "NOPEUSDT"}, Reason.UNKNOWN_SYMBOL),
        ({"reduce_only": True}, Reason.REDUCE_ONLY_REJECTED),
    ],
)
def test_what_a_venue_refuses_is_refused_and_leaves_no_trace(
    tmp_path: Path, fields: dict[str, Any], reason: Reason
) -> None:
    exchange = a_stage(tmp_path, 100_000).exchange
    sound: dict[str, Any] = {"order_type": "LIMIT", "price": D(99_000)}

    with pytest.raises(RefusedError) as refusal:
        exchange.place_order(a_market_order(OrderSide.BUY, **(sound | fields)))

    assert refusal.value.reason is reason
    assert not exchange.books.orders
    assert not exchange.books.client_ids


def test_a_client_id_is_unique_among_open_orders_only_and_reuse_is_counted(tmp_path: Path) -> None:
    exchange = a_stage(tmp_path, 100_000).exchange
    first = exchange.place_order(a_limit_order(OrderSide.BUY, 90_000, client_order_id="one"))
    with pytest.raises(RefusedError, match=Reason.DUPLICATE_CLIENT_ID):
        exchange.place_order(a_market_order(OrderSide.BUY, client_order_id="one"))

    exchange.cancel_order(first)
    exchange.place_order(a_market_order(OrderSide.BUY, client_order_id="one"))

    assert exchange.books.client_ids["order", "one"].accepted == 2


def test_hedge_mode_holds_both_sides_and_closing_never_exceeds_a_side(tmp_path: Path) -> None:
    stage = a_stage(tmp_path, 100_000)
    exchange = stage.exchange
    modes.set_hedge_mode(exchange.books, hedge_mode=True)
    exchange.place_order(a_market_order(OrderSide.BUY, position_side=PositionSide.LONG))
    exchange.place_order(a_market_order(OrderSide.SELL, position_side=PositionSide.SHORT))

    assert (stage.held(PositionSide.LONG), stage.held(PositionSide.SHORT)) == (
        D("0.01"),
        D("-0.01"),
    )
    for side, position_side in (("SELL", "LONG"), ("BUY", "SHORT")):
        wide = a_market_order(OrderSide(side), "0.02", position_side=PositionSide(position_side))
        with pytest.raises(RefusedError, match=Reason.REDUCE_ONLY_REJECTED):
            exchange.place_order(wide)
        exchange.place_order(
            a_market_order(OrderSide(side), "0.01", position_side=PositionSide(position_side))
        )
    assert stage.held(PositionSide.LONG) == stage.held(PositionSide.SHORT) == 0


def test_modes_change_only_when_flat_and_only_to_something_else(tmp_path: Path) -> None:
    exchange = a_stage(tmp_path, 100_000).exchange
    with pytest.raises(RefusedError, match=Reason.NO_CHANGE_OF_MODE):
        modes.set_hedge_mode(exchange.books, hedge_mode=False)
    with pytest.raises(RefusedError, match=Reason.NO_CHANGE_OF_MARGIN):
        modes.set_isolated(exchange.books, BTC, isolated=False)
    with pytest.raises(RefusedError, match=Reason.LEVERAGE_RANGE):
        modes.set_leverage(exchange.books, BTC, 126)
    exchange.place_order(a_market_order(OrderSide.BUY))

    with pytest.raises(RefusedError, match=Reason.OPEN_POSITION):
        modes.set_hedge_mode(exchange.books, hedge_mode=True)


def test_amending_keeps_the_ids_and_takes_the_market_when_it_reaches_it(tmp_path: Path) -> None:
    exchange = a_stage(tmp_path, 100_000).exchange
    order = exchange.place_order(a_limit_order(OrderSide.BUY, 90_000, client_order_id="one"))

    exchange.amend_order(order, D("0.02"), D(101_000))

    assert (order.client_order_id, order.status) == ("one", OrderStatus.FILLED)
    assert exchange.books.fills[0].quantity == D("0.02")


@pytest.mark.parametrize("sign", [1, -1])
def test_a_position_averages_when_added_to_and_turns_when_crossed(sign: int) -> None:
    position = Position(symbol=BTC, position_side=PositionSide.BOTH)

    assert move(position, D(1) * sign, D(100)) == 0
    assert move(position, D(1) * sign, D(110)) == 0
    assert position.entry_price == 105
    assert move(position, D(-3) * sign, D(115)) == D(20) * sign
    assert (position.quantity, position.entry_price) == (D(-sign), D(115))
    assert move(position, Decimal(sign), D(115)) == 0
    assert position.quantity == position.entry_price == 0
