"""Stop loss, take profit and trailing stop of a whole position, which Bybit keeps with it.

They are conditional orders of the core that close all of it. Bybit clears them with the position:
here that happens with the next private request, before it is carried out.
"""

from decimal import Decimal

from local.paper.core.exchange import PaperExchange
from local.paper.core.records import ZERO, AlgoOrder, OrderSide, Position
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import AlgoRequest
from local.paper.core.triggers import TRAILING, armed, working_price
from local.paper.venues.bybit import errors, order_shapes
from local.paper.venues.bybit.parameters import Parameters, check_category
from local.paper.venues.bybit.shapes import Json

KINDS = {
    "stopLoss": ("STOP_MARKET", "slTriggerBy"),
    "takeProfit": ("TAKE_PROFIT_MARKET", "tpTriggerBy"),
    "trailingStop": (TRAILING, ""),
}
_INDEXES = {index: side for side, index in order_shapes.INDEX.items()}


def trading_stop(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /v5/position/trading-stop``: what is given is set anew, zero takes it away.

    All is checked before anything is changed.
    """
    check_category(given)
    given.choice("tpslMode", ("Full",), "Full")
    symbol = exchange.instrument(given.text("symbol")).symbol
    index = given.integer("positionIdx", 0)
    if index not in _INDEXES or (index > 0) != exchange.books.account.hedge_mode:
        raise RefusedError(Reason.WRONG_POSITION_SIDE)
    exchange.advance()
    position = exchange.books.position(symbol, _INDEXES[index])
    if not position.quantity:
        raise errors.VenueError(10001, "can not set tp/sl/ts for zero position")
    wanted = {name: given.decimal(name) for name in KINDS if given.has(name)}
    requests = {
        name: _request(position, name, value, given) for name, value in wanted.items() if value
    }
    for request in requests.values():
        _check(exchange, request)
    for name in wanted:
        for one in standing(exchange, position, name):
            exchange.cancel_algo(one)
    for request in requests.values():
        exchange.place_algo(request)
    return {}


def standing(exchange: PaperExchange, position: Position, name: str) -> list[AlgoOrder]:
    """What a position has of a kind: one order or none."""
    return [
        one
        for one in exchange.books.open_algos.values()
        if one.close_position
        and (one.symbol, one.position_side) == (position.symbol, position.position_side)
        and one.order_type == KINDS[name][0]
    ]


def clear(exchange: PaperExchange) -> None:
    """Cancel what belonged to positions that are no more."""
    books = exchange.books
    kept = [one for one in books.open_algos.values() if one.close_position]
    for one in kept:
        if -one.side.sign * books.position(one.symbol, one.position_side).quantity <= 0:
            exchange.cancel_algo(one)


def _request(position: Position, name: str, value: Decimal, given: Parameters) -> AlgoRequest:
    kind, by = KINDS[name]
    is_trailing = kind == TRAILING
    working = order_shapes.WORKING
    return AlgoRequest(
        symbol=position.symbol,
        side=OrderSide.SELL if position.quantity > 0 else OrderSide.BUY,
        position_side=position.position_side, order_type=kind, quantity=ZERO, close_position=True,
        trigger_price=ZERO if is_trailing else value,
        callback_distance=value if is_trailing else ZERO,
        activate_price=given.decimal("activePrice", ZERO) if is_trailing else ZERO,
        working_type=working[given.choice(by, working, "LastPrice")] if by else "CONTRACT_PRICE",
    )  # fmt: skip


def _check(exchange: PaperExchange, request: AlgoRequest) -> None:
    last = working_price(request, exchange.last_price(request.symbol), exchange.scripts)
    try:
        armed(request, "", last, exchange.now_ms())
    except RefusedError as refusal:
        if refusal.reason is not Reason.WOULD_TRIGGER:
            raise
        raise errors.VenueError(10001, f"{request.order_type} lies beyond the base_price") from None
