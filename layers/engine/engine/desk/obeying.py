"""An operator's word about positions there are: close one, all, the profitable; move an exit."""

from decimal import Decimal

from engine.desk.book import Book
from engine.exit_change import change_refusal, changed
from engine.ledger import Position, PositionStatus
from engine.records import Command, CommandKind, ExitChange
from engine.risk import Refusal
from engine.values import CloseReason

PATIENCE_MS = 10_000
"""A command that needs the price waits this long for a fresh one; closing at once needs none."""


def obey(book: Book) -> None:
    """Commands in order of their making; they hold for every position there is.

    Entries on their way are included where everything is to be closed.
    """
    for command in sorted(
        book.pending.values(), key=lambda one: (one.created_at_ms, one.command_id)
    ):
        match command.kind:
            case CommandKind.CLOSE_ALL:
                for position in list(book.positions.values()):
                    book.close(position, CloseReason.MANUAL)
                book.consume(command, "done")
            case CommandKind.CLOSE_POSITION:
                _close_one(book, command)
            case CommandKind.CLOSE_PROFITABLE:
                _close_profitable(book, command)
            case CommandKind.CHANGE_EXITS:
                _change_exits(book, command, command.exits or ExitChange())


def _close_one(book: Book, command: Command) -> None:
    held = book.positions.get(command.position_id)
    if held is None:
        book.consume(command, "refused", Refusal(code="unknown_position"))
    else:
        book.close(held, CloseReason.MANUAL)
        book.consume(command, "done")


def _close_profitable(book: Book, command: Command) -> None:
    """Close what gains at the last price, all fees paid; it tells how many of how many.

    A position whose price stays unknown is not known to gain.
    """
    held = [p for p in book.positions.values() if p.status is PositionStatus.OPEN and p.quantity]
    quotes = {p.key.symbol: book.fresh_quote(p.key.symbol) for p in held}
    unknown = [quote for quote in quotes.values() if isinstance(quote, Refusal)]
    if unknown and _may_wait(book, command):
        return
    closed = 0
    for position in held:
        quote = quotes[position.key.symbol]
        if not isinstance(quote, Refusal) and _gain(book, position, quote.price) > 0:
            book.close(position, CloseReason.MANUAL)
            closed += 1
    counts = {"closed": Decimal(closed), "held": Decimal(len(held))}
    book.consume(command, "done", Refusal(code="", numbers=counts))


def _gain(book: Book, position: Position, price: Decimal) -> Decimal:
    """What it comes to if it is closed at this price, in quote currency."""
    fee = position.quantity * price * book.settings.taker_fee_pct / 100
    return position.net + position.unrealized_pnl(price) - fee


def _change_exits(book: Book, command: Command, change: ExitChange) -> None:
    """Give the position other exits; its orders on the venue follow without a bare moment."""
    position = book.positions.get(command.position_id)
    if position is None:
        book.consume(command, "refused", Refusal(code="unknown_position"))
        return
    instrument, quote = book.instrument(position.key.symbol), book.fresh_quote(position.key.symbol)
    if instrument is None or isinstance(quote, Refusal):
        if not _may_wait(book, command):
            unknown = Refusal(code="unknown_symbol")
            book.consume(command, "refused", quote if isinstance(quote, Refusal) else unknown)
        return
    refusal = change_refusal(position, change, instrument, book.settings, price=quote.price)
    if refusal is not None:
        book.consume(command, "refused", refusal)
        return
    after, told = changed(position, change, instrument, book.settings)
    book.put_position(after)
    book.note("exits_changed", position=position.position_id, looser=told.code, **told.texts)
    book.consume(command, "done", told)


def _may_wait(book: Book, command: Command) -> bool:
    return book.now_ms - command.created_at_ms < PATIENCE_MS
