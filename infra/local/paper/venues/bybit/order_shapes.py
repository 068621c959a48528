"""Orders and executions as Bybit prints them, in REST and in the private stream alike.

A conditional order waits as `Untriggered`; when it fires it becomes a plain one of the same id, so
of every such pair one row is shown.
"""

from collections.abc import Iterable
from decimal import Decimal

from local.paper.core.books import Books
from local.paper.core.records import (
    ZERO,
    AlgoOrder,
    AlgoStatus,
    Fill,
    FillKind,
    Income,
    IncomeKind,
    Order,
    OrderSide,
    OrderStatus,
    PositionSide,
)
from local.paper.core.rules import is_closing
from local.paper.core.triggers import TAKE_PROFITS, TRAILING
from local.paper.venues.bybit.shapes import Json, link_id, money, number, uuid

INDEX = {PositionSide.BOTH: 0, PositionSide.LONG: 1, PositionSide.SHORT: 2}
WORKING = {
    "LastPrice": "CONTRACT_PRICE",
    "MarkPrice": "MARK_PRICE",
    "IndexPrice": "CONTRACT_PRICE",
}
"""Here the index is the last price."""
_STATES = {
    OrderStatus.NEW: "New",
    OrderStatus.PARTIALLY_FILLED: "PartiallyFilled",
    OrderStatus.FILLED: "Filled",
    OrderStatus.CANCELED: "Cancelled",
    OrderStatus.EXPIRED: "Cancelled",
}
_WAITING_STATES = {
    AlgoStatus.NEW: "Untriggered",
    AlgoStatus.CANCELED: "Deactivated",
    AlgoStatus.FINISHED: "Triggered",
    AlgoStatus.REJECTED: "Cancelled",
}
_EXPIRED_BECAUSE = {
    "GTX": "EC_PostOnlyWillTakeLiquidity",
    "FOK": "EC_NoEnoughQtyToFill",
    "IOC": "EC_NoImmediateQtyToFill",
}
_KEPT = {
    "STOP_MARKET": "StopLoss",
    "TAKE_PROFIT_MARKET": "TakeProfit",
    TRAILING: "TrailingStop",
}
_TIMES = {"GTX": "PostOnly"}
_EXEC_TYPES = {
    FillKind.TRADE: "Trade",
    FillKind.LIQUIDATION: "BustTrade",
    FillKind.DELEVERAGING: "AdlTrade",
}
_CREATED_BY = {
    FillKind.TRADE: "CreateByUser",
    FillKind.LIQUIDATION: "CreateByLiq",
    FillKind.DELEVERAGING: "CreateByAdl_PassThrough",
}


def side_name(side: OrderSide) -> str:
    """`Buy` or `Sell`."""
    return side.value.capitalize()


def order(books: Books, one: Order) -> Json:
    """A plain order, also one that was conditional."""
    fee = sum((fill.fee for fill in _fills_of(books, one)), ZERO)
    left = one.quantity - one.filled if one.is_open else ZERO
    market = one.order_type == "MARKET"
    return _common(one, link_id(one.client_order_id)) | {
        "orderId": uuid(order_number(books, one)), "orderStatus": _STATES[one.status],
        "cancelType": _cancel_type(one), "rejectReason": _reject_reason(one),
        "price": number(one.price) if one.price else "", "qty": number(one.quantity),
        "orderType": "Market" if market else "Limit",
        "timeInForce": "IOC" if market else _TIMES.get(one.time_in_force, one.time_in_force),
        "avgPrice": number(round(one.average_price, 8)) if one.filled else "",
        "leavesQty": number(left), "leavesValue": money(left * one.price),
        "cumExecQty": number(one.filled), "cumExecValue": money(one.filled_quote),
        "cumExecFee": money(fee), "cumFeeDetail": {"USDT": money(fee)} if one.filled else {},
        **_condition(one.original_type, one.side, one.trigger_price, _working(books, one)),
        **_with_position(one.original_type, closes=one.close_position),
    }  # fmt: skip


