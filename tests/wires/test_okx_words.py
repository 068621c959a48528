"""OKX's rows as our values, for both sides, both position modes, and contracts as base units."""

from decimal import Decimal
from typing import Any

import pytest

from adapters.names import Name, OrderNames
from adapters.venues import okx_order_words as order_words
from adapters.venues import okx_words as words
from engine.events import KeyRights
from engine.ledger import FillKind, OrderState, Purpose
from engine.orders import order_name
from engine.values import OrderSide, Side

D = Decimal
SWAP = "BTC-USDT-SWAP"
SIZES = {"BTCUSDT": D("0.01"), "SATSUSDT": D(10_000_000)}
STOP_ID = order_name("a" * 25, Purpose.STOP, 0)
ENTRY_ID = order_name("a" * 25, Purpose.ENTRY, 0)
CLOSE_ID = order_name("a" * 25, Purpose.CLOSE, 0)
# An order's side, its position's, whether it reduces, and ours.
SIDES = pytest.mark.parametrize(
    ("order_side", "pos_side", "reduces", "side"),
    [
        ("buy", "net", False, Side.LONG),
        ("sell", "net", True, Side.LONG),
        ("sell", "net", False, Side.SHORT),
        ("buy", "net", True, Side.SHORT),
        ("buy", "long", False, Side.LONG),
        ("sell", "long", True, Side.LONG),
        ("sell", "short", False, Side.SHORT),
        ("buy", "short", True, Side.SHORT),
    ],
)


def a_listing(**changes: Any) -> dict[str, Any]:
    return {
        "instType": "SWAP", "instId": SWAP, "instFamily": "BTC-USDT", "uly": "BTC-USDT",
        "ctType": "linear", "ctVal": "0.01", "ctMult": "1", "ctValCcy": "BTC", "settleCcy": "USDT",
        "state": "live", "lever": "100", "lotSz": "0.01", "minSz": "0.01", "tickSz": "0.1",
        "maxLmtSz": "100000000", "maxMktSz": "12000", "maxStopSz": "", "baseCcy": "",
        "quoteCcy": "",
    } | changes  # fmt: skip


def an_order_row(**changes: Any) -> dict[str, Any]:
    return {
        "instType": "SWAP", "instId": SWAP, "ordId": "77", "clOrdId": ENTRY_ID, "algoId": "",
        "algoClOrdId": "", "side": "buy", "posSide": "net", "reduceOnly": "false", "sz": "2.5",
        "accFillSz": "2.5", "avgPx": "67000.5", "state": "filled", "category": "normal",
        "fillPx": "67000.5", "fillSz": "2.5", "fillTime": "1700000000123", "tradeId": "901",
        "fillFee": "-0.84", "fillFeeCcy": "USDT", "execType": "T", "uTime": "1700000000124",
    } | changes  # fmt: skip


def an_algo_row(**changes: Any) -> dict[str, Any]:
    return {
        "instType": "SWAP", "instId": SWAP, "algoId": "5", "algoClOrdId": STOP_ID, "clOrdId": "",
        "ordId": "", "ordIdList": [], "side": "sell", "posSide": "net", "reduceOnly": "true",
        "sz": "2.5", "state": "live", "slTriggerPx": "66000", "tpTriggerPx": "", "failCode": "",
        "cTime": "1700000000100", "uTime": "1700000000200",
    } | changes  # fmt: skip


def a_fill_row(**changes: Any) -> dict[str, Any]:
    return {
        "instType": "SWAP", "instId": SWAP, "tradeId": "901", "ordId": "77", "clOrdId": ENTRY_ID,
        "billId": "11", "subType": "1", "fillPx": "67000.5", "fillSz": "2.5", "side": "buy",
        "posSide": "net", "execType": "T", "fee": "-0.84", "feeCcy": "USDT",
        "ts": "1700000000125", "fillTime": "1700000000123",
    } | changes  # fmt: skip


