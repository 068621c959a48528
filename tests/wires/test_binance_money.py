"""Depth, funding, incomes, forced orders and key rights on Binance's paper wire."""

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.wires.binance_desk import Desk
from tests.wires.scripted import BTC, SIDES, START_S, D, a_limit_order, a_market_order

from local.paper.core.records import OrderSide
from local.paper.core.scripts import KeyPermissions
from local.paper.wire import Request

START_MS = START_S * 1000
EIGHT_HOURS_MS = 28_800_000


def a_desk(directory: Path, *prices: int) -> Desk:
    return Desk(directory, *(prices or (100_000,)), second=0)


def public(desk: Desk, path: str, query: str) -> Any:
    return desk.wire.answer(Request(method="GET", path=path, query=query)).body


def stream(desk: Desk, topic: str, start_ms: int, end_ms: int) -> list[dict[str, Any]]:
    return [json.loads(one) for one in desk.wire.market_events(topic, start_ms, end_ms)]


def private_frames(desk: Desk) -> list[dict[str, Any]]:
    """What a private socket hears from now on."""
    session = desk.session(f"/ws/{desk.listen_key().body['listenKey']}")
    heard: list[dict[str, Any]] = []
    desk.stage.exchange.books.listener = lambda event: heard.extend(
        json.loads(one) for one in session.told(event)
    )
    return heard


def applied(side: list[list[str]], changes: list[list[str]]) -> list[list[str]]:
    """A side of a book after changes, in the order of the snapshot's."""
    levels = {row[0]: row[1] for row in [*side, *changes]}
    there = [[price, size] for price, size in levels.items() if D(size)]
    falling = D(side[0][0]) > D(side[-1][0])
    return sorted(there, key=lambda row: D(row[0]), reverse=falling)


@pytest.mark.parametrize(("speed", "span_ms"), [("", 250), ("@100ms", 100), ("@500ms", 500)])
def test_a_snapshot_and_the_changes_after_it_make_the_later_book(
    tmp_path: Path, speed: str, span_ms: int
) -> None:
    desk = a_desk(tmp_path, 100_000, 100_050, 99_900, 99_990)
    before = public(desk, "/fapi/v1/depth", f"symbol={BTC}&limit=50")
    at_ms = desk.stage.now_ms()
    desk.stage.at(3)

    events = stream(desk, f"btcusdt@depth{speed}", at_ms - 1_000, desk.stage.now_ms())

    assert all(after["pu"] == one["u"] == after["U"] - 1 for one, after in pairwise(events))
    assert {after["E"] - one["E"] for one, after in pairwise(events)} == {span_ms}
    fresh = [one for one in events if one["u"] >= before["lastUpdateId"]]
    assert fresh[0]["U"] <= before["lastUpdateId"] + 1
    bids, asks = before["bids"], before["asks"]
    for one in fresh:
        bids, asks = applied(bids, one["b"]), applied(asks, one["a"])
    desk.stage.exchange.now_ms = lambda: events[-1]["E"]
    later = public(desk, "/fapi/v1/depth", f"symbol={BTC}&limit=1000")
    assert later["lastUpdateId"] == events[-1]["u"]
    assert (later["bids"], later["asks"]) == (bids, asks)
    assert later["bids"] != before["bids"]


