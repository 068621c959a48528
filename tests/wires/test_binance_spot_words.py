"""Binance spot's rows and answers as our values."""

import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import FakeClock
from tests.scripted_wire import ScriptedWire

from adapters.ccxt_loader import load_errors
from adapters.exchange import CcxtExchange
from adapters.failures import VenueUnclearError, translate
from adapters.names import Name, OrderNames
from adapters.venues import binance_rows
from adapters.venues import binance_spot_words as words
from adapters.venues.binance_spot import BinanceSpot
from engine.errors import VenueBusyError, VenueRefusedError
from engine.events import NotFound, OrderUpdate, SendUnclear, Unclear
from engine.ledger import Order, OrderState, OrderType, Purpose
from engine.orders import order_name
from engine.values import Instrument, OrderSide, Side

RESPONSES = Path(__file__).parents[3] / "shared/data/venue_responses/binance"
NAME = "a" * 25
ENTRY_ID, STOP_ID = (order_name(NAME, purpose, 0) for purpose in (Purpose.ENTRY, Purpose.STOP))
CLOSE_ID = order_name(NAME, Purpose.CLOSE, 0)
POST, REPLACE, LISTED = (
    "privatePostOrder",
    "privatePostOrderCancelReplace",
    "privateGetOpenOrders",
)
PLACED = {
    "symbol": "BTCUSDT", "orderId": 7, "clientOrderId": CLOSE_ID, "status": "FILLED",
    "executedQty": "0.02", "cummulativeQuoteQty": "1340", "transactTime": 5, "side": "SELL",
    "type": "MARKET", "origQty": "0.02",
}  # fmt: skip
STOP = {
    "symbol": "BTCUSDT", "orderId": 6, "clientOrderId": STOP_ID, "side": "SELL",
    "type": "STOP_LOSS", "origQty": "0.02", "executedQty": "0", "stopPrice": "65000",
    "cummulativeQuoteQty": "0", "status": "NEW",
}  # fmt: skip


def a_listing(**changes: Any) -> dict[str, Any]:
    """A pair as exchangeInfo lists it."""
    return {
        "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT",
        "isSpotTradingAllowed": True, "orderTypes": ["LIMIT", "MARKET", "STOP_LOSS"],
        "filters": [
            {"filterType": "PRICE_FILTER", "tickSize": "0.01000000"},
            {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "90", "stepSize": "0.00001"},
            {"filterType": "MARKET_LOT_SIZE", "minQty": "0", "maxQty": "80", "stepSize": "0"},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000"},
        ],
    } | changes  # fmt: skip


def listed(**changes: Any) -> Instrument | None:
    return words.instrument(a_listing(**changes), quote="USDT", volume_quote=Decimal(9))


def test_a_pair_is_an_instrument_of_one_side() -> None:
    found = listed()

    assert found is not None
    assert found.is_spot
    assert (found.max_leverage, found.volume_24h_quote) == (1, Decimal(9))
    assert (found.price_tick, found.quantity_step) == (Decimal("0.01"), Decimal("0.00001"))
    assert (found.min_quantity, found.max_quantity) == (Decimal("0.00001"), Decimal(80))
    assert found.min_notional == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "BREAK"},
        {"isSpotTradingAllowed": False},
        {"quoteAsset": "EUR"},
        {"orderTypes": ["LIMIT", "MARKET"]},
    ],
)
def test_what_cannot_be_traded_or_protected_is_no_instrument(changes: dict[str, Any]) -> None:
    assert listed(**changes) is None


def test_balances_are_long_positions_in_whole_steps_and_dust_is_none() -> None:
    found = listed()
    assert found is not None
    traded = {"BTC": found}
    rows = [
        {"asset": "USDT", "free": "90", "locked": "10"},
        {"asset": "BTC", "free": "0.000018", "locked": "0.02"},
        {"asset": "XYZ", "free": "5", "locked": "0"},
    ]

    (held,) = words.positions(rows, traded, {"BTCUSDT": Decimal(67_000)})
    account = words.account(rows, traded, {"BTCUSDT": Decimal(67_000)}, quote="USDT", now_ms=3)

    assert (held.symbol, held.side, held.quantity) == ("BTCUSDT", Side.LONG, Decimal("0.02001"))
    assert held.entry_price == 67_000
    assert words.positions([rows[1] | {"locked": "-0.00001"}], traded, {}) == ()
    assert account.equity == 100 + Decimal("0.020018") * 67_000
    assert (account.free_margin, account.at_ms) == (Decimal(90), 3)


