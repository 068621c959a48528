"""Order routes of spot."""

from decimal import Decimal

from local.paper.core.exchange import PaperExchange
from local.paper.core.execution import taker_price
from local.paper.core.records import ZERO, Order, OrderSide, PositionSide
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import OrderRequest
from local.paper.core.spot import lot_of
from local.paper.core.spot_matching import WAITING
from local.paper.venues.binance.errors import (
    INVALID_SIDE,
    INVALID_TIME_IN_FORCE,
    INVALID_TYPE,
    VenueError,
    illegal,
    not_wanted,
)
from local.paper.venues.binance.finding import fills_of, find, orders_of, working
from local.paper.venues.binance.parameters import Parameters
from local.paper.venues.binance_spot import errors, shapes
from local.paper.venues.binance_spot.public import ORDER_TYPES
from local.paper.wire import Json

_DAY_MS = 86_400_000
_ANSWERS = ("ACK", "RESULT", "FULL")
_TIMES = ("GTC", "IOC", "FOK")
_REPLACED = ("cancelOrderId", "cancelOrigClientOrderId")
_MODES = ("STOP_ON_FAILURE", "ALLOW_FAILURE")


def new_order(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /api/v3/order``."""
    kind = given.choice("type", ORDER_TYPES, INVALID_TYPE)
    default = "ACK" if kind in WAITING or kind == "LIMIT_MAKER" else "FULL"
    answer = given.choice("newOrderRespType", _ANSWERS, illegal("newOrderRespType"), default)
    order = exchange.place_order(_request(exchange, given, kind))
    if answer == "ACK":
        return shapes.acknowledged(order)
    if answer == "RESULT":
        return shapes.result(order)
    fills = [one for one in exchange.books.fills if one.order_id == order.order_id]
    return shapes.full(order, fills)


def test_order(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /api/v3/order/test``: read, but not carried out."""
    kind = given.choice("type", ORDER_TYPES, INVALID_TYPE)
    _request(exchange, given, kind)
    return {}


def _request(exchange: PaperExchange, given: Parameters, kind: str) -> OrderRequest:
    _check_combination(given, kind)
    limit = kind.endswith("LIMIT") or kind == "LIMIT_MAKER"
    in_force = given.text("timeInForce") if limit and kind != "LIMIT_MAKER" else "GTC"
    if in_force not in _TIMES:
        raise VenueError(INVALID_TIME_IN_FORCE)
    side = OrderSide(given.choice("side", tuple(OrderSide), INVALID_SIDE))
    symbol = exchange.instrument(given.text("symbol")).symbol
    return OrderRequest(
        symbol=symbol, side=side, position_side=PositionSide.BOTH,
        order_type="LIMIT" if kind == "LIMIT_MAKER" else kind,
        quantity=_quantity(exchange, given, symbol, side),
        price=given.decimal("price") if limit else ZERO,
        time_in_force="GTX" if kind == "LIMIT_MAKER" else in_force,
        client_order_id=given.text("newClientOrderId", ""),
        trigger_price=given.decimal("stopPrice") if kind in WAITING else ZERO,
    )  # fmt: skip


def _check_combination(given: Parameters, kind: str) -> None:
    """Refuse parameters that do not belong to the type."""
    limit = kind.endswith("LIMIT") or kind == "LIMIT_MAKER"
    wanted = {
        "price": limit, "timeInForce": limit and kind != "LIMIT_MAKER",
        "stopPrice": kind in WAITING, "quoteOrderQty": kind == "MARKET",
    }  # fmt: skip
    for name, fits in wanted.items():
        if given.has(name) and not fits:
            raise VenueError(not_wanted(name))
    if given.has("quantity") and given.has("quoteOrderQty"):
        raise VenueError(not_wanted("quoteOrderQty"))


def _quantity(exchange: PaperExchange, given: Parameters, symbol: str, side: OrderSide) -> Decimal:
    """What is asked for, or what a value in quote currency buys at the best price."""
    if not given.has("quoteOrderQty"):
        return given.decimal("quantity")
    price = taker_price(side, exchange.quotes.quote(symbol, exchange.now_ms()))
    step = lot_of(exchange.instrument(symbol)).step
    return given.decimal("quoteOrderQty") / price // step * step


def get_order(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /api/v3/order``."""
    return shapes.order(find(exchange, given, Reason.NO_SUCH_ORDER))


def cancel_order(exchange: PaperExchange, given: Parameters) -> Json:
    """``DELETE /api/v3/order``."""
    order = exchange.cancel_order(find(exchange, given, Reason.UNKNOWN_ORDER))
    return shapes.cancelled(order, given.text("newClientOrderId", cancel_id(order)))


def cancel_id(order: Order) -> str:
    """The name the exchange gives to a cancel."""
    return f"cancel_{order.order_id}"


def cancel_all(exchange: PaperExchange, given: Parameters) -> Json:
    """``DELETE /api/v3/openOrders``."""
    exchange.advance()
    symbol = exchange.instrument(given.text("symbol")).symbol
    mine = [one for one in exchange.books.open_orders.values() if one.symbol == symbol]
    if not mine:
        raise RefusedError(Reason.UNKNOWN_ORDER)
    return [shapes.cancelled(exchange.cancel_order(one), cancel_id(one)) for one in mine]


def replace_order(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /api/v3/order/cancelReplace``: cancel one order, then place another.

    With STOP_ON_FAILURE nothing is placed unless the cancel worked; what was cancelled stays so if
    the new order is refused.
    """
    mode = given.choice("cancelReplaceMode", _MODES, illegal("cancelReplaceMode"))
    cancelled: Json = None
    try:
        order = exchange.cancel_order(find(exchange, given, Reason.UNKNOWN_ORDER, _REPLACED))
        cancelled = shapes.cancelled(order, given.text("cancelNewClientOrderId", cancel_id(order)))
        is_cancelled = True
    except RefusedError as refusal:
        cancelled = errors.body_of(errors.refused(refusal.reason))
        is_cancelled = False
        if mode == "STOP_ON_FAILURE":
            raise _not_replaced(cancelled, None, is_cancelled=False) from None
    try:
        placed = new_order(exchange, given)
    except RefusedError as refusal:
        refused = errors.body_of(errors.refused(refusal.reason))
        raise _not_replaced(cancelled, refused, is_cancelled=is_cancelled) from None
    if not is_cancelled:
        raise _half_replaced(cancelled, placed)
    return {
        "cancelResult": "SUCCESS", "newOrderResult": "SUCCESS", "cancelResponse": cancelled,
        "newOrderResponse": placed,
    }  # fmt: skip


def _not_replaced(cancelled: Json, refused: Json, *, is_cancelled: bool) -> errors.AnsweredError:
    data = {
        "cancelResult": "SUCCESS" if is_cancelled else "FAILURE",
        "newOrderResult": "NOT_ATTEMPTED" if refused is None else "FAILURE",
        "cancelResponse": cancelled, "newOrderResponse": refused,
    }  # fmt: skip
    if is_cancelled:
        return _failed(-2021, "Order cancel-replace partially failed.", data, 409)
    return _failed(-2022, "Order cancel-replace failed.", data, 400)


def _half_replaced(cancelled: Json, placed: Json) -> errors.AnsweredError:
    data = {
        "cancelResult": "FAILURE", "newOrderResult": "SUCCESS", "cancelResponse": cancelled,
        "newOrderResponse": placed,
    }  # fmt: skip
    return _failed(-2021, "Order cancel-replace partially failed.", data, 409)


def _failed(code: int, words: str, data: Json, status: int) -> errors.AnsweredError:
    return errors.AnsweredError({"code": code, "msg": words, "data": data}, status)


def open_orders(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /api/v3/openOrders``."""
    return [shapes.order(one) for one in working(exchange, given)]


def all_orders(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /api/v3/allOrders``."""
    exchange.advance()
    symbol = exchange.instrument(given.text("symbol")).symbol
    span_ms = _span(exchange, given)
    return [shapes.order(one) for one in orders_of(exchange, given, symbol, span_ms)]


def my_trades(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /api/v3/myTrades``."""
    exchange.advance()
    symbol = exchange.instrument(given.text("symbol")).symbol
    if given.has("fromId") and (given.has("startTime") or given.has("endTime")):
        raise VenueError(not_wanted("fromId"))
    span_ms = _span(exchange, given)
    return [shapes.my_trade(one) for one in fills_of(exchange, given, symbol, span_ms)]


def _span(exchange: PaperExchange, given: Parameters) -> tuple[int, int]:
    """The time asked for: a day at most."""
    now_ms = exchange.now_ms()
    if not given.has("startTime"):
        return 0, given.integer("endTime", now_ms)
    start_ms = given.integer("startTime")
    if given.has("endTime") and given.integer("endTime") - start_ms > _DAY_MS:
        raise VenueError(errors.LONGER_THAN_A_DAY)
    return start_ms, given.integer("endTime", start_ms + _DAY_MS)
