"""Conditional orders where they meet: mark price, one instant, shrinking, hedge mode."""

from pathlib import Path

import pytest
from tests.wires.scripted import (
    BTC,
    SIDES,
    D,
    Stage,
    a_market_order,
    a_stage,
    an_algo,
    opposite,
)

from local.paper.core import modes
from local.paper.core.books import Event, OrderChanged
from local.paper.core.records import AlgoStatus, OrderSide, OrderStatus, PositionSide
from local.paper.core.refusals import Reason, RefusedError

TRAILING = "TRAILING_STOP_MARKET"


def a_held_position(directory: Path, side: OrderSide, *moves: int) -> Stage:
    """A position of 0.01 at 100,000; moves are in its favour when positive."""
    stage = a_stage(directory, 100_000, *(100_000 + move * side.sign for move in moves))
    stage.exchange.place_order(a_market_order(side))
    return stage


def away(side: OrderSide, move: int) -> object:
    """A price so far in the position's favour."""
    return D(100_000 + move * side.sign)


@SIDES
@pytest.mark.parametrize(
    ("kind", "trigger"), [("STOP_MARKET", -1_000), ("TAKE_PROFIT_MARKET", 1_000)]
)
def test_a_conditional_order_by_mark_price_ignores_the_last_price(
    tmp_path: Path, side: OrderSide, kind: str, trigger: int
) -> None:
    stage = a_held_position(tmp_path, side, 2 * trigger, 0)
    scripts = stage.exchange.scripts
    by_mark = stage.exchange.place_algo(
        an_algo(
            opposite(side), kind, trigger_price=away(side, trigger), working_type="MARK_PRICE"
        )
    )  # fmt: skip

    scripts.shift_mark(BTC, D(-2 * trigger * side.sign) / 1000)
    stage.at(1)
    assert by_mark.is_open

    scripts.shift_mark(BTC, D(2 * trigger * side.sign) / 1000)
    stage.at(2)
    assert by_mark.status is AlgoStatus.FINISHED
    assert stage.exchange.books.fills[-1].price == 100_000 - 2 * side.sign


@SIDES
def test_the_order_a_stop_becomes_says_so_from_its_first_word(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side, -2_000)
    stop = stage.exchange.place_algo(
        an_algo(opposite(side), "STOP_MARKET", trigger_price=away(side, -1_000))
    )
    told: list[Event] = []
    stage.exchange.books.listener = told.append

    stage.at(1)

    orders = [one.order for one in told if isinstance(one, OrderChanged)]
    assert [one.status for one in orders] == [OrderStatus.NEW, OrderStatus.FILLED]
    assert {(one.original_type, one.parent_algo_id) for one in orders} == {
        ("STOP_MARKET", stop.algo_id)
    }
    assert {one.trigger_price for one in orders} == {stop.trigger_price}


@SIDES
def test_whether_a_trigger_would_fire_at_once_is_judged_by_its_own_price(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side)
    stop = an_algo(
        opposite(side), "STOP_MARKET", trigger_price=away(side, -1_000), working_type="MARK_PRICE"
    )
    stage.exchange.scripts.shift_mark(BTC, D(-2) * side.sign)

    with pytest.raises(RefusedError, match=Reason.WOULD_TRIGGER):
        stage.exchange.place_algo(stop)
    stage.exchange.scripts.shift_mark(BTC, D(0))
    assert stage.exchange.place_algo(stop).is_open


@SIDES
def test_a_trailing_stop_follows_the_mark_price_if_that_is_its_price(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side, 2_000, 500, 900)
    trailing = stage.exchange.place_algo(
        an_algo(opposite(side), TRAILING, callback_rate=D(1), working_type="MARK_PRICE")
    )
    scripts = stage.exchange.scripts

    stage.at(1)
    scripts.shift_mark(BTC, D(2) * side.sign)
    stage.at(2)
    assert trailing.is_open
    scripts.shift_mark(BTC, D(0))
    stage.at(3)

    assert trailing.status is AlgoStatus.FINISHED
    assert trailing.extreme == (100_000 + 500 * side.sign) * (1 + D("0.02") * side.sign)


@SIDES
def test_a_trailing_stop_whose_activation_is_behind_the_market_is_refused(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side)

    with pytest.raises(RefusedError, match=Reason.WOULD_TRIGGER):
        stage.exchange.place_algo(
            an_algo(
                opposite(side), TRAILING, callback_rate=D(1), activate_price=away(side, -500)
            )
        )  # fmt: skip


@SIDES
@pytest.mark.parametrize("rate", ["0.05", "10.1"])
def test_a_callback_out_of_range_is_refused(tmp_path: Path, side: OrderSide, rate: str) -> None:
    stage = a_held_position(tmp_path, side)

    with pytest.raises(RefusedError, match=Reason.CALLBACK_RATE):
        stage.exchange.place_algo(an_algo(opposite(side), TRAILING, callback_rate=D(rate)))


