"""Bybit's wire without a socket: signatures, orders, lists, streams and refusals."""

import json
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from tests.wires.bybit_desk import Desk
from tests.wires.scripted import BTC, START_S

from local.paper.venues.bybit.shapes import uuid
from local.paper.wire import Request, Trouble

BOTH_SIDES = pytest.mark.parametrize(("opens", "closes"), [("Buy", "Sell"), ("Sell", "Buy")])
BOTH_MODES = pytest.mark.parametrize("hedge", [False, True], ids=["one-way", "hedge"])
WALLET = "account/wallet-balance"
UNIFIED = "accountType=UNIFIED"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def index(side: str, *, hedge: bool) -> int:
    """The position an order that opens with that side belongs to."""
    return {"Buy": 1, "Sell": 2}[side] if hedge else 0


# --- who asks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 0),
        ({"late_ms": 4_999}, 0),
        ({"late_ms": 5_001}, 10002),
        ({"late_ms": 900, "window_ms": 700}, 10002),
        ({"late_ms": -900}, 0),
        ({"late_ms": -1_100}, 10002),
        ({"secret": "wrong"}, 10004),
        ({"key": "wrong"}, 10003),
    ],
)
def test_a_request_needs_the_key_its_signature_and_the_right_time(
    desk: Desk, changes: dict[str, Any], code: int
) -> None:
    answer = desk.ask("GET", WALLET, UNIFIED, **changes)

    assert (answer.status, answer.body["retCode"]) == (200, code)
    assert "secret" not in answer.text


def test_a_body_other_than_the_signed_one_is_refused(desk: Desk) -> None:
    signed = Request(
        method="POST",
        path="/v5/order/create",
        body='{"qty":"9"}',
        headers={
            "x-bapi-api-key": "key",
            "x-bapi-timestamp": str(desk.stage.now_ms()),
            "x-bapi-sign": "00",
        },
    )

    assert desk.wire.answer(signed).body["retCode"] == 10004


def test_what_is_left_of_a_second_stands_in_the_headers(desk: Desk) -> None:
    left = [desk.ask("GET", WALLET, UNIFIED).headers["X-Bapi-Limit-Status"] for _ in range(2)]

    assert left == ["49", "48"]


# --- orders -------------------------------------------------------------------------------------


@BOTH_SIDES
@BOTH_MODES
def test_a_position_is_opened_and_closed(desk: Desk, opens: str, closes: str, hedge: bool) -> None:
    if hedge:
        desk.post("position/switch-mode", mode=3)
    place = index(opens, hedge=hedge)
    opened = desk.order(opens, orderLinkId="entry", positionIdx=place)
    held = desk.rows("position/list")
    closed = desk.order(closes, positionIdx=place, reduceOnly=True)
    flat = desk.rows("position/list")

    assert set(opened["result"]) == {"orderId", "orderLinkId"}
    assert {(row["side"], row["size"], row["positionIdx"]) for row in held if row["side"]} == {
        (opens, "0.1", place)
    }
    assert [row["positionIdx"] for row in held] == ([1, 2] if hedge else [0])
    assert closed["retCode"] == 0
    assert {row["side"] for row in flat} == {""}
    fills = desk.rows("execution/list")
    assert [(row["side"], row["closedSize"]) for row in fills] == [(closes, "0.1"), (opens, "0")]
    assert [row["orderLinkId"] for row in fills] == ["", "entry"]