def test_partial_depth_is_the_head_of_the_book_at_the_same_update(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    whole = public(desk, "/fapi/v1/depth", f"symbol={BTC}&limit=20")

    for levels in (5, 10, 20):
        now_ms = desk.stage.now_ms()
        (event,) = stream(desk, f"btcusdt@depth{levels}@100ms", now_ms - 99, now_ms)
        assert (event["b"], event["a"]) == (whole["bids"][:levels], whole["asks"][:levels])
        assert event["u"] == whole["lastUpdateId"]
    assert stream(desk, "btcusdt@depth7", now_ms - 1_000, now_ms) == []
    assert stream(desk, "btcusdt@depth@42ms", now_ms - 1_000, now_ms) == []


def test_a_depth_limit_the_venue_does_not_serve_is_refused(tmp_path: Path) -> None:
    answer = public(a_desk(tmp_path), "/fapi/v1/depth", f"symbol={BTC}&limit=7")

    assert answer == {"code": -4021, "msg": "Depth limit 7 is not valid."}


def test_the_best_offers_are_the_head_of_the_book(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    book = public(desk, "/fapi/v1/depth", f"symbol={BTC}&limit=5")

    best = public(desk, "/fapi/v1/ticker/bookTicker", f"symbol={BTC}")

    assert [best["bidPrice"], best["bidQty"]] == book["bids"][0]
    assert [best["askPrice"], best["askQty"]] == book["asks"][0]
    desk.stage.exchange.scripts.set_liquidity(BTC, D("0.1"))
    thin = public(desk, "/fapi/v1/depth", f"symbol={BTC}&limit=5")
    for row, before in zip(thin["bids"], book["bids"], strict=True):
        assert row[0] == before[0]
        assert 0 < D(row[1]) < D(before[1]) / 5
    best = public(desk, "/fapi/v1/ticker/bookTicker", f"symbol={BTC}")
    assert best["bidQty"] == thin["bids"][0][1]


@SIDES
def test_a_market_order_the_book_cannot_fill_expires_partly_executed(
    tmp_path: Path, side: OrderSide
) -> None:
    desk = a_desk(tmp_path)
    desk.stage.exchange.scripts.set_liquidity(BTC, D("0.001"))
    heard = private_frames(desk)

    answer = desk.signed(
        "POST", "/fapi/v1/order", symbol=BTC, side=side.value, type="MARKET", quantity="1.5",
        newOrderRespType="RESULT",
    ).body  # fmt: skip

    orders = [one["o"] for one in heard if one["e"] == "ORDER_TRADE_UPDATE"]
    assert answer["status"] == "EXPIRED"
    assert 0 < D(answer["executedQty"]) < D("1.5")
    assert {one["x"] for one in orders[1:-1]} == {"TRADE"}
    assert [orders[-1][name] for name in ("x", "X", "er")] == ["EXPIRED", "EXPIRED", "2"]
    filled = [D(one["z"]) for one in orders[1:-1]]
    assert all(one < after for one, after in pairwise(filled))
    assert filled[-1] == D(answer["executedQty"])


def test_the_rate_that_was_announced_is_the_rate_that_is_settled(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    told = public(desk, "/fapi/v1/premiumIndex", f"symbol={BTC}")
    settled_ms = told["nextFundingTime"]
    assert settled_ms % EIGHT_HOURS_MS == 0
    assert 0 < settled_ms - desk.stage.now_ms() <= EIGHT_HOURS_MS

    desk.stage.exchange.now_ms = lambda: settled_ms + 5
    rows = public(desk, "/fapi/v1/fundingRate", f"symbol={BTC}&limit=3")

    assert [one["fundingTime"] for one in rows] == [
        settled_ms - back * EIGHT_HOURS_MS for back in (2, 1, 0)
    ]
    assert rows[-1]["fundingRate"] == told["lastFundingRate"]
    since = public(desk, "/fapi/v1/fundingRate", f"symbol={BTC}&startTime={settled_ms - 1}")
    assert since == rows[-1:]


@SIDES
@pytest.mark.parametrize("margin", ["CROSSED", "ISOLATED"])
def test_funding_is_told_and_listed_with_an_id_of_its_own(
    tmp_path: Path, side: OrderSide, margin: str
) -> None:
    desk = a_desk(tmp_path)
    if margin == "ISOLATED":
        desk.signed("POST", "/fapi/v1/marginType", symbol=BTC, marginType=margin)
    desk.stage.exchange.place_order(a_market_order(side, "0.1"))
    heard = private_frames(desk)

    desk.stage.exchange.charge_funding(BTC, D("0.0002"))
    desk.stage.exchange.charge_funding(BTC, D("-0.0001"))

    amounts = [-2 * side.sign, side.sign]
    changes = [one["a"] for one in heard]
    assert [(one["m"], D(one["B"][0]["bc"])) for one in changes] == [
        ("FUNDING_FEE", D(amount)) for amount in amounts
    ]
    assert [len(one["P"]) for one in changes] == [int(margin == "ISOLATED")] * 2
    rows = desk.signed("GET", "/fapi/v1/income", incomeType="FUNDING_FEE").body
    assert [D(one["income"]) for one in rows] == amounts
    assert len({one["tranId"] for one in rows}) == 2
    assert {(one["asset"], one["symbol"], one["tradeId"]) for one in rows} == {("USDT", BTC, "")}


def test_incomes_add_up_to_the_wallet_and_come_in_pages(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, 100_000, 101_000)
    desk.stage.exchange.place_order(a_market_order(OrderSide.BUY, "0.1"))
    desk.stage.exchange.charge_funding(BTC, D("0.0002"))
    desk.stage.at(1).place_order(a_market_order(OrderSide.SELL, "0.1"))

    rows = desk.signed("GET", "/fapi/v1/income").body
    pages = [desk.signed("GET", "/fapi/v1/income", page=n, limit=3).body for n in (1, 2)]

    kinds = [one["incomeType"] for one in rows]
    assert sorted(kinds) == ["COMMISSION", "COMMISSION", "FUNDING_FEE", "REALIZED_PNL"]
    total = sum((D(one["income"]) for one in rows), D(0))
    assert desk.stage.exchange.books.account.wallet == 10_000 + total
    assert pages[0] + pages[1] == rows
    later = desk.signed("GET", "/fapi/v1/income", startTime=rows[-1]["time"]).body
    assert {one["time"] for one in later} == {rows[-1]["time"]}
    assert desk.signed("GET", "/fapi/v1/income", limit=1).body == rows[-1:]


@SIDES
@pytest.mark.parametrize(
    ("kind", "client_id"), [("LIQUIDATION", "autoclose-"), ("ADL", "adl_autoclose")]
)
def test_what_the_venue_closes_shows_as_its_own_order_everywhere(
    tmp_path: Path, side: OrderSide, kind: str, client_id: str
) -> None:
    desk = a_desk(tmp_path)
    exchange = desk.stage.exchange
    exchange.place_order(a_market_order(side, "0.1"))
    resting = exchange.place_order(a_limit_order(side, 100_000 - 9_000 * side.sign))
    heard = private_frames(desk)

    order = exchange.liquidate(BTC) if kind == "LIQUIDATION" else exchange.deleverage(BTC)

    frames = [one["o"] for one in heard if one["e"] == "ORDER_TRADE_UPDATE"]
    if kind == "LIQUIDATION":
        ended = frames.pop(0)
        assert (ended["i"], ended["x"], ended["er"]) == (resting.order_id, "EXPIRED", "5")
    assert [(one["x"], one["X"]) for one in frames] == [("NEW", "NEW"), ("CALCULATED", "FILLED")]
    assert {(one["o"], one["ot"]) for one in frames} == {("LIQUIDATION", "LIQUIDATION")}
    assert all(one["c"].startswith(client_id) for one in frames)
    rows = desk.signed("GET", "/fapi/v1/forceOrders", symbol=BTC, autoCloseType=kind).body
    assert [one["orderId"] for one in rows] == [order.order_id]
    assert (rows[0]["type"], rows[0]["status"]) == ("LIMIT", "FILLED")
    assert D(rows[0]["price"]) == order.average_price
    other = "ADL" if kind == "LIQUIDATION" else "LIQUIDATION"
    assert desk.signed("GET", "/fapi/v1/forceOrders", autoCloseType=other).body == []
    trades = desk.signed("GET", "/fapi/v1/userTrades", symbol=BTC).body
    assert trades[-1]["orderId"] == order.order_id


@SIDES
def test_an_isolated_position_shows_its_own_margin_and_liquidation_price(
    tmp_path: Path, side: OrderSide
) -> None:
    desk = a_desk(tmp_path)
    desk.signed("POST", "/fapi/v1/marginType", symbol=BTC, marginType="ISOLATED")
    desk.stage.exchange.place_order(a_market_order(side, "0.1"))

    (row,) = desk.signed("GET", "/fapi/v3/positionRisk").body
    account = desk.signed("GET", "/fapi/v3/account").body
    more = desk.signed("POST", "/fapi/v1/positionMargin", symbol=BTC, amount="50", type=1)
    (after,) = desk.signed("GET", "/fapi/v3/positionRisk").body

    own, profit = D(row["isolatedWallet"]), D(row["unRealizedProfit"])
    assert own == D("0.1") * (100_000 + 2 * side.sign) / 20
    assert D(row["isolatedMargin"]) == own + profit
    wallet = D(account["totalWalletBalance"])
    assert D(account["totalCrossWalletBalance"]) == wallet - own
    assert account["availableBalance"] == account["totalCrossWalletBalance"]
    assert more.body["code"] == 200
    assert D(after["isolatedWallet"]) == own + 50
    moved = D(after["liquidationPrice"]) - D(row["liquidationPrice"])
    assert side.sign * moved < 0
    taken = desk.signed("POST", "/fapi/v1/positionMargin", symbol=BTC, amount="400", type=2)
    assert taken.body["code"] == -4051


@SIDES
def test_the_margin_type_stays_while_anything_is_open(tmp_path: Path, side: OrderSide) -> None:
    desk = a_desk(tmp_path)
    exchange = desk.stage.exchange

    def changed(margin: str) -> int:
        body = desk.signed("POST", "/fapi/v1/marginType", symbol=BTC, marginType=margin).body
        return int(body["code"])

    resting = exchange.place_order(a_limit_order(side, 100_000 - 9_000 * side.sign))
    assert (changed("CROSSED"), changed("ISOLATED")) == (-4046, -4047)
    exchange.cancel_order(resting)
    exchange.place_order(a_market_order(side))
    assert changed("ISOLATED") == -4048
    exchange.liquidate(BTC)
    assert changed("ISOLATED") == 200


def test_the_mark_price_is_what_profit_and_streams_show(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    desk.stage.exchange.place_order(a_market_order(OrderSide.BUY, "0.1"))
    desk.stage.exchange.scripts.shift_mark(BTC, D(1))

    (row,) = desk.signed("GET", "/fapi/v3/positionRisk").body
    told = public(desk, "/fapi/v1/premiumIndex", f"symbol={BTC}")
    (event,) = stream(desk, "btcusdt@markPrice@1s", START_MS, START_MS)

    assert D(row["markPrice"]) == D(told["markPrice"]) == D(event["p"]) == 101_000
    assert D(told["indexPrice"]) == 100_000
    assert D(row["unRealizedProfit"]) == (101_000 - 100_002) * D("0.1")


@pytest.mark.parametrize("bound", [True, False])
def test_the_restrictions_of_the_key_are_told_and_kept(tmp_path: Path, bound: bool) -> None:
    desk = a_desk(tmp_path)
    path = "/sapi/v1/account/apiRestrictions"
    told = desk.signed("GET", path).body
    assert told["enableFutures"] is True
    assert told["enableWithdrawals"] is False

    desk.stage.exchange.scripts.key = KeyPermissions(
        can_trade=False, can_withdraw=True, is_address_bound=bound
    )
    told = desk.signed("GET", path).body
    order = desk.signed(
        "POST", "/fapi/v1/order", symbol=BTC, side="BUY", type="MARKET", quantity="0.01"
    )

    assert (told["enableFutures"], told["enableWithdrawals"]) == (False, True)
    assert told["ipRestrict"] is bound
    assert (order.status, order.body["code"]) == (401, -2015)
    assert desk.signed("GET", "/fapi/v3/balance").status == 200


def test_the_tiers_of_a_symbol_are_those_the_exchange_liquidates_by(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)

    (row,) = desk.signed("GET", "/fapi/v1/leverageBracket", symbol=BTC).body
    tiers = row["brackets"]

    assert [one["bracket"] for one in tiers] == list(range(1, len(tiers) + 1))
    assert all(one["notionalCap"] == after["notionalFloor"] for one, after in pairwise(tiers))
    first = Decimal(str(tiers[0]["maintMarginRatio"]))
    desk.stage.exchange.place_order(a_market_order(OrderSide.BUY, "0.1"))
    (position,) = desk.signed("GET", "/fapi/v3/positionRisk").body
    assert D(position["maintMargin"]) == 10_000 * first
