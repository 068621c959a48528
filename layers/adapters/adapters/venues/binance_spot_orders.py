"""Orders on Binance spot.

What waits to be sold is locked, so a sale at the market replaces the stop of its position in one
request. A client id is unique among open orders only, and names its order through a trigger.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from adapters.failures import VenueUnclearError
from adapters.names import Name, OrderNames
from adapters.venues import Caller
from adapters.venues import binance_spot_words as words
from engine.errors import RetryableError, VenueBusyError, VenueRefusedError
from engine.events import OrderUpdate
from engine.ledger import Order, OrderType
from engine.orders import parsed
from engine.values import OrderSide, Side, plain

DUPLICATE = "duplicate"
"""Stands for a code: Binance tells a duplicate by its words alone."""

_UNKNOWN_ORDER = frozenset({"-2011", "-2013"})
_NOT_REPLACED = frozenset({"-2021", "-2022"})
_FATE_UNKNOWN = re.compile("status unknown|unknown error", re.IGNORECASE)
_LOOK_S = 0.3  # what finding the stop may take of the time an order has to leave in


async def place(wire: Caller, order: Order, *, valid_ms: int) -> OrderUpdate:
    """Send it once."""
    params = _params(order, valid_ms)
    is_sale = order.order_side is OrderSide.SELL and order.order_type is OrderType.MARKET
    stop = await _stop_of(wire, order) if is_sale else ""
    try:
        if stop:
            row = await _replace(wire, params, stop)
        else:
            row = await wire.call("privatePostOrder", params, urgent=True)
    except VenueRefusedError as error:
        if "Duplicate order sent" not in str(error):
            raise
        raise VenueRefusedError(str(error), code=DUPLICATE) from None
    _note(wire.names, row, order)
    return words.order_update(row, order.client_order_id)


async def cancel(wire: Caller, order: Order, *, valid_ms: int) -> OrderUpdate | None:
    """The state after the cancel, or None if the venue knows no such order any more."""
    params = {
        "symbol": order.symbol,
        "origClientOrderId": order.client_order_id,
        "recvWindow": valid_ms,
    }
    try:
        row = await wire.call("privateDeleteOrder", params, urgent=True)
    except VenueRefusedError as error:
        if error.code not in _UNKNOWN_ORDER:
            raise
        return await find(wire, order)  # filled or cancelled meanwhile
    return words.order_update(row, order.client_order_id)


async def find(wire: Caller, order: Order) -> OrderUpdate | None:
    """The order by its client id, or None if there is no such order."""
    params = {"symbol": order.symbol, "origClientOrderId": order.client_order_id}
    try:
        row = await wire.call("privateGetOrder", params, weight=4, urgent=True)
    except VenueRefusedError as error:
        if error.code not in _UNKNOWN_ORDER:
            raise
        return None
    _note(wire.names, row, order)
    return words.order_update(row, order.client_order_id)


async def _stop_of(wire: Caller, order: Order) -> str:
    """Client id of the working order of the same position that locks what is to be sold.

    Raises
    ------
    VenueBusyError
        If it could not be read in time; nothing of the order was sent then.
    """
    own = parsed(order.client_order_id)
    try:
        async with asyncio.timeout(_LOOK_S):
            rows = await wire.call(
                "privateGetOpenOrders", {"symbol": order.symbol}, weight=6, urgent=True
            )
    except (TimeoutError, RetryableError) as error:
        raise VenueBusyError(f"not sent: what locks it could not be read: {error}") from None
    for row in rows:
        name = parsed(str(row["clientOrderId"]))
        if own and name and row["side"] == "SELL" and name.position_id == own.position_id:
            return str(row["clientOrderId"])
    return ""


async def _replace(wire: Caller, params: Mapping[str, Any], stop: str) -> Any:
    """Cancel the stop and sell, or do neither; a sale refused after the cancel is refused.

    Raises
    ------
    VenueRefusedError
        The sale was surely not made; the stop may be gone.
    VenueUnclearError
        Nobody knows.
    """
    asked = {**params, "cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrigClientOrderId": stop}
    try:
        answer = await wire.call("privatePostOrderCancelReplace", asked, urgent=True)
    except VenueUnclearError as error:
        text = str(error)
        code = text.partition(" ")[0]
        if code not in _NOT_REPLACED or _FATE_UNKNOWN.search(text):
            raise
        raise VenueRefusedError(text, code=code) from None
    return answer["newOrderResponse"]


def _params(order: Order, valid_ms: int) -> dict[str, Any]:
    if order.side is Side.SHORT:
        raise VenueRefusedError(f"{order.symbol} has no short side on spot")
    params: dict[str, Any] = {
        "symbol": order.symbol,
        "side": order.order_side.value,
        "type": words.ORDER_TYPES[order.order_type],
        "quantity": plain(order.quantity),
        "newClientOrderId": order.client_order_id,
        "newOrderRespType": "RESULT",
        "recvWindow": valid_ms,
    }
    if order.order_type.is_conditional:
        if order.trigger_price is None:
            raise VenueRefusedError(f"{order.order_type} needs a trigger price, had none")
        params["stopPrice"] = plain(order.trigger_price)
    return params


def _note(names: OrderNames, row: Mapping[str, Any], order: Order) -> None:
    names.note(str(row["orderId"]), Name(client_order_id=order.client_order_id, side=order.side))