@BOTH_SIDES
def test_a_fired_stop_keeps_its_id_and_its_link_id(opens: str, closes: str) -> None:
    step = -1 if opens == "Buy" else 1
    desk = Desk(*[10_000] * 6, 10_000 + 200 * step)
    desk.order(opens)
    placed = desk.order(
        closes, triggerPrice=str(10_000 + 100 * step), orderLinkId="stop", reduceOnly=True,
        triggerDirection=1 if step > 0 else 2,
    )["result"]  # fmt: skip
    waiting = desk.rows("order/realtime")
    desk.private()
    desk.stage.at(6)

    ended = desk.rows("order/history", orderLinkId="stop")
    assert [(row["orderStatus"], row["stopOrderType"]) for row in waiting] == [
        ("Untriggered", "Stop")
    ]
    assert [(row["orderId"], row["orderStatus"]) for row in ended] == [
        (placed["orderId"], "Filled")
    ]
    assert desk.rows("order/realtime") == []
    assert {row["orderId"] for row in desk.told("order")} == {placed["orderId"]}
    assert [row["orderStatus"] for row in desk.told("order")][-1] == "Filled"
    assert [row["orderId"] for row in desk.told("execution")] == [placed["orderId"]]
    (own,) = [one for one in desk.stage.exchange.books.orders.values() if one.parent_algo_id]
    assert desk.rows("order/realtime", orderId=uuid(own.order_id)) == []
    by_link = desk.rows("execution/list", orderLinkId="stop")
    assert [row["orderId"] for row in by_link] == [placed["orderId"]]


@BOTH_SIDES
def test_a_stop_that_finds_nothing_to_close_ends_without_a_trade(opens: str, closes: str) -> None:
    step = -1 if opens == "Buy" else 1
    desk = Desk(*[10_000] * 6, 10_000 + 200 * step)
    desk.order(opens)
    desk.order(
        closes, triggerPrice=str(10_000 + 100 * step), orderLinkId="stop", reduceOnly=True,
        triggerDirection=1 if step > 0 else 2,
    )  # fmt: skip
    desk.order(closes, reduceOnly=True)
    desk.stage.at(6)

    ended = desk.rows("order/history", orderLinkId="stop")
    assert [(row["orderStatus"], row["cancelType"]) for row in ended] == [
        ("Cancelled", "CancelByReduceOnly")
    ]


WAITING = {"triggerPrice": "9500", "triggerDirection": 2}


@pytest.mark.parametrize("first", [{}, {"orderType": "Limit", "price": "9000"}, WAITING])
@pytest.mark.parametrize("second", [{}, WAITING])
def test_a_link_id_is_good_for_one_order_for_ever(
    desk: Desk, first: dict[str, Any], second: dict[str, Any]
) -> None:
    desk.order("Buy", orderLinkId="once", **first)
    desk.post("order/cancel", orderLinkId="once")

    again = desk.order("Sell", orderLinkId="once", **second)

    assert again["retCode"] == 110072
    assert len(desk.rows("execution/list")) == (0 if first else 1)


def test_an_order_without_a_link_id_shows_none(desk: Desk) -> None:
    placed = desk.order("Buy", orderType="Limit", price="9000")["result"]

    rows = desk.rows("order/realtime")

    assert placed["orderLinkId"] == ""
    assert [row["orderLinkId"] for row in rows] == [""]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"price": "20000", "timeInForce": "PostOnly"}, "EC_PostOnlyWillTakeLiquidity"),
        ({"price": "9000", "timeInForce": "FOK"}, "EC_NoEnoughQtyToFill"),
        ({"price": "9000", "timeInForce": "IOC"}, "EC_NoImmediateQtyToFill"),
    ],
)
def test_what_may_neither_take_nor_rest_is_accepted_and_ends_at_once(
    desk: Desk, more: dict[str, Any], reason: str
) -> None:
    placed = desk.order("Buy", orderType="Limit", orderLinkId="o", **more)

    ended = desk.rows("order/realtime", orderLinkId="o")

    assert placed["retCode"] == 0
    assert [(row["orderStatus"], row["rejectReason"]) for row in ended] == [("Cancelled", reason)]
    assert desk.rows("order/realtime") == desk.rows("execution/list") == []


