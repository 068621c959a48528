"""What is open and on its way already, as the account's limits see it."""

from dataclasses import replace
from decimal import Decimal

from engine.desk.book import Book
from engine.desk.state import open_notional
from engine.events import Account
from engine.risk import Exposure
from engine.values import SetKey


def exposure_for(book: Book, key: SetKey) -> Exposure:
    """All that is open, as a position of the Set sees it."""
    total = of_side = of_symbol = of_both = Decimal(0)
    for position in book.positions.values():
        held = position.key
        quote = book.inputs.quotes.get(held.symbol)
        orders = book.orders_of(position.position_id)
        notional = open_notional(position, orders, quote.price if quote else None)
        is_symbol, is_side = held.symbol == key.symbol, held.side is key.side
        total += notional
        of_side += notional * is_side
        of_symbol += notional * is_symbol
        of_both += notional * (is_symbol and is_side)
    return Exposure(
        notional=total,
        side_notional=of_side,
        symbol_notional=of_symbol,
        symbol_side_notional=of_both,
        positions=len(book.positions),
    )


def account_left(book: Book, account: Account) -> Account:
    """The account less the margin of entries and steps that were made after it was read."""
    taken = Decimal(0)
    for position in book.positions.values():
        for order in book.entries_of(position.position_id):
            if order.created_at_ms >= account.at_ms:
                quote = book.inputs.quotes.get(order.symbol)
                price = quote.price if quote else Decimal(0)
                taken += order.quantity * price / position.leverage
    return replace(account, free_margin=account.free_margin - taken)
