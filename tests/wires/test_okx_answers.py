"""What is sent to OKX, by when, and what becomes of its answers."""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from tests.scripted_wire import Pages, ScriptedAnswers

from adapters.ccxt_loader import load_venue
from adapters.failures import ClockSkewError, VenueUnclearError, translate
from adapters.names import OrderNames
from adapters.venues import Socket
from adapters.venues.okx import OkxSwap
from adapters.venues.okx_signing import VALID_UNTIL
from engine.errors import CredentialsError, CtsError, VenueBusyError, VenueRefusedError
from engine.events import OrderUpdate
from engine.ledger import Order, OrderState, OrderType, Purpose
from engine.orders import order_name
from engine.values import Side

D = Decimal
SWAP = "BTC-USDT-SWAP"
NOW_MS = 1_700_000_000_000
BOTH_SIDES = pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
LISTED = [{"instType": "SWAP", "instId": SWAP, "ctVal": "0.01", "ctMult": "1",
           "ctType": "linear", "settleCcy": "USDT"}]  # fmt: skip
FILLED = {"instId": SWAP, "ordId": "7", "clOrdId": "x", "state": "filled", "accFillSz": "1",
          "avgPx": "5.5", "uTime": "1"}  # fmt: skip
NO_ORDER = VenueRefusedError("51603 Order does not exist", code="51603")
TYPES = {Purpose.STOP: OrderType.STOP_MARKET, Purpose.TARGET: OrderType.TAKE_PROFIT_MARKET}


class Client:
    """What the dialect wants of a ccxt client beside calls."""

    def nonce(self) -> int:
        return NOW_MS


class Scripted(ScriptedAnswers):
    """A caller whose answers a test wrote by route: rows, pages of them, or an error."""

    def __init__(self, **answers: Any) -> None:
        super().__init__({"publicGetPublicInstruments": LISTED} | answers)
        self.names = OrderNames()

    def framed(self, answer: Any) -> Any:
        return {"code": "0", "data": answer, "msg": ""}

    def client(self) -> Any:
        return Client()


def an_order(side: Side, purpose: Purpose = Purpose.ENTRY) -> Order:
    return Order(
        client_order_id=order_name("a" * 25, purpose, 0),
        position_id="p",
        purpose=purpose,
        attempt=0,
        symbol="BTCUSDT",
        side=side,
        order_type=TYPES.get(purpose, OrderType.MARKET),
        quantity=D("0.025"),
        trigger_price=D("66000.50") if purpose in TYPES else None,
    )


async def prepared(wire: Scripted, *, cross: bool = True, hedge: bool = False) -> OkxSwap:
    """A dialect that knows the symbol's margin mode."""
    dialect, mode = OkxSwap(), "cross" if cross else "isolated"
    pos_mode = "long_short_mode" if hedge else "net_mode"
    wire.answers |= {
        "privateGetAccountConfig": [{"acctLv": "2", "posMode": pos_mode}],
        "privateGetAccountPositions": [],
        "privatePostAccountSetLeverage": [],
        "privateGetAccountLeverageInfo": [{"mgnMode": mode, "lever": "10"}],
    }
    await dialect.prepare(wire, "BTCUSDT", leverage=10, hedge=hedge, cross=cross)
    return dialect


# --- orders out -------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize("hedge", [False, True])
@pytest.mark.parametrize("purpose", [Purpose.ENTRY, Purpose.CLOSE])
async def test_a_market_order_is_contracts_with_mode_side_and_deadline(
    side: Side, hedge: bool, purpose: Purpose
) -> None:
    wire = Scripted(privatePostTradeOrder=[{"ordId": "7", "sCode": "0"}],
                    privateGetTradeOrder=[FILLED])  # fmt: skip
    dialect = await prepared(wire, hedge=hedge, cross=False)
    order = an_order(side, purpose)

    update = await dialect.place(wire, order, hedge=hedge, valid_ms=700)

    (sent,) = wire.sent("privatePostTradeOrder")
    assert (sent["instId"], sent["sz"], sent["ordType"]) == (SWAP, "2.5", "market")
    assert (sent["tdMode"], sent["side"]) == ("isolated", order.order_side.value.lower())
    assert (sent["clOrdId"], sent[VALID_UNTIL]) == (order.client_order_id, NOW_MS + 700)
    assert sent.get("posSide") == (side.value.lower() if hedge else None)
    assert sent.get("reduceOnly") == (True if purpose is Purpose.CLOSE and not hedge else None)
    assert (update.state, update.exchange_order_id) == (OrderState.FILLED, "7")
    assert wire.names.get("7") is not None


