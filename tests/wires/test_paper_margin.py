"""Margin, liquidation, deleveraging and funding on the paper exchange, for both sides."""

from decimal import Decimal
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

from local.paper.control import report
from local.paper.core import margin, modes
from local.paper.core.books import AccountChanged, Event, OrderChanged
from local.paper.core.records import FillKind, IncomeKind, OrderSide, OrderStatus, PositionSide
from local.paper.core.refusals import Reason, RefusedError
from local.paper.market.brackets import BRACKETS, largest_value, maintenance

MODES = pytest.mark.parametrize("isolated", [False, True], ids=["cross", "isolated"])


def a_held_position(
    directory: Path,
    side: OrderSide,
    *moves: int,
    isolated: bool,
    quantity: str = "0.1",
    second: int = 0,
) -> Stage:
    """A position at 100,000 with 20x; moves are in its favour when positive."""
    prices = (100_000, *(100_000 + move * side.sign for move in moves))
    stage = a_stage(directory, *prices, second=second)
    if isolated:
        modes.set_isolated(stage.exchange.books, BTC, isolated=True)
    stage.exchange.place_order(a_market_order(side, quantity))
    return stage


def the_wallet_adds_up(stage: Stage) -> bool:
    books = stage.exchange.books
    fills = sum((one.realized - one.fee for one in books.fills), D(0))
    paid = sum((one.amount for one in books.incomes), D(0))
    return books.account.wallet == 10_000 + fills + paid


@SIDES
def test_isolated_margin_is_given_at_entry_and_released_as_the_position_closes(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side, isolated=True)
    exchange, position = stage.exchange, stage.exchange.books.position(BTC, PositionSide.BOTH)
    entry = 100_000 + 2 * side.sign

    assert position.margin == D("0.1") * entry / 20
    exchange.place_order(a_market_order(opposite(side), "0.04", reduce_only=True))
    assert position.margin == D("0.06") * entry / 20
    exchange.place_order(a_market_order(opposite(side), "0.1"))
    assert position.quantity == side.sign * D("-0.04")
    assert position.margin == D("0.04") * (100_000 - 2 * side.sign) / 20
    exchange.place_order(a_market_order(side, "0.04"))
    assert position.quantity == position.margin == 0
    assert the_wallet_adds_up(stage)


@SIDES
@MODES
def test_what_is_available_is_what_no_position_holds(
    tmp_path: Path, side: OrderSide, isolated: bool
) -> None:
    stage = a_held_position(tmp_path, side, isolated=isolated)
    books, exchange = stage.exchange.books, stage.exchange

    kept = D("0.1") * (100_000 + (2 * side.sign if isolated else 0)) / 20
    lost = D(0) if isolated else D("0.1") * 2

    assert exchange.available() == books.account.wallet - kept - lost


@SIDES
def test_a_position_is_liquidated_at_the_price_that_was_told_and_not_before(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side, isolated=True)
    books = stage.exchange.books
    price = stage.exchange.liquidation_price(books.position(BTC, PositionSide.BOTH))
    assert 0.044 < float(side.sign * (100_000 - price)) / 100_000 < 0.048

    near = int(side.sign * (price - 100_000)) + 10
    calm = a_held_position(tmp_path / "near", side, 0, near, isolated=True)
    calm.at(2)
    assert calm.held() == side.sign * D("0.1")
    over = a_held_position(tmp_path / "over", side, 0, near - 20, isolated=True)
    over.at(2)
    assert over.held() == 0


@SIDES
@MODES
def test_a_liquidation_closes_cancels_and_is_told_as_the_venues_own(
    tmp_path: Path, side: OrderSide, isolated: bool
) -> None:
    stage = a_held_position(tmp_path, side, -9_700, isolated=isolated, quantity="1")
    exchange = stage.exchange
    rest = exchange.place_order(a_limit_order(side, 100_000 - 50_000 * side.sign))
    far = D(100_000 - 40_000 * side.sign)
    stop = exchange.place_algo(an_algo(opposite(side), "STOP_MARKET", trigger_price=far))
    told: list[Event] = []
    exchange.books.listener = told.append

    stage.at(1)

    books = exchange.books
    assert stage.held() == 0
    assert rest.status is OrderStatus.EXPIRED
    assert not stop.is_open
    order = list(books.orders.values())[-1]
    assert order.client_order_id.startswith("autoclose-")
    assert (order.order_type, order.side, order.status) == (
        "LIQUIDATION", opposite(side), OrderStatus.FILLED,
    )  # fmt: skip
    closing = [one for one in books.fills if one.order_id == order.order_id]
    assert {one.kind for one in closing} == {FillKind.LIQUIDATION}
    assert sum(one.quantity for one in closing) == 1
    names = [one.order.client_order_id for one in told if isinstance(one, OrderChanged)]
    assert names.count(order.client_order_id) == 1 + len(closing)
    assert the_wallet_adds_up(stage)


