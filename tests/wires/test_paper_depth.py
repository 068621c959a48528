"""Liquidity with an end: the book, what walks it, and what fills only in parts."""

from itertools import pairwise
from pathlib import Path

import pytest
from tests.wires.scripted import (
    BTC,
    SIDES,
    START_S,
    D,
    Stage,
    a_limit_order,
    a_market_order,
    a_stage,
    an_algo,
    opposite,
)

from local.paper.core.books import Event, OrderChanged
from local.paper.core.records import OrderSide, OrderStatus
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.scripts import Part
from local.paper.market.depth import LEVELS, SLOT_MS, update_id
from local.paper.market.instruments import by_symbol
from local.paper.market.market import GeneratedMarket
from local.paper.market.quotes import Quotes

NOW_MS = START_S * 1000 + 12_345


def a_thin_stage(directory: Path, *prices: int, factor: str = "0.01") -> Stage:
    stage = a_stage(directory, *prices)
    stage.exchange.scripts.set_liquidity(BTC, D(factor))
    return stage


def test_the_book_is_the_same_however_often_and_whenever_it_is_asked() -> None:
    market = GeneratedMarket((by_symbol(BTC),), 7)
    one, other = Quotes(market, seed=7), Quotes(market, seed=7)
    other.book(BTC, NOW_MS - 60_000)

    assert one.book(BTC, NOW_MS) == other.book(BTC, NOW_MS)
    assert one.book(BTC, NOW_MS) != Quotes(market, seed=8).book(BTC, NOW_MS)


