"""Conditional orders: stop, target and trailing stop, for both sides."""

from pathlib import Path

import pytest
from tests.wires.scripted import D, Stage, a_market_order, a_stage, an_algo

from local.paper.control import report
from local.paper.core import modes
from local.paper.core.books import AlgoChanged, Event
from local.paper.core.records import AlgoStatus, OrderSide, OrderStatus, PositionSide
from local.paper.core.refusals import Reason, RefusedError

SIDES = pytest.mark.parametrize("opening", [OrderSide.BUY, OrderSide.SELL])


def closing(opening: OrderSide) -> OrderSide:
    return OrderSide.SELL if opening is OrderSide.BUY else OrderSide.BUY


def a_held_position(directory: Path, opening: OrderSide, *moves: int) -> Stage:
    """A position at 100,000; moves are in the position's favour when positive."""
    stage = a_stage(directory, 100_000, *(100_000 + move * opening.sign for move in moves))
    stage.exchange.place_order(a_market_order(opening))
    return stage


@SIDES
@pytest.mark.parametrize(("kind", "move"), [("STOP_MARKET", -1_000), ("TAKE_PROFIT_MARKET", 1_000)])
def test_stop_and_target_fire_at_their_price_and_close_at_the_market(
    tmp_path: Path, opening: OrderSide, kind: str, move: int
) -> None:
    near = move // 1_000 * 999
    stage = a_held_position(tmp_path, opening, near, move)
    trigger = D(100_000 + move * opening.sign)
    algo = stage.exchange.place_algo(
        an_algo(closing(opening), kind, trigger_price=trigger, client_algo_id="exit")
    )

    stage.at(1)
    assert algo.is_open

    exchange = stage.at(2)
    order = exchange.books.orders[algo.actual_order_id]
    assert algo.status is AlgoStatus.FINISHED
    assert (order.client_order_id, order.status) == ("exit", OrderStatus.FILLED)
    assert order.average_price == trigger - opening.sign * 2
    assert stage.held() == 0


@SIDES
def test_a_trailing_stop_follows_the_best_price_and_fires_on_the_way_back(
    tmp_path: Path, opening: OrderSide
) -> None:
    stage = a_held_position(tmp_path, opening, 2_000, 1_050, 900)
    algo = stage.exchange.place_algo(
        an_algo(closing(opening), "TRAILING_STOP_MARKET", callback_rate=D(1))
    )

    stage.at(2)
    assert algo.is_open

    stage.at(3)
    assert algo.status is AlgoStatus.FINISHED
    assert algo.extreme == 100_000 + 2_000 * opening.sign


@SIDES
def test_a_trailing_stop_sleeps_until_its_activation_price(
    tmp_path: Path, opening: OrderSide
) -> None:
    stage = a_held_position(tmp_path, opening, -2_500, 1_000, -100)
    activate = D(100_000 + 900 * opening.sign)
    algo = stage.exchange.place_algo(
        an_algo(
            closing(opening), "TRAILING_STOP_MARKET", callback_rate=D(1), activate_price=activate
        )
    )

    stage.at(2)
    assert algo.is_open
    stage.at(3)
    assert algo.status is AlgoStatus.FINISHED


@SIDES
@pytest.mark.parametrize(("kind", "move"), [("STOP_MARKET", 1_000), ("TAKE_PROFIT_MARKET", -1_000)])
def test_a_trigger_on_the_wrong_side_of_the_market_is_refused(
    tmp_path: Path, opening: OrderSide, kind: str, move: int
) -> None:
    stage = a_held_position(tmp_path, opening)
    trigger = D(100_000 + move * opening.sign)

    with pytest.raises(RefusedError, match=Reason.WOULD_TRIGGER):
        stage.exchange.place_algo(an_algo(closing(opening), kind, trigger_price=trigger))


@SIDES
def test_a_stop_without_a_position_is_rejected_when_it_fires(
    tmp_path: Path, opening: OrderSide
) -> None:
    stage = a_stage(tmp_path, 100_000, 100_000 - 1_000 * opening.sign)
    trigger = D(100_000 - 500 * opening.sign)
    algo = stage.exchange.place_algo(
        an_algo(closing(opening), "STOP_MARKET", trigger_price=trigger)
    )

    stage.at(1)

    assert (algo.status, algo.failure) == (AlgoStatus.REJECTED, "reduce_only_rejected")
    assert not stage.exchange.books.orders