def a_report(**changes: Any) -> dict[str, Any]:
    """An execution report as the subscription wraps it."""
    event = {
        "e": "executionReport", "s": "BTCUSDT", "c": ENTRY_ID, "C": "", "S": "BUY", "x": "TRADE",
        "X": "FILLED", "i": 77, "l": "0.01", "z": "0.01", "L": "67000.5", "Z": "670.005",
        "N": "BTC", "n": "0.00001", "T": 1_700_000_000_123, "t": 901, "m": False, "r": "NONE",
    }  # fmt: skip
    return {"subscriptionId": 0, "event": event | changes}


@pytest.mark.parametrize("order_side", list(OrderSide))
def test_an_execution_is_an_update_and_a_fill_of_the_long_side(order_side: OrderSide) -> None:
    news = words.private_news(a_report(S=order_side.value), OrderNames())

    (update,), (fill,) = news.updates, news.fills
    assert (update.client_order_id, update.state) == (ENTRY_ID, OrderState.FILLED)
    assert update.average_price == Decimal("67000.5")
    assert (fill.side, fill.order_side) == (Side.LONG, order_side)
    assert (fill.fee, fill.fee_asset, fill.trade_id) == (Decimal("0.00001"), "BTC", "901")


def test_a_cancel_names_the_order_it_ended_not_itself() -> None:
    report = a_report(c="cancel_1", C=STOP_ID, x="CANCELED", X="CANCELED", z="0", Z="0")

    news = words.private_news(report, OrderNames())

    assert [(one.client_order_id, one.state) for one in news.updates] == [
        (STOP_ID, OrderState.CANCELLED)
    ]
    assert news.fills == ()


@pytest.mark.parametrize(
    ("message", "expired"),
    [
        ({"id": "user-data", "status": 200, "result": {"subscriptionId": 0}}, False),
        ({"id": "user-data", "status": 400, "error": {"code": -1021, "msg": "late"}}, True),
        ({"subscriptionId": 0, "event": {"e": "eventStreamTerminated"}}, True),
        ({"subscriptionId": 0, "event": {"e": "outboundAccountPosition"}}, False),
        (None, False),
    ],
)
def test_a_refused_or_ended_subscription_is_asked_for_anew(message: Any, expired: bool) -> None:
    assert words.private_news(message, OrderNames()).expired is expired


@pytest.mark.skipif(not RESPONSES.is_dir(), reason=f"no recorded answers in {RESPONSES}")
def test_recorded_trades_are_read_in_one_order_without_a_hole() -> None:
    rows = json.loads((RESPONSES / "fetch_trades_BTC_USDT.json").read_text())["http_response"]

    trades = [binance_rows.public_trade(row, "BTCUSDT") for row in rows]

    assert all(each.is_sound for each in trades)
    assert [b.first_id - a.last_id for a, b in pairwise(trades)] == [1] * (len(trades) - 1)


# --- requests and answers ---------------------------------------------------------------------


def a_wire(**answers: Any) -> ScriptedWire:
    return ScriptedWire("binance", BinanceSpot(), answers)


def an_order(purpose: Purpose = Purpose.CLOSE, side: Side = Side.LONG) -> Order:
    waits = purpose in (Purpose.STOP, Purpose.TARGET)
    kinds = {Purpose.STOP: OrderType.STOP_MARKET, Purpose.TARGET: OrderType.TAKE_PROFIT_MARKET}
    return Order(
        client_order_id=order_name(NAME, purpose, 0),
        position_id=NAME,
        purpose=purpose,
        attempt=0,
        symbol="BTCUSDT",
        side=side,
        order_type=kinds.get(purpose, OrderType.MARKET),
        quantity=Decimal("0.020"),
        trigger_price=Decimal("65000.0") if waits else None,
    )


async def sent(wire: ScriptedWire, order: Order) -> OrderUpdate | SendUnclear:
    return await CcxtExchange(wire, BinanceSpot(), FakeClock()).send(order, valid_ms=2000)