@BOTH_SIDES
@pytest.mark.parametrize(("purpose", "kind"), [(Purpose.STOP, "sl"), (Purpose.TARGET, "tp")])
async def test_protection_waits_on_the_venue_for_the_last_price(
    side: Side, purpose: Purpose, kind: str
) -> None:
    wire = Scripted(privatePostTradeOrderAlgo=[{"algoId": "5", "sCode": "0"}])
    dialect = await prepared(wire)
    order = an_order(side, purpose)

    update = await dialect.place(wire, order, hedge=False, valid_ms=700)

    (sent,) = wire.sent("privatePostTradeOrderAlgo")
    assert (sent["ordType"], sent["algoClOrdId"]) == ("conditional", order.client_order_id)
    assert (sent[f"{kind}TriggerPx"], sent[f"{kind}OrdPx"]) == ("66000.5", "-1")
    assert (sent["side"], sent["reduceOnly"]) == (side.exit.value.lower(), True)
    assert not [name for name in sent if name.startswith("tp" if kind == "sl" else "sl")]
    assert (update.state, update.exchange_order_id) == (OrderState.OPEN, "5")


@pytest.mark.parametrize(
    "lost",
    [NO_ORDER, VenueUnclearError("away", why="timeout"), [{"nonsense": 1}]],  # type: ignore[arg-type]  # any will do
)
async def test_a_taken_order_stays_taken_whatever_becomes_of_the_second_look(lost: Any) -> None:
    wire = Scripted(privatePostTradeOrder=[{"ordId": "7", "sCode": "0"}], privateGetTradeOrder=lost)
    dialect = await prepared(wire)

    update = await dialect.place(wire, an_order(Side.LONG), hedge=False, valid_ms=700)

    assert (update.state, update.exchange_order_id) == (OrderState.OPEN, "7")


async def test_an_order_s_own_code_refuses_it() -> None:
    wire = Scripted(privatePostTradeOrder=[{"ordId": "", "sCode": "51008", "sMsg": "No margin"}])
    dialect = await prepared(wire)

    with pytest.raises(VenueRefusedError, match="51008 No margin") as refused:
        await dialect.place(wire, an_order(Side.LONG), hedge=False, valid_ms=700)

    assert refused.value.code == "51008"


async def test_the_margin_mode_is_never_guessed() -> None:
    wire = Scripted(privateGetAccountPositions=[])

    with pytest.raises(VenueRefusedError, match="BTCUSDT: its margin mode was never prepared"):
        await OkxSwap().place(wire, an_order(Side.LONG), hedge=False, valid_ms=700)

    assert wire.sent("privatePostTradeOrder") == []


async def test_the_open_position_tells_the_margin_mode_to_who_was_not_there() -> None:
    held = {"instId": SWAP, "pos": "1", "posSide": "net", "avgPx": "5", "mgnMode": "isolated"}
    wire = Scripted(privateGetAccountPositions=[held],
                    privatePostTradeOrderAlgo=[{"algoId": "5", "sCode": "0"}])  # fmt: skip

    stop = an_order(Side.LONG, Purpose.STOP)
    await OkxSwap().place(wire, stop, hedge=False, valid_ms=700)

    assert wire.sent("privatePostTradeOrderAlgo")[0]["tdMode"] == "isolated"


