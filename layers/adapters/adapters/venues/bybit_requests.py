"""What our dialect sends to Bybit: orders, their names, and the login of the private line."""

import hashlib
import hmac
from typing import Any

from engine.errors import VenueRefusedError
from engine.ledger import Order, OrderType
from engine.values import OrderSide, Side, plain

LINEAR = {"category": "linear"}
_TOPICS = ("order", "execution", "position", "wallet")
_INDEXES = {Side.LONG: 1, Side.SHORT: 2}


def placed(order: Order, *, hedge: bool, valid_ms: int) -> dict[str, Any]:
    """The request that places an order; `recvWindow` goes into a header."""
    params: dict[str, Any] = LINEAR | {
        "symbol": order.symbol,
        "side": order.order_side.value.capitalize(),
        "orderType": "Market",
        "qty": plain(order.quantity),
        "orderLinkId": order.client_order_id,
        "positionIdx": _INDEXES[order.side] if hedge else 0,
        "reduceOnly": order.reduce_only,
        "recvWindow": valid_ms,
    }
    return params | _trigger(order) if order.order_type.is_conditional else params


def named(order: Order) -> dict[str, Any]:
    """An order by our own name."""
    return LINEAR | {"symbol": order.symbol, "orderLinkId": order.client_order_id}


def login(api_key: str, secret: str, expires_ms: int) -> dict[str, Any]:
    """The first message on the private line."""
    text = f"GET/realtime{expires_ms}".encode()
    signature = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return {"op": "auth", "args": [api_key, str(expires_ms), signature]}


def after_login(message: Any) -> dict[str, Any] | None:
    """The subscription, once the login was accepted."""
    if message.get("op") != "auth" or message.get("success") is not True:
        return None
    return {"op": "subscribe", "args": list(_TOPICS)}


def _trigger(order: Order) -> dict[str, Any]:
    """A stop fires against the position, a target in its favour; 1 is rising, 2 falling."""
    if order.trigger_price is None:
        raise VenueRefusedError(f"{order.order_type} needs a trigger price, had none")
    rising = (order.order_side is OrderSide.BUY) == (order.order_type is OrderType.STOP_MARKET)
    return {
        "triggerPrice": plain(order.trigger_price),
        "triggerDirection": 1 if rising else 2,
        "triggerBy": "LastPrice",
    }
