"""Binance's rows as our values, for both sides and both position modes."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.names import Name, OrderNames
from adapters.venues import binance_words as words
from adapters.venues import position_side
from engine.events import KeyRights, OrderUpdate
from engine.ledger import Fill, FillKind, OrderState, Purpose
from engine.orders import order_name
from engine.values import Side

RESPONSES = Path(__file__).parents[3] / "shared/data/venue_responses/binance"
STOP_ID = order_name("a" * 25, Purpose.STOP, 0)
ENTRY_ID = order_name("a" * 25, Purpose.ENTRY, 0)


def an_order_message(**changes: Any) -> dict[str, Any]:
    row = {
        "s": "BTCUSDT", "c": ENTRY_ID, "S": "BUY", "o": "MARKET", "q": "0.010", "ap": "67000.5",
        "x": "TRADE", "X": "FILLED", "i": 77, "l": "0.010", "z": "0.010", "L": "67000.5",
        "N": "USDT", "n": "0.26", "T": 1_700_000_000_123, "t": 901, "m": False, "R": False,
        "ps": "BOTH",
    }  # fmt: skip
    return {"e": "ORDER_TRADE_UPDATE", "E": 1_700_000_000_125, "o": row | changes}


def a_conditional_message(**changes: Any) -> dict[str, Any]:
    row = {
        "caid": STOP_ID, "aid": 5, "o": "STOP_MARKET", "s": "BTCUSDT", "S": "SELL", "ps": "BOTH",
        "q": "0.010", "X": "NEW", "ai": "", "ap": "0", "aq": "0", "tp": "66000", "R": True,
    }  # fmt: skip
    return {"e": "ALGO_UPDATE", "T": 1, "E": 1_700_000_000_200, "o": row | changes}


@pytest.mark.parametrize(
    ("mode", "order_side", "reduces", "side"),
    [
        ("BOTH", "BUY", False, Side.LONG),
        ("BOTH", "SELL", True, Side.LONG),
        ("BOTH", "SELL", False, Side.SHORT),
        ("BOTH", "BUY", True, Side.SHORT),
        ("LONG", "SELL", False, Side.LONG),
        ("SHORT", "BUY", False, Side.SHORT),
    ],
)
def test_an_order_belongs_to_the_position_it_opens_or_reduces(
    mode: str, order_side: str, reduces: bool, side: Side
) -> None:
    assert position_side(mode, order_side, reduces=reduces) is side


@pytest.mark.parametrize(("order_side", "side"), [("BUY", Side.LONG), ("SELL", Side.SHORT)])
def test_a_streamed_execution_is_an_update_and_a_fill(order_side: str, side: Side) -> None:
    news = words.private_news(an_order_message(S=order_side), OrderNames(), patient=True)

    update, fill = news.updates[0], news.fills[0]
    assert (update.client_order_id, update.state) == (ENTRY_ID, OrderState.FILLED)
    assert update.average_price == Decimal("67000.5")
    assert (fill.trade_id, fill.side, fill.price) == ("901", side, Decimal("67000.5"))
    assert (fill.fee, fill.fee_asset) == (Decimal("0.26"), "USDT")


def test_a_fill_of_an_order_with_a_strange_name_waits_for_the_name() -> None:
    names = OrderNames()
    message = an_order_message(c="made-by-venue", i=88, S="SELL", R=True)

    before = words.private_news(message, names, patient=True)
    words.private_news(a_conditional_message(X="TRIGGERED", ai="88"), names, patient=True)
    after = words.private_news(message, names, patient=True)

    assert before.waits_for == "88"
    assert after.fills[0].client_order_id == STOP_ID
    assert after.fills[0].side is Side.LONG


def test_after_waiting_in_vain_an_execution_keeps_the_venues_name() -> None:
    news = words.private_news(an_order_message(c="by-hand"), OrderNames(), patient=False)

    assert news.fills[0].client_order_id == "by-hand"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("NEW", OrderState.OPEN),
        ("CANCELED", OrderState.CANCELLED),
        ("REJECTED", OrderState.REJECTED),
        ("EXPIRED", OrderState.EXPIRED),
    ],
)
def test_a_conditional_order_tells_its_own_state_until_it_is_triggered(
    status: str, state: OrderState
) -> None:
    news = words.private_news(a_conditional_message(X=status), OrderNames(), patient=True)

    assert news.updates == (
        OrderUpdate(
            client_order_id=STOP_ID, state=state, exchange_order_id="5", at_ms=1_700_000_000_200
        ),
    )


@pytest.mark.parametrize("status", ["TRIGGERED", "FINISHED"])
def test_a_triggered_one_leaves_the_telling_to_the_order_it_became(status: str) -> None:
    names = OrderNames()
    news = words.private_news(a_conditional_message(X=status, ai="88"), names, patient=True)

    assert news.updates == ()
    assert names.get("88") == Name(client_order_id=STOP_ID, side=Side.LONG)


def test_an_expired_key_renews_the_stream() -> None:
    assert words.private_news({"e": "listenKeyExpired"}, OrderNames(), patient=True).expired


@pytest.mark.parametrize(
    ("mode", "amount", "side"),
    [("BOTH", "0.5", Side.LONG), ("BOTH", "-0.5", Side.SHORT), ("SHORT", "-0.5", Side.SHORT)],
)
def test_a_position_has_a_side_and_a_positive_quantity(mode: str, amount: str, side: Side) -> None:
    row = {"symbol": "BTCUSDT", "positionSide": mode, "positionAmt": amount, "entryPrice": "1.5"}

    position = words.venue_position(row)

    assert position is not None
    assert (position.side, position.quantity) == (side, Decimal("0.5"))


def test_a_flat_position_is_none() -> None:
    row = {"symbol": "BTCUSDT", "positionSide": "BOTH", "positionAmt": "0.000", "entryPrice": "0"}

    assert words.venue_position(row) is None


@pytest.mark.parametrize(
    ("mode", "order_side", "flag", "reduces"),
    [
        ("LONG", "SELL", False, True),
        ("SHORT", "BUY", False, True),
        ("LONG", "BUY", False, False),
        ("BOTH", "SELL", True, True),
        ("BOTH", "SELL", False, False),
    ],
)
def test_a_listed_order_tells_whether_it_reduces(
    mode: str, order_side: str, flag: bool, reduces: bool
) -> None:
    row = {
        "orderId": 1, "clientOrderId": "x", "symbol": "BTCUSDT", "side": order_side,
        "positionSide": mode, "reduceOnly": flag, "origQty": "1", "executedQty": "0",
        "stopPrice": "0",
    }  # fmt: skip

    assert words.venue_order(row).reduces is reduces


def test_the_venues_own_listing_parses() -> None:
    path = RESPONSES / "fetch_markets.json"
    if not path.is_file():
        pytest.skip(f"no recorded venue responses at {path}")
    recorded = json.loads(path.read_text())
    rows = [row for row in _symbols(recorded) if row.get("contractType") == "PERPETUAL"]
    if not rows:
        pytest.skip("the recorded responses hold no perpetuals")

    for row in rows:
        made = words.instrument(row, max_leverage=20, volume_quote=Decimal(0))
        assert made is None or made.price_tick > 0


def _symbols(recorded: Any) -> list[dict[str, Any]]:
    if isinstance(recorded, dict):
        return [row for value in recorded.values() for row in _symbols(value)]
    if isinstance(recorded, list):
        rows = [row for row in recorded if isinstance(row, dict) and "filters" in row]
        return rows or [row for value in recorded for row in _symbols(value)]
    return []


def test_fills_of_one_trade_id_have_one_key() -> None:
    streamed = words.private_news(an_order_message(), OrderNames(), patient=True).fills[0]
    row = {
        "id": 901, "orderId": 77, "symbol": "BTCUSDT", "side": "BUY", "price": "67000.5",
        "qty": "0.010", "commission": "0.26", "commissionAsset": "USDT", "maker": False,
        "time": 1_700_000_000_123,
    }  # fmt: skip
    fetched = words.fill(row, Name(client_order_id=ENTRY_ID, side=Side.LONG))

    assert isinstance(fetched, Fill)
    assert fetched == streamed


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("autoclose-1700000000000", FillKind.LIQUIDATION),
        ("settlement_autoclose-77", FillKind.LIQUIDATION),
        ("adl_autoclose", FillKind.DELEVERAGING),
        ("by-hand", FillKind.TRADE),
        (ENTRY_ID, FillKind.TRADE),
    ],
)
def test_what_the_venue_wanted_itself_is_told_by_the_name_and_waits_for_no_other(
    name: str, kind: FillKind
) -> None:
    execution = "TRADE" if kind is FillKind.TRADE else "CALCULATED"
    message = an_order_message(c=name, i=99, S="SELL", R=True, x=execution)

    news = words.private_news(message, OrderNames(), patient=True)

    assert news.waits_for == ("99" if name == "by-hand" else "")
    if not news.waits_for:
        assert news.fills[0].kind is kind
    assert words.kind_of(name) is kind


def test_funding_is_named_by_its_transaction_and_tells_no_side() -> None:
    row = {
        "symbol": "BTCUSDT", "incomeType": "FUNDING_FEE", "income": "-0.12", "asset": "USDT",
        "info": "", "time": 1_700_000_000_000, "tranId": 9689322392, "tradeId": "",
    }  # fmt: skip

    paid = words.funding(row)

    assert (paid.funding_id, paid.side, paid.amount) == (
        "BTCUSDT-9689322392",
        None,
        Decimal("-0.12"),
    )


def test_rights_of_a_key_are_what_the_venue_says_and_unknown_where_it_says_nothing() -> None:
    told = words.rights({"enableFutures": True, "enableWithdrawals": False, "ipRestrict": True})

    assert told == KeyRights(can_trade=True, can_withdraw=False, is_address_bound=True)
    assert words.rights({}) == KeyRights(can_trade=None, can_withdraw=None, is_address_bound=None)
