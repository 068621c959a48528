"""Margin, cross and isolated: what the account is worth and what it may still spend, in USDT.

The wallet holds everything. An isolated position keeps its own margin out of it, given at entry
and released at exit; what is left is the cross wallet, which all cross positions share.
"""

from collections.abc import Callable
from decimal import Decimal

from local.paper.core.books import Books
from local.paper.core.records import ZERO, Order, OrderSide, Position, PositionSide
from local.paper.market.brackets import Bracket, bracket_of, maintenance

Price = Callable[[str], Decimal]
Brackets = Callable[[str], tuple[Bracket, ...]]

TAKER_FEE = Decimal("0.0005")
MAKER_FEE = Decimal("0.0002")


def unrealized(books: Books, price: Price) -> Decimal:
    """Profit of all open positions at the given prices."""
    return sum((one.unrealized(price(one.symbol)) for one in held(books)), ZERO)


def held(books: Books) -> list[Position]:
    """Positions that are not flat."""
    return [one for one in books.positions.values() if one.quantity]


def held_cross(books: Books) -> list[Position]:
    """Positions that share the cross wallet."""
    return [one for one in held(books) if not books.config(one.symbol).isolated]


def cross_wallet(books: Books) -> Decimal:
    """The wallet less what isolated positions keep."""
    return books.account.wallet - sum((one.margin for one in books.positions.values()), ZERO)


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
    free = cross_wallet(books)
    for one in held_cross(books):
        free += one.unrealized(price(one.symbol)) - position_margin(books, one, price)
    return max(free - orders_margin(books), ZERO)


def maintenance_margin(position: Position, price: Price, brackets: Brackets) -> Decimal:
    """What a position must keep at a price, by its value's tier."""
    value = abs(position.quantity) * price(position.symbol)
    return maintenance(brackets(position.symbol), value)


def slack(books: Books, position: Position, price: Price, brackets: Brackets) -> Decimal:
    """What may still be lost before this position is liquidated; at zero it is.

    An isolated position has its own margin for that, the cross ones have the cross wallet together.
    """
    if books.config(position.symbol).isolated:
        group, backing = [position], position.margin
    else:
        group, backing = held_cross(books), cross_wallet(books)
    for one in group:
        backing += one.unrealized(price(one.symbol)) - maintenance_margin(one, price, brackets)
    return backing


def liquidation_price(
    books: Books, position: Position, price: Price, brackets: Brackets
) -> Decimal:
    """Where the mark price liquidates a position, the others standing still; zero if nowhere.

    With ``backing`` for all but this position's own profit and maintenance, it is the price P with
    ``backing + (P - entry) * q - (|q| * P * ratio - relief) = 0``, in the tier of today's value.
    """
    quantity, now = position.quantity, price(position.symbol)
    tier = bracket_of(brackets(position.symbol), abs(quantity) * now)
    own = position.unrealized(now) - maintenance_margin(position, price, brackets)
    backing = slack(books, position, price, brackets) - own
    found = (position.entry_price * quantity - backing - tier.relief) / (
        quantity - abs(quantity) * tier.ratio
    )
    return max(found, ZERO)


def opening_quantity(
    books: Books, symbol: str, side: OrderSide, position_side: PositionSide, quantity: Decimal
) -> Decimal:
    """The part of an order that opens rather than closes."""
    against = max(-side.sign * books.position(symbol, position_side).quantity, ZERO)
    return max(quantity - against, ZERO)


def _rest(order: Order) -> Decimal:
    return order.quantity - order.filled
