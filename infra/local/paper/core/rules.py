"""What the exchange refuses before it does anything."""

import re
from decimal import Decimal

from local.paper.core import margin
from local.paper.core.books import Books
from local.paper.core.records import AlgoOrder, OrderSide, PositionSide
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import AlgoRequest, OrderRequest
from local.paper.market.brackets import largest_value
from local.paper.market.instruments import PaperInstrument

MAX_OPEN_CONDITIONAL = 200
_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_CALLBACK_RANGE = (Decimal("0.1"), Decimal(10))


def check_client_id(books: Books, purpose: str, client_id: str) -> None:
    """Refuse an id that is malformed, or in use by an open order of the same purpose."""
    if not _CLIENT_ID.fullmatch(client_id):
        raise RefusedError(Reason.BAD_CLIENT_ID, client_id)
    if purpose == "order":
        used = any(one.client_order_id == client_id for one in books.open_orders.values())
    else:
        used = any(one.client_algo_id == client_id for one in books.open_algos.values())
    if used:
        raise RefusedError(Reason.DUPLICATE_CLIENT_ID, client_id)


def check_quantity(instrument: PaperInstrument, quantity: Decimal) -> None:
    """At least one step, and whole steps."""
    if quantity < instrument.step:
        raise RefusedError(Reason.QUANTITY_TOO_SMALL)
    if quantity % instrument.step:
        raise RefusedError(Reason.QUANTITY_PRECISION)


def check_price(instrument: PaperInstrument, price: Decimal) -> None:
    """Above zero, with no more digits than the tick, and on the tick."""
    if price <= 0:
        raise RefusedError(Reason.PRICE_NOT_POSITIVE)
    exponent, listed = price.normalize().as_tuple().exponent, instrument.tick.as_tuple().exponent
    if int(exponent) < int(listed):
        raise RefusedError(Reason.PRICE_PRECISION)
    if price % instrument.tick:
        raise RefusedError(Reason.PRICE_TICK)


def check_position_side(books: Books, side: PositionSide, *, reduce_only: bool) -> None:
    """LONG or SHORT goes with hedge mode, BOTH with one-way mode.

    Hedge mode knows no reduce-only flag.
    """
    if books.account.hedge_mode == (side is PositionSide.BOTH):
        raise RefusedError(Reason.WRONG_POSITION_SIDE)
    if books.account.hedge_mode and reduce_only:
        raise RefusedError(Reason.REDUCE_ONLY_IN_HEDGE_MODE)


def is_closing(side: OrderSide, position_side: PositionSide) -> bool:
    """In hedge mode the pair of sides says whether an order closes."""
    closes = {PositionSide.LONG: OrderSide.SELL, PositionSide.SHORT: OrderSide.BUY}
    return closes.get(position_side) is side


def closable(books: Books, symbol: str, side: OrderSide, position_side: PositionSide) -> Decimal:
    """How much of the position an order of this side can close."""
    return max(-side.sign * books.position(symbol, position_side).quantity, Decimal(0))


def executable(books: Books, request: OrderRequest) -> Decimal:
    """The quantity an order may have: a reduce-only one shrinks to the position.

    Raises
    ------
    RefusedError
        If a reduce-only order has nothing to reduce, or a closing order in hedge mode exceeds its
        position.
    """
    if request.quantity <= 0:
        raise RefusedError(Reason.REDUCE_ONLY_REJECTED)
    room = closable(books, request.symbol, request.side, request.position_side)
    if request.reduce_only:
        if room == 0:
            raise RefusedError(Reason.REDUCE_ONLY_REJECTED)
        return min(request.quantity, room)
    if is_closing(request.side, request.position_side) and request.quantity > room:
        raise RefusedError(Reason.REDUCE_ONLY_REJECTED)
    return request.quantity


def check_notional(
    instrument: PaperInstrument, request: OrderRequest, quantity: Decimal, price: Decimal
) -> None:
    """The least order value; orders that only close are exempt."""
    exempt = request.reduce_only or is_closing(request.side, request.position_side)
    if not exempt and quantity * price < instrument.min_notional:
        raise RefusedError(Reason.NOTIONAL_TOO_SMALL)


def check_margin(
    books: Books, request: OrderRequest, quantity: Decimal, price: Decimal, prices: margin.Price
) -> None:
    """Initial margin and taker fee of the opening part must be available."""
    sides = (request.side, request.position_side)
    opening = margin.opening_quantity(books, request.symbol, *sides, quantity)
    if request.reduce_only or opening == 0:
        return
    value = opening * price
    needed = value / books.config(request.symbol).leverage + value * margin.TAKER_FEE
    if needed > margin.available(books, prices):
        raise RefusedError(Reason.MARGIN_INSUFFICIENT)


def check_position_value(
    books: Books,
    instrument: PaperInstrument,
    request: OrderRequest,
    quantity: Decimal,
    price: Decimal,
) -> None:
    """The position an order leads to must fit the leverage it has."""
    held = books.position(request.symbol, request.position_side).quantity
    after = abs(held + request.side.sign * quantity)
    leverage = books.config(request.symbol).leverage
    if after > abs(held) and after * price > largest_value(instrument.brackets, leverage):
        raise RefusedError(Reason.POSITION_TOO_LARGE)


def check_algo(books: Books, instrument: PaperInstrument, request: AlgoRequest) -> None:
    """Everything about a conditional order but its relation to the price."""
    check_position_side(books, request.position_side, reduce_only=request.reduce_only)
    if len(books.open_algos) >= MAX_OPEN_CONDITIONAL:
        raise RefusedError(Reason.TOO_MANY_CONDITIONAL)
    if request.close_position:
        _check_close_position(books, request)
    else:
        check_quantity(instrument, request.quantity)
    for price in (request.trigger_price, request.price, request.activate_price):
        if price:
            check_price(instrument, price)
    low, high = _CALLBACK_RANGE
    trails = request.order_type == "TRAILING_STOP_MARKET" and not request.callback_distance
    if trails and not low <= request.callback_rate <= high:
        raise RefusedError(Reason.CALLBACK_RATE)


def _check_close_position(books: Books, request: AlgoRequest) -> None:
    for algo in books.open_algos.values():
        if algo.close_position and _shape(algo) == _shape(request):
            raise RefusedError(Reason.CLOSE_POSITION_EXISTS)


def _shape(one: AlgoOrder | AlgoRequest) -> tuple[str, ...]:
    return (one.symbol, one.side, one.position_side, one.order_type)
