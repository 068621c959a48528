"""Binance USD-M's rows as our values. Pure: rows in, values out."""

from decimal import Decimal
from typing import Any

from adapters.names import Name, OrderNames
from adapters.venues import PrivateNews, Row, position_side
from adapters.venues import binance_rows as rows
from engine.events import Account, Funding, KeyRights, OrderUpdate, VenueOrder, VenuePosition
from engine.ledger import Fill, FillKind, OrderState
from engine.orders import is_ours
from engine.values import Instrument, OrderSide, Side

ERRORS = rows.ERRORS
# A triggered one lives on as a plain order, whose state decides.
_CONDITIONAL_STATES = {
    "NEW": OrderState.OPEN,
    "TRIGGERING": OrderState.OPEN,
    "TRIGGERED": OrderState.OPEN,
    "FINISHED": OrderState.OPEN,
    "CANCELED": OrderState.CANCELLED,
    "REJECTED": OrderState.REJECTED,
    "EXPIRED": OrderState.EXPIRED,
}
_EXECUTIONS = ("TRADE", "CALCULATED")  # the latter is of the venue's own orders
_VENUES_OWN = {
    "autoclose-": FillKind.LIQUIDATION,
    "settlement_autoclose-": FillKind.LIQUIDATION,  # a delisted contract
    "adl_autoclose": FillKind.DELEVERAGING,
}


def instrument(row: Row, *, max_leverage: int, volume_quote: Decimal) -> Instrument | None:
    """A symbol of exchangeInfo, or None if it is no perpetual that trades now."""
    if row.get("contractType") != "PERPETUAL" or row.get("status") != "TRADING":
        return None
    filters = {each["filterType"]: each for each in row["filters"]}
    return rows.instrument(
        row,
        filters,
        min_notional=Decimal(filters["MIN_NOTIONAL"]["notional"]),
        max_leverage=max_leverage,
        volume_quote=volume_quote,
    )


def order_update(row: Row, client_order_id: str) -> OrderUpdate:
    """An order as REST prints it."""
    return OrderUpdate(
        client_order_id=client_order_id,
        state=rows.STATES[row["status"]],
        exchange_order_id=str(row["orderId"]),
        filled_quantity=Decimal(row["executedQty"]),
        average_price=_price(row.get("avgPrice")),
        at_ms=int(row.get("updateTime", 0)),
    )


def conditional_update(row: Row) -> OrderUpdate:
    """A conditional order as REST prints it, before its trigger or ended without one."""
    return OrderUpdate(
        client_order_id=row["clientAlgoId"],
        state=_CONDITIONAL_STATES[row.get("algoStatus", "NEW")],
        exchange_order_id=str(row["algoId"]),
        reason=str(row.get("failReason") or ""),
        at_ms=int(row.get("updateTime", 0)),
    )


def born_order_id(row: Row) -> str:
    """The id of the plain order a triggered conditional one became, or empty."""
    return str(row.get("actualOrderId") or row.get("ai") or "")


def name_of(row: Row) -> Name:
    """What we call an order of REST, and its side."""
    return Name(
        client_order_id=str(row.get("clientAlgoId") or row.get("clientOrderId") or ""),
        side=position_side(row["positionSide"], row["side"], reduces=_reduces(row)),
    )


def venue_order(row: Row) -> VenueOrder:
    """A working order of either list."""
    conditional = "algoId" in row
    named = name_of(row)
    return VenueOrder(
        client_order_id=named.client_order_id,
        exchange_order_id=str(row["algoId"] if conditional else row["orderId"]),
        symbol=row["symbol"],
        side=named.side,
        is_conditional=conditional,
        reduces=_reduces(row),
        quantity=Decimal(row["quantity"] if conditional else row["origQty"]),
        filled_quantity=Decimal(0) if conditional else Decimal(row["executedQty"]),
        trigger_price=_price(row.get("triggerPrice") if conditional else row.get("stopPrice")),
    )


def venue_position(row: Row) -> VenuePosition | None:
    """A position, or None if it is flat."""
    amount = Decimal(row["positionAmt"])
    if not amount:
        return None
    side = row["positionSide"]
    if side == "BOTH":
        side = Side.LONG if amount > 0 else Side.SHORT
    return VenuePosition(
        symbol=row["symbol"],
        side=Side(side),
        quantity=abs(amount),
        entry_price=Decimal(row["entryPrice"]),
    )


