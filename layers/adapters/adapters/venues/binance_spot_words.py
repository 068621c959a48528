"""Binance spot's rows as our values. Pure: rows in, values out.

All that is held counts as the long position of its symbol: there is no other side.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from adapters.names import Name, OrderNames
from adapters.venues import PrivateNews, Row
from adapters.venues import binance_rows as rows
from engine.events import Account, KeyRights, OrderUpdate, VenueOrder, VenuePosition
from engine.ledger import Fill, OrderState, OrderType
from engine.values import Instrument, OrderSide, Side

# The last message: that of a replacement's parts says more than that of the whole.
ERRORS = replace(rows.ERRORS, message=re.compile(r'.*"msg"\s*:\s*"([^"]*)"', re.DOTALL))
ORDER_TYPES = {
    OrderType.MARKET: "MARKET",
    OrderType.STOP_MARKET: "STOP_LOSS",
    OrderType.TAKE_PROFIT_MARKET: "TAKE_PROFIT",
}
_CONDITIONAL = frozenset({"STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT"})
_STATES = {
    **rows.STATES,
    "PENDING_NEW": OrderState.OPEN,
    "PENDING_CANCEL": OrderState.OPEN,
}


def instrument(row: Row, *, quote: str, volume_quote: Decimal) -> Instrument | None:
    """A symbol of exchangeInfo, or None if it cannot be traded now, or not be protected."""
    is_open = row.get("status") == "TRADING" and row.get("isSpotTradingAllowed") is True
    if not is_open or row["quoteAsset"] != quote or "STOP_LOSS" not in row["orderTypes"]:
        return None
    filters = {each["filterType"]: each for each in row["filters"]}
    notional = filters.get("NOTIONAL") or filters["MIN_NOTIONAL"]
    return rows.instrument(
        row,
        filters,
        min_notional=Decimal(notional["minNotional"]),
        max_leverage=1,
        volume_quote=volume_quote,
        is_spot=True,
        max_stops=int(filters.get("MAX_NUM_ALGO_ORDERS", {}).get("maxNumAlgoOrders", 0)),
    )


def order_update(row: Row, client_order_id: str) -> OrderUpdate:
    """An order as REST prints it."""
    filled = Decimal(row["executedQty"])
    return OrderUpdate(
        client_order_id=client_order_id,
        state=_STATES[row["status"]],
        exchange_order_id=str(row["orderId"]),
        filled_quantity=filled,
        average_price=_average(Decimal(row["cummulativeQuoteQty"]), filled),
        at_ms=int(row.get("updateTime") or row.get("transactTime") or 0),
    )


def name_of(row: Row) -> Name:
    """What we call an order of REST."""
    return Name(client_order_id=str(row["clientOrderId"]), side=Side.LONG)


def venue_order(row: Row) -> VenueOrder:
    """A working order."""
    stop = Decimal(row.get("stopPrice") or 0)
    return VenueOrder(
        client_order_id=str(row["clientOrderId"]),
        exchange_order_id=str(row["orderId"]),
        symbol=row["symbol"],
        side=Side.LONG,
        is_conditional=row["type"] in _CONDITIONAL,
        reduces=row["side"] == "SELL",
        quantity=Decimal(row["origQty"]),
        filled_quantity=Decimal(row["executedQty"]),
        trigger_price=stop or None,
    )


def positions(
    balances: Iterable[Row], traded: Mapping[str, Instrument], prices: Mapping[str, Decimal]
) -> tuple[VenuePosition, ...]:
    """What is held of each traded asset, locked or not, in whole steps.

    The venue keeps no entry price: the last price stands for it. Less than can be sold is nothing.
    """
    found = []
    for row in balances:
        known = traded.get(row["asset"])
        if known is None:
            continue
        quantity = known.floor_quantity(held(row))
        if quantity >= known.min_quantity:
            found.append(
                VenuePosition(
                    symbol=known.symbol,
                    side=Side.LONG,
                    quantity=quantity,
                    entry_price=prices.get(known.symbol, Decimal(0)),
                )
            )
    return tuple(found)


def account(
    balances: Iterable[Row],
    traded: Mapping[str, Instrument],
    prices: Mapping[str, Decimal],
    *,
    quote: str,
    now_ms: int,
) -> Account:
    """Equity: the quote currency and every traded asset at its last price; free: unlocked quote."""
    equity = free = Decimal(0)
    for row in balances:
        known = traded.get(row["asset"])
        if row["asset"] == quote:
            free = Decimal(row["free"])
            equity += held(row)
        elif known is not None:
            equity += held(row) * prices.get(known.symbol, Decimal(0))
    return Account(equity=equity, free_margin=free, at_ms=now_ms)


def held(row: Row) -> Decimal:
    """Free and locked together."""
    return Decimal(row["free"]) + Decimal(row["locked"])


def fill(row: Row, named: Name) -> Fill:
    """An own execution as myTrades prints it."""
    order_side = OrderSide.BUY if row["isBuyer"] else OrderSide.SELL
    return rows.fill(row, named, order_side=order_side, is_maker=bool(row["isMaker"]))


def rights(row: Row) -> KeyRights:
    """What a key may do, as the restrictions of the API print it."""
    return rows.rights(row, trading="enableSpotAndMarginTrading")


def private_news(message: Any, names: OrderNames) -> PrivateNews:
    """What a message of the user-data subscription says; every order there carries its own name.

    An answer that is no success, and the end of the subscription, ask for a new one.
    """
    if not isinstance(message, dict):
        return PrivateNews()
    event = message.get("event")
    if not isinstance(event, dict):
        return PrivateNews(expired=message.get("status", 200) != 200)
    if event.get("e") == "executionReport":
        return _order_news(event, names)
    return PrivateNews(expired=event.get("e") == "eventStreamTerminated")


def _order_news(row: Row, names: OrderNames) -> PrivateNews:
    # A cancel carries a name of its own, and that of the order it ended as the original one.
    client_id = row.get("C") or row["c"]
    order_id, filled = str(row["i"]), Decimal(row["z"])
    named = names.note(order_id, Name(client_order_id=client_id, side=Side.LONG))
    update = OrderUpdate(
        client_order_id=named.client_order_id,
        state=_STATES[row["X"]],
        exchange_order_id=order_id,
        filled_quantity=filled,
        average_price=_average(Decimal(row["Z"]), filled),
        reason=_reason(row),
        at_ms=int(row["T"]),
    )
    fills = (rows.streamed_fill(row, named),) if row["x"] == "TRADE" else ()
    return PrivateNews(updates=(update,), fills=fills)


def _reason(row: Row) -> str:
    said = str(row.get("r") or "NONE")
    return "" if said == "NONE" else said


def _average(value: Decimal, quantity: Decimal) -> Decimal | None:
    return value / quantity if quantity else None
