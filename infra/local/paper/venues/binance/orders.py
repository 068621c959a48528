"""Order routes: plain orders."""

from decimal import Decimal

from local.paper.core.exchange import PaperExchange
from local.paper.core.records import OrderSide, PositionSide
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import OrderRequest
from local.paper.core.venue_orders import ADL_AUTOCLOSE, AUTOCLOSE, LIQUIDATION
from local.paper.venues.binance import errors, market_shapes, shapes
from local.paper.venues.binance.finding import fills_of, find, orders_of, working
from local.paper.venues.binance.market_shapes import Json
from local.paper.venues.binance.parameters import Parameters

_PLAIN = ("MARKET", "LIMIT")


def read_sides(given: Parameters) -> tuple[OrderSide, PositionSide]:
    """Side and position side; BOTH where none is sent."""
    side = given.choice("side", tuple(OrderSide), errors.INVALID_SIDE)
    invalid = errors.illegal("positionSide")
    position_side = given.choice("positionSide", tuple(PositionSide), invalid, "BOTH")
    return OrderSide(side), PositionSide(position_side)


def read_time_in_force(given: Parameters, default: str | None) -> str:
    """Time in force; needed where there is no default."""
    choices, error = market_shapes.TIMES_IN_FORCE, errors.INVALID_TIME_IN_FORCE
    return given.choice("timeInForce", choices, error, default)


def new_order(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /fapi/v1/order``."""
    kind = given.choice("type", market_shapes.ORDER_TYPES, errors.INVALID_TYPE)
    if kind not in _PLAIN:
        raise errors.VenueError(errors.CONDITIONAL_ELSEWHERE)
    if kind == "MARKET":
        for name in ("price", "timeInForce"):
            if given.has(name):
                raise errors.VenueError(errors.not_wanted(name))
    invalid = errors.illegal("newOrderRespType")
    answer = given.choice("newOrderRespType", ("ACK", "RESULT"), invalid, "ACK")
    _check_fixed(given)
    order = exchange.place_order(_request(given, kind))
    return shapes.order(order) if answer == "RESULT" else shapes.acknowledged(order)


def _check_fixed(given: Parameters) -> None:
    """Parameters that are read, but of which the paper exchange knows one value only."""
    given.choice("priceProtect", ("false", "FALSE"), errors.illegal("priceProtect"), "false")
    choices = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH")
    invalid = errors.illegal("selfTradePreventionMode")
    given.choice("selfTradePreventionMode", choices, invalid, "NONE")


def _request(given: Parameters, kind: str) -> OrderRequest:
    side, position_side = read_sides(given)
    limit = kind == "LIMIT"
    return OrderRequest(
        symbol=given.text("symbol"), side=side, position_side=position_side, order_type=kind,
        quantity=given.decimal("quantity"),
        price=given.decimal("price") if limit else Decimal(0),
        time_in_force=read_time_in_force(given, None) if limit else "GTC",
        reduce_only=given.flag("reduceOnly"), client_order_id=given.text("newClientOrderId", ""),
    )  # fmt: skip


def get_order(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/order``."""
    return shapes.order(find(exchange, given, Reason.NO_SUCH_ORDER))


def get_open_order(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/openOrder``."""
    order = find(exchange, given, Reason.NO_SUCH_ORDER)
    if not order.is_open:
        raise RefusedError(Reason.NO_SUCH_ORDER)
    return shapes.order(order)


def cancel_order(exchange: PaperExchange, given: Parameters) -> Json:
    """``DELETE /fapi/v1/order``."""
    return shapes.order(exchange.cancel_order(find(exchange, given, Reason.UNKNOWN_ORDER)))


def amend_order(exchange: PaperExchange, given: Parameters) -> Json:
    """Change price and quantity of an open limit order."""
    order = find(exchange, given, Reason.NO_SUCH_ORDER)
    if given.choice("side", tuple(OrderSide), errors.INVALID_SIDE) != order.side:
        raise errors.VenueError(errors.INVALID_SIDE)
    quantity, price = given.decimal("quantity"), given.decimal("price")
    return shapes.order(exchange.amend_order(order, quantity, price))


def open_orders(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/openOrders``."""
    return [shapes.order(one) for one in working(exchange, given)]


def all_orders(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/allOrders``."""
    exchange.advance()
    symbol = exchange.instrument(given.text("symbol")).symbol
    start, end = given.integer("startTime", 0), given.integer("endTime", exchange.now_ms())
    return [shapes.order(one) for one in orders_of(exchange, given, symbol, (start, end))]


def cancel_all(exchange: PaperExchange, given: Parameters) -> Json:
    """Cancel the plain orders of a symbol; conditional ones have their own route."""
    symbol = exchange.instrument(given.text("symbol")).symbol
    exchange.advance()
    for order in [one for one in exchange.books.open_orders.values() if one.symbol == symbol]:
        exchange.cancel_order(order)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def user_trades(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/userTrades``."""
    exchange.advance()
    symbol = given.text("symbol", "")
    start, end = given.integer("startTime", 0), given.integer("endTime", exchange.now_ms())
    return [shapes.user_trade(one) for one in fills_of(exchange, given, symbol, (start, end))]


def force_orders(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/forceOrders``: what the venue closed on its own, newest last."""
    now_ms = exchange.advance()
    symbol = given.text("symbol", "")
    kinds = {"": "", "LIQUIDATION": AUTOCLOSE, "ADL": ADL_AUTOCLOSE}
    wanted = given.choice("autoCloseType", kinds, errors.illegal("autoCloseType"), "")
    start, end = given.integer("startTime", 0), given.integer("endTime", now_ms)
    found = [
        shapes.order(one)
        for one in exchange.books.orders.values()
        if one.order_type == LIQUIDATION and symbol in ("", one.symbol)
        and one.client_order_id.startswith(kinds[wanted]) and start <= one.created_ms <= end
    ]  # fmt: skip
    return found[-given.integer("limit", 50) :]