def test_an_amended_order_keeps_its_id(desk: Desk) -> None:
    placed = desk.order("Buy", orderType="Limit", price="9000")["result"]

    amended = desk.post("order/amend", orderId=placed["orderId"], qty="0.2", price="8900")

    row = desk.rows("order/realtime")[0]
    assert amended["result"]["orderId"] == placed["orderId"] == row["orderId"]
    assert (row["qty"], row["price"]) == ("0.2", "8900")


@BOTH_SIDES
def test_a_waiting_stop_can_be_moved_but_not_past_the_market(
    desk: Desk, opens: str, closes: str
) -> None:
    step = -1 if opens == "Buy" else 1
    desk.order(opens)
    placed = desk.order(
        closes, triggerPrice=str(10_000 + 100 * step), orderLinkId="stop", reduceOnly=True,
        triggerDirection=1 if step > 0 else 2,
    )["result"]  # fmt: skip
    desk.private()

    moved = desk.post("order/amend", orderLinkId="stop", triggerPrice=str(10_000 + 50 * step))
    passed = desk.post("order/amend", orderLinkId="stop", triggerPrice=str(10_000 - 50 * step))
    same = desk.post("order/amend", orderLinkId="stop", qty="0.1")

    (row,) = desk.rows("order/realtime")
    assert moved["result"]["orderId"] == placed["orderId"] == row["orderId"]
    assert (row["triggerPrice"], row["qty"]) == (str(10_000 + 50 * step), "0.1")
    assert passed["retCode"] == (110092 if step > 0 else 110093)
    assert same["retCode"] == 10001
    assert [each["triggerPrice"] for each in desk.told("order")] == [row["triggerPrice"]]


def test_cancelling_all_ends_both_kinds_unless_one_is_named(desk: Desk) -> None:
    desk.order("Buy", orderType="Limit", price="9000", orderLinkId="plain")
    desk.order("Buy", triggerPrice="11000", triggerDirection=1, orderLinkId="waiting")

    stops = desk.post("order/cancel-all", orderFilter="StopOrder")["result"]["list"]
    rest = desk.post("order/cancel-all")["result"]["list"]

    assert [row["orderLinkId"] for row in stops] == ["waiting"]
    assert [row["orderLinkId"] for row in rest] == ["plain"]
    for path, more in (("order/history", {}), ("order/realtime", {"openOnly": 1})):
        states = {row["orderLinkId"]: row["orderStatus"] for row in desk.rows(path, **more)}
        assert states == {"plain": "Cancelled", "waiting": "Deactivated"}


def test_lists_come_in_pages_newest_first(desk: Desk) -> None:
    names = [f"o{number}" for number in range(5)]
    for name in names:
        desk.order("Buy", orderType="Limit", price="9000", orderLinkId=name)
    seen: list[str] = []
    cursor = ""
    while True:
        page = desk.ask(
            "GET", "order/realtime", f"category=linear&settleCoin=USDT&limit=2&cursor={cursor}"
        ).body["result"]
        seen += [row["orderLinkId"] for row in page["list"]]
        cursor = page["nextPageCursor"]
        if not cursor:
            break

    assert seen == names[::-1]


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"qty": "0.10001"}, 10001),
        ({"qty": "0"}, 10001),
        ({"qty": "many"}, 10001),
        ({"qty": 1}, 10001),
        ({"qty": "0.001"}, 110094),
        ({"qty": "900"}, 110007),
        ({"symbol": "NOPEUSDT"}, 10001),
        ({"category": "spot"}, 10001),
        ({"side": "Hold"}, 10001),
        ({"orderType": "Stop"}, 10001),
        ({"orderType": "Limit"}, 10001),
        ({"orderType": "Limit", "price": "9000.01"}, 10001),
        ({"orderType": "Limit", "price": "-1"}, 110003),
        ({"orderType": "Limit", "price": "9000", "timeInForce": "NOW"}, 10001),
        ({"orderLinkId": "x" * 40}, 10001),
        ({"positionIdx": 1}, 10001),
        ({"positionIdx": 7}, 10001),
        ({"reduceOnly": True}, 110017),
        ({"reduceOnly": "true"}, 10001),
        ({"triggerPrice": "9000"}, 10001),
        ({"triggerPrice": "9000", "triggerDirection": 1}, 110092),
        ({"triggerPrice": "11000", "triggerDirection": 2}, 110093),
        ({"stopLoss": "9000"}, 10001),
        ({"trailingStop": "1"}, 10001),
    ],
)
def test_a_bad_order_gets_bybits_code_and_is_not_made(
    desk: Desk, more: dict[str, Any], code: int
) -> None:
    answer = desk.order("Buy", **more)

    assert (answer["retCode"], answer["result"]) == (code, {})
    assert desk.get("order/realtime", settleCoin="USDT")["result"]["list"] == []
    assert desk.rows("execution/list") == []


