"""JSON shapes of the private REST answers."""

from decimal import Decimal
from typing import Any

from local.paper.core.records import AlgoOrder, Fill, Order
from local.paper.core.venue_orders import LIQUIDATION

Json = Any


def number(value: Decimal) -> str:
    """Plain decimal text without exponent."""
    return format(value, "f")


def money(value: Decimal) -> str:
    """USDT with eight places."""
    return format(value.quantize(Decimal("1e-8")), "f")


def order(one: Order) -> Json:
    """An order as all order routes answer it; what the venue forced is a limit order here."""
    forced = one.order_type == LIQUIDATION
    price = round(one.average_price, 8) if forced else one.price
    return {
        "orderId": one.order_id, "symbol": one.symbol, "status": one.status.value,
        "clientOrderId": one.client_order_id, "price": number(price),
        "avgPrice": number(round(one.average_price, 8)), "origQty": number(one.quantity),
        "executedQty": number(one.filled), "cumQty": number(one.filled),
        "cumQuote": money(one.filled_quote), "timeInForce": one.time_in_force,
        "type": "LIMIT" if forced else one.order_type,
        "reduceOnly": one.reduce_only, "closePosition": one.close_position,
        "side": one.side.value, "positionSide": one.position_side.value,
        "stopPrice": number(one.trigger_price), "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": "LIMIT" if forced else one.original_type, "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER", "goodTillDate": 0,
        "time": one.created_ms, "updateTime": one.updated_ms,
    }  # fmt: skip


def acknowledged(one: Order) -> Json:
    """The short answer of ``newOrderRespType=ACK``: accepted, nothing said about fills."""
    return order(one) | {
        "status": "NEW", "avgPrice": "0.00", "executedQty": "0", "cumQty": "0", "cumQuote": "0",
    }  # fmt: skip


def algo(one: AlgoOrder) -> Json:
    """A conditional order."""
    return {
        "algoId": one.algo_id, "clientAlgoId": one.client_algo_id, "algoType": "CONDITIONAL",
        "orderType": one.order_type, "symbol": one.symbol, "side": one.side.value,
        "positionSide": one.position_side.value, "timeInForce": one.time_in_force,
        "quantity": number(one.quantity), "algoStatus": one.status.value,
        "actualOrderId": str(one.actual_order_id or ""),
        "actualPrice": number(round(one.actual_price, 8)),
        "triggerPrice": number(one.trigger_price), "price": number(one.price),
        "icebergQuantity": None, "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": one.working_type, "priceMatch": "NONE",
        "closePosition": one.close_position, "priceProtect": False, "reduceOnly": one.reduce_only,
        "activatePrice": number(one.activate_price) if one.activate_price else "",
        "callbackRate": number(one.callback_rate) if one.callback_rate else "",
        "createTime": one.created_ms, "updateTime": one.updated_ms,
        "triggerTime": one.triggered_ms, "goodTillDate": 0,
    }  # fmt: skip


def user_trade(one: Fill) -> Json:
    """An execution; Binance gives no client id here: clients join by ``orderId``."""
    return {
        "symbol": one.symbol, "id": one.trade_id, "orderId": one.order_id, "side": one.side.value,
        "price": number(one.price), "qty": number(one.quantity),
        "realizedPnl": money(one.realized), "quoteQty": money(one.price * one.quantity),
        "commission": money(one.fee), "commissionAsset": "USDT", "time": one.time_ms,
        "positionSide": one.position_side.value, "buyer": one.side.value == "BUY",
        "maker": one.maker,
    }  # fmt: skip