def conditional(one: AlgoOrder) -> Json:
    """A conditional order before its trigger, or ended without a plain one."""
    waits = one.status is AlgoStatus.NEW
    refused = one.status is AlgoStatus.REJECTED
    left = one.quantity if waits else ZERO
    market = one.order_type.endswith("_MARKET")
    return _common(one, link_id(one.client_algo_id)) | {
        "orderId": uuid(one.algo_id), "orderStatus": _WAITING_STATES[one.status],
        "cancelType": "CancelByReduceOnly" if refused else _ended(one.status is not AlgoStatus.NEW),
        "rejectReason": "EC_Others" if refused else "EC_NoError",
        "price": number(one.price) if one.price else "", "qty": number(one.quantity),
        "orderType": "Market" if market else "Limit",
        "timeInForce": "IOC" if market else _TIMES.get(one.time_in_force, one.time_in_force),
        "avgPrice": "", "leavesQty": number(left), "leavesValue": money(left * one.price),
        "cumExecQty": "0", "cumExecValue": "0", "cumExecFee": "0", "cumFeeDetail": {},
        **_condition(one.order_type, one.side, one.trigger_price, one.working_type),
        **_with_position(one.order_type, closes=one.close_position),
    }  # fmt: skip


def direction(order_type: str, side: OrderSide) -> int:
    """1 if it fires while the price rises, 2 while it falls."""
    stops = order_type not in TAKE_PROFITS
    return 1 if stops == (side is OrderSide.BUY) else 2


def execution(books: Books, one: Fill) -> Json:
    """An execution, as REST lists it; it names no position, only what it closed."""
    found = books.orders.get(one.order_id)
    value = one.price * one.quantity
    closes = is_closing(one.side, one.position_side)
    closed = one.quantity if closes or one.realized else ZERO
    order_id = one.order_id if found is None else order_number(books, found)
    conditional = found is not None and bool(found.parent_algo_id)
    return _executed(one.trade_id, one.symbol, one.time_ms) | {
        "orderId": uuid(order_id), "orderLinkId": link_id(one.client_order_id),
        "side": side_name(one.side),
        "orderPrice": number(one.price if found is None else found.price),
        "orderQty": number(one.quantity if found is None else found.quantity),
        "leavesQty": number(found.quantity - found.filled) if found else "0",
        "createType": _CREATED_BY[one.kind],
        "orderType": "Limit" if found and found.order_type == "LIMIT" else "Market",
        "stopOrderType": "Stop" if conditional else "UNKNOWN",
        "execFee": money(one.fee), "execPrice": number(one.price),
        "execQty": number(one.quantity), "execType": _EXEC_TYPES[one.kind],
        "execValue": money(value), "isMaker": one.maker,
        "feeRate": money(one.fee / value) if value else "0", "markPrice": number(one.price),
        "closedSize": number(closed),
    }  # fmt: skip


def settlement(one: Income) -> Json:
    """A funding payment among the executions: what is above zero was paid."""
    held = abs(one.quantity)
    return _executed(one.income_id, one.symbol, one.time_ms) | {
        "orderId": uuid(one.income_id), "orderLinkId": "",
        "side": "Sell" if one.quantity < 0 else "Buy", "orderPrice": "0", "orderQty": "0",
        "leavesQty": "0", "createType": "", "orderType": "UNKNOWN", "stopOrderType": "UNKNOWN",
        "execFee": money(-one.amount), "execPrice": number(one.price), "execQty": number(held),
        "execType": "Funding", "execValue": money(held * one.price), "isMaker": False,
        "feeRate": number(one.rate), "markPrice": number(one.price), "closedSize": "0",
    }  # fmt: skip


def executed(books: Books, one: Fill | Income) -> Json:
    """Either kind of execution."""
    return execution(books, one) if isinstance(one, Fill) else settlement(one)


def exec_type(one: Fill | Income) -> str:
    """What Bybit calls it."""
    return _EXEC_TYPES[one.kind] if isinstance(one, Fill) else "Funding"


def executions(books: Books) -> list[Fill | Income]:
    """All executions and funding payments, newest first."""
    paid = [one for one in books.incomes if one.kind is IncomeKind.FUNDING_FEE]
    found: list[Fill | Income] = [*books.fills, *paid]
    return sorted(found, key=lambda one: (one.time_ms, _number(one)), reverse=True)