def a_message(*rows: dict[str, Any], channel: str = "orders") -> dict[str, Any]:
    return {"arg": {"channel": channel, "instType": "SWAP"}, "data": list(rows)}


# --- what can be traded -----------------------------------------------------------------------


def test_limits_of_contracts_become_base_units() -> None:
    found = words.instrument(a_listing(), volume_quote=D(5))

    assert found is not None
    assert (found.symbol, found.base, found.quote) == ("BTCUSDT", "BTC", "USDT")
    assert (found.quantity_step, found.min_quantity) == (D("0.0001"), D("0.0001"))
    assert (found.max_quantity, found.min_notional) == (D(120), D(0))
    assert (found.price_tick, found.max_leverage) == (D("0.1"), 100)


def test_a_multiplier_is_part_of_a_contract_s_size() -> None:
    row = a_listing(ctVal="10", ctMult="0.1")

    assert words.contract_size(row) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "suspend"},
        {"ctType": "inverse", "settleCcy": "BTC", "instId": "BTC-USD-SWAP"},
        {"settleCcy": "USDC", "instId": "BTC-USDC-SWAP"},
        {"instType": "FUTURES", "instId": "BTC-USDT-260327"},
        {"instType": "SPOT", "instId": "BTC-USDT", "ctType": "", "settleCcy": ""},
    ],
)
def test_other_instruments_are_none_of_ours(changes: dict[str, str]) -> None:
    assert words.instrument(a_listing(**changes), volume_quote=D(0)) is None


def test_names_go_both_ways() -> None:
    assert words.to_inst_id("BTCUSDT") == SWAP
    assert words.to_symbol(SWAP) == "BTCUSDT"
    assert words.to_symbol("BTC-USD-SWAP") == "BTC-USD-SWAP"


# --- market -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "maker"), [("buy", False), ("sell", True)])
def test_a_public_trade_counts_base_units(side: str, maker: bool) -> None:
    row = {"instId": SWAP, "side": side, "sz": "12.5", "px": "67000.1", "tradeId": "954514612",
           "ts": "1700000000123", "count": "1"}  # fmt: skip

    trade = words.trade(row, SIZES)

    assert (trade.symbol, trade.quantity, trade.trade_id) == ("BTCUSDT", "0.125", 954514612)
    assert trade.is_buyer_maker is maker
    assert trade.is_sound


def test_a_message_stands_for_the_trades_it_sums_up_and_a_list_s_row_for_none() -> None:
    row = {"instId": SWAP, "side": "buy", "sz": "1", "px": "67000.1", "tradeId": "954514612",
           "ts": "1700000000123"}  # fmt: skip

    summed, listed = words.trade(row | {"count": "3"}, SIZES), words.trade(row, SIZES)

    assert (summed.first_id, summed.last_id) == (954514610, 954514612)
    assert (listed.first_id, listed.last_id) == (0, 0)


def test_a_candle_s_volume_is_the_one_in_base() -> None:
    row = ["1700000040000", "1", "3", "0.5", "2", "100", "1", "67000", "1"]

    found = words.kline(row)

    assert (found.open_ms, found.open, found.high, found.low, found.close, found.volume) == (
        1_700_000_040_000, "1", "3", "0.5", "2", "1",
    )  # fmt: skip


def test_a_day_s_value_is_base_volume_at_the_last_price() -> None:
    assert words.volume_quote({"volCcy24h": "2.5", "last": "100"}) == 250
    assert words.volume_quote({"volCcy24h": "", "last": ""}) == 0


# --- the account ------------------------------------------------------------------------------


def test_equity_and_what_is_free_are_those_of_usdt() -> None:
    row = {"details": [{"ccy": "BTC", "eq": "9"}, {"ccy": "USDT", "eq": "1000.5", "availEq": "7"}]}
    simple = {"details": [{"ccy": "USDT", "eq": "5", "availEq": "", "availBal": "4"}]}

    found = words.account(row, now_ms=1)

    assert (found.equity, found.free_margin) == (D("1000.5"), D(7))
    assert words.account(simple, now_ms=1).free_margin == 4
    assert words.account({"details": []}, now_ms=1).equity == 0


