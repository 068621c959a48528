"""Order routes: conditional orders (stop, take profit, trailing stop)."""

from decimal import Decimal

from local.paper.core.exchange import PaperExchange
from local.paper.core.records import AlgoOrder
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import AlgoRequest
from local.paper.core.triggers import TRAILING
from local.paper.venues.binance import errors, shapes
from local.paper.venues.binance.market_shapes import Json
from local.paper.venues.binance.orders import read_sides, read_time_in_force
from local.paper.venues.binance.parameters import Parameters

_TYPES = ("STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", TRAILING)
_ZERO = Decimal(0)


def new_algo(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /fapi/v1/algoOrder``."""
    given.choice("algoType", ("CONDITIONAL",), errors.illegal("algoType"))
    given.choice("newOrderRespType", ("ACK", "RESULT"), errors.illegal("newOrderRespType"), "ACK")
    kind = given.choice("type", _TYPES, errors.INVALID_TYPE)
    return shapes.algo(exchange.place_algo(_request(given, kind)))


def _request(given: Parameters, kind: str) -> AlgoRequest:
    side, position_side = read_sides(given)
    close_position = given.flag("closePosition")
    trailing, limit = kind == TRAILING, kind in ("STOP", "TAKE_PROFIT")
    _check_combination(given, trailing=trailing, limit=limit, close_position=close_position)
    prices, invalid = ("CONTRACT_PRICE", "MARK_PRICE"), errors.illegal("workingType")
    working = given.choice("workingType", prices, invalid, prices[0])
    return AlgoRequest(
        symbol=given.text("symbol"), side=side, position_side=position_side, order_type=kind,
        quantity=_ZERO if close_position else given.decimal("quantity"),
        trigger_price=_ZERO if trailing else given.decimal("triggerPrice"),
        price=given.decimal("price") if limit else _ZERO,
        callback_rate=given.decimal("callbackRate") if trailing else _ZERO,
        activate_price=given.decimal("activatePrice", _ZERO),
        time_in_force=read_time_in_force(given, "GTC"), reduce_only=given.flag("reduceOnly"),
        close_position=close_position, working_type=working,
        client_algo_id=given.text("clientAlgoId", ""),
    )  # fmt: skip


def _check_combination(
    given: Parameters, *, trailing: bool, limit: bool, close_position: bool
) -> None:
    """Refuse parameters that do not belong to the type."""
    wanted = {
        "triggerPrice": not trailing, "callbackRate": trailing, "activatePrice": trailing,
        "price": limit, "quantity": not close_position, "reduceOnly": not close_position,
    }  # fmt: skip
    for name, fits in wanted.items():
        if given.has(name) and not fits:
            raise errors.VenueError(errors.not_wanted(name))
    if close_position and (trailing or limit):
        raise errors.VenueError(errors.not_wanted("closePosition"))


def _find(exchange: PaperExchange, given: Parameters, otherwise: Reason) -> AlgoOrder:
    exchange.advance()
    if given.has("algoId"):
        found = exchange.books.algos.get(given.integer("algoId"))
        candidates = [found] if found else []
    else:
        client_id = given.text("clientAlgoId")
        algos = exchange.books.algos.values()
        candidates = [one for one in algos if one.client_algo_id == client_id]
    if not candidates or given.text("symbol", candidates[-1].symbol) != candidates[-1].symbol:
        raise RefusedError(otherwise)
    return candidates[-1]


def get_algo(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/algoOrder``."""
    return shapes.algo(_find(exchange, given, Reason.NO_SUCH_ORDER))


def cancel_algo(exchange: PaperExchange, given: Parameters) -> Json:
    """``DELETE /fapi/v1/algoOrder``."""
    algo = exchange.cancel_algo(_find(exchange, given, Reason.UNKNOWN_ORDER))
    return {
        "algoId": algo.algo_id, "clientAlgoId": algo.client_algo_id, "code": "200",
        "msg": "success",
    }  # fmt: skip


def open_algos(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/openAlgoOrders``."""
    exchange.advance()
    symbol = given.text("symbol", "")
    found = exchange.books.open_algos.values()
    return [shapes.algo(one) for one in found if symbol in ("", one.symbol)]


def all_algos(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /fapi/v1/allAlgoOrders``."""
    exchange.advance()
    symbol = exchange.instrument(given.text("symbol")).symbol
    start, end = given.integer("startTime", 0), given.integer("endTime", exchange.now_ms())
    first, limit = given.integer("algoId", 0), given.integer("limit", 500)
    found = [
        shapes.algo(one)
        for one in exchange.books.algos.values()
        if one.symbol == symbol and one.algo_id >= first and start <= one.created_ms <= end
    ]
    return found[-limit:]


def cancel_all_algos(exchange: PaperExchange, given: Parameters) -> Json:
    """``DELETE /fapi/v1/algoOpenOrders``."""
    symbol = exchange.instrument(given.text("symbol")).symbol
    exchange.advance()
    for algo in [one for one in exchange.books.open_algos.values() if one.symbol == symbol]:
        exchange.cancel_algo(algo)
    return {"code": "200", "msg": "The operation of cancel all open order is done."}