@SIDES
def test_of_two_orders_firing_in_one_instant_the_first_closes_and_the_other_finds_nothing(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side, -2_000)
    stops = [
        stage.exchange.place_algo(
            an_algo(opposite(side), "STOP_MARKET", trigger_price=away(side, -move))
        )
        for move in (1_500, 1_000)
    ]

    stage.at(1)

    assert [one.status for one in stops] == [AlgoStatus.FINISHED, AlgoStatus.REJECTED]
    assert stops[1].failure == Reason.REDUCE_ONLY_REJECTED
    assert stage.held() == 0
    assert len(stage.exchange.books.fills) == 2


@SIDES
def test_stop_and_target_firing_in_one_instant_never_turn_the_position(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side, 1_000)
    target = stage.exchange.place_algo(
        an_algo(opposite(side), "TAKE_PROFIT_MARKET", trigger_price=away(side, 900))
    )
    stop = stage.exchange.place_algo(
        an_algo(
            opposite(side), "STOP_MARKET", trigger_price=away(side, -900),
            working_type="MARK_PRICE",
        )
    )  # fmt: skip
    stage.exchange.scripts.shift_mark(BTC, D(-3) * side.sign)

    stage.at(1)

    assert (target.status, stop.status) == (AlgoStatus.FINISHED, AlgoStatus.REJECTED)
    assert stage.held() == 0


@SIDES
def test_two_stops_of_half_each_close_the_whole_in_one_instant(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side, -2_000)
    half = an_algo(
        opposite(side), "STOP_MARKET", trigger_price=away(side, -1_000), quantity=D("0.005")
    )
    stops = [stage.exchange.place_algo(half) for _ in range(2)]

    stage.at(1)

    assert {one.status for one in stops} == {AlgoStatus.FINISHED}
    assert stage.held() == 0


@SIDES
def test_a_reduce_only_stop_wider_than_the_position_shrinks_to_it(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side, -2_000)
    stop = stage.exchange.place_algo(
        an_algo(
            opposite(side), "STOP_MARKET", trigger_price=away(side, -1_000), quantity=D("0.05")
        )
    )  # fmt: skip

    stage.at(1)

    order = stage.exchange.books.orders[stop.actual_order_id]
    assert (order.quantity, order.status) == (D("0.01"), OrderStatus.FILLED)
    assert stage.held() == 0


@SIDES
def test_a_stop_that_is_not_reduce_only_turns_the_position(tmp_path: Path, side: OrderSide) -> None:
    stage = a_held_position(tmp_path, side, -2_000)
    stage.exchange.place_algo(
        an_algo(
            opposite(side), "STOP_MARKET", trigger_price=away(side, -1_000), quantity=D("0.03"),
            reduce_only=False,
        )
    )  # fmt: skip

    stage.at(1)

    assert stage.held() == side.sign * D("-0.02")


@SIDES
@pytest.mark.parametrize("kind", ["STOP_MARKET", TRAILING])
def test_in_hedge_mode_both_sides_are_protected_each_by_its_own(
    tmp_path: Path, side: OrderSide, kind: str
) -> None:
    stage = a_stage(tmp_path, 100_000, 100_000 - 2_000 * side.sign)
    exchange = stage.exchange
    modes.set_hedge_mode(exchange.books, hedge_mode=True)
    sides = {OrderSide.BUY: PositionSide.LONG, OrderSide.SELL: PositionSide.SHORT}
    for one, held in sides.items():
        exchange.place_order(a_market_order(one, position_side=held))
        price = {"callback_rate": D(1)}
        if kind == "STOP_MARKET":
            price = {"trigger_price": D(100_000 - 1_000 * one.sign)}
        exchange.place_algo(
            an_algo(
                opposite(one), kind, position_side=held, reduce_only=False, quantity=D("0.02"),
                **price,
            )
        )  # fmt: skip

    stage.at(1)

    assert stage.held(sides[side]) == 0
    assert abs(stage.held(sides[opposite(side)])) == D("0.01")
    with pytest.raises(RefusedError, match=Reason.REDUCE_ONLY_IN_HEDGE_MODE):
        exchange.place_algo(
            an_algo(opposite(side), kind, position_side=sides[side], callback_rate=D(1))
        )


@SIDES
def test_close_position_in_hedge_mode_closes_its_side_whole(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_stage(tmp_path, 100_000, 100_000 - 2_000 * side.sign)
    exchange = stage.exchange
    modes.set_hedge_mode(exchange.books, hedge_mode=True)
    held = PositionSide.LONG if side is OrderSide.BUY else PositionSide.SHORT
    exchange.place_order(a_market_order(side, position_side=held))
    exchange.place_algo(
        an_algo(
            opposite(side), "STOP_MARKET", position_side=held, reduce_only=False,
            close_position=True, quantity=D(0), trigger_price=away(side, -1_000),
        )
    )  # fmt: skip
    exchange.place_order(a_market_order(side, "0.02", position_side=held))

    stage.at(1)

    assert stage.held(held) == 0