@pytest.mark.parametrize(
    ("pos", "pos_side", "side"),
    [("2.5", "net", Side.LONG), ("-2.5", "net", Side.SHORT), ("2.5", "long", Side.LONG),
     ("2.5", "short", Side.SHORT)],
)  # fmt: skip
def test_a_position_is_base_units_on_a_side(pos: str, pos_side: str, side: Side) -> None:
    row = {"instId": SWAP, "pos": pos, "posSide": pos_side, "avgPx": "67000", "mgnMode": "cross"}

    (found,) = words.venue_positions([row], SIZES)

    assert (found.symbol, found.side, found.quantity) == ("BTCUSDT", side, D("0.025"))


def test_positions_in_both_margin_modes_are_one_at_their_mean_price() -> None:
    rows = [
        {"instId": SWAP, "pos": "1", "posSide": "net", "avgPx": "100", "mgnMode": "cross"},
        {"instId": SWAP, "pos": "3", "posSide": "net", "avgPx": "200", "mgnMode": "isolated"},
        {"instId": SWAP, "pos": "0", "posSide": "net", "avgPx": "", "mgnMode": "cross"},
    ]

    (found,) = words.venue_positions(rows, SIZES)

    assert (found.quantity, found.entry_price) == (D("0.04"), D(175))


@pytest.mark.parametrize(
    ("row", "rights"),
    [
        ({"perm": "read_only,trade", "ip": ""}, (True, False, False)),
        ({"perm": "read_only,withdraw,trade", "ip": "1.2.3.4"}, (True, True, True)),
        ({"perm": "read_only"}, (False, False, None)),
        ({}, (None, None, None)),
    ],
)
def test_rights_are_told_as_far_as_the_venue_tells_them(
    row: dict[str, str], rights: tuple[bool | None, ...]
) -> None:
    trade, withdraw, bound = rights

    assert words.rights(row) == KeyRights(
        can_trade=trade, can_withdraw=withdraw, is_address_bound=bound
    )


@pytest.mark.parametrize("amount", ["-1.25", "0.75"])
def test_funding_is_the_bill_s_result_in_either_margin_mode(amount: str) -> None:
    row = {"billId": "8", "instId": SWAP, "type": "8", "pnl": amount, "balChg": "0",
           "posBalChg": amount, "ccy": "USDT", "ts": "1700000000000"}  # fmt: skip

    found = words.funding(row)

    assert (found.amount, found.asset, found.symbol, found.side) == (
        D(amount), "USDT", "BTCUSDT", None,
    )  # fmt: skip


# --- orders -----------------------------------------------------------------------------------


@SIDES
def test_an_order_belongs_to_the_position_it_opens_or_reduces(
    order_side: str, pos_side: str, reduces: bool, side: Side
) -> None:
    flag = "true" if reduces and pos_side == "net" else "false"  # OKX ignores it with two positions
    row = {"side": order_side, "posSide": pos_side, "reduceOnly": flag}

    plain = order_words.venue_order(an_order_row(**row, state="live", accFillSz="1"), SIZES)
    conditional = order_words.venue_order(an_algo_row(**row), SIZES)

    for found in (plain, conditional):
        assert (found.side, found.reduces, found.quantity) == (side, reduces, D("0.025"))
    assert (plain.is_conditional, plain.filled_quantity) == (False, D("0.01"))
    assert (conditional.is_conditional, conditional.trigger_price) == (True, D(66_000))
    assert conditional.client_order_id == STOP_ID


def test_a_stranger_s_stop_on_the_whole_position_has_no_quantity() -> None:
    row = an_algo_row(sz="", closeFraction="1", slTriggerPx="", triggerPx="60000")

    found = order_words.venue_order(row, SIZES)

    assert (found.quantity, found.trigger_price) == (D(0), D(60_000))