# --- preparing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hedge", "cross", "sides"),
    [
        (False, True, [None]),
        (True, True, [None]),
        (False, False, ["net"]),
        (True, False, ["long", "short"]),
    ],
)
async def test_leverage_is_set_for_each_side_that_has_its_own(
    hedge: bool, cross: bool, sides: list[str | None]
) -> None:
    wire = Scripted()
    await prepared(wire, hedge=hedge, cross=cross)

    sent = wire.sent("privatePostAccountSetLeverage")
    assert [each.get("posSide") for each in sent] == sides
    assert {each["mgnMode"] for each in sent} == {"cross" if cross else "isolated"}


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"privateGetAccountConfig": [{"acctLv": "1", "posMode": "net_mode"}]}, "spot mode"),
        (
            {"privateGetAccountPositions": [{"instId": SWAP, "pos": "1", "mgnMode": "isolated"}]},
            "a position is open in isolated",
        ),
        (
            {"privateGetAccountLeverageInfo": [{"mgnMode": "cross", "lever": "3"}]},
            "must be cross 10, was cross 3",
        ),
        ({"privateGetAccountLeverageInfo": []}, "was unknown"),
        ({"privateGetAccountConfig": [{"acctLv": "2", "posMode": "long_short_mode"}]}, "hedge"),
    ],
)
async def test_what_was_not_prepared_as_wanted_is_refused(
    answers: dict[str, Any], words: str
) -> None:
    wire = Scripted()
    dialect = await prepared(wire)
    wire.answers |= answers | {"privatePostAccountSetPositionMode": []}

    with pytest.raises(VenueRefusedError, match=words):
        await dialect.prepare(wire, "BTCUSDT", leverage=10, hedge=False, cross=True)


# --- looking up and cancelling ----------------------------------------------------------------


@pytest.mark.parametrize("code", ["51400", "51401", "51402", "51410"])
async def test_what_cannot_be_cancelled_any_more_is_looked_up(code: str) -> None:
    gone = VenueRefusedError("gone", code=code)
    wire = Scripted(privatePostTradeCancelOrder=gone, privateGetTradeOrder=[FILLED])

    update = await OkxSwap().cancel(wire, an_order(Side.LONG), valid_ms=700)

    assert isinstance(update, OrderUpdate)
    assert (update.state, update.filled_quantity) == (OrderState.FILLED, D("0.01"))


async def test_a_cancel_that_lost_against_a_fill_says_so() -> None:
    wire = Scripted(privatePostTradeCancelOrder=[{"ordId": "7", "sCode": "0"}],
                    privateGetTradeOrder=[FILLED])  # fmt: skip

    update = await OkxSwap().cancel(wire, an_order(Side.LONG), valid_ms=700)

    assert update is not None
    assert update.state is OrderState.FILLED


async def test_another_refusal_of_a_cancel_is_passed_on() -> None:
    wire = Scripted(privatePostTradeCancelOrder=VenueRefusedError("no", code="50026"))

    with pytest.raises(VenueRefusedError):
        await OkxSwap().cancel(wire, an_order(Side.LONG), valid_ms=700)


@BOTH_SIDES
async def test_a_fired_stop_is_found_as_the_order_it_became(side: Side) -> None:
    fired = {"algoId": "5", "state": "effective", "ordId": "7", "ordIdList": ["7"]}
    wire = Scripted(privateGetTradeOrderAlgo=[fired], privateGetTradeOrder=[FILLED])
    stop = an_order(side, Purpose.STOP)

    update = await OkxSwap().find(wire, stop)

    assert update is not None
    assert (update.client_order_id, update.state) == (stop.client_order_id, OrderState.FILLED)
    assert wire.sent("privateGetTradeOrder") == [{"instId": SWAP, "ordId": "7"}]
    named = wire.names.get("7")
    assert named is not None
    assert (named.client_order_id, named.side) == (stop.client_order_id, side)


async def test_a_fired_stop_whose_order_is_not_visible_yet_is_open() -> None:
    fired = {"algoId": "5", "state": "effective", "ordId": "7", "ordIdList": ["7"]}
    wire = Scripted(privateGetTradeOrderAlgo=[fired], privateGetTradeOrder=NO_ORDER)

    update = await OkxSwap().find(wire, an_order(Side.LONG, Purpose.STOP))

    assert update is not None
    assert update.state is OrderState.OPEN