@SIDES
def test_a_stop_limit_rests_at_its_limit_once_it_fired(tmp_path: Path, opening: OrderSide) -> None:
    stage = a_held_position(tmp_path, opening, -1_000, -800)
    limit = D(100_000 - 800 * opening.sign)
    stop = an_algo(
        closing(opening), "STOP", trigger_price=D(100_000 - 900 * opening.sign), price=limit
    )
    algo = stage.exchange.place_algo(stop)

    stage.at(1)
    assert stage.exchange.books.orders[algo.actual_order_id].status is OrderStatus.NEW
    stage.at(2)
    assert stage.held() == 0
    assert stage.exchange.books.fills[-1].price == limit


@SIDES
def test_close_position_closes_whatever_is_held_and_exists_once(
    tmp_path: Path, opening: OrderSide
) -> None:
    stage = a_held_position(tmp_path, opening, -1_000)
    stop = an_algo(
        closing(opening), "STOP_MARKET", trigger_price=D(100_000 - 500 * opening.sign),
        quantity=D(0), reduce_only=False, close_position=True,
    )  # fmt: skip
    stage.exchange.place_order(a_market_order(opening, "0.02"))
    stage.exchange.place_algo(stop)

    with pytest.raises(RefusedError, match=Reason.CLOSE_POSITION_EXISTS):
        stage.exchange.place_algo(stop)
    stage.at(1)
    assert stage.held() == 0


@SIDES
def test_in_hedge_mode_a_stop_closes_its_own_side_only(tmp_path: Path, opening: OrderSide) -> None:
    stage = a_stage(tmp_path, 100_000, 100_000 - 1_000 * opening.sign)
    exchange = stage.exchange
    modes.set_hedge_mode(exchange.books, hedge_mode=True)
    exchange.place_order(a_market_order(OrderSide.BUY, position_side=PositionSide.LONG))
    exchange.place_order(a_market_order(OrderSide.SELL, position_side=PositionSide.SHORT))
    mine = PositionSide.LONG if opening is OrderSide.BUY else PositionSide.SHORT
    other = PositionSide.SHORT if opening is OrderSide.BUY else PositionSide.LONG
    exchange.place_algo(
        an_algo(
            closing(opening), "STOP_MARKET", trigger_price=D(100_000 - 500 * opening.sign),
            position_side=mine, reduce_only=False,
        )
    )  # fmt: skip

    stage.at(1)

    assert stage.held(mine) == 0
    assert abs(stage.held(other)) == D("0.01")


@SIDES
def test_a_position_counts_as_protected_when_live_stops_cover_all_of_it(
    tmp_path: Path, opening: OrderSide
) -> None:
    stage = a_held_position(tmp_path, opening)
    stop = D(100_000 - 500 * opening.sign)
    target = D(100_000 + 500 * opening.sign)
    exchange = stage.exchange
    half = an_algo(closing(opening), "STOP_MARKET", trigger_price=stop, quantity=D("0.005"))

    exchange.place_algo(an_algo(closing(opening), "TAKE_PROFIT_MARKET", trigger_price=target))
    exchange.place_algo(half)
    assert report(exchange)["positions"][0]["protected"] is False

    exchange.place_algo(half)
    books = report(exchange)
    held = "LONG" if opening is OrderSide.BUY else "SHORT"
    position = books["positions"][0]
    assert (position["side"], position["quantity"], position["protected"]) == (held, "0.01", True)
    assert {one["closes"] for one in books["open_algo_orders"]} == {held}
    assert books["open_algo_orders"][0]["type"] == "TAKE_PROFIT_MARKET"


def test_every_step_of_a_fired_order_is_told_in_order(tmp_path: Path) -> None:
    told: list[Event] = []
    stage = a_held_position(tmp_path, OrderSide.BUY, -1_000)
    stage.exchange.books.listener = told.append
    stage.exchange.place_algo(an_algo(OrderSide.SELL, "STOP_MARKET", trigger_price=D(99_500)))

    stage.at(1)

    steps = [one.status for one in told if isinstance(one, AlgoChanged)]
    assert steps == ["NEW", "TRIGGERING", "TRIGGERED", "FINISHED"]
