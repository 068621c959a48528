"""Profit-back: part of a position is closed once it came back from a loss."""

from decimal import Decimal

from engine.desk.book import Book
from engine.desk.spot import is_too_little
from engine.ledger import Order, Position, PositionStatus, Purpose, Recovery
from engine.levels import fixed_stop
from engine.orders import missing, remaining
from engine.values import Instrument

ATTEMPTS = 3


def take_part(book: Book, position: Position, instrument: Instrument, expected: Decimal) -> None:
    """One reduce-only order for the share, when the position is back at break-even.

    One that the venue did not take is made again a few times; one of unknown fate never is. A share
    too small for the venue, or one that would leave too little, stays: all of it trails then.
    """
    if position.recovery is not Recovery.BACK or position.status is not PositionStatus.OPEN:
        return
    if position.position_id in book.touched:
        return  # a stop or target may be closing all of it
    tried = book.orders_of(position.position_id, Purpose.REDUCE)
    if len(tried) >= ATTEMPTS or any(not _is_fruitless(order) for order in tried):
        return
    entries = book.entries_of(position.position_id)
    if any(not order.state.is_terminal or missing(order) > 0 for order in entries):
        return
    share = instrument.floor_quantity(expected * book.settings.profit_back_share_pct / 100)
    least = min(share, expected - share)
    if least < instrument.min_quantity or not book.may_retry(position, tried):
        return
    if instrument.is_spot and is_too_little(
        instrument, least, fixed_stop(position, instrument, book.settings)
    ):
        return
    book.new_order(position, Purpose.REDUCE, share)
    book.note("profit_back", position=position.position_id, quantity=share, rest=expected - share)


def leaving(book: Book, position: Position) -> Decimal:
    """What a share on its way may still take off the position."""
    orders = book.orders_of(position.position_id, Purpose.REDUCE)
    return sum((remaining(o) for o in orders if not o.state.is_terminal), Decimal(0))


def _is_fruitless(order: Order) -> bool:
    return order.state.is_terminal and order.filled_quantity == 0