def order_number(books: Books, one: Order) -> int:
    """An order that was conditional keeps the number it had; a copy told of it may not know it."""
    known = books.orders.get(one.order_id, one)
    return known.parent_algo_id or one.order_id


def shown(books: Books) -> Iterable[Order | AlgoOrder]:
    """Every order once: of a fired conditional one, what it became."""
    yield from books.orders.values()
    yield from (one for one in books.algos.values() if not one.actual_order_id)


def row_of(books: Books, one: Order | AlgoOrder) -> Json:
    """Either kind of order."""
    return conditional(one) if isinstance(one, AlgoOrder) else order(books, one)


def _number(one: Fill | Income) -> int:
    return one.trade_id if isinstance(one, Fill) else one.income_id


def _executed(identity: int, symbol: str, time_ms: int) -> Json:
    return {
        "symbol": symbol, "execId": uuid(identity), "execTime": str(time_ms),
        "feeCurrency": "USDT", "tradeIv": "", "markIv": "", "indexPrice": "",
        "underlyingPrice": "", "blockTradeId": "", "seq": identity, "extraFees": "",
    }  # fmt: skip


def _common(one: Order | AlgoOrder, link: str) -> Json:
    closes = is_closing(one.side, one.position_side)
    return {
        "symbol": one.symbol, "orderLinkId": link, "side": side_name(one.side),
        "positionIdx": INDEX[one.position_side], "reduceOnly": one.reduce_only or closes,
        "createdTime": str(one.created_ms), "updatedTime": str(one.updated_ms),
        "blockTradeId": "", "isLeverage": "", "createType": "CreateByUser", "orderIv": "",
        "marketUnit": "", "takeProfit": "", "stopLoss": "", "tpslMode": "", "ocoTriggerBy": "",
        "tpLimitPrice": "", "slLimitPrice": "", "tpTriggerBy": "", "slTriggerBy": "",
        "lastPriceOnCreated": "", "placeType": "", "smpType": "None", "smpGroup": 0,
        "smpOrderId": "", "slippageToleranceType": "UNKNOWN", "slippageTolerance": "",
        "extraFees": "",
    }  # fmt: skip


def _condition(order_type: str, side: OrderSide, trigger_price: Decimal, working: str) -> Json:
    if not trigger_price and order_type != TRAILING:
        return {
            "stopOrderType": "", "triggerPrice": "", "triggerDirection": 0, "triggerBy": "",
        }  # fmt: skip
    return {
        "stopOrderType": "Stop", "triggerPrice": number(trigger_price) if trigger_price else "",
        "triggerDirection": direction(order_type, side),
        "triggerBy": "MarkPrice" if working == "MARK_PRICE" else "LastPrice",
    }  # fmt: skip


def _with_position(order_type: str, *, closes: bool) -> Json:
    """What sets an order apart that Bybit keeps with a position."""
    if not closes:
        return {"closeOnTrigger": False}
    name = _KEPT[order_type]
    return {
        "closeOnTrigger": True, "reduceOnly": True, "stopOrderType": name,
        "createType": f"CreateBy{name}", "tpslMode": "Full",
    }  # fmt: skip


def _working(books: Books, one: Order) -> str:
    parent = books.algos.get(one.parent_algo_id)
    return parent.working_type if parent else ""


def _cancel_type(one: Order) -> str:
    return _ended(one.status is OrderStatus.CANCELED)


def _ended(by_user: bool) -> str:
    return "CancelByUser" if by_user else "UNKNOWN"


def _reject_reason(one: Order) -> str:
    if one.status is OrderStatus.CANCELED:
        return "EC_PerCancelRequest"
    if one.status is not OrderStatus.EXPIRED:
        return "EC_NoError"
    market = one.order_type == "MARKET"
    return _EXPIRED_BECAUSE.get("IOC" if market else one.time_in_force, "EC_Others")


def _fills_of(books: Books, one: Order) -> Iterable[Fill]:
    return (fill for fill in books.fills if fill.order_id == one.order_id) if one.filled else ()