@pytest.mark.parametrize("purpose", [Purpose.ENTRY, Purpose.STOP])
async def test_an_order_nobody_knows_is_not_found(purpose: Purpose) -> None:
    wire = Scripted(privateGetTradeOrder=NO_ORDER, privateGetTradeOrderAlgo=NO_ORDER)

    assert await OkxSwap().find(wire, an_order(Side.LONG, purpose)) is None


# --- lists ------------------------------------------------------------------------------------


def a_fill(number: int, order_id: str = "7", client_id: str = "") -> dict[str, Any]:
    return {
        "instId": SWAP, "tradeId": str(number), "billId": str(number), "ordId": order_id,
        "clOrdId": client_id, "side": "sell", "posSide": "net", "fillPx": "5", "fillSz": "1",
        "fee": "-1", "feeCcy": "USDT", "execType": "T", "ts": str(number), "subType": "2",
    }  # fmt: skip


async def test_fills_are_read_to_the_last_page_and_told_oldest_first() -> None:
    entry = order_name("a" * 25, Purpose.ENTRY, 0)
    full = [a_fill(500 - n, client_id=entry) for n in range(100)]
    wire = Scripted(privateGetTradeFills=Pages([full, [a_fill(400, client_id=entry)]]))

    found = await OkxSwap().fills(wire, "BTCUSDT", since_ms=NOW_MS)

    assert [int(each.trade_id) for each in found] == list(range(400, 501))
    assert [each.get("after") for each in wire.sent("privateGetTradeFills")] == [None, "401"]
    assert wire.sent("privateGetTradeFillsHistory") == []


async def test_fills_of_older_days_are_read_from_the_other_list_and_told_once() -> None:
    entry = order_name("a" * 25, Purpose.ENTRY, 0)
    wire = Scripted(
        privateGetTradeFills=[a_fill(3, client_id=entry), a_fill(2, client_id=entry)],
        privateGetTradeFillsHistory=[a_fill(2, client_id=entry), a_fill(1, client_id=entry)],
    )

    found = await OkxSwap().fills(wire, "BTCUSDT", since_ms=NOW_MS - 4 * 86_400_000)

    assert [each.trade_id for each in found] == ["1", "2", "3"]


async def test_a_fill_without_a_name_is_named_by_its_order_asked_once() -> None:
    stop = order_name("a" * 25, Purpose.STOP, 0)
    born = FILLED | {"clOrdId": "", "algoClOrdId": stop, "side": "sell", "posSide": "net",
                     "reduceOnly": "true"}  # fmt: skip
    wire = Scripted(privateGetTradeFills=[a_fill(2), a_fill(1)], privateGetTradeOrder=[born])

    found = await OkxSwap().fills(wire, "BTCUSDT", since_ms=NOW_MS)

    assert {(each.client_order_id, each.side) for each in found} == {(stop, Side.LONG)}
    assert len(wire.sent("privateGetTradeOrder")) == 1


async def test_open_orders_are_of_every_kind() -> None:
    wire = Scripted(privateGetTradeOrdersPending=[], privateGetTradeOrdersAlgoPending=[])
    await OkxSwap().open_orders(wire)

    kinds = {each["ordType"] for each in wire.sent("privateGetTradeOrdersAlgoPending")}
    assert kinds == {"conditional,oco", "trigger", "move_order_stop"}


async def test_trades_are_paged_back_by_time_then_by_id_and_cut_to_the_span() -> None:
    def rows(first: int, count: int) -> list[dict[str, Any]]:
        return [{"instId": SWAP, "px": "5", "sz": "1", "side": "buy", "tradeId": str(n),
                 "ts": str(n)} for n in range(first, first - count, -1)]  # fmt: skip

    wire = Scripted(publicGetMarketHistoryTrades=Pages([rows(300, 100), rows(200, 100)]))

    found = await OkxSwap().trades(wire, "BTCUSDT", start_ms=150, end_ms=301)

    assert [each.event_ms for each in found] == list(range(150, 301))
    asked = wire.sent("publicGetMarketHistoryTrades")
    assert [(each["type"], each["after"]) for each in asked] == [("2", 301), ("1", "201")]