def test_prices_leave_the_middle_level_by_level_and_every_level_holds_something() -> None:
    quotes = Quotes(GeneratedMarket((by_symbol(BTC),), 7), seed=7)
    book, quote = quotes.book(BTC, NOW_MS), quotes.quote(BTC, NOW_MS // SLOT_MS * SLOT_MS)
    tick = quotes.instruments[BTC].tick

    assert len(book.bids) == len(book.asks) == LEVELS
    assert (book.bids[0][0] * tick, book.asks[0][0] * tick) == (quote.bid, quote.ask)
    assert all(one[0] > after[0] for one, after in pairwise(book.bids))
    assert all(one[0] < after[0] for one, after in pairwise(book.asks))
    assert min(size for _, size in book.bids + book.asks) > 0
    ends = [sum(size for _, size in book.asks[cut]) for cut in (slice(10), slice(-10, None))]
    assert ends[1] > 3 * ends[0]
    assert book.bids[:5] == quotes.book(BTC, NOW_MS, 5).bids


def test_update_ids_rise_with_time_by_the_same_step() -> None:
    ids = [update_id(NOW_MS + 100 * place) for place in range(5)]

    assert {after - one for one, after in pairwise(ids)} == {ids[1] - ids[0]}
    assert ids[1] > ids[0]


@SIDES
def test_a_large_market_order_walks_the_book_and_pays_for_it(
    tmp_path: Path, side: OrderSide
) -> None:
    exchange = a_thin_stage(tmp_path, 100_000).exchange

    order = exchange.place_order(a_market_order(side, "0.1"))

    prices = [one.price for one in exchange.books.fills]
    assert order.status is OrderStatus.FILLED
    assert len(prices) > 3
    assert prices[0] == 100_000 + 2 * side.sign
    assert all(side.sign * (after - one) > 0 for one, after in pairwise(prices))
    assert side.sign * (order.average_price - prices[0]) > 0
    assert sum(one.quantity for one in exchange.books.fills) == D("0.1")


@SIDES
def test_a_market_order_too_large_for_the_book_expires_with_what_it_got(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_thin_stage(tmp_path, 100_000, factor="0.001")

    order = stage.exchange.place_order(a_market_order(side, "1.5"))

    assert order.status is OrderStatus.EXPIRED
    assert 0 < order.filled < D("1.5")
    assert stage.held() == side.sign * order.filled


@SIDES
def test_what_fits_the_best_level_is_one_fill(tmp_path: Path, side: OrderSide) -> None:
    exchange = a_stage(tmp_path, 100_000).exchange

    exchange.place_order(a_market_order(side, "0.5"))

    assert [one.price for one in exchange.books.fills] == [100_000 + 2 * side.sign]


@SIDES
def test_a_limit_order_takes_down_to_its_price_and_rests_with_what_is_left(
    tmp_path: Path, side: OrderSide
) -> None:
    exchange = a_thin_stage(tmp_path, 100_000).exchange
    limit = 100_000 + 6 * side.sign

    order = exchange.place_order(a_limit_order(side, limit, quantity=D("0.1")))
    now_or_never = exchange.place_order(
        a_limit_order(side, limit, quantity=D("0.1"), time_in_force="IOC")
    )

    assert {one.price for one in exchange.books.fills} == {
        100_000 + step * side.sign for step in (2, 4, 6)
    }
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert now_or_never.status is OrderStatus.EXPIRED
    assert 0 < now_or_never.filled == order.filled < D("0.1")
    with pytest.raises(RefusedError, match=Reason.FILL_OR_KILL):
        exchange.place_order(a_limit_order(side, limit, quantity=D("0.1"), time_in_force="FOK"))


@SIDES
def test_a_resting_order_fills_by_what_the_trades_bring(tmp_path: Path, side: OrderSide) -> None:
    limit = 100_000 - 500 * side.sign
    stage = a_thin_stage(tmp_path, 100_000, limit, limit, 100_000, limit, factor="0.02")
    order = stage.exchange.place_order(a_limit_order(side, limit, quantity=D("0.1")))

    filled = []
    for second in (1, 2, 3, 4):
        stage.at(second)
        filled.append(order.filled)

    assert 0 < filled[0] < filled[1] == filled[2] < filled[3] < D("0.1")
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert {one.price for one in stage.exchange.books.fills} == {limit}


@SIDES
def test_amending_to_what_is_filled_cancels_the_rest(tmp_path: Path, side: OrderSide) -> None:
    exchange = a_thin_stage(tmp_path, 100_000).exchange
    limit = D(100_000 + 6 * side.sign)
    order = exchange.place_order(a_limit_order(side, int(limit), quantity=D("0.1")))
    assert 0 < order.filled < D("0.1")
    got = order.filled

    exchange.amend_order(order, D("0.01"), limit)

    assert (order.status, order.filled) == (OrderStatus.CANCELED, got)


@SIDES
def test_one_trade_fills_the_better_priced_then_the_older_of_our_orders(
    tmp_path: Path, side: OrderSide
) -> None:
    limit = 100_000 - 500 * side.sign
    stage = a_thin_stage(tmp_path, 100_000, limit, factor="0.02")
    late = stage.exchange.place_order(a_limit_order(side, limit, quantity=D("0.1")))
    best = stage.exchange.place_order(
        a_limit_order(side, limit + side.sign, quantity=D("0.01"), client_order_id="best")
    )
    last = stage.exchange.place_order(a_limit_order(side, limit, quantity=D("0.1")))

    stage.at(1)

    assert best.status is OrderStatus.FILLED
    assert late.status is OrderStatus.PARTIALLY_FILLED
    assert last.status is OrderStatus.NEW


@SIDES
def test_a_script_lets_an_order_fill_in_parts_over_time(tmp_path: Path, side: OrderSide) -> None:
    stage = a_stage(tmp_path, 100_000, 100_100, 100_200)
    exchange = stage.exchange
    parts = (Part(percent=D(40), after_ms=0), Part(percent=D(60), after_ms=1_500))
    exchange.scripts.fill_in_parts(parts)
    told: list[Event] = []
    exchange.books.listener = told.append

    order = exchange.place_order(a_market_order(side, "0.015"))
    assert (order.status, order.filled) == (OrderStatus.PARTIALLY_FILLED, D("0.006"))
    stage.at(1)
    assert order.filled == D("0.006")
    stage.at(2)

    assert order.status is OrderStatus.FILLED
    assert [(one.price, one.time_ms) for one in exchange.books.fills] == [
        (D(100_000 + 2 * side.sign), START_S * 1000 + 900),
        (D(100_100 + 2 * side.sign), START_S * 1000 + 2_400),
    ]
    states = [one.order.filled for one in told if isinstance(one, OrderChanged)]
    assert states == [0, D("0.006"), D("0.015")]
    second = exchange.place_order(a_market_order(opposite(side), "0.015"))
    assert second.status is OrderStatus.FILLED


@SIDES
def test_parts_survive_a_kill_and_end_with_a_cancel(tmp_path: Path, side: OrderSide) -> None:
    parts = (Part(percent=D(40), after_ms=0), Part(percent=D(60), after_ms=1_500))
    stage = a_stage(tmp_path, 100_000)
    stage.exchange.scripts.fill_in_parts(parts, BTC)
    first = stage.exchange.place_order(a_market_order(side, "0.01"))

    back = a_stage(tmp_path, 100_000, second=5)
    books = back.at(5).books
    assert books.orders[first.order_id].status is OrderStatus.FILLED

    back.exchange.scripts.fill_in_parts(parts, "ETHUSDT")
    whole = back.exchange.place_order(a_market_order(opposite(side), "0.01"))
    assert whole.status is OrderStatus.FILLED
    back.exchange.scripts.fill_in_parts(parts, BTC)
    other = back.exchange.place_order(a_market_order(side, "0.01"))
    back.at(6)
    back.exchange.cancel_order(other)
    back.at(9)
    assert (other.status, other.filled) == (OrderStatus.CANCELED, D("0.004"))
    assert other.due == []
    assert back.held() == side.sign * D("0.004")


@SIDES
def test_what_parts_leave_of_a_market_order_expires(tmp_path: Path, side: OrderSide) -> None:
    exchange = a_stage(tmp_path, 100_000).exchange
    exchange.scripts.fill_in_parts((Part(percent=D(30), after_ms=0),))

    order = exchange.place_order(a_market_order(side, "0.01"))

    assert (order.status, order.filled) == (OrderStatus.EXPIRED, D("0.003"))


@SIDES
def test_a_part_never_opens_what_a_reduce_only_order_should_close(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_stage(tmp_path, 100_000)
    exchange = stage.exchange
    exchange.place_order(a_market_order(side, "0.01"))
    exchange.scripts.fill_in_parts(
        (Part(percent=D(40), after_ms=0), Part(percent=D(60), after_ms=1_500))
    )
    slow = exchange.place_order(a_market_order(opposite(side), "0.01", reduce_only=True))
    exchange.place_order(a_market_order(opposite(side), "0.006", reduce_only=True))

    stage.at(3)

    assert (slow.status, slow.filled) == (OrderStatus.EXPIRED, D("0.004"))
    assert stage.held() == 0


@SIDES
def test_a_fired_stop_in_a_thin_market_closes_what_it_can_and_expires(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_stage(tmp_path, 100_000, 100_000 - 1_000 * side.sign)
    exchange = stage.exchange
    exchange.place_order(a_market_order(side, "0.5"))
    algo = exchange.place_algo(
        an_algo(
            opposite(side), "STOP_MARKET", quantity=D("0.5"),
            trigger_price=D(100_000 - 500 * side.sign),
        )
    )  # fmt: skip
    exchange.scripts.set_liquidity(BTC, D("0.0001"))

    stage.at(1)

    order = exchange.books.orders[algo.actual_order_id]
    assert order.status is OrderStatus.EXPIRED
    assert 0 < order.filled < D("0.5")
    assert abs(stage.held()) == D("0.5") - order.filled


@pytest.mark.parametrize("percents", [(), (0,), (60, 41), (-1, 50)])
def test_parts_that_are_no_shares_of_a_whole_are_refused(
    tmp_path: Path, percents: tuple[int, ...]
) -> None:
    scripts = a_stage(tmp_path, 100_000).exchange.scripts

    with pytest.raises(ValueError, match="percents above 0"):
        scripts.fill_in_parts([Part(percent=D(one), after_ms=0) for one in percents])
