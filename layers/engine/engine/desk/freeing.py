"""Closing a share of the venue's position without taking from the others.

A venue caps a reducing order at its own position, not at our share: a stop that fires while our
close is on its way takes from the other shares what the close took already. Where that is near,
the share withdraws its stop and target first, hears that they are gone, and closes what is left.
"""

from decimal import Decimal

from engine.desk.book import Book
from engine.ledger import Order, OrderState, Position, PositionStatus, Purpose
from engine.risk import Refusal

NEAR_PART = 4
"""A price is near an exit once it has come past all but a quarter of its distance from entry."""
_RESTING = (Purpose.STOP, Purpose.TARGET)
_ON_ITS_WAY = (OrderState.NEW, OrderState.SUBMITTING, *(s for s in OrderState if s.is_working))


def must_free(book: Book, position: Position) -> bool:
    """Whether the close has to wait until the venue's own exits are gone; they are withdrawn.

    A venue that tells nothing about them for as long as a fill may be bare ends the wait: then a
    position that stays open is worse than a sibling that has to be made good.
    """
    resting = [o for o in _exits_of(book, position) if not o.state.is_terminal]
    if not resting or not _has_siblings(book, position):
        return False
    since_ms = book.freeing.get(position.position_id)
    if since_ms is None and not any(_is_near(book, position, order) for order in resting):
        return False
    since_ms = book.freeing.setdefault(position.position_id, book.now_ms)
    if book.now_ms - since_ms >= book.settings.protection_deadline_ms:
        book.alarm("closed_beside_exits", position=position.position_id)
        return False
    for order in resting:
        if order.state.is_working:
            book.cancel(order)
    return True


def is_withdrawn(book: Book, position: Position) -> bool:
    """Whether its protection stays away, because a close is on its way or about to be.

    A close of unknown fate, or one that was refused, is no exit: protection returns.
    """
    if position.status is not PositionStatus.CLOSING or position.position_id not in book.freeing:
        return False
    closes = book.orders_of(position.position_id, Purpose.CLOSE)
    return not closes or closes[-1].state in _ON_ITS_WAY


def _exits_of(book: Book, position: Position) -> list[Order]:
    orders = book.orders_of(position.position_id)
    return [order for order in orders if order.purpose in _RESTING]


def _has_siblings(book: Book, position: Position) -> bool:
    symbol, side = position.key.symbol, position.key.side
    shares = book.shares_of(symbol, side)
    return any(share is not position for share in shares) or book.excess(symbol, side) > 0


def _is_near(book: Book, position: Position, order: Order) -> bool:
    quote = book.fresh_quote(position.key.symbol)
    if isinstance(quote, Refusal) or order.trigger_price is None or position.entry_price is None:
        return True
    whole: Decimal = abs(order.trigger_price - position.entry_price)
    sign = position.key.side.sign * (1 if order.purpose is Purpose.STOP else -1)
    return (quote.price - order.trigger_price) * sign <= whole / NEAR_PART
