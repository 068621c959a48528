"""OKX's rows of orders and executions as our values. Pure: rows in, values out."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from adapters.names import Name, OrderNames
from adapters.venues import PrivateNews, Row, position_side
from adapters.venues.okx_words import Sizes, is_of_usdt_swap, price, quantity, to_symbol
from engine.events import OrderUpdate, VenueOrder
from engine.ledger import Fill, FillKind, Order, OrderState
from engine.orders import parsed
from engine.values import OrderSide, Side

_STATES = {
    "live": OrderState.OPEN,
    "partially_filled": OrderState.PARTIALLY_FILLED,
    "filled": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "mmp_canceled": OrderState.CANCELLED,
}
# A triggered one lives on as a plain order, whose state decides.
_CONDITIONAL_STATES = {
    "live": OrderState.OPEN,
    "pause": OrderState.OPEN,
    "effective": OrderState.OPEN,
    "partially_effective": OrderState.OPEN,
    "canceled": OrderState.CANCELLED,
    "order_failed": OrderState.REJECTED,
    "partially_failed": OrderState.REJECTED,
}
_KINDS = {
    "full_liquidation": FillKind.LIQUIDATION,
    "partial_liquidation": FillKind.LIQUIDATION,
    "adl": FillKind.DELEVERAGING,
}
_LIQUIDATIONS = range(100, 108)
_DELEVERAGINGS = range(125, 129)


def accepted(order: Order, exchange_order_id: str) -> OrderUpdate:
    """All that the answer to an order says."""
    return OrderUpdate(
        client_order_id=order.client_order_id,
        state=OrderState.OPEN,
        exchange_order_id=exchange_order_id,
    )


def order_update(row: Row, client_order_id: str, sizes: Sizes) -> OrderUpdate:
    """A plain order of REST or stream."""
    return OrderUpdate(
        client_order_id=client_order_id,
        state=_STATES[row["state"]],
        exchange_order_id=row["ordId"],
        filled_quantity=quantity(row, "accFillSz", sizes),
        average_price=price(row.get("avgPx")),
        at_ms=int(row.get("uTime") or 0),
    )


def conditional_update(row: Row, client_order_id: str) -> OrderUpdate:
    """A conditional order before its trigger, or ended without a plain one."""
    state = _CONDITIONAL_STATES[row["state"]]
    return OrderUpdate(
        client_order_id=client_order_id,
        state=state,
        exchange_order_id=row["algoId"],
        reason=str(row.get("failCode") or "") if state is OrderState.REJECTED else "",
        at_ms=int(row.get("uTime") or row.get("cTime") or 0),
    )


def born_order_id(row: Row) -> str:
    """The id of the plain order a triggered conditional one became, or empty."""
    born = row.get("ordIdList") or [row.get("ordId")]
    return str(born[-1] or "")


def name_of(row: Row) -> Name:
    """What we call an order, and its side; one born of a conditional order has that one's name."""
    client_id = str(row.get("algoClOrdId") or row.get("clOrdId") or "")
    return Name(client_order_id=client_id, side=_side(row, reduces=_reduces(row)))


def name_of_fill(row: Row) -> Name | None:
    """The order's name and side as a fill tells them, or None if it does not.

    With one net position only our own names tell whether an order opened or reduced.
    """
    client_id = str(row.get("clOrdId") or "")
    name = parsed(client_id)
    if name is None:
        return None
    return Name(client_order_id=client_id, side=_side(row, reduces=name.purpose.reduces))