@SIDES
def test_an_isolated_liquidation_costs_the_margin_and_the_fund_takes_the_rest(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side, -9_000, isolated=True)
    books = stage.exchange.books
    entry_fee, own = books.fills[0].fee, books.position(BTC, PositionSide.BOTH).margin

    stage.at(1)

    assert stage.held() == 0
    assert books.account.wallet == 10_000 - entry_fee - own
    assert books.account.insurance < 0
    assert [one.kind for one in books.incomes] == [IncomeKind.INSURANCE_CLEAR]
    assert the_wallet_adds_up(stage)


@SIDES
def test_a_cross_wallet_never_ends_below_zero(tmp_path: Path, side: OrderSide) -> None:
    stage = a_held_position(tmp_path, side, -15_000, isolated=False, quantity="1")

    stage.at(1)

    assert stage.held() == 0
    assert stage.exchange.books.account.wallet == 0
    assert stage.exchange.books.account.insurance < -4_000
    assert the_wallet_adds_up(stage)


@SIDES
def test_a_cross_position_lives_as_long_as_the_whole_wallet_lasts(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side, -8_000, -9_900, isolated=False, quantity="1")

    stage.at(1)
    assert stage.held() == side.sign * 1
    stage.at(2)
    assert stage.held() == 0
    assert stage.exchange.books.account.wallet == 0


@SIDES
def test_a_gentle_liquidation_pays_its_fee_as_far_as_margin_is_left(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side, -4_650, isolated=True)
    books = stage.exchange.books

    stage.at(1)

    assert stage.held() == 0
    assert books.account.insurance > 0
    assert -books.incomes[0].amount == books.account.insurance
    assert the_wallet_adds_up(stage)


@SIDES
def test_the_mark_price_liquidates_and_not_the_last_price(tmp_path: Path, side: OrderSide) -> None:
    stage = a_held_position(tmp_path, side, 0, -4_800, isolated=True)
    exchange = stage.exchange
    exchange.scripts.shift_mark(BTC, D(5) * side.sign)
    stage.at(2)
    assert stage.held() != 0

    exchange.scripts.shift_mark(BTC, D(0))
    stage.at(3)
    assert stage.held() == 0


def test_every_tier_joins_the_one_below_without_a_step() -> None:
    for one, after in pairwise(BRACKETS):
        below = one.cap * one.ratio - one.relief
        assert maintenance(BRACKETS, one.cap) == below == one.cap * after.ratio - after.relief
    assert maintenance(BRACKETS, D(300_000)) == 1_200
    assert largest_value(BRACKETS, 20) == 100_000_000


@SIDES
def test_a_position_larger_than_its_leverage_allows_is_refused(
    tmp_path: Path, side: OrderSide
) -> None:
    exchange = a_stage(tmp_path, 100_000).exchange
    exchange.books.account.wallet = D(100_000)
    modes.set_leverage(exchange.books, BTC, 125)

    with pytest.raises(RefusedError, match=Reason.POSITION_TOO_LARGE):
        exchange.place_order(a_market_order(side, "3.1"))
    exchange.place_order(a_market_order(side, "2.9"))


@SIDES
def test_isolated_margin_moves_both_ways_and_leverage_only_up(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side, isolated=True)
    exchange, position = stage.exchange, stage.exchange.books.position(BTC, PositionSide.BOTH)
    before, own = exchange.liquidation_price(position), position.margin

    modes.adjust_margin(exchange.books, position, D(100), exchange.mark_price)
    assert position.margin == own + 100
    assert side.sign * (exchange.liquidation_price(position) - before) < 0
    with pytest.raises(RefusedError, match=Reason.MARGIN_REDUCTION):
        modes.adjust_margin(exchange.books, position, D(-200), exchange.mark_price)
    with pytest.raises(RefusedError, match=Reason.MARGIN_INSUFFICIENT):
        modes.adjust_margin(exchange.books, position, D(10_000), exchange.mark_price)
    with pytest.raises(RefusedError, match=Reason.LEVERAGE_REDUCTION):
        modes.set_leverage(exchange.books, BTC, 10)
    modes.set_leverage(exchange.books, BTC, 50)


