"""Bybit's rows as the venue prints them, read as our values."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.ccxt_loader import load_errors
from adapters.failures import (
    ClockSkewError,
    NoChangeError,
    OrderUnknownError,
    VenueUnclearError,
    translate,
)
from adapters.venues import bybit_words as words
from engine.errors import CredentialsError, CtsError, VenueBusyError, VenueRefusedError
from engine.events import Account, Funding, KeyRights, VenuePosition
from engine.ledger import FillKind, OrderState, Purpose
from engine.orders import order_name
from engine.values import OrderSide, Side

RESPONSES = Path(__file__).parents[3] / "shared" / "data" / "venue_responses" / "bybit"
LISTED = {
    "symbol": "BTCUSDT", "contractType": "LinearPerpetual", "status": "Trading",
    "baseCoin": "BTC", "quoteCoin": "USDT", "settleCoin": "USDT",
    "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
    "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
    "lotSizeFilter": {
        "maxOrderQty": "1190.000", "minOrderQty": "0.001", "qtyStep": "0.001",
        "postOnlyMaxOrderQty": "1190.000", "maxMktOrderQty": "500.000", "minNotionalValue": "5",
    },
}  # fmt: skip
ORDER = {
    "symbol": "BTCUSDT", "orderType": "Market", "orderLinkId": "", "orderId": "f5f2d355-9a11",
    "avgPrice": "122529.9", "stopOrderType": "", "orderStatus": "Filled",
    "rejectReason": "EC_NoError", "positionIdx": 0, "updatedTime": "1757837618909",
    "side": "Sell", "triggerPrice": "", "cumExecQty": "0.001", "reduceOnly": True,
    "closeOnTrigger": False, "qty": "0.001", "category": "linear",
}  # fmt: skip
EXECUTION = {
    "category": "linear", "symbol": "BTCUSDT", "closedSize": "0", "execFee": "0.0679239",
    "execId": "135dbae5-cbed", "execPrice": "123498", "execQty": "0.001", "execType": "Trade",
    "orderId": "aee7453a-a100", "orderLinkId": "", "side": "Buy", "execTime": "1757837580469",
    "isMaker": False, "seq": 9517074055, "feeCoin": "USDT",
}  # fmt: skip
COIN = {
    "coin": "USDT", "equity": "990.5", "walletBalance": "1000", "totalPositionIM": "40",
    "totalOrderIM": "10", "locked": "0", "unrealisedPnl": "-9.5",
}  # fmt: skip
NAME = "a" * 25
BOTH_SIDES = pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])


def shown(side: OrderSide) -> str:
    return side.value.capitalize()


# --- the market ---------------------------------------------------------------------------------


def test_an_instrument_has_the_strictest_of_its_limits() -> None:
    found = words.instrument(LISTED, volume_quote=Decimal(7))

    assert found is not None
    assert (found.symbol, found.base, found.quote) == ("BTCUSDT", "BTC", "USDT")
    assert (found.price_tick, found.quantity_step) == (Decimal("0.1"), Decimal("0.001"))
    assert (found.min_quantity, found.max_quantity) == (Decimal("0.001"), Decimal(500))
    assert (found.min_notional, found.volume_24h_quote) == (Decimal(5), Decimal(7))
    assert found.max_leverage == 100


@pytest.mark.parametrize(
    "change",
    [
        {"status": "PreLaunch"},
        {"status": "Closed"},
        {"contractType": "LinearFutures"},
        {"settleCoin": "USDC"},
    ],
)
def test_what_is_no_perpetual_in_usdt_that_trades_is_left_out(change: dict[str, str]) -> None:
    assert words.instrument(LISTED | change, volume_quote=Decimal(0)) is None


def test_trades_of_one_taker_share_a_number_and_keep_their_order() -> None:
    row = {
        "T": 1672304486865, "s": "BTCUSDT", "S": "Buy", "v": "0.001", "p": "16578.50",
        "L": "PlusTick", "i": "20f43950-d8dd", "BT": False, "seq": 1783284617,
    }  # fmt: skip
    block = row | {"BT": True, "p": "1"}
    message = {
        "topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": 1672304486868,
        "data": [row, block, row | {"S": "Sell", "p": "16579"}],
    }  # fmt: skip

    first, second = words.streamed_trades(message)

    assert (first.price, second.price) == ("16578.50", "16579")
    assert first.trade_id == second.trade_id == 1783284617
    assert (first.is_buyer_maker, second.is_buyer_maker) == (False, True)
    assert words.streamed_trades({"topic": "tickers.BTCUSDT", "data": {}}) == ()
    assert words.streamed_trades({"success": True, "op": "subscribe"}) == ()


def test_recorded_trades_are_read_in_the_order_of_their_making() -> None:
    if not RESPONSES.exists():
        pytest.skip(f"recorded venue responses are not at {RESPONSES}")
    recorded = json.loads((RESPONSES / "fetch_trades_BTC_USDT.json").read_text())
    rows = recorded["http_response"]["result"]["list"]

    trades = [words.public_trade(row) for row in reversed(rows)]

    keys = [(each.event_ms, each.trade_id) for each in trades if each is not None]
    assert len(keys) == len(rows) == 5
    assert keys == sorted(keys)


def test_recorded_candles_are_sound() -> None:
    if not RESPONSES.exists():
        pytest.skip(f"recorded venue responses are not at {RESPONSES}")
    recorded = json.loads((RESPONSES / "fetch_ohlcv_BTC_USDT.json").read_text())

    made = [words.kline(row) for row in recorded["http_response"]["result"]["list"]]

    assert all(each.is_sound for each in made)
    assert [[each.open_ms, float(each.open), float(each.close)] for each in reversed(made)] == [
        [row[0], row[1], row[4]] for row in recorded["parsed_response"]
    ]


def test_a_price_is_as_old_as_its_first_sight() -> None:
    times = words.PriceTimes()

    def seen(price: str, at_ms: int) -> int:
        rows = [{"symbol": "BTCUSDT", "lastPrice": price}, {"symbol": "X", "lastPrice": ""}]
        (only,) = times.of(rows, at_ms)
        return only.event_ms

    assert [seen("1", 10_000), seen("1.0", 10_250), seen("2", 10_500), seen("1", 10_750)] == [
        9_950, 9_950, 10_450, 10_700,
    ]  # fmt: skip


# --- orders -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("New", OrderState.OPEN),
        ("Untriggered", OrderState.OPEN),
        ("Triggered", OrderState.OPEN),
        ("PartiallyFilled", OrderState.PARTIALLY_FILLED),
        ("Filled", OrderState.FILLED),
        ("Cancelled", OrderState.CANCELLED),
        ("PartiallyFilledCanceled", OrderState.CANCELLED),
        ("Deactivated", OrderState.CANCELLED),
        ("Rejected", OrderState.REJECTED),
    ],
)
def test_each_status_is_one_of_our_states(status: str, state: OrderState) -> None:
    assert words.order_update(ORDER | {"orderStatus": status}, "x").state is state


def test_an_update_tells_what_was_filled_and_why_it_ended() -> None:
    found = words.order_update(ORDER, "mine")
    ended = words.order_update(ORDER | {"rejectReason": "EC_NoImmediateQtyToFill"}, "mine")
    empty = words.order_update(ORDER | {"avgPrice": "", "cumExecQty": ""}, "mine")

    assert (found.client_order_id, found.exchange_order_id) == ("mine", "f5f2d355-9a11")
    assert (found.filled_quantity, found.average_price) == (Decimal("0.001"), Decimal("122529.9"))
    assert (found.reason, ended.reason) == ("", "EC_NoImmediateQtyToFill")
    assert (empty.filled_quantity, empty.average_price) == (Decimal(0), None)
    assert found.at_ms == 1757837618909


@BOTH_SIDES
@pytest.mark.parametrize("hedge", [False, True])
def test_a_waiting_stop_belongs_to_the_position_it_closes(side: Side, hedge: bool) -> None:
    row = ORDER | {
        "orderStatus": "Untriggered", "side": shown(side.exit), "triggerPrice": "120000",
        "positionIdx": {Side.LONG: 1, Side.SHORT: 2}[side] if hedge else 0,
        "reduceOnly": not hedge, "cumExecQty": "0", "orderLinkId": "stop",
    }  # fmt: skip

    found = words.venue_order(row)

    assert (found.side, found.reduces, found.is_conditional) == (side, True, True)
    assert (found.client_order_id, found.trigger_price) == ("stop", Decimal(120_000))
    assert (found.quantity, found.filled_quantity) == (Decimal("0.001"), Decimal(0))


@BOTH_SIDES
@pytest.mark.parametrize("hedge", [False, True])
def test_a_resting_entry_belongs_to_the_position_it_opens(side: Side, hedge: bool) -> None:
    row = ORDER | {
        "orderStatus": "PartiallyFilled", "side": shown(side.entry), "reduceOnly": False,
        "positionIdx": {Side.LONG: 1, Side.SHORT: 2}[side] if hedge else 0, "qty": "0.003",
    }  # fmt: skip

    found = words.venue_order(row)

    assert (found.side, found.reduces, found.is_conditional) == (side, False, False)
    assert (found.filled_quantity, found.trigger_price) == (Decimal("0.001"), None)


# --- the account --------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize("hedge", [False, True])
def test_a_position_is_told_by_its_index_or_by_its_side(side: Side, hedge: bool) -> None:
    row = {
        "symbol": "XRPUSDT", "size": "100", "avgPrice": "0.3615", "side": shown(side.entry),
        "positionIdx": {Side.LONG: 1, Side.SHORT: 2}[side] if hedge else 0,
    }  # fmt: skip

    assert words.venue_position(row) == VenuePosition(
        symbol="XRPUSDT", side=side, quantity=Decimal(100), entry_price=Decimal("0.3615")
    )
    assert words.venue_position(row | {"size": "0", "side": ""}) is None


@pytest.mark.parametrize(("available", "free"), [("1234.5", Decimal("1234.5")), ("", Decimal(950))])
def test_what_is_free_is_told_or_what_is_not_tied(available: str, free: Decimal) -> None:
    row = {"totalAvailableBalance": available, "coin": [COIN | {"coin": "BTC"}, COIN]}

    assert words.account(row, now_ms=5) == Account(
        equity=Decimal("990.5"), free_margin=free, at_ms=5
    )


def test_an_account_without_usdt_is_worth_nothing_to_us() -> None:
    row = {"totalAvailableBalance": "77", "coin": [COIN | {"coin": "BTC"}]}

    assert words.account(row, now_ms=5) == Account(
        equity=Decimal(0), free_margin=Decimal(0), at_ms=5
    )


def test_the_mode_is_read_from_flat_positions_too() -> None:
    assert not words.is_hedged([{"positionIdx": 0}])
    assert words.is_hedged([{"positionIdx": 1}, {"positionIdx": 2}])


# --- executions ---------------------------------------------------------------------------------


@BOTH_SIDES
@pytest.mark.parametrize("purpose", list(Purpose))
def test_our_own_name_tells_the_side_of_a_fill(side: Side, purpose: Purpose) -> None:
    order_side = side.exit if purpose.reduces else side.entry
    row = EXECUTION | {"side": shown(order_side), "orderLinkId": order_name(NAME, purpose, 0)}

    found = words.fill(row)

    assert found is not None
    assert (found.side, found.order_side, found.kind) == (side, order_side, FillKind.TRADE)
    assert (found.trade_id, found.exchange_order_id) == ("135dbae5-cbed", "aee7453a-a100")
    assert (found.price, found.quantity) == (Decimal(123_498), Decimal("0.001"))
    assert (found.fee, found.fee_asset) == (Decimal("0.0679239"), "USDT")
    assert found.executed_at_ms == 1757837580469


@BOTH_SIDES
@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("Trade", FillKind.TRADE),
        ("BustTrade", FillKind.LIQUIDATION),
        ("AdlTrade", FillKind.DELEVERAGING),
    ],
)
def test_what_closes_without_our_name_is_of_the_closed_side(
    side: Side, kind: str, wanted: FillKind
) -> None:
    row = EXECUTION | {"side": shown(side.exit), "closedSize": "0.001", "execType": kind}

    found = words.fill(row)

    assert found is not None
    assert (found.side, found.kind, found.client_order_id) == (side, wanted, "")


@pytest.mark.parametrize(("fee", "amount"), [("1.25", "-1.25"), ("-0.5", "0.5")])
def test_funding_is_no_fill_and_what_was_paid_is_below_zero(fee: str, amount: str) -> None:
    row = EXECUTION | {"execType": "Funding", "execFee": fee}

    assert words.fill(row) is None
    assert words.funding(row) == Funding(
        funding_id="135dbae5-cbed", symbol="BTCUSDT", side=None, amount=Decimal(amount),
        asset="USDT", at_ms=1757837580469,
    )  # fmt: skip
    assert words.funding(EXECUTION) is None


def test_the_stream_tells_orders_fills_and_funding_of_linear_contracts_only() -> None:
    spot = {"category": "spot"}
    orders = words.private_news({"topic": "order", "data": [ORDER, ORDER | spot]})
    executed = words.private_news(
        {"topic": "execution",
         "data": [EXECUTION, EXECUTION | spot, EXECUTION | {"execType": "Funding"}]}
    )  # fmt: skip

    assert [each.state for each in orders.updates] == [OrderState.FILLED]
    assert (len(executed.fills), len(executed.funding)) == (1, 1)
    assert words.private_news({"topic": "wallet", "data": [COIN]}).updates == ()
    assert words.private_news({"op": "subscribe", "success": True}).updates == ()


# --- rights and errors --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, (True, False, False)),
        ({"readOnly": 1}, (False, False, False)),
        ({"ips": ["1.2.3.4"]}, (True, False, True)),
        ({"permissions": {"ContractTrade": ["Order"]}}, (False, False, False)),
        (
            {"permissions": {"ContractTrade": ["Order", "Position"], "Wallet": ["Withdraw"]}},
            (True, True, False),
        ),
    ],
)
def test_the_rights_of_a_key(changes: dict[str, Any], wanted: tuple[bool, bool, bool]) -> None:
    row = {
        "readOnly": 0, "ips": ["*"],
        "permissions": {
            "ContractTrade": ["Order", "Position"], "Spot": ["SpotTrade"],
            "Wallet": ["AccountTransfer"], "Options": [], "NFT": None,
        },
    }  # fmt: skip

    can_trade, can_withdraw, is_bound = wanted
    assert words.rights(row | changes) == KeyRights(
        can_trade=can_trade, can_withdraw=can_withdraw, is_address_bound=is_bound
    )


@pytest.mark.parametrize(
    ("kind", "code", "wanted"),
    [
        ("InsufficientFunds", 110007, VenueRefusedError),
        ("InvalidOrder", 110017, VenueRefusedError),
        ("InvalidOrder", 110072, VenueRefusedError),
        ("OrderNotFound", 110001, OrderUnknownError),
        ("NoChange", 110025, NoChangeError),
        ("BadRequest", 110043, VenueRefusedError),
        ("BadRequest", 10001, VenueRefusedError),
        ("ExchangeError", 110066, VenueRefusedError),
        ("ExchangeError", 999999, VenueRefusedError),
        ("PermissionDenied", 10005, CredentialsError),
        ("AuthenticationError", 10003, CredentialsError),
        ("AuthenticationError", 10004, CredentialsError),
        ("AuthenticationError", 10009, VenueBusyError),
        ("RateLimitExceeded", 10006, VenueBusyError),
        ("RateLimitExceeded", 10018, VenueBusyError),
        ("ExchangeError", 10429, VenueBusyError),
        ("InvalidNonce", 10002, ClockSkewError),
        ("ExchangeError", 10016, VenueUnclearError),
        ("ExchangeError", 10000, VenueUnclearError),
        ("ExchangeError", 5004, VenueUnclearError),
        ("ExchangeError", 110079, VenueUnclearError),
    ],
)
def test_only_what_surely_was_not_carried_out_is_called_so(
    kind: str, code: int, wanted: type[CtsError]
) -> None:
    text = f'bybit {{"retCode":{code},"retMsg":"Some words","result":{{}},"time":1}}'
    made = translate(getattr(load_errors(), kind)(text), words.ERRORS)

    assert type(made) is wanted
    assert str(made) == f"{code} Some words"