@pytest.mark.parametrize(
    ("purpose", "side", "kind"),
    [
        (Purpose.ENTRY, "BUY", "MARKET"),
        (Purpose.ADD, "BUY", "MARKET"),
        (Purpose.STOP, "SELL", "STOP_LOSS"),
        (Purpose.TARGET, "SELL", "TAKE_PROFIT"),
    ],
)
async def test_orders_are_sent_plainly_and_expire_by_the_venue(
    purpose: Purpose, side: str, kind: str
) -> None:
    wire = a_wire(**{POST: PLACED})

    await sent(wire, an_order(purpose))

    ((method, params),) = wire.asked
    assert method == POST
    assert (params["side"], params["type"], params["quantity"]) == (side, kind, "0.02")
    assert (params["newClientOrderId"], params["recvWindow"]) == (
        order_name(NAME, purpose, 0),
        2000,
    )
    assert params.get("stopPrice") == ("65000" if kind.endswith(("LOSS", "PROFIT")) else None)
    assert not {"reduceOnly", "positionSide", "triggerPrice"} & params.keys()


async def test_a_short_never_leaves() -> None:
    wire = a_wire(**{POST: PLACED})

    found = await sent(wire, an_order(Purpose.ENTRY, Side.SHORT))

    assert isinstance(found, OrderUpdate)
    assert found.state is OrderState.REJECTED
    assert wire.asked == []


@pytest.mark.parametrize("purpose", [Purpose.CLOSE, Purpose.REDUCE])
async def test_a_sale_replaces_the_stop_of_its_own_position_in_one_request(
    purpose: Purpose,
) -> None:
    other = STOP | {"clientOrderId": order_name("b" * 25, Purpose.STOP, 0)}
    wire = a_wire(**{LISTED: [other, STOP], REPLACE: {"newOrderResponse": PLACED}})

    found = await sent(wire, an_order(purpose))

    method, params = wire.asked[-1]
    assert method == REPLACE
    assert params["cancelOrigClientOrderId"] == STOP_ID
    assert params["cancelReplaceMode"] == "STOP_ON_FAILURE"
    assert params["newClientOrderId"] == order_name(NAME, purpose, 0)
    assert isinstance(found, OrderUpdate)
    assert (found.state, found.average_price) == (OrderState.FILLED, Decimal(67_000))


async def test_without_a_stop_of_its_own_a_sale_is_a_plain_order() -> None:
    strangers = [
        STOP | {"clientOrderId": "by hand"},
        STOP | {"clientOrderId": order_name("b" * 25, Purpose.STOP, 0)},
    ]
    wire = a_wire(**{LISTED: strangers, POST: PLACED})

    await sent(wire, an_order())

    assert [method for method, _ in wire.asked] == [LISTED, POST]


@pytest.mark.parametrize(
    "error", [VenueBusyError("429"), VenueUnclearError("cut", why=Unclear.CONNECTION)]
)
async def test_a_sale_whose_stop_cannot_be_looked_for_is_surely_not_made(error: Exception) -> None:
    wire = a_wire(**{LISTED: error, POST: PLACED})

    found = await sent(wire, an_order())

    assert isinstance(found, OrderUpdate)
    assert found.state is OrderState.REJECTED
    assert [method for method, _ in wire.asked] == [LISTED]


def replaced(code: int, status: str, new_order: dict[str, Any] | None) -> str:
    """What ccxt makes of a replacement that did not work."""
    data = {
        "cancelResult": status, "newOrderResult": "FAILURE",
        "cancelResponse": {"code": -2011, "msg": "Unknown order sent."},
        "newOrderResponse": new_order,
    }  # fmt: skip
    body = {"code": code, "msg": "Order cancel-replace failed.", "data": data}
    return f"binance {json.dumps(body)}"