@pytest.mark.parametrize(
    ("state", "ours"),
    [
        ("live", OrderState.OPEN),
        ("partially_filled", OrderState.PARTIALLY_FILLED),
        ("filled", OrderState.FILLED),
        ("canceled", OrderState.CANCELLED),
        ("mmp_canceled", OrderState.CANCELLED),
    ],
)
def test_an_order_s_state_is_ours(state: str, ours: OrderState) -> None:
    found = order_words.order_update(an_order_row(state=state), ENTRY_ID, SIZES)

    assert (found.state, found.filled_quantity) == (ours, D("0.025"))
    assert (found.average_price, found.at_ms) == (D("67000.5"), 1_700_000_000_124)


@pytest.mark.parametrize(
    ("state", "ours", "reason"),
    [
        ("live", OrderState.OPEN, ""),
        ("pause", OrderState.OPEN, ""),
        ("effective", OrderState.OPEN, ""),
        ("canceled", OrderState.CANCELLED, ""),
        ("order_failed", OrderState.REJECTED, "51008"),
        ("partially_failed", OrderState.REJECTED, "51008"),
    ],
)
def test_a_conditional_order_s_state_is_ours(state: str, ours: OrderState, reason: str) -> None:
    row = an_algo_row(state=state, failCode="51008")

    found = order_words.conditional_update(row, STOP_ID)

    assert (found.state, found.reason, found.exchange_order_id) == (ours, reason, "5")


def test_the_order_a_stop_became_is_the_last_of_its_list() -> None:
    assert order_words.born_order_id(an_algo_row()) == ""
    assert order_words.born_order_id(an_algo_row(ordId="7", ordIdList=[])) == "7"
    assert order_words.born_order_id(an_algo_row(ordId="7", ordIdList=["7", "8"])) == "8"


# --- executions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order_side", "name", "side"),
    [
        ("buy", ENTRY_ID, Side.LONG),
        ("sell", ENTRY_ID, Side.SHORT),
        ("sell", CLOSE_ID, Side.LONG),
        ("buy", CLOSE_ID, Side.SHORT),
    ],
)
def test_our_own_name_tells_a_fill_s_side(order_side: str, name: str, side: Side) -> None:
    row = a_fill_row(side=order_side, clOrdId=name)
    named = order_words.name_of_fill(row)

    assert named == Name(client_order_id=name, side=side)
    found = order_words.fill(row, named, SIZES)
    assert (found.side, found.order_side) == (side, OrderSide(order_side.upper()))
    assert (found.quantity, found.fee, found.is_maker) == (D("0.025"), D("0.84"), False)
    assert found.executed_at_ms == 1_700_000_000_123


@pytest.mark.parametrize("name", ["", "somebody", "e847386590ce4dBC330547db94a08ba0"])
def test_a_strange_fill_does_not_tell_its_side(name: str) -> None:
    assert order_words.name_of_fill(a_fill_row(clOrdId=name)) is None


@pytest.mark.parametrize(
    ("sub_type", "category", "kind"),
    [
        ("1", "normal", FillKind.TRADE),
        ("6", "normal", FillKind.TRADE),
        ("100", "partial_liquidation", FillKind.LIQUIDATION),
        ("105", "full_liquidation", FillKind.LIQUIDATION),
        ("125", "adl", FillKind.DELEVERAGING),
        ("128", "adl", FillKind.DELEVERAGING),
    ],
)
def test_what_the_venue_closed_is_told_by_both_ways(
    sub_type: str, category: str, kind: FillKind
) -> None:
    named = Name(client_order_id="", side=Side.LONG)
    fetched = order_words.fill(a_fill_row(subType=sub_type), named, SIZES)
    row = an_order_row(category=category, clOrdId="", side="sell", tradeId="-5")
    streamed = order_words.private_news(a_message(row), OrderNames(), SIZES).fills[0]

    assert (fetched.kind, streamed.kind) == (kind, kind)
    if kind is not FillKind.TRADE:
        assert streamed.side is Side.LONG  # the venue never opens