@pytest.mark.parametrize(
    ("path", "parameters", "code"),
    [
        ("order/cancel", {"orderLinkId": "never"}, 110001),
        ("order/amend", {"orderLinkId": "never", "qty": "1"}, 110001),
        ("order/cancel", {}, 10001),
        ("position/set-leverage", {"buyLeverage": "20", "sellLeverage": "20"}, 110043),
        ("position/set-leverage", {"buyLeverage": "500", "sellLeverage": "500"}, 110013),
        ("position/set-leverage", {"buyLeverage": "10", "sellLeverage": "20"}, 10001),
        ("position/switch-mode", {"mode": 0}, 110025),
        ("position/switch-mode", {"mode": 1}, 10001),
        ("order/nowhere", {}, 10017),
    ],
)
def test_other_refusals_carry_bybits_codes(
    desk: Desk, path: str, parameters: dict[str, Any], code: int
) -> None:
    assert desk.post(path, **parameters)["retCode"] == code


def test_the_modes_stand_while_something_is_open(desk: Desk) -> None:
    desk.order("Buy", orderType="Limit", price="9000")
    waiting = desk.post("position/switch-mode", mode=3)
    desk.post("order/cancel-all")
    desk.order("Buy")
    holding = desk.post("position/switch-mode", mode=3)
    isolated = desk.ask("POST", "account/set-margin-mode", '{"setMarginMode":"ISOLATED_MARGIN"}')

    assert waiting["retCode"] == 110028
    assert holding["retCode"] == 110024
    assert isolated.body["retCode"] == 3400045
    assert isolated.body["result"]["reasons"][0]["reasonCode"] == "3400101"


def test_isolated_margin_is_the_accounts_and_leaves_no_sums(desk: Desk) -> None:
    body = '{"setMarginMode":"ISOLATED_MARGIN"}'
    codes = [desk.ask("POST", "account/set-margin-mode", body).body["retCode"] for _ in range(2)]
    wallet = desk.ask("GET", WALLET, UNIFIED).body["result"]["list"][0]

    assert codes == [0, 0]
    assert desk.ask("GET", "account/info").body["result"]["marginMode"] == "ISOLATED_MARGIN"
    assert (wallet["totalAvailableBalance"], wallet["totalInitialMargin"]) == ("", "")
    assert wallet["coin"][0]["walletBalance"] == "10000"


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("market/tickers", "category=linear&page=2"),
        ("market/kline", "category=linear&symbol=BTCUSDT&interval=1s"),
        ("market/recent-trade", "category=linear&symbol=BTCUSDT&limit=1001"),
        ("market/tickers", "category=linear&category=linear"),
        ("market/tickers", "category=moon"),
    ],
)
def test_public_routes_refuse_what_they_do_not_read(desk: Desk, path: str, query: str) -> None:
    answer = desk.wire.answer(Request(method="GET", path=f"/v5/{path}", query=query))

    assert answer.body["retCode"] == 10001


def test_the_category_must_be_named(desk: Desk) -> None:
    assert desk.ask("GET", "position/list", "settleCoin=USDT").body["retCode"] == 10001


