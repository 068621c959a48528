"""What is sent to Bybit, and what becomes of answers no paper exchange gives."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from tests.fakes import FakeClock
from tests.scripted_wire import Pages, ScriptedWire

from adapters.access import Access, Network
from adapters.venues import TradesGoneError
from adapters.venues.bybit import BybitLinear
from adapters.venues.bybit_lists import pages
from adapters.wire import Wire
from engine.errors import VenueRefusedError
from engine.ledger import Order, OrderState, OrderType, Purpose
from engine.orders import order_name
from engine.values import Side

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
CREATE, CANCEL = "privatePostV5OrderCreate", "privatePostV5OrderCancel"
REALTIME, HISTORY = "privateGetV5OrderRealtime", "privateGetV5OrderHistory"
EXECUTIONS, POSITIONS = "privateGetV5ExecutionList", "privateGetV5PositionList"
INFO, RECENT = "privateGetV5AccountInfo", "publicGetV5MarketRecentTrade"
BOTH_SIDES = pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])


class BybitAnswers(ScriptedWire):
    """For each method a list of results and errors in turn."""

    def __init__(self, answers: Mapping[str, list[Any]]) -> None:
        pages = {method: Pages(results) for method, results in answers.items()}
        super().__init__("bybit", BybitLinear(), pages)

    def framed(self, answer: Any) -> Any:
        return {"retCode": 0, "result": answer, "time": NOW_MS}


def an_order(side: Side, purpose: Purpose = Purpose.ENTRY) -> Order:
    types = {Purpose.STOP: OrderType.STOP_MARKET, Purpose.TARGET: OrderType.TAKE_PROFIT_MARKET}
    return Order(
        client_order_id=order_name("a" * 25, purpose, 0), position_id="p", purpose=purpose,
        attempt=0, symbol="BTCUSDT", side=side,
        order_type=types.get(purpose, OrderType.MARKET), quantity=Decimal("0.0100"),
        trigger_price=Decimal("95000.0") if purpose in types else None,
    )  # fmt: skip


def a_row(order: Order, status: str = "Filled") -> dict[str, Any]:
    return {
        "orderId": "7", "orderLinkId": order.client_order_id, "orderStatus": status,
        "cumExecQty": "0", "avgPrice": "", "updatedTime": "1", "rejectReason": "EC_NoError",
    }  # fmt: skip


def page(*rows: Any, cursor: str = "") -> dict[str, Any]:
    return {"list": list(rows), "nextPageCursor": cursor}


# --- sending ------------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize("hedge", [False, True])
@pytest.mark.parametrize("purpose", [Purpose.ENTRY, Purpose.CLOSE])
async def test_a_market_order_is_acknowledged_and_called_open(
    side: Side, hedge: bool, purpose: Purpose
) -> None:
    order = an_order(side, purpose)
    wire = BybitAnswers({CREATE: [{"orderId": "7", "orderLinkId": order.client_order_id}]})

    update = await BybitLinear().place(wire, order, hedge=hedge, valid_ms=2_000)

    assert (update.state, update.exchange_order_id) == (OrderState.OPEN, "7")
    assert wire.sent(CREATE) == [{
        "category": "linear", "symbol": "BTCUSDT", "orderType": "Market", "qty": "0.01",
        "side": order.order_side.value.capitalize(), "orderLinkId": order.client_order_id,
        "positionIdx": {Side.LONG: 1, Side.SHORT: 2}[side] if hedge else 0,
        "reduceOnly": purpose is Purpose.CLOSE, "recvWindow": 2_000,
    }]  # fmt: skip


@pytest.mark.parametrize(
    ("side", "purpose", "direction"),
    [
        (Side.LONG, Purpose.STOP, 2),
        (Side.LONG, Purpose.TARGET, 1),
        (Side.SHORT, Purpose.STOP, 1),
        (Side.SHORT, Purpose.TARGET, 2),
    ],
)
async def test_stops_fire_against_the_position_and_targets_with_it(
    side: Side, purpose: Purpose, direction: int
) -> None:
    wire = BybitAnswers({CREATE: [{"orderId": "7"}]})

    await BybitLinear().place(wire, an_order(side, purpose), hedge=False, valid_ms=2_000)

    (sent,) = wire.sent(CREATE)
    assert sent["triggerDirection"] == direction
    assert (sent["triggerPrice"], sent["triggerBy"]) == ("95000", "LastPrice")
    assert sent["reduceOnly"] is True


async def test_each_request_is_signed_with_its_own_validity() -> None:
    wire = Wire(
        Access(venue="bybit", network=Network.LIVE, api_key="k", api_secret="s"),
        FakeClock(),
        BybitLinear(),
    )
    client = wire.client()
    try:
        short = client.sign("v5/order/create", ["private"], "POST", {"qty": "1", "recvWindow": 700})
        usual = client.sign("v5/order/create", ["private"], "POST", {"qty": "1"})
    finally:
        await wire.close()

    assert short["headers"]["X-BAPI-RECV-WINDOW"] == "700"
    assert json.loads(short["body"]) == {"qty": "1"}
    assert usual["headers"]["X-BAPI-RECV-WINDOW"] == "5000"


# --- looking up ---------------------------------------------------------------------------------


async def test_an_order_that_left_the_latest_ones_is_found_in_the_history() -> None:
    order = an_order(Side.LONG)
    wire = BybitAnswers({REALTIME: [page()], HISTORY: [page(a_row(order))]})

    found = await BybitLinear().find(wire, order)

    assert found is not None
    assert found.state is OrderState.FILLED
    assert [method for method, _ in wire.asked] == [REALTIME, HISTORY]


async def test_an_order_in_neither_list_is_not_found() -> None:
    wire = BybitAnswers({REALTIME: [page()], HISTORY: [page()]})

    assert await BybitLinear().find(wire, an_order(Side.LONG)) is None


async def test_another_order_in_the_answer_is_not_taken_for_ours() -> None:
    other = a_row(an_order(Side.LONG, Purpose.CLOSE))
    wire = BybitAnswers({REALTIME: [page(other)], HISTORY: [page(other)]})

    assert await BybitLinear().find(wire, an_order(Side.LONG)) is None


@pytest.mark.parametrize("code", ["110001", "110008", "110010"])
async def test_a_cancel_that_came_too_late_tells_what_became_of_the_order(code: str) -> None:
    order = an_order(Side.LONG, Purpose.STOP)
    gone = VenueRefusedError(f"{code} gone", code=code)
    wire = BybitAnswers({CANCEL: [gone], REALTIME: [page(a_row(order))]})

    found = await BybitLinear().cancel(wire, order, valid_ms=5_000)

    assert found is not None
    assert found.state is OrderState.FILLED


async def test_a_cancel_is_believed_only_once_it_is_seen() -> None:
    order = an_order(Side.LONG, Purpose.STOP)
    filled = a_row(order, "Filled")
    wire = BybitAnswers({CANCEL: [{"orderId": "7"}], REALTIME: [page(filled)]})

    found = await BybitLinear().cancel(wire, order, valid_ms=5_000)

    assert found is not None
    assert found.state is OrderState.FILLED  # the fill was quicker than the acknowledged cancel


async def test_a_cancel_refused_for_another_reason_is_told() -> None:
    refused = VenueRefusedError("110066 no", code="110066")
    wire = BybitAnswers({CANCEL: [refused]})

    with pytest.raises(VenueRefusedError, match="110066"):
        await BybitLinear().cancel(wire, an_order(Side.LONG), valid_ms=5_000)


# --- lists --------------------------------------------------------------------------------------


def an_execution(number: int, at_ms: int) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT", "execId": f"e{number}", "execTime": str(at_ms), "execType": "Trade",
        "orderId": "7", "orderLinkId": "", "side": "Buy", "execPrice": "5", "execQty": "1",
        "execFee": "0", "isMaker": False, "closedSize": "0",
    }  # fmt: skip


async def test_fills_are_asked_for_week_by_week_and_page_by_page() -> None:
    since_ms = NOW_MS - 10 * DAY_MS
    border_ms = since_ms + 7 * DAY_MS
    first, second, third = (
        an_execution(1, since_ms + 5), an_execution(2, border_ms), an_execution(3, NOW_MS - 5),
    )  # fmt: skip
    pages = [page(second, cursor="next"), page(first, cursor="more"), page(), page(third, second)]
    wire = BybitAnswers({EXECUTIONS: pages})

    fills = await BybitLinear().fills(wire, "BTCUSDT", since_ms=since_ms)

    assert [each.trade_id for each in fills] == ["e1", "e2", "e3"]
    asked = wire.sent(EXECUTIONS)
    assert [each.get("cursor") for each in asked] == [None, "next", "more", None]
    spans = [(each["startTime"], each["endTime"]) for each in asked]
    assert spans[:3] == [(since_ms, border_ms)] * 3
    assert spans[3] == (border_ms, border_ms + 7 * DAY_MS)


async def test_open_orders_are_read_to_the_last_page() -> None:
    rows = [
        a_row(an_order(Side.LONG), status="New") | {
            "symbol": "BTCUSDT", "side": "Buy", "qty": "1", "orderId": str(number),
        }
        for number in range(3)
    ]  # fmt: skip
    wire = BybitAnswers({REALTIME: [page(*rows[:2], cursor="c"), page(rows[2])]})

    found = await BybitLinear().open_orders(wire)

    assert [each.exchange_order_id for each in found] == ["0", "1", "2"]
    assert {each["settleCoin"] for each in wire.sent(REALTIME)} == {"USDT"}


async def test_a_cursor_that_stands_still_ends_the_list() -> None:
    wire = BybitAnswers({REALTIME: [page({}, cursor="c"), page({}, cursor="c")]})

    rows = await pages(wire, REALTIME, {}, limit=50)

    assert len(rows) == 2


def a_trade(at_ms: int) -> dict[str, Any]:
    return {
        "execId": "x", "symbol": "BTCUSDT", "price": "5", "size": "1", "side": "Buy",
        "time": str(at_ms), "isBlockTrade": False, "seq": str(at_ms),
    }  # fmt: skip


async def test_trades_are_those_of_the_span_oldest_first() -> None:
    rows = [a_trade(at_ms) for at_ms in (5_000, 4_999, 4_000, 3_999)]
    wire = BybitAnswers({RECENT: [page(*rows)]})

    found = await BybitLinear().trades(wire, "BTCUSDT", start_ms=4_000, end_ms=5_000)

    assert [each.event_ms for each in found] == [4_000, 4_999]


@pytest.mark.parametrize("oldest_ms", [4_000, 4_001])
async def test_a_part_of_the_trades_is_no_answer(oldest_ms: int) -> None:
    rows = [a_trade(9_000)] * 999 + [a_trade(oldest_ms)]
    wire = BybitAnswers({RECENT: [page(*rows)]})

    with pytest.raises(TradesGoneError) as gone:
        await BybitLinear().trades(wire, "BTCUSDT", start_ms=4_000, end_ms=5_000)

    assert gone.value.told_from_ms == oldest_ms + 1


async def test_a_full_list_that_reaches_further_back_is_an_answer() -> None:
    rows = [a_trade(4_500)] * 999 + [a_trade(3_999)]
    wire = BybitAnswers({RECENT: [page(*rows)]})

    found = await BybitLinear().trades(wire, "BTCUSDT", start_ms=4_000, end_ms=5_000)

    assert len(found) == 999


# --- preparing ----------------------------------------------------------------------------------


def positions(leverage: str, *, hedge: bool = False) -> dict[str, Any]:
    return page(
        *({"positionIdx": each, "leverage": leverage} for each in ((1, 2) if hedge else (0,)))
    )


CROSS, ISOLATED = {"marginMode": "REGULAR_MARGIN"}, {"marginMode": "ISOLATED_MARGIN"}
MARGIN, MODE, LEVERAGE = (
    "privatePostV5AccountSetMarginMode",
    "privatePostV5PositionSwitchMode",
    "privatePostV5PositionSetLeverage",
)


async def prepare(wire: Wire, *, hedge: bool = False) -> None:
    await BybitLinear().prepare(wire, "BTCUSDT", leverage=10, hedge=hedge, cross=True)


async def test_what_is_right_already_is_only_read() -> None:
    wire = BybitAnswers({INFO: [CROSS, CROSS], POSITIONS: [positions("10")]})

    await prepare(wire)

    assert {method for method, _ in wire.asked} == {INFO, POSITIONS}


async def test_what_is_not_so_is_set_and_read_back() -> None:
    wire = BybitAnswers({
        INFO: [ISOLATED, CROSS], MARGIN: [{}], MODE: [{}], LEVERAGE: [{}],
        POSITIONS: [positions("5"), positions("5", hedge=True), positions("10", hedge=True)],
    })  # fmt: skip

    await prepare(wire, hedge=True)

    assert wire.sent(MARGIN) == [{"setMarginMode": "REGULAR_MARGIN"}]
    assert wire.sent(MODE) == [{"category": "linear", "coin": "USDT", "mode": 3}]
    assert wire.sent(LEVERAGE) == [
        {"category": "linear", "symbol": "BTCUSDT", "buyLeverage": "10", "sellLeverage": "10"}
    ]


@pytest.mark.parametrize("code", ["110025", "110043"])
async def test_not_modified_is_success(code: str) -> None:
    same = VenueRefusedError(f"{code} not modified", code=code)
    wire = BybitAnswers({
        INFO: [CROSS, CROSS], MODE: [same], LEVERAGE: [same],
        POSITIONS: [positions("5"), positions("5", hedge=True), positions("10", hedge=True)],
    })  # fmt: skip

    await prepare(wire, hedge=True)


async def test_what_does_not_become_so_is_refused_with_what_it_is() -> None:
    wire = BybitAnswers({
        INFO: [CROSS, CROSS], LEVERAGE: [{}], POSITIONS: [positions("5"), positions("5")],
    })  # fmt: skip

    with pytest.raises(VenueRefusedError, match=r"leverage 10, were REGULAR_MARGIN, False, 5"):
        await prepare(wire)


# --- sockets ------------------------------------------------------------------------------------


async def test_the_account_is_subscribed_to_once_the_login_is_accepted() -> None:
    wire = Wire(
        Access(venue="bybit", network=Network.LIVE, api_key="k", api_secret="s"),
        FakeClock(),
        BybitLinear(),
    )
    try:
        socket = await BybitLinear().private_socket(wire)
        other = BybitLinear().market_socket(wire.client(), ["BTCUSDT", "ETHUSDT"], key="m-1")
    finally:
        await wire.close()

    assert socket.url == "wss://stream.bybit.com/v5/private"
    assert socket.request is not None
    assert (socket.request["op"], socket.request["args"][0]) == ("auth", "k")
    assert socket.reply is not None
    assert socket.reply({"success": False, "op": "auth"}) is None
    assert socket.reply({"topic": "order", "data": []}) is None
    assert socket.reply({"success": True, "op": "auth"}) == {
        "op": "subscribe", "args": ["order", "execution", "position", "wallet"],
    }  # fmt: skip
    assert other.url.startswith("wss://stream.bybit.com/v5/public/linear#")
    assert other.request == {
        "op": "subscribe",
        "args": ["publicTrade.BTCUSDT", "publicTrade.ETHUSDT", "tickers.BTCUSDT"],
    }


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ({"success": True, "ret_msg": "pong", "op": "ping"}, True),
        ({"req_id": "2", "op": "pong", "args": ["1"]}, True),
        ({"success": True, "ret_msg": "subscribe", "op": "subscribe"}, False),
        ({"topic": "tickers.BTCUSDT", "data": {}}, False),
        ("pong", False),
    ],
)
def test_pongs_are_known_by_either_lines_words(message: Any, wanted: bool) -> None:
    assert BybitLinear().is_pong(message) is wanted


class Socket:
    url = "wss://venue/stream"
    lastPong = 0  # noqa: N815


async def test_a_pong_keeps_the_line_and_proves_nothing_else() -> None:
    heard: list[Any] = []
    wire = Wire(Access(venue="bybit", network=Network.LIVE), FakeClock(), BybitLinear())
    wire.listen(Socket.url, lambda url, message: heard.append(message))
    socket = Socket()
    try:
        wire._on_message(socket, {"op": "pong"})
        wire._on_message(socket, {"topic": "order"})
    finally:
        await wire.close()

    assert socket.lastPong > 0
    assert heard == [{"topic": "order"}]


async def test_a_testnet_key_never_meets_the_real_venue() -> None:
    wire = Wire(Access(venue="bybit", network=Network.TESTNET), FakeClock(), BybitLinear())
    try:
        client = wire.client()
        socket = await BybitLinear().private_socket(wire)
        rest = client.sign("v5/market/time", ["public"], "GET", {})["url"]
    finally:
        await wire.close()

    assert socket.url.startswith("wss://stream-testnet.bybit.com/")
    assert rest.startswith("https://api-testnet.bybit.com/")