@SIDES
def test_deleveraging_takes_part_of_a_position_at_the_mark_price(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_held_position(tmp_path, side, 500, isolated=False)
    stage.at(1)

    order = stage.exchange.deleverage(BTC, percent=D(40))

    fill = stage.exchange.books.fills[-1]
    assert (order.client_order_id, fill.kind) == ("adl_autoclose", FillKind.DELEVERAGING)
    assert fill.price == 100_000 + 500 * side.sign
    assert fill.quantity == D("0.04")
    assert fill.fee == 0
    assert stage.held() == side.sign * D("0.06")
    assert the_wallet_adds_up(stage)


def test_the_venue_cannot_close_what_is_not_held(tmp_path: Path) -> None:
    exchange = a_stage(tmp_path, 100_000).exchange

    with pytest.raises(RefusedError, match=Reason.NO_POSITION):
        exchange.liquidate(BTC)


FUNDED_S = 1_700_006_400 - START_S  # 2023-11-15 00:00:00 UTC, on the scripted clock


@SIDES
@MODES
def test_funding_is_paid_once_every_eight_hours_by_the_side_the_rate_says(
    tmp_path: Path, side: OrderSide, isolated: bool
) -> None:
    stage = a_held_position(tmp_path, side, isolated=isolated, second=FUNDED_S - 9)
    books = stage.exchange.books
    own, wallet = books.position(BTC, PositionSide.BOTH).margin, books.account.wallet
    told: list[Event] = []
    books.listener = told.append

    stage.at(FUNDED_S - 2)
    assert not books.incomes
    stage.at(FUNDED_S + 60)

    rate = stage.exchange.quotes.funding_rate(BTC, (START_S + FUNDED_S) * 1000)
    assert rate != 0
    amount = -side.sign * D("0.1") * 100_000 * rate
    assert [(one.kind, one.amount, one.time_ms) for one in books.incomes] == [
        (IncomeKind.FUNDING_FEE, amount, (START_S + FUNDED_S) * 1000)
    ]
    assert books.account.wallet == wallet + amount
    position = books.position(BTC, PositionSide.BOTH)
    assert position.margin == (own + amount if isolated else 0)
    changes = [one for one in told if isinstance(one, AccountChanged)]
    assert [(one.reason, one.incomes) for one in changes] == [("FUNDING_FEE", tuple(books.incomes))]


def test_funding_is_paid_once_whatever_a_kill_comes_between(tmp_path: Path) -> None:
    stage = a_held_position(tmp_path, OrderSide.BUY, isolated=False, second=FUNDED_S - 9)
    stage.at(FUNDED_S)

    back = a_stage(tmp_path, 100_000, second=FUNDED_S + 5).at(FUNDED_S + 5)

    assert len(back.books.incomes) == 1
    assert back.books.account.wallet == stage.exchange.books.account.wallet


def test_funding_rates_stay_within_their_cap_and_differ_by_symbol_and_time(
    tmp_path: Path,
) -> None:
    quotes = a_stage(tmp_path, 100_000).exchange.quotes
    rates = [quotes.funding_rate(BTC, slot * 28_800_000) for slot in range(300)]

    assert max(abs(one) for one in rates) <= D("0.0003")
    assert len(set(rates)) > 290
    assert min(rates) < D("-0.0002")
    assert max(rates) > D("0.0002")
    assert quotes.funding_rate("ETHUSDT", 0) != rates[0]


@SIDES
@pytest.mark.parametrize("rate", [D("0.01"), D("-0.01")])
def test_funding_on_demand_charges_the_rate_that_is_asked(
    tmp_path: Path, side: OrderSide, rate: Decimal
) -> None:
    stage = a_held_position(tmp_path, side, isolated=False)

    stage.exchange.charge_funding(BTC, rate)
    stage.exchange.charge_funding("ETHUSDT", rate)

    assert [one.amount for one in stage.exchange.books.incomes] == [-side.sign * 10_000 * rate]


@SIDES
def test_hedged_sides_fund_each_other_and_are_liquidated_apart(
    tmp_path: Path, side: OrderSide
) -> None:
    stage = a_stage(tmp_path, 100_000, 100_000 - 5_000 * side.sign)
    exchange = stage.exchange
    modes.set_hedge_mode(exchange.books, hedge_mode=True)
    modes.set_isolated(exchange.books, BTC, isolated=True)
    mine = PositionSide.LONG if side is OrderSide.BUY else PositionSide.SHORT
    other = PositionSide.SHORT if side is OrderSide.BUY else PositionSide.LONG
    exchange.place_order(a_market_order(side, "0.1", position_side=mine))
    exchange.place_order(a_market_order(opposite(side), "0.1", position_side=other))

    exchange.charge_funding()
    assert sum(one.amount for one in exchange.books.incomes) == 0
    stage.at(1)

    assert stage.held(mine) == 0
    assert abs(stage.held(other)) == D("0.1")
    assert margin.cross_wallet(exchange.books) > 0


@SIDES
def test_the_books_tell_margins_and_payments(tmp_path: Path, side: OrderSide) -> None:
    stage = a_held_position(tmp_path, side, isolated=True)
    exchange = stage.exchange
    exchange.charge_funding(BTC, D("0.0001"))
    told = report(exchange)
    exchange.liquidate(BTC)
    after = report(exchange)

    own = D("0.1") * (100_000 + 2 * side.sign) / 20
    assert D(told["positions"][0]["margin"]) == own - side.sign
    assert [(one["kind"], D(one["amount"])) for one in told["incomes"]] == [
        ("FUNDING_FEE", D(-side.sign))
    ]
    assert [one["kind"] for one in after["incomes"]] == ["FUNDING_FEE", "INSURANCE_CLEAR"]
    assert D(after["insurance"]) == -D(after["incomes"][-1]["amount"])
