"""Turns: an opposite signal of the same kind closes what its kind opened."""

from engine.desk.book import Book
from engine.ledger import Position
from engine.orders import position_id
from engine.records import Command
from engine.risk import Refusal
from engine.values import CloseReason, SetKey, Turn


def turn(book: Book) -> None:
    """Close the positions each turn names, and refuse the wishes it overtook.

    What was decided on its candle or on later ones is left alone, however long the command waited.
    """
    commands = sorted(book.pending.values(), key=lambda one: (one.created_at_ms, one.command_id))
    for command in commands:
        if command.turn is not None:
            _obey(book, command, command.turn)


def _obey(book: Book, command: Command, turn: Turn) -> None:
    meant = [position for position in book.positions.values() if _is_meant(position, turn)]
    for position in meant:
        book.close(position, CloseReason.STRATEGY_EXIT)
    overtaken = [one for one in book.pending.values() if _is_overtaken(book, one, turn)]
    for wish in overtaken:
        book.consume(wish, "refused", Refusal(code="strategy_exit"))
    if meant or overtaken:
        book.consume(command, "done")
    else:
        book.consume(command, "refused", Refusal(code="no_position"))


def _is_meant(position: Position, turn: Turn) -> bool:
    return position.entry_close_ms < turn.at_ms and _is_of(position.key, turn)


def _is_overtaken(book: Book, command: Command, turn: Turn) -> bool:
    """A wish that nothing was opened for yet."""
    wish = command.wish
    if wish is None or wish.entry_close_ms >= turn.at_ms or not _is_of(wish.key, turn):
        return False
    name = position_id(book.before.connection_id, wish.key.text, wish.entry_close_ms)
    return name not in book.positions and name not in book.closed


def _is_of(key: SetKey, turn: Turn) -> bool:
    tried = (key.symbol, key.indication, key.parameter, key.variant, key.side)
    return tried == (turn.symbol, turn.indication, turn.parameter, turn.variant, turn.side)