@pytest.mark.parametrize(
    "path", ["position/list", "order/realtime", "order/history", "execution/list"]
)
def test_of_other_categories_the_account_has_nothing(desk: Desk, path: str) -> None:
    desk.order("Buy")

    found = desk.ask("GET", path, "category=inverse").body

    assert (found["retCode"], found["result"]["list"]) == (0, [])


# --- streams ------------------------------------------------------------------------------------


def test_the_account_speaks_only_to_who_has_logged_in(desk: Desk) -> None:
    session = desk.private(secret="wrong")
    subscribed = json.loads(session.heard('{"op":"subscribe","args":["order"]}')[0])
    desk.order("Buy")

    assert (session.is_private, subscribed["success"], desk.heard) == (False, False, [])


def test_a_fill_is_told_as_execution_order_position_and_wallet(desk: Desk) -> None:
    private, public = desk.private(), desk.public()
    desk.order("Buy", orderLinkId="entry")

    assert (private.is_private, public.is_private) == (True, False)
    assert {one["topic"] for one in desk.heard} == {"order", "execution", "position", "wallet"}
    assert [row["orderStatus"] for row in desk.told("order")][-1] == "Filled"
    streamed, listed = desk.told("execution")[0], desk.rows("execution/list")[0]
    assert listed.items() <= streamed.items()
    assert desk.told("position")[-1]["size"] == "0.1"
    assert desk.told("wallet")[-1]["coin"][0]["totalPositionIM"] == "50"


def test_without_its_key_a_session_is_told_nothing_more(desk: Desk) -> None:
    private = desk.private()

    last = private.expired()
    desk.order("Buy")

    assert (list(last), desk.heard) == ([], [])


def test_pings_are_answered_in_the_words_of_each_line(desk: Desk) -> None:
    ping = '{"req_id":"7","op":"ping"}'

    public, private = (
        json.loads(session.heard(ping)[0]) for session in (desk.public(), desk.private())
    )

    assert (public["op"], public["ret_msg"]) == ("ping", "pong")
    assert (private["op"], private["req_id"]) == ("pong", "7")


def test_a_subscription_is_acknowledged_and_begins_with_a_snapshot(desk: Desk) -> None:
    session = desk.public()
    topics = [f"publicTrade.{BTC}", f"tickers.{BTC}", f"orderbook.50.{BTC}", f"kline.1.{BTC}"]

    first, *snapshots = session.heard(json.dumps({"op": "subscribe", "args": topics}))
    unknown = json.loads(session.heard('{"op":"subscribe","args":["tickers.NOPE"]}')[0])

    assert json.loads(first)["success"] is True
    assert [json.loads(one)["topic"] for one in snapshots] == [f"tickers.{BTC}"]
    assert session.topics == set(topics)
    assert unknown["success"] is False


def test_streamed_trades_are_the_listed_ones_however_time_is_cut(desk: Desk) -> None:
    topic, end_ms = f"publicTrade.{BTC}", desk.stage.now_ms()
    start_ms = end_ms - 4_000
    cuts = [start_ms, start_ms + 700, start_ms + 1_601, end_ms + 1]
    whole = desk.wire.market_events(topic, start_ms, end_ms)
    parts = [
        text
        for first, last in pairwise(cuts)
        for text in desk.wire.market_events(topic, first, last - 1)
    ]

    def keys(texts: Any) -> list[tuple[Any, ...]]:
        rows = [row for text in texts for row in json.loads(text)["data"]]
        return [(row["i"], row["T"], row["p"], row["v"], row["S"], row["seq"]) for row in rows]

    listed = [
        (row["execId"], int(row["time"]), row["price"], row["size"], row["side"], int(row["seq"]))
        for row in reversed(desk.rows("market/recent-trade", limit=4))
    ]
    assert keys(whole) == keys(parts) == listed
    assert len(listed) == 4


