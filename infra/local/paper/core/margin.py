"""Cross margin: what the account is worth and what it may still spend, in USDT."""

from collections.abc import Callable
from decimal import Decimal

from local.paper.core.books import Books
from local.paper.core.records import ZERO, Order, OrderSide, Position, PositionSide

Price = Callable[[str], Decimal]

TAKER_FEE = Decimal("0.0005")
MAKER_FEE = Decimal("0.0002")
MAINTENANCE_RATIO = Decimal("0.004")


def unrealized(books: Books, price: Price) -> Decimal:
    """Profit of all open positions at the given prices."""
    return sum((one.unrealized(price(one.symbol)) for one in held(books)), ZERO)


def held(books: Books) -> list[Position]:
    """Positions that are not flat."""
    return [one for one in books.positions.values() if one.quantity]


def position_margin(books: Books, position: Position, price: Price) -> Decimal:
    """Initial margin of one position at its symbol's leverage."""
    leverage = books.config(position.symbol).leverage
    return abs(position.quantity) * price(position.symbol) / leverage


def positions_margin(books: Books, price: Price) -> Decimal:
    """Initial margin of all open positions."""
    return sum((position_margin(books, one, price) for one in held(books)), ZERO)


def orders_margin(books: Books) -> Decimal:
    """Initial margin of what open limit orders could still open."""
    total = ZERO
    for order in books.open_orders.values():
        opening = opening_quantity(
            books, order.symbol, order.side, order.position_side, _rest(order)
        )
        if not order.reduce_only:
            total += opening * order.price / books.config(order.symbol).leverage
    return total


def available(books: Books, price: Price) -> Decimal:
    """Balance free for new positions, never below zero."""
    free = books.account.wallet + unrealized(books, price)
    return max(free - positions_margin(books, price) - orders_margin(books), ZERO)


def opening_quantity(
    books: Books, symbol: str, side: OrderSide, position_side: PositionSide, quantity: Decimal
) -> Decimal:
    """The part of an order that opens rather than closes."""
    against = max(-side.sign * books.position(symbol, position_side).quantity, ZERO)
    return max(quantity - against, ZERO)


def _rest(order: Order) -> Decimal:
    return order.quantity - order.filled