def candle(minute: int, confirm: str = "1") -> list[str]:
    """A row of so many minutes before now."""
    return [str(NOW_MS - minute * 60_000), "1", "1", "1", "1", "9", "8", "7", confirm]


async def minutes(wire: Scripted, start: int) -> list[int]:
    """Of the three candles since so many minutes before now, those that are told."""
    start_ms = NOW_MS - start * 60_000
    rows = await OkxSwap().klines(wire, "BTCUSDT", span_ms=60_000, start_ms=start_ms, limit=3)
    return [(NOW_MS - each.open_ms) // 60_000 for each in rows]


async def test_the_newest_candles_have_a_route_of_their_own_and_the_open_one_is_none() -> None:
    wire = Scripted(publicGetMarketCandles=[candle(1, "0"), candle(2), candle(3)])

    assert await minutes(wire, 3) == [3, 2]
    (sent,) = wire.sent("publicGetMarketCandles")
    assert (sent["before"], sent["after"]) == (NOW_MS - 180_001, NOW_MS)
    assert (sent["bar"], sent["limit"]) == ("1m", 3)


@pytest.mark.parametrize("start", [1_439, 1_440, 9_999])
async def test_older_candles_come_from_the_other_route(start: int) -> None:
    rows = [candle(start - 2), candle(start - 1), candle(start)]
    wire = Scripted(publicGetMarketCandles=rows[:1], publicGetMarketHistoryCandles=rows)

    assert await minutes(wire, start) == [start, start - 1, start - 2]
    assert len(wire.sent("publicGetMarketCandles")) == (start < 1_440)


# --- sockets ----------------------------------------------------------------------------------


def a_client(**more: Any) -> Any:
    client = load_venue("okx")({"apiKey": "key", "secret": "secret", "password": "phrase"} | more)
    client.milliseconds = lambda: NOW_MS
    return client


def test_all_symbols_share_a_market_socket_with_an_address_of_its_own() -> None:
    client = a_client()
    one = OkxSwap().market_socket(client, ["BTCUSDT", "ETHUSDT"], key="market-1")
    other = OkxSwap().market_socket(client, ["BTCUSDT"], key="market-2")

    assert one.request is not None
    channels = [(each["channel"], each["instId"]) for each in one.request["args"]]
    assert channels == [("trades", SWAP), ("trades", "ETH-USDT-SWAP"), ("books5", SWAP)]
    assert one.url != other.url
    assert one.url.partition("#")[0] == other.url.partition("#")[0]


@pytest.mark.parametrize(
    ("second", "channel", "address"),
    [(False, "orders", "/private"), (True, "orders-algo", "/business")],
)
async def test_a_private_socket_logs_in_then_subscribes(
    second: bool, channel: str, address: str
) -> None:
    client = a_client()
    wire = Scripted()
    wire.client = lambda: client  # type: ignore[method-assign]  # this test needs a real one
    dialect = OkxSwap()
    opened = dialect.second_private_socket(wire) if second else dialect.private_socket(wire)

    socket: Socket = await opened

    assert socket.url.endswith(address)
    assert socket.request is not None
    assert socket.reply is not None
    login = socket.request["args"][0]
    text = f"{NOW_MS // 1000}GET/users/self/verify"
    assert (login["apiKey"], login["passphrase"]) == ("key", "phrase")
    assert login["sign"] == _signature(text)
    subscribe = socket.reply({"event": "login", "code": "0"})
    assert subscribe == {"op": "subscribe", "args": [{"channel": channel, "instType": "SWAP"}]}
    assert socket.reply({"event": "subscribe"}) is None
    assert socket.reply({"event": "error", "code": "60009"}) is None


def test_messages_tell_when_they_were_made() -> None:
    dialect = OkxSwap()

    assert dialect.event_ms({"data": [{"ts": "5"}, {"ts": "7"}]}) == 7
    assert dialect.event_ms({"event": "subscribe"}) is None
    assert dialect.is_pong("pong")
    assert not dialect.is_pong({"data": []})


def test_testnet_is_the_demo_account_on_every_line() -> None:
    client = a_client()
    OkxSwap().use_testnet(client)

    assert client.headers["x-simulated-trading"] == "1"
    assert "wspap" in client.get_url("trades", "public")


# --- signatures and deadlines -----------------------------------------------------------------


def _signature(text: str) -> str:
    digest = hmac.new(b"secret", text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def signed(path: str, params: Any) -> Any:
    client = a_client()
    client.options["timeDifference"] = 40
    OkxSwap().adjust(client)
    made = client.sign(path, ["private"], "POST", params)
    assert client.options["timeDifference"] == 40
    stamp = made["headers"]["OK-ACCESS-TIMESTAMP"]
    text = f"{stamp}POST/api/v5/{path}{made['body']}"
    assert made["headers"]["OK-ACCESS-SIGN"] == _signature(text)
    return made


def stamp_ms(made: Any) -> int:
    stamp = datetime.fromisoformat(made["headers"]["OK-ACCESS-TIMESTAMP"])
    return round(stamp.timestamp() * 1000)


def test_a_plain_order_s_deadline_is_a_header() -> None:
    params = {"clOrdId": "mine", "sz": "1", VALID_UNTIL: NOW_MS + 700}

    made = signed("trade/order", params)

    assert made["headers"]["expTime"] == str(NOW_MS + 700)
    assert json.loads(made["body"]) == {"clOrdId": "mine", "sz": "1"}
    assert stamp_ms(made) == NOW_MS - 40


@pytest.mark.parametrize("path", ["trade/order-algo", "trade/cancel-order", "trade/cancel-algos"])
def test_others_have_a_time_stamp_that_ends_at_the_deadline(path: str) -> None:
    params = {"clOrdId": "mine", VALID_UNTIL: NOW_MS + 700}

    made = signed(path, params)

    assert "expTime" not in made["headers"]
    assert stamp_ms(made) == NOW_MS + 700 - 30_000
    body = json.loads(made["body"])
    assert body == ([{"clOrdId": "mine"}] if path == "trade/cancel-algos" else {"clOrdId": "mine"})


def test_a_deadline_far_off_sets_no_time_stamp_into_the_future() -> None:
    made = signed("trade/order-algo", {"clOrdId": "mine", VALID_UNTIL: NOW_MS + 60_000})

    assert stamp_ms(made) == NOW_MS - 40


def test_reading_is_signed_as_ever() -> None:
    client = a_client()
    OkxSwap().adjust(client)
    made = client.sign("account/balance", ["private"], "GET", {"ccy": "USDT"})

    assert made["url"].endswith("/api/v5/account/balance?ccy=USDT")
    assert stamp_ms(made) == NOW_MS


# --- errors -----------------------------------------------------------------------------------


def said(body: dict[str, Any], status: int = 200) -> CtsError:
    """What ccxt's and then our reading make of an answer."""
    client, text = a_client(), json.dumps(body)
    try:
        client.handle_errors(status, "", "https://www.okx.com", "POST", {}, text, body, {}, "")
    except Exception as error:  # of ccxt's many classes
        return translate(error, OkxSwap.errors)
    raise AssertionError("ccxt saw no error")


def an_order_error(code: str) -> dict[str, Any]:
    row = {"clOrdId": "", "ordId": "", "sCode": code, "sMsg": "its own words", "tag": ""}
    return {"code": "1", "data": [row], "msg": "All operations failed"}


@pytest.mark.parametrize("code", ["51008", "51020", "51121", "51169", "51280", "51603", "59999"])
def test_an_order_s_refusal_has_its_own_code_and_words(code: str) -> None:
    error = said(an_order_error(code))

    assert isinstance(error, VenueRefusedError)
    assert (error.code, str(error)) == (code, f"{code} its own words")


@pytest.mark.parametrize("code", ["50011", "50061", "50040"])
def test_too_many_requests_were_surely_not_carried_out(code: str) -> None:
    assert isinstance(said({"code": code, "data": [], "msg": "Too Many Requests"}), VenueBusyError)
    assert isinstance(said(an_order_error(code)), VenueBusyError)


@pytest.mark.parametrize("code", ["50102", "50112"])
def test_a_refused_time_asks_for_the_clock(code: str) -> None:
    assert isinstance(said({"code": code, "data": [], "msg": "expired"}), ClockSkewError)


@pytest.mark.parametrize("code", ["50001", "50004", "50005", "50013", "50026", "51054", "51149"])
def test_what_leaves_the_outcome_open_is_unclear(code: str) -> None:
    assert isinstance(said({"code": code, "data": [], "msg": "try later"}), VenueUnclearError)
    assert isinstance(said(an_order_error(code)), VenueUnclearError)


def test_a_failure_without_a_code_is_unclear() -> None:
    assert isinstance(said({"code": "1", "data": [], "msg": ""}), VenueUnclearError)


@pytest.mark.parametrize("code", ["50105", "50111", "50113", "50110"])
def test_a_key_that_is_not_accepted_is_that(code: str) -> None:
    assert isinstance(said({"code": code, "msg": "Invalid"}, 401), CredentialsError)


def test_a_client_s_id_given_twice_is_known_by_code() -> None:
    assert all(map(OkxSwap().is_duplicate, ("51016", "51065")))
    assert not OkxSwap().is_duplicate("51008")


# --- listings ---------------------------------------------------------------------------------

NEWCOMER = LISTED[0] | {"instId": "NEW-USDT-SWAP", "ctVal": "10"}
NEW_TRADE = {"instId": "NEW-USDT-SWAP", "px": "5", "sz": "2", "side": "buy", "tradeId": "1",
             "ts": "1"}  # fmt: skip


async def test_what_was_listed_since_is_learnt_when_it_is_met() -> None:
    held = {"instId": "NEW-USDT-SWAP", "pos": "3", "posSide": "net", "avgPx": "5",
            "mgnMode": "cross"}  # fmt: skip
    wire = Scripted(publicGetPublicInstruments=Pages([LISTED, [*LISTED, NEWCOMER]]),
                    privateGetAccountConfig=[{"posMode": "net_mode"}],
                    privateGetAccountPositions=[held])  # fmt: skip
    dialect = OkxSwap()
    await dialect.is_hedged(wire)

    (position,) = await dialect.positions(wire)
    await dialect.positions(wire)

    assert (position.symbol, position.quantity) == ("NEWUSDT", D(30))
    assert len(wire.sent("publicGetPublicInstruments")) == 2


async def test_a_trade_of_unknown_size_is_an_error_until_the_list_is_read_again() -> None:
    wire = Scripted(publicGetPublicInstruments=Pages([LISTED, [*LISTED, NEWCOMER]]),
                    publicGetMarketTickers=[])  # fmt: skip
    dialect = OkxSwap()
    message = {"arg": {"channel": "trades"}, "data": [NEW_TRADE]}
    await dialect.last_prices(wire)

    with pytest.raises(KeyError, match="NEWUSDT"):
        dialect.read_trades(message)
    await dialect.last_prices(wire)  # as polling does while the stream is broken
    (trade,) = dialect.read_trades(message)

    assert trade.quantity == "20"


async def test_a_private_message_of_unknown_size_is_read_once_the_socket_is_dialled_again() -> None:
    wire = Scripted(publicGetPublicInstruments=Pages([LISTED, [*LISTED, NEWCOMER]]))
    client = a_client()
    wire.client = lambda: client  # type: ignore[method-assign]  # this test needs a real one
    row = FILLED | {"instId": "NEW-USDT-SWAP", "side": "buy", "posSide": "net", "tradeId": ""}
    message = {"arg": {"channel": "orders"}, "data": [row]}
    dialect = OkxSwap()
    await dialect.private_socket(wire)

    with pytest.raises(KeyError, match="NEWUSDT"):
        dialect.read_private(message, wire.names, patient=True)
    await dialect.private_socket(wire)
    news = dialect.read_private(message, wire.names, patient=True)

    assert news.updates[0].filled_quantity == 10


async def test_an_order_for_what_is_not_listed_is_refused_before_it_is_sent() -> None:
    wire = Scripted(publicGetPublicInstruments=[NEWCOMER])

    with pytest.raises(VenueRefusedError, match="BTCUSDT: OKX lists no such swap"):
        await OkxSwap().place(wire, an_order(Side.LONG), hedge=False, valid_ms=700)
