"""Our orders in OKX's words. Pure: orders in, parameters out."""

from decimal import Decimal
from typing import Any

from adapters.venues.okx_signing import VALID_UNTIL
from adapters.venues.okx_words import to_inst_id
from engine.errors import VenueRefusedError
from engine.ledger import Order, OrderType
from engine.values import plain


def placing(
    order: Order, *, size: Decimal, mode: str, hedge: bool, until_ms: int
) -> dict[str, Any]:
    """Parameters of a new order; `size` is base units in a contract, `mode` the margin mode."""
    params: dict[str, Any] = {
        "instId": to_inst_id(order.symbol),
        "tdMode": mode,
        "side": order.order_side.value.lower(),
        "sz": plain(order.quantity / size),
        "clOrdId": order.client_order_id,
        VALID_UNTIL: until_ms,
    }
    if hedge:
        params["posSide"] = order.side.value.lower()
    elif order.reduce_only:
        params["reduceOnly"] = True
    if order.order_type.is_conditional:
        return params | _trigger(order)
    return params | {"ordType": "market"}


def cancelling(order: Order, *, until_ms: int) -> dict[str, Any]:
    """Parameters of a cancel."""
    name = "algoClOrdId" if order.order_type.is_conditional else "clOrdId"
    return {
        "instId": to_inst_id(order.symbol),
        name: order.client_order_id,
        VALID_UNTIL: until_ms,
    }


def _trigger(order: Order) -> dict[str, Any]:
    """At the market once the last price has come to the trigger."""
    if order.trigger_price is None:
        raise VenueRefusedError(f"{order.order_type} needs a trigger price, had none")
    kind = "sl" if order.order_type is OrderType.STOP_MARKET else "tp"
    return {
        "ordType": "conditional",
        "algoClOrdId": order.client_order_id,
        f"{kind}TriggerPx": plain(order.trigger_price),
        f"{kind}TriggerPxType": "last",
        f"{kind}OrdPx": "-1",
    }
