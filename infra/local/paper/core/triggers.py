"""When conditional orders fire; both sides through the sign of the order's side."""

from decimal import Decimal

from local.paper.core.records import AlgoOrder
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
    limit = algo.extreme * (1 + sign * algo.callback_rate / 100)
    return sign * (price - limit) >= 0