@pytest.mark.parametrize(
    ("code", "new_order", "reason"),
    [
        (-2022, None, "-2022 Unknown order sent."),
        (-2021, {"code": -2010, "msg": "Account has insufficient balance."},
         "-2021 Account has insufficient balance."),
        (-2021, {"code": -1013, "msg": "Filter failure: NOTIONAL"},
         "-2021 Filter failure: NOTIONAL"),
    ],
)  # fmt: skip
async def test_a_replacement_that_made_no_order_is_rejected_with_its_own_words(
    code: int, new_order: dict[str, Any] | None, reason: str
) -> None:
    error = translate(load_errors().BadResponse(replaced(code, "SUCCESS", new_order)), words.ERRORS)
    wire = a_wire(**{LISTED: [STOP], REPLACE: error})

    found = await sent(wire, an_order())

    assert isinstance(found, OrderUpdate)
    assert found.state is OrderState.REJECTED
    assert found.reason == reason


@pytest.mark.parametrize(
    "text",
    [
        "-2021 Timeout waiting for response from backend server. Send status unknown;"
        " execution status unknown.",
        "-2021 An unknown error occurred while processing the request.",
        "-1007 Timeout waiting for response from backend server.",
    ],
)
async def test_a_replacement_of_unknown_fate_is_unclear(text: str) -> None:
    error = VenueUnclearError(text, why=Unclear.VENUE)
    wire = a_wire(**{LISTED: [STOP], REPLACE: error})

    assert isinstance(await sent(wire, an_order()), SendUnclear)


async def test_a_duplicate_is_told_by_its_words_and_looked_up() -> None:
    twice = VenueRefusedError("-2010 Duplicate order sent.", code="-2010")
    there = a_wire(**{POST: twice, "privateGetOrder": PLACED})
    poor = a_wire(**{POST: VenueRefusedError("-2010 insufficient balance", code="-2010")})

    found = await sent(there, an_order(Purpose.ENTRY))
    refused = await sent(poor, an_order(Purpose.ENTRY))

    assert isinstance(found, OrderUpdate)
    assert found.state is OrderState.FILLED
    assert isinstance(refused, OrderUpdate)
    assert refused.state is OrderState.REJECTED


async def test_only_the_venues_own_no_such_order_is_not_found() -> None:
    missing = a_wire(privateGetOrder=VenueRefusedError("-2013 no", code="-2013"))
    away = a_wire(privateGetOrder=VenueUnclearError("cut", why=Unclear.CONNECTION))

    found = [
        await CcxtExchange(wire, BinanceSpot(), FakeClock()).look_up(an_order())
        for wire in (missing, away)
    ]

    assert isinstance(found[0], NotFound)
    assert isinstance(found[1], SendUnclear)


async def test_an_unchanged_price_keeps_the_time_it_was_first_seen_at() -> None:
    wire, spot = a_wire(), BinanceSpot()
    times: list[int] = []
    for price in ("67000", "67000", "67001"):
        wire.answers["publicGetTickerPrice"] = [{"symbol": "BTCUSDT", "price": price}]
        wire.client().options["timeDifference"] = -1000 * len(times)
        (last,) = await spot.last_prices(wire)
        times.append(last.event_ms)
    await wire.close()

    assert times[0] == times[1] < times[2]


async def test_fills_of_several_days_are_read_a_day_at_a_time() -> None:
    wire = a_wire(privateGetMyTrades=[])
    now_ms = int(wire.client().nonce())
    day_ms = 86_400_000

    fills = await BinanceSpot().fills(wire, "BTCUSDT", since_ms=now_ms - 2 * day_ms - 5)
    await wire.close()

    spans = [(p["startTime"], p.get("endTime")) for _, p in wire.asked]
    assert fills == ()
    assert [end and end - start + 1 for start, end in spans] == [day_ms, day_ms, None]
    assert all(b[0] == a[1] + 1 for a, b in pairwise(spans) if a[1])


def test_an_own_execution_of_the_list_says_who_bought() -> None:
    row = {
        "symbol": "BTCUSDT", "id": 9, "orderId": 7, "price": "67000", "qty": "0.02",
        "commission": "1.34", "commissionAsset": "USDT", "time": 5, "isBuyer": False,
        "isMaker": True,
    }  # fmt: skip
    sold = words.fill(row, Name(client_order_id=CLOSE_ID, side=Side.LONG))
    bought = words.fill(row | {"isBuyer": True}, Name(client_order_id=ENTRY_ID, side=Side.LONG))

    assert (sold.order_side, bought.order_side) == (OrderSide.SELL, OrderSide.BUY)
    assert sold.side is bought.side is Side.LONG
    assert sold.is_maker
