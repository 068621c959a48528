"""A spot exchange on Binance's wire: balances, locks, fees, filters and replacements."""

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.wires.scripted import BTC
from tests.wires.spot_desk import KEY, Desk

from local.paper.control import report
from local.paper.core.scripts import KeyPermissions, Part
from local.paper.faults.books import act
from local.paper.faults.plan import Fault
from local.paper.faults.rules import read_rule
from local.paper.venues.binance_spot.sessions import SUBSCRIBE, ApiSession, MarketSession
from local.paper.wire import Answer, Request

D = Decimal
RESPONSES = Path(__file__).parents[3] / "shared/data/venue_responses/binance"
STOP = {"kind": "STOP_LOSS", "newClientOrderId": "stop"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def code(answer: Answer) -> tuple[int, str]:
    return answer.body["code"], answer.body["msg"]


def test_a_purchase_pays_its_fee_in_what_it_bought(desk: Desk) -> None:
    row = desk.order("BUY").body

    free = desk.balances()
    assert (row["status"], row["executedQty"]) == ("FILLED", "1.00000000")
    assert {fill["commissionAsset"] for fill in row["fills"]} == {"BTC"}
    assert free["BTC"] == (D("0.999"), D(0))
    assert free["USDT"] == (10_000 - D(row["cummulativeQuoteQty"]), D(0))


def test_a_sale_pays_its_fee_in_what_it_got(desk: Desk) -> None:
    desk.order("BUY", quantity="2")
    before = desk.balances()["USDT"][0]

    row = desk.order("SELL").body

    got = D(row["cummulativeQuoteQty"])
    assert {fill["commissionAsset"] for fill in row["fills"]} == {"USDT"}
    assert desk.balances()["USDT"][0] == before + got - sum(
        D(fill["commission"]) for fill in row["fills"]
    )
    assert desk.balances()["BTC"] == (D("0.998"), D(0))


def test_fees_are_taken_from_bnb_once_that_is_wanted(desk: Desk) -> None:
    desk.order("BUY", symbol="BNBUSDT", quantity="2")
    assert desk.signed("POST", "/sapi/v1/bnbBurn", spotBNBBurn="true").body["spotBNBBurn"]
    bnb = desk.balances()["BNB"][0]

    row = desk.order("BUY").body

    fees = sum((D(fill["commission"]) for fill in row["fills"]), D(0))
    assert {fill["commissionAsset"] for fill in row["fills"]} == {"BNB"}
    assert fees == pytest.approx(100 * D("0.00075") / 10, rel=D("0.01"))
    assert desk.balances()["BNB"][0] == bnb - fees
    assert desk.balances()["BTC"][0] == 1


@pytest.mark.parametrize("side", ["BUY", "SELL"])
def test_what_waits_is_locked_and_freed_by_a_cancel(desk: Desk, side: str) -> None:
    desk.order("BUY", quantity="2")
    asset, locked = ("USDT", D(90)) if side == "BUY" else ("BTC", D(1))
    price = "90" if side == "BUY" else "110"
    before = desk.balances()[asset][0]

    placed = desk.order(side, "LIMIT", price=price, timeInForce="GTC", newClientOrderId="rest")
    during = desk.balances()[asset]
    ended = desk.signed("DELETE", "/api/v3/order", symbol=BTC, origClientOrderId="rest").body

    assert placed.body["status"] == "NEW"
    assert during == (before - locked, locked)
    assert (ended["status"], ended["origClientOrderId"]) == ("CANCELED", "rest")
    assert ended["clientOrderId"] != "rest"
    assert desk.balances()[asset] == (before, D(0))


def test_a_second_sale_of_the_same_balance_is_refused(desk: Desk) -> None:
    desk.order("BUY", quantity="1.5")

    stop = desk.order("SELL", stopPrice="90", **STOP)
    twice = desk.order("SELL", "TAKE_PROFIT", stopPrice="110")
    market = desk.order("SELL")

    assert stop.status == 200
    for refused in (twice, market):
        assert code(refused) == (-2010, "Account has insufficient balance for requested action.")


@pytest.mark.parametrize(
    ("kind", "trigger", "prices", "fires"),
    [
        ("STOP_LOSS", "95", (100, 96, 95), True),
        ("STOP_LOSS", "95", (100, 96, 97), False),
        ("TAKE_PROFIT", "105", (100, 104, 105), True),
        ("TAKE_PROFIT", "105", (100, 104, 103), False),
    ],
)
def test_what_waits_for_a_price_fires_there_and_keeps_its_id(
    tmp_path: Path, kind: str, trigger: str, prices: tuple[int, ...], fires: bool
) -> None:
    desk = Desk(tmp_path, *prices, second=0)
    desk.order("BUY", quantity="2")
    placed = desk.order("SELL", kind, stopPrice=trigger, newClientOrderId="exit").body

    desk.at(2)
    found = desk.signed("GET", "/api/v3/order", symbol=BTC, origClientOrderId="exit").body

    assert (found["status"], found["type"]) == ("FILLED" if fires else "NEW", kind)
    assert found["orderId"] == placed["orderId"]
    assert found["isWorking"] is fires
    trades = desk.signed("GET", "/api/v3/myTrades", symbol=BTC, orderId=placed["orderId"]).body
    assert sum(D(trade["qty"]) for trade in trades) == (1 if fires else 0)


def test_a_stop_that_waits_to_buy_locks_quote_and_fires_upwards(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 100, 104, 106, second=0)
    desk.order("BUY", "STOP_LOSS", stopPrice="105")
    locked = desk.balances()["USDT"][1]

    desk.at(2)

    assert locked == 105
    assert desk.balances()["BTC"] == (D("0.999"), D(0))


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"quantity": "0.000001"}, (-1013, "Filter failure: LOT_SIZE")),
        ({"quantity": "1.000001"}, (-1013, "Filter failure: LOT_SIZE")),
        ({"quantity": "9999999"}, (-1013, "Filter failure: LOT_SIZE")),
        ({"quantity": "0.01"}, (-1013, "Filter failure: NOTIONAL")),
        ({"quantity": "101"}, (-2010, "Account has insufficient balance for requested action.")),
        ({"symbol": "NOPE"}, (-1121, "Invalid symbol.")),
        ({"newClientOrderId": "ä"}, (-1100, None)),
        ({"reduceOnly": "true"}, (-1104, None)),
        ({"positionSide": "LONG"}, (-1104, None)),
        ({"stopPrice": "90"}, (-1106, None)),
        ({"quoteOrderQty": "50"}, (-1106, None)),
        ({"kind": "LIMIT", "price": "99.999", "timeInForce": "GTC"},
         (-1013, "Filter failure: PRICE_FILTER")),
        ({"kind": "LIMIT", "price": "99"}, (-1102, None)),
        ({"kind": "LIMIT_MAKER", "price": "101"},
         (-2010, "Order would immediately match and take.")),
        ({"kind": "STOP_LOSS"}, (-1102, None)),
        ({"kind": "STOP_LOSS", "stopPrice": "99"},
         (-2010, "Stop price would trigger immediately.")),
        ({"kind": "STOP_MARKET", "stopPrice": "101"}, (-1116, None)),
    ],
)  # fmt: skip
def test_what_the_venue_refuses_is_refused_in_its_words_and_nothing_happens(
    desk: Desk, more: dict[str, Any], expected: tuple[int, str | None]
) -> None:
    before = desk.balances()

    refused = desk.order("BUY", **more)

    number, words = expected
    assert refused.status == 400
    assert refused.body["code"] == number
    assert words in (None, refused.body["msg"])
    assert desk.balances() == before
    assert desk.exchange.books.orders == {}