def account(row: Row, *, now_ms: int) -> Account:
    """Equity is the margin balance: wallet and unrealized result of all positions."""
    return Account(
        equity=Decimal(row["totalWalletBalance"]) + Decimal(row["totalUnrealizedProfit"]),
        free_margin=Decimal(row["availableBalance"]),
        at_ms=now_ms,
    )


def funding(row: Row) -> Funding:
    """A payment as the income history prints it; its transaction id is unique within a symbol."""
    return Funding(
        funding_id=f"{row['symbol']}-{row['tranId']}",
        symbol=row["symbol"],
        side=None,
        amount=Decimal(row["income"]),
        asset=row["asset"],
        at_ms=int(row["time"]),
    )


def rights(row: Row) -> KeyRights:
    """What a key may do, as the restrictions of the API print it."""
    return rows.rights(row, trading="enableFutures")


def kind_of(client_order_id: str) -> FillKind:
    """Who wanted an order's fills: the venue marks its own by their client ids."""
    marks = (kind for start, kind in _VENUES_OWN.items() if client_order_id.startswith(start))
    return next(marks, FillKind.TRADE)


def fill(row: Row, named: Name) -> Fill:
    """An own execution as userTrades prints it."""
    return rows.fill(
        row,
        named,
        order_side=OrderSide(row["side"]),
        is_maker=bool(row["maker"]),
        kind=kind_of(named.client_order_id),
    )


def private_news(message: Any, names: OrderNames, *, patient: bool) -> PrivateNews:
    """What a message of the user-data stream says of our orders.

    An order nobody named may be born of a conditional one whose own message is still under way:
    if `patient`, the answer then only tells which order's name to wait for.
    """
    event = message.get("e") if isinstance(message, dict) else None
    if event == "ORDER_TRADE_UPDATE":
        row = message["o"]
        order_id = str(row["i"])
        is_named = is_ours(row["c"]) or kind_of(row["c"]) is not FillKind.TRADE
        if patient and names.get(order_id) is None and not is_named:
            return PrivateNews(waits_for=order_id)
        return _order_news(row, names)
    if event == "ALGO_UPDATE":
        return _conditional_news(message, names)
    return PrivateNews(expired=event == "listenKeyExpired")


def _order_news(row: Row, names: OrderNames) -> PrivateNews:
    order_id = str(row["i"])
    side = position_side(row["ps"], row["S"], reduces=bool(row["R"] or row.get("cp")))
    named = names.note(order_id, Name(client_order_id=row["c"], side=side))
    update = OrderUpdate(
        client_order_id=named.client_order_id,
        state=rows.STATES[row["X"]],
        exchange_order_id=order_id,
        filled_quantity=Decimal(row["z"]),
        average_price=_price(row.get("ap")),
        at_ms=int(row["T"]),
    )
    if row["x"] not in _EXECUTIONS:
        return PrivateNews(updates=(update,))
    return PrivateNews(
        updates=(update,), fills=(rows.streamed_fill(row, named, kind_of(row["c"])),)
    )


def _conditional_news(message: Row, names: OrderNames) -> PrivateNews:
    row = message["o"]
    side = position_side(row["ps"], row["S"], reduces=bool(row["R"] or row.get("cp")))
    born = born_order_id(row)
    if born:
        names.note(born, Name(client_order_id=row["caid"], side=side))
    state = _CONDITIONAL_STATES[row["X"]]
    update = OrderUpdate(
        client_order_id=row["caid"],
        state=state,
        exchange_order_id=born or str(row["aid"]),
        filled_quantity=Decimal(row.get("aq") or 0),
        average_price=_price(row.get("ap")),
        reason=str(row.get("rm") or "") if state is OrderState.REJECTED else "",
        at_ms=int(message["E"]),
    )
    # The state of a born order comes with its own messages; two tellers could contradict.
    return PrivateNews() if born and not state.is_terminal else PrivateNews(updates=(update,))


def _reduces(row: Row) -> bool:
    """Reduce-only, or closing: with two positions that is told by the side alone."""
    if row["positionSide"] == "LONG":
        return bool(row["side"] == "SELL")
    if row["positionSide"] == "SHORT":
        return bool(row["side"] == "BUY")
    return bool(row.get("reduceOnly")) or bool(row.get("closePosition"))


def _price(text: Any) -> Decimal | None:
    """A price, or None where Binance prints zero for "none"."""
    price = Decimal(text or 0)
    return price if price else None
