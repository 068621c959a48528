"""When conditional orders fire; both sides through the sign of the order's side."""

from decimal import Decimal

from local.paper.core.records import AlgoOrder
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import AlgoRequest
from local.paper.core.scripts import Scripts

TRAILING = "TRAILING_STOP_MARKET"
TAKE_PROFITS = ("TAKE_PROFIT", "TAKE_PROFIT_MARKET")


def working_price(one: AlgoOrder | AlgoRequest, last: Decimal, scripts: Scripts) -> Decimal:
    """The price a conditional order goes by: the last one, or the mark price."""
    return scripts.mark(one.symbol, last) if one.working_type == "MARK_PRICE" else last


def fires(algo: AlgoOrder, price: Decimal) -> bool:
    """Whether a trade at this price fires the order; a trailing one must have followed it first."""
    if algo.order_type == TRAILING:
        return _trailing_fires(algo, price)
    direction = -algo.side.sign if algo.order_type in TAKE_PROFITS else algo.side.sign
    return direction * (price - algo.trigger_price) >= 0


def follow(algo: AlgoOrder, price: Decimal) -> bool:
    """Activate a trailing order or move its extreme; true if it changed."""
    if algo.order_type != TRAILING:
        return False
    sign = algo.side.sign
    if algo.extreme:
        better = sign * (algo.extreme - price) > 0
    else:
        better = sign * (algo.activate_price - price) >= 0
    if better:
        algo.extreme = price
    return better


def _trailing_fires(algo: AlgoOrder, price: Decimal) -> bool:
    if not algo.extreme:
        return False
    sign = algo.side.sign
    distance = algo.callback_distance or algo.extreme * algo.callback_rate / 100
    limit = algo.extreme + sign * distance
    return sign * (price - limit) >= 0


def armed(request: AlgoRequest, client_id: str, price: Decimal, now_ms: int) -> AlgoOrder:
    """A conditional order that waits; its number is still to be given.

    Raises
    ------
    RefusedError
        If it would fire at once, or a trailing one's activation is behind the price.
    """
    algo = _waiting(request, client_id, now_ms)
    if algo.order_type == TRAILING:
        _start_trailing(algo, price)
    elif fires(algo, price):
        raise RefusedError(Reason.WOULD_TRIGGER)
    return algo


def _start_trailing(algo: AlgoOrder, last: Decimal) -> None:
    """A trailing order without activation price is active now; one on the wrong side is refused."""
    if not algo.activate_price:
        algo.extreme = last
    elif algo.side.sign * (algo.activate_price - last) >= 0:
        raise RefusedError(Reason.WOULD_TRIGGER)


def _waiting(request: AlgoRequest, client_id: str, now_ms: int) -> AlgoOrder:
    return AlgoOrder(
        algo_id=0, client_algo_id=client_id, symbol=request.symbol, side=request.side,
        position_side=request.position_side, order_type=request.order_type,
        time_in_force=request.time_in_force, quantity=request.quantity, price=request.price,
        trigger_price=request.trigger_price, callback_rate=request.callback_rate,
        callback_distance=request.callback_distance,
        activate_price=request.activate_price, reduce_only=request.reduce_only,
        close_position=request.close_position, working_type=request.working_type,
        created_ms=now_ms, updated_ms=now_ms,
    )  # fmt: skip