@pytest.mark.parametrize("depth", [50, 200])
def test_a_book_built_of_its_changes_is_the_book(depth: int) -> None:
    desk = Desk(10_000, 10_020, 9_990, 10_000, 10_010)
    topic, session = f"orderbook.{depth}.{BTC}", desk.public()
    session.heard(json.dumps({"op": "subscribe", "args": [topic]}))
    end_ms = desk.stage.now_ms()
    start_ms = end_ms - 4_000
    cuts = [*range(start_ms, end_ms, 130), end_ms + 1]
    sides: dict[str, dict[str, str]] = {"b": {}, "a": {}}
    kinds, updates = [], []
    for first, last in pairwise(cuts):
        for text in desk.wire.market_events(topic, first, last - 1):
            message = json.loads(session.framed(topic, text))
            kinds.append(message["type"])
            updates.append(message["data"]["u"])
            for side, book in sides.items():
                book |= dict(message["data"][side])
                sides[side] = {price: size for price, size in book.items() if Decimal(size)}

    whole = desk.get("market/orderbook", symbol=BTC, limit=depth)["result"]
    assert kinds == ["snapshot"] + ["delta"] * (len(cuts) - 2)
    assert updates == sorted(set(updates))
    assert updates[-1] == whole["u"]
    assert sides == {side: dict(whole[side]) for side in sides}


# --- trouble ------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", list(Trouble))
def test_every_trouble_has_words(desk: Desk, trouble: Trouble) -> None:
    answer = desk.wire.troubled(trouble, until_ms=desk.stage.now_ms() + 1_000)

    assert answer.raw or answer.body["time"] == desk.stage.now_ms()
    assert (trouble is Trouble.NO_SUCH_ORDER) == (not answer.raw and answer.body["retCode"] == 0)


def test_a_refusal_of_choice_stands_where_bybit_puts_it(desk: Desk) -> None:
    body = desk.wire.rejected("110090", "too large").body

    assert (body["retCode"], body["retMsg"], body["result"]) == (110090, "too large", {})


# --- what the venue does itself -----------------------------------------------------------------


@BOTH_SIDES
def test_funding_is_an_execution_in_the_list_and_in_the_stream(opens: str, closes: str) -> None:
    to_settlement = -START_S % 28_800
    desk = Desk(second=to_settlement - 2)
    desk.order(opens)
    desk.private()
    wallet = desk.stage.exchange.books.account.wallet
    desk.stage.at(to_settlement + 1)

    (listed,) = desk.rows("execution/list", execType="Funding")
    (streamed,) = [row for row in desk.told("execution") if row["execType"] == "Funding"]
    paid = Decimal(listed["execFee"])
    rate = Decimal(listed["feeRate"])
    sign = 1 if opens == "Buy" else -1
    assert listed.items() <= streamed.items()
    assert desk.stage.exchange.books.account.wallet == wallet - paid
    assert paid == pytest.approx(Decimal(listed["execValue"]) * rate * sign)
    assert rate != 0
    assert int(listed["execTime"]) == (START_S + to_settlement) * 1000


@pytest.mark.parametrize(("opens", "crash"), [("Buy", 9_000), ("Sell", 11_000)])
def test_a_liquidation_is_told_as_what_it_is(opens: str, crash: int) -> None:
    desk = Desk(*[10_000] * 6, crash)
    desk.order(opens, qty="15")
    desk.private()
    desk.stage.at(7)

    kinds = {row["execType"] for row in desk.rows("execution/list", limit=100)}
    bust = [row for row in desk.told("execution") if row["execType"] == "BustTrade"]
    assert "BustTrade" in kinds
    assert {(row["orderLinkId"], row["side"], row["createType"]) for row in bust} == {
        ("", "Sell" if opens == "Buy" else "Buy", "CreateByLiq")
    }
    assert all(Decimal(row["closedSize"]) == Decimal(row["execQty"]) for row in bust)
    assert desk.rows("position/list")[0]["size"] == "0"