@SIDES
def test_a_streamed_execution_is_an_update_and_a_fill(
    order_side: str, pos_side: str, reduces: bool, side: Side
) -> None:
    flag = "true" if reduces and pos_side == "net" else "false"
    row = an_order_row(side=order_side, posSide=pos_side, reduceOnly=flag)
    news = order_words.private_news(a_message(row), OrderNames(), SIZES)

    (update,), (fill,) = news.updates, news.fills
    assert (update.client_order_id, update.state) == (ENTRY_ID, OrderState.FILLED)
    assert (fill.trade_id, fill.side, fill.quantity) == ("901", side, D("0.025"))
    assert (fill.fee, fill.fee_asset, fill.price) == (D("0.84"), "USDT", D("67000.5"))


def test_a_rebate_is_a_fee_below_zero() -> None:
    row = an_order_row(fillFee="0.1", execType="M")
    fill = order_words.private_news(a_message(row), OrderNames(), SIZES).fills[0]

    assert (fill.fee, fill.is_maker) == (D("-0.1"), True)


def test_an_order_born_of_a_stop_has_the_stop_s_name() -> None:
    names = OrderNames()
    row = an_order_row(clOrdId="", algoClOrdId=STOP_ID, algoId="5", side="sell", reduceOnly="true")
    news = order_words.private_news(a_message(row), names, SIZES)

    assert news.waits_for == ""
    assert (news.fills[0].client_order_id, news.fills[0].side) == (STOP_ID, Side.LONG)
    assert names.get("77") == Name(client_order_id=STOP_ID, side=Side.LONG)


@pytest.mark.parametrize(
    ("state", "ours"), [("live", OrderState.OPEN), ("canceled", OrderState.CANCELLED),
                        ("order_failed", OrderState.REJECTED)],
)  # fmt: skip
def test_a_conditional_order_s_own_news_are_an_update(state: str, ours: OrderState) -> None:
    message = a_message(an_algo_row(state=state), channel="orders-algo")

    (update,) = order_words.private_news(message, OrderNames(), SIZES).updates

    assert (update.client_order_id, update.state) == (STOP_ID, ours)


def test_of_a_fired_one_its_own_channel_tells_the_name_alone() -> None:
    names = OrderNames()
    row = an_algo_row(state="effective", ordId="78", ordIdList=["78"])
    news = order_words.private_news(a_message(row, channel="orders-algo"), names, SIZES)

    assert news.updates == ()
    assert names.get("78") == Name(client_order_id=STOP_ID, side=Side.LONG)


def test_an_order_without_an_execution_is_an_update_alone() -> None:
    row = an_order_row(state="live", accFillSz="0", avgPx="", tradeId="", fillSz="0", fillFee="0")
    news = order_words.private_news(a_message(row), OrderNames(), SIZES)

    assert (news.updates[0].average_price, news.fills) == (None, ())


@pytest.mark.parametrize(
    "message",
    [
        "pong",
        {"event": "subscribe", "arg": {"channel": "orders"}},
        a_message({"pos": "1"}, channel="positions"),
        a_message(an_order_row(instType="SPOT", instId="BTC-USDT")),
        a_message(an_order_row(instId="BTC-USD-SWAP")),
    ],
)
def test_other_messages_say_nothing_of_our_orders(message: Any) -> None:
    news = order_words.private_news(message, OrderNames(), SIZES)

    assert (news.updates, news.fills, news.expired) == ((), (), False)


def test_a_contract_of_unknown_size_is_an_error_not_a_guess() -> None:
    with pytest.raises(KeyError, match="ETHUSDT"):
        order_words.private_news(
            a_message(an_order_row(instId="ETH-USDT-SWAP")), OrderNames(), SIZES
        )