def venue_order(row: Row, sizes: Sizes) -> VenueOrder:
    """A working order of either list."""
    is_conditional = not row.get("state") or "accFillSz" not in row
    named = name_of(row)
    triggers = ("slTriggerPx", "tpTriggerPx", "triggerPx", "moveTriggerPx")
    trigger = next((row[name] for name in triggers if row.get(name)), None)
    return VenueOrder(
        client_order_id=named.client_order_id,
        exchange_order_id=str(row["algoId"] if is_conditional else row["ordId"]),
        symbol=to_symbol(row["instId"]),
        side=named.side,
        is_conditional=is_conditional,
        reduces=_reduces(row),
        quantity=quantity(row, "sz", sizes),
        filled_quantity=Decimal(0) if is_conditional else quantity(row, "accFillSz", sizes),
        trigger_price=price(trigger) if is_conditional else None,
    )


def fill(row: Row, named: Name, sizes: Sizes) -> Fill:
    """An own execution as trade/fills prints it; a fee taken is printed below zero."""
    fee, at_ms = (row["fee"], row["feeCcy"]), row.get("fillTime") or row["ts"]
    return _fill(row, named, sizes, fee=fee, at_ms=at_ms, kind=_kind_of_fill(row))


def private_news(message: Any, names: OrderNames, sizes: Sizes) -> PrivateNews:
    """What a message of the private channels says of our orders.

    A row tells the conditional order it was born of, so no other message has to be waited for.
    """
    channel = message.get("arg", {}).get("channel") if isinstance(message, dict) else None
    if channel not in ("orders", "orders-algo"):
        return PrivateNews()
    rows = [row for row in message.get("data", ()) if is_of_usdt_swap(row)]
    if channel == "orders":
        return _order_news(rows, names, sizes)
    return _conditional_news(rows, names)


def _order_news(rows: Sequence[Row], names: OrderNames, sizes: Sizes) -> PrivateNews:
    updates, fills = [], []
    for row in rows:
        named = names.note(row["ordId"], name_of(row))
        updates.append(order_update(row, named.client_order_id, sizes))
        if row.get("tradeId"):
            fee = (row["fillFee"], row["fillFeeCcy"])
            kind = _KINDS.get(row.get("category", ""), FillKind.TRADE)
            fills.append(_fill(row, named, sizes, fee=fee, at_ms=row["fillTime"], kind=kind))
    return PrivateNews(updates=tuple(updates), fills=tuple(fills))


def _conditional_news(rows: Sequence[Row], names: OrderNames) -> PrivateNews:
    """The state of one that was born comes with its own messages: two tellers could contradict."""
    updates = []
    for row in rows:
        born, named = born_order_id(row), name_of(row)
        if born:
            names.note(born, named)
        else:
            updates.append(conditional_update(row, named.client_order_id))
    return PrivateNews(updates=tuple(updates))


def _fill(
    row: Row, named: Name, sizes: Sizes, *, fee: tuple[str, str], at_ms: str, kind: FillKind
) -> Fill:
    return Fill(
        trade_id=row["tradeId"],
        client_order_id=named.client_order_id,
        exchange_order_id=row["ordId"],
        symbol=to_symbol(row["instId"]),
        side=named.side,
        order_side=OrderSide(row["side"].upper()),
        price=Decimal(row["fillPx"]),
        quantity=quantity(row, "fillSz", sizes),
        fee=-Decimal(fee[0] or 0),
        fee_asset=fee[1],
        is_maker=row["execType"] == "M",
        executed_at_ms=int(at_ms),
        kind=kind,
    )


def _side(row: Row, *, reduces: bool) -> Side:
    return position_side(row["posSide"].upper(), row["side"].upper(), reduces=reduces)


def _reduces(row: Row) -> bool:
    """Reduce-only; with two positions that is told by the side alone."""
    if row["posSide"] in ("long", "short"):
        return bool(row["side"] == ("sell" if row["posSide"] == "long" else "buy"))
    return str(row.get("reduceOnly")) == "true" or row.get("category") in _KINDS


def _kind_of_fill(row: Row) -> FillKind:
    kind = int(row.get("subType") or 0)
    if kind in _LIQUIDATIONS:
        return FillKind.LIQUIDATION
    return FillKind.DELEVERAGING if kind in _DELEVERAGINGS else FillKind.TRADE