def test_an_open_client_id_is_a_duplicate_and_an_ended_one_is_not(desk: Desk) -> None:
    resting = {"price": "90", "timeInForce": "GTC", "newClientOrderId": "same"}
    desk.order("BUY", "LIMIT", **resting)

    refused = desk.order("BUY", "LIMIT", **resting)
    desk.signed("DELETE", "/api/v3/openOrders", symbol=BTC)
    again = desk.order("BUY", "LIMIT", **resting)

    assert code(refused) == (-2010, "Duplicate order sent.")
    assert again.status == 200


def test_only_five_orders_of_a_symbol_may_wait_for_a_price(desk: Desk) -> None:
    desk.order("BUY", quantity="10")
    answers = [desk.order("SELL", "STOP_LOSS", stopPrice="90") for _ in range(6)]

    assert [answer.status for answer in answers] == [200] * 5 + [400]
    assert code(answers[-1]) == (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS")


# --- replacing --------------------------------------------------------------------------------


def replaced(desk: Desk, **more: object) -> Answer:
    """Cancel the stop and sell 1 BTC."""
    fields = {
        "symbol": BTC, "side": "SELL", "type": "MARKET", "quantity": "1",
        "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrigClientOrderId": "stop",
    } | more  # fmt: skip
    return desk.signed("POST", "/api/v3/order/cancelReplace", **fields)


@pytest.fixture
def stopped(desk: Desk) -> Desk:
    """All of 1.998 BTC waits for a stop."""
    desk.order("BUY", quantity="2")
    assert desk.order("SELL", quantity="1.998", stopPrice="90", **STOP).status == 200
    return desk


def test_a_replacement_cancels_and_sells_in_one_request(stopped: Desk) -> None:
    answer = replaced(stopped, quantity="1.998", newClientOrderId="close")

    assert answer.status == 200
    assert (answer.body["cancelResult"], answer.body["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert answer.body["cancelResponse"]["origClientOrderId"] == "stop"
    assert answer.body["newOrderResponse"]["status"] == "FILLED"
    assert "BTC" not in stopped.balances()


def test_a_replacement_of_nothing_sells_nothing(stopped: Desk) -> None:
    answer = replaced(stopped, cancelOrigClientOrderId="nope")

    assert (answer.status, answer.body["code"]) == (400, -2022)
    assert answer.body["data"]["newOrderResult"] == "NOT_ATTEMPTED"
    assert answer.body["data"]["cancelResponse"]["code"] == -2011
    assert stopped.balances()["BTC"] == (D(0), D("1.998"))


def test_a_replacement_whose_order_is_refused_leaves_the_cancel(stopped: Desk) -> None:
    answer = replaced(stopped, quantity="5")

    assert (answer.status, answer.body["code"]) == (409, -2021)
    data = answer.body["data"]
    assert (data["cancelResult"], data["newOrderResult"]) == ("SUCCESS", "FAILURE")
    assert data["newOrderResponse"]["code"] == -2010
    assert stopped.balances()["BTC"] == (D("1.998"), D(0))


def test_where_failures_are_allowed_the_order_is_tried_in_any_case(stopped: Desk) -> None:
    stopped.order("BUY")
    loose = {"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrigClientOrderId": "nope"}

    sold = replaced(stopped, quantity="0.5", **loose)
    nothing = replaced(stopped, quantity="5", **loose)

    assert (sold.status, sold.body["code"]) == (409, -2021)
    assert sold.body["data"]["newOrderResponse"]["status"] == "FILLED"
    assert (nothing.status, nothing.body["code"]) == (400, -2022)
    assert nothing.body["data"]["newOrderResult"] == "FAILURE"


# --- what lasts, and what is told -------------------------------------------------------------


def test_a_restarted_exchange_keeps_balances_orders_and_fires_what_was_passed(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, 100, 100, 94, second=0)
    desk.order("BUY", quantity="2")
    desk.order("SELL", stopPrice="95", **STOP)
    before = desk.balances()

    again = Desk(tmp_path, 100, 100, 94, second=0)
    assert again.balances() == before
    again.at(2)

    found = again.signed("GET", "/api/v3/order", symbol=BTC, origClientOrderId="stop").body
    assert found["status"] == "FILLED"


def test_an_order_may_execute_in_parts_and_locks_what_is_left(tmp_path: Path) -> None:
    desk = Desk(tmp_path, second=0)
    desk.order("BUY", quantity="2")
    desk.exchange.scripts.fill_in_parts([Part(percent=D(40), after_ms=0),
                                         Part(percent=D(60), after_ms=2_000)])  # fmt: skip

    first = desk.order("SELL", newOrderRespType="RESULT").body
    during = desk.balances()["BTC"]
    desk.at(3)

    assert (first["status"], first["executedQty"]) == ("PARTIALLY_FILLED", "0.40000000")
    assert during == (D("0.998"), D("0.6"))
    assert desk.balances()["BTC"] == (D("0.998"), D(0))


def test_what_parts_leave_of_an_immediate_order_expires(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 100)
    desk.exchange.scripts.fill_in_parts([Part(percent=D(40), after_ms=0)])

    made = desk.order("BUY", "LIMIT", price="100.1", timeInForce="IOC").body

    assert (made["status"], D(made["executedQty"])) == ("EXPIRED", D("0.4"))


def test_the_account_is_told_of_orders_fills_cancels_and_balances(desk: Desk) -> None:
    heard = desk.told(desk.subscribed())

    desk.order("BUY", quantity="2", newClientOrderId="entry")
    desk.order("SELL", stopPrice="90", **STOP)
    desk.signed("DELETE", "/api/v3/order", symbol=BTC, origClientOrderId="stop")

    reports = [one for one in heard if one["e"] == "executionReport"]
    assert [(one["x"], one["X"]) for one in reports[:1] + reports[-2:]] == [
        ("NEW", "NEW"), ("NEW", "NEW"), ("CANCELED", "CANCELED"),
    ]  # fmt: skip
    filled = [one for one in reports if one["x"] == "TRADE"][-1]
    assert (filled["c"], filled["X"], filled["N"]) == ("entry", "FILLED", "BTC")
    assert reports[-1]["C"] == "stop" != reports[-1]["c"]
    moved = [one for one in heard if one["e"] == "outboundAccountPosition"][-1]
    assert {row["a"] for row in moved["B"]} == {"USDT", "BTC"}


def test_a_subscription_needs_key_signature_and_time(desk: Desk) -> None:
    wrong = [
        desk.signed_params() | {"signature": "00"},
        desk.signed_params() | {"apiKey": "other"},
        desk.signed_params(timestamp=desk.now_ms() - 60_000),
    ]

    for params, expected in zip(wrong, (-1022, -2015, -1021), strict=True):
        session = desk.wire.session("/ws-api/v3", "")
        assert isinstance(session, ApiSession)
        request = {"id": 1, "method": SUBSCRIBE, "params": params}
        reply = json.loads(session.heard(json.dumps(request))[0])
        assert reply["error"]["code"] == expected
        assert not session.is_private


def test_an_order_by_socket_is_an_order(desk: Desk) -> None:
    session = desk.subscribed()
    params = desk.signed_params(symbol=BTC, side="BUY", type="MARKET", quantity="1")

    request = {"id": "7", "method": "order.place", "params": params}
    reply = json.loads(session.heard(json.dumps(request))[0])

    assert (reply["id"], reply["status"], reply["result"]["status"]) == ("7", 200, "FILLED")
    assert desk.balances()["BTC"][0] == D("0.999")


def test_an_ended_subscription_says_so_and_is_told_nothing_more(desk: Desk) -> None:
    session = desk.subscribed()

    (last,) = session.expired()
    heard = desk.told(session)
    desk.order("BUY")

    assert json.loads(last)["event"]["e"] == "eventStreamTerminated"
    assert heard == []


def test_seconds_are_listed_and_streamed_alike(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 100, 101, 102, 103, second=3)
    start_ms = desk.now_ms() // 1000 * 1000 - 3_000

    rows = desk.public("/api/v3/klines", symbol=BTC, interval="1s", startTime=start_ms).body
    events = desk.wire.market_events("btcusdt@kline_1s", start_ms + 1, desk.now_ms())

    assert [row[1] for row in rows] == ["100.0", "101.0", "102.0"]
    candles = [json.loads(one)["k"] for one in events]
    assert [(one["t"], one["c"], one["x"]) for one in candles] == [
        (row[0], row[4], True) for row in rows
    ]


def test_changes_of_the_book_lead_from_one_snapshot_to_the_next(desk: Desk) -> None:
    first = desk.public("/api/v3/depth", symbol=BTC, limit=50).body
    start_ms = desk.now_ms()
    desk.second += 2
    events = desk.wire.market_events("btcusdt@depth@100ms", start_ms + 1, desk.now_ms())
    changes = [json.loads(one) for one in events]
    last = desk.public("/api/v3/depth", symbol=BTC, limit=50).body

    numbers = [(one["U"], one["u"]) for one in changes]
    assert numbers[0][0] <= first["lastUpdateId"] + 1
    assert all(after[0] == before[1] + 1 for before, after in pairwise(numbers))
    bids = dict(first["bids"])
    for change in changes:
        bids |= dict(change["b"])
    kept = [[price, size] for price, size in bids.items() if D(size)]
    assert sorted(kept, key=lambda one: -D(one[0])) == last["bids"]
    assert numbers[-1][1] == last["lastUpdateId"]


def test_market_sockets_are_told_nothing_of_the_account(desk: Desk) -> None:
    session = desk.wire.session("/stream", "streams=btcusdt@trade/btcusdt@kline_1s")

    assert isinstance(session, MarketSession)
    assert session.topics == {"btcusdt@trade", "btcusdt@kline_1s"}
    assert not session.is_private
    assert json.loads(session.framed("btcusdt@trade", "{}")) == {
        "stream": "btcusdt@trade", "data": {},
    }  # fmt: skip


def test_the_time_shown_may_stand_off_and_stamps_are_measured_by_it(desk: Desk) -> None:
    desk.exchange.skew_ms = 60_000

    assert desk.public("/api/v3/time").body["serverTime"] == desk.now_ms() + 60_000
    assert desk.signed("GET", "/api/v3/account").body["code"] == -1021


def test_a_key_may_trade_and_not_withdraw_and_fees_are_told(desk: Desk) -> None:
    rights = desk.signed("GET", "/sapi/v1/account/apiRestrictions").body
    (fee,) = desk.signed("GET", "/sapi/v1/asset/tradeFee", symbol=BTC).body

    assert (rights["enableSpotAndMarginTrading"], rights["enableWithdrawals"]) == (True, False)
    assert fee["takerCommission"] == "0.001"


def test_without_a_key_nothing_private_is_answered(desk: Desk) -> None:
    bare = desk.wire.answer(Request(method="GET", path="/api/v3/account"))
    unsigned = desk.wire.answer(
        Request(method="GET", path="/api/v3/account", query="timestamp=1", headers=KEY)
    )

    assert (bare.status, bare.body["code"]) == (401, -2014)
    assert unsigned.body["code"] == -1102


# --- conformance with what the venue really answered ------------------------------------------


RECORDED: dict[str, tuple[str, dict[str, Any]]] = {
    "fetch_ticker_BTC_USDT": ("/api/v3/ticker/24hr", {"symbol": BTC}),
    "fetch_tickers_BTC_ETH": ("/api/v3/ticker/24hr", {"symbols": '["BTCUSDT","BNBUSDT"]'}),
    "fetch_order_book_BTC_USDT": ("/api/v3/depth", {"symbol": BTC, "limit": 5}),
    "fetch_trades_BTC_USDT": ("/api/v3/aggTrades", {"symbol": BTC, "limit": 5}),
    "fetch_ohlcv_BTC_USDT": ("/api/v3/klines", {"symbol": BTC, "interval": "1h", "limit": 3}),
}


@pytest.mark.skipif(not RESPONSES.is_dir(), reason=f"no recorded answers in {RESPONSES}")
@pytest.mark.parametrize("name", RECORDED)
def test_every_key_of_a_recorded_answer_is_in_ours(desk: Desk, name: str) -> None:
    real = json.loads((RESPONSES / f"{name}.json").read_text())["http_response"]
    path, parameters = RECORDED[name]

    ours = desk.public(path, **parameters)

    assert ours.status == 200
    assert missing(real, ours.body) == []


def missing(real: Any, ours: Any, at: str = "") -> list[str]:
    """Keys, and kinds of values, that a recorded answer has and ours has not."""
    if isinstance(real, dict):
        gone = [f"{at}.{key}" for key in real if key not in ours]
        shared = [key for key in real if key in ours]
        return gone + [
            one for key in shared for one in missing(real[key], ours[key], f"{at}.{key}")
        ]
    if isinstance(real, list):
        if not ours:
            return [f"{at}[]"]
        if real and not isinstance(real[0], (dict, list)) and len(real) != len(ours):
            return [f"{at} has {len(ours)} of {len(real)}"]
        return missing(real[0], ours[0], f"{at}[0]")
    return [] if type(real) is type(ours) else [f"{at} is {type(ours).__name__}"]


def test_the_books_tell_what_is_held_and_what_a_stop_covers_of_it(stopped: Desk) -> None:
    (covered,) = report(stopped.exchange)["positions"]
    stopped.signed("DELETE", "/api/v3/order", symbol=BTC, origClientOrderId="stop")
    (bare,) = report(stopped.exchange)["positions"]
    stopped.order("SELL", quantity="1.99799")
    (left,) = report(stopped.exchange)["positions"]

    assert (covered["side"], covered["quantity"]) == ("LONG", "1.99800000")
    assert (D(covered["stop_quantity"]), covered["protected"]) == (D("1.998"), True)
    assert (D(bare["stop_quantity"]), bare["protected"]) == (D(0), False)
    assert (D(left["quantity"]), left["protected"]) == (D("0.00001"), True)


# --- what a fault plan may want ---------------------------------------------------------------


def struck(desk: Desk, kind: str, **parameters: Any) -> str:
    """A fault of the books, now."""
    rule = read_rule({"fault": kind, "venue": "binance_spot", "with": parameters})
    return act(desk.exchange, Fault(rule=rule, number=1, until_ms=0, draw=0.0))


def test_somebody_sells_by_hand_what_was_protected(stopped: Desk) -> None:
    assert struck(stopped, "external_close", symbol=BTC) == "closed 1 positions"

    found = stopped.signed("GET", "/api/v3/order", symbol=BTC, origClientOrderId="stop").body
    assert found["status"] == "CANCELED"
    assert "BTC" not in stopped.balances()


def test_what_waits_may_fire_at_any_price_and_may_be_refused_then(stopped: Desk) -> None:
    struck(stopped, "refuse_triggered", symbol=BTC)
    assert struck(stopped, "fire_conditionals", symbol=BTC) == "fired 1 orders"
    refused = stopped.signed("GET", "/api/v3/order", symbol=BTC, origClientOrderId="stop").body
    stopped.order("SELL", quantity="1", stopPrice="90", kind="STOP_LOSS", newClientOrderId="two")
    struck(stopped, "fire_conditionals", symbol=BTC)
    fired = stopped.signed("GET", "/api/v3/order", symbol=BTC, origClientOrderId="two").body

    assert (refused["status"], refused["executedQty"]) == ("EXPIRED", "0.00000000")
    assert fired["status"] == "FILLED"


def test_nothing_is_liquidated_funded_or_deleveraged(stopped: Desk) -> None:
    before = stopped.balances()

    struck(stopped, "liquidate", symbol=BTC)
    struck(stopped, "adl", symbol=BTC, percent=50)
    struck(stopped, "charge_funding", symbol=BTC)

    assert stopped.balances() == before


def test_a_key_that_may_not_trade_places_and_cancels_nothing(stopped: Desk) -> None:
    stopped.exchange.scripts.key = KeyPermissions(can_trade=False)

    for refused in (
        stopped.order("BUY"),
        stopped.signed("DELETE", "/api/v3/openOrders", symbol=BTC),
    ):
        assert (refused.status, refused.body["code"]) == (401, -2015)
    rights = stopped.signed("GET", "/sapi/v1/account/apiRestrictions").body
    assert rights["enableSpotAndMarginTrading"] is False


def test_filters_may_change(stopped: Desk) -> None:
    struck(stopped, "change_filters", symbol=BTC, step="1", min_notional="500")

    (listed,) = stopped.public("/api/v3/exchangeInfo", symbol=BTC).body["symbols"]
    filters = {one["filterType"]: one for one in listed["filters"]}
    assert filters["LOT_SIZE"]["stepSize"] == "0.01000000"
    assert filters["NOTIONAL"]["minNotional"] == "500.00000000"
    assert code(stopped.order("BUY")) == (-1013, "Filter failure: NOTIONAL")
