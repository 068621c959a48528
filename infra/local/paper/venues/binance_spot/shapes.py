"""JSON shapes of spot orders, fills and balances."""

from decimal import Decimal

from local.paper.core.records import Fill, Order, OrderSide
from local.paper.core.spot_balances import Balance
from local.paper.core.spot_matching import WAITING
from local.paper.wire import Json

STP = "EXPIRE_MAKER"


def eight(value: Decimal) -> str:
    """Eight places, as spot prints every number."""
    return format(value.quantize(Decimal("1e-8")), "f")


def kind_of(one: Order) -> str:
    """The type it was sent as: a triggered one keeps it, a maker's limit has its own name."""
    return "LIMIT_MAKER" if one.time_in_force == "GTX" else one.original_type


def time_in_force(one: Order) -> str:
    """As spot words it: a maker's limit has none of its own."""
    return "GTC" if one.time_in_force == "GTX" else one.time_in_force


def is_working(one: Order) -> bool:
    """Whether it is at the market: one that waits for its trigger is not."""
    return one.order_type not in WAITING


def order(one: Order) -> Json:
    """An order as the reading routes answer it."""
    working = is_working(one)
    return _common(one) | {
        "stopPrice": eight(one.trigger_price), "icebergQty": eight(Decimal(0)),
        "time": one.created_ms, "updateTime": one.updated_ms, "isWorking": working,
        "workingTime": one.created_ms if working else -1,
    }  # fmt: skip


def _common(one: Order) -> Json:
    return {
        "symbol": one.symbol, "orderId": one.order_id, "orderListId": -1,
        "clientOrderId": one.client_order_id, "price": eight(one.price),
        "origQty": eight(one.quantity), "executedQty": eight(one.filled),
        "origQuoteOrderQty": eight(Decimal(0)), "cummulativeQuoteQty": eight(one.filled_quote),
        "status": one.status.value, "timeInForce": time_in_force(one), "type": kind_of(one),
        "side": one.side.value, "selfTradePreventionMode": STP,
    }  # fmt: skip


def acknowledged(one: Order) -> Json:
    """The short answer of ``newOrderRespType=ACK``."""
    names = ("symbol", "orderId", "orderListId", "clientOrderId")
    return {name: _common(one)[name] for name in names} | {"transactTime": one.created_ms}


def result(one: Order) -> Json:
    """The answer of ``newOrderRespType=RESULT``."""
    row = _common(one) | {"transactTime": one.updated_ms, "workingTime": one.created_ms}
    if one.trigger_price:
        row |= {"stopPrice": eight(one.trigger_price), "workingTime": -1}
    return row


def full(one: Order, fills: list[Fill]) -> Json:
    """The answer of ``newOrderRespType=FULL``."""
    rows = [
        {
            "price": eight(each.price), "qty": eight(each.quantity),
            "commission": eight(each.fee), "commissionAsset": each.fee_asset,
            "tradeId": each.trade_id,
        }
        for each in fills
    ]  # fmt: skip
    return result(one) | {"fills": rows}


def cancelled(one: Order, cancel_id: str) -> Json:
    """The answer to a cancel: it has an id of its own, and names the order's as the original."""
    row = result(one) | {"clientOrderId": cancel_id, "origClientOrderId": one.client_order_id}
    row.pop("workingTime")
    return row


def my_trade(one: Fill) -> Json:
    """An own execution."""
    return {
        "symbol": one.symbol, "id": one.trade_id, "orderId": one.order_id, "orderListId": -1,
        "price": eight(one.price), "qty": eight(one.quantity),
        "quoteQty": eight(one.price * one.quantity), "commission": eight(one.fee),
        "commissionAsset": one.fee_asset, "time": one.time_ms,
        "isBuyer": one.side is OrderSide.BUY, "isMaker": one.maker, "isBestMatch": True,
    }  # fmt: skip


def balance(one: Balance) -> Json:
    """A row of the account's balances."""
    return {"asset": one.asset, "free": eight(one.free), "locked": eight(one.locked)}
