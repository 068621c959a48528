"""An emergency stop: nothing opens, entries are cancelled, and the venue must prove what is left.

With `flatten` every position is closed, even one whose row our books lost while a stop of ours
still guards it. Without it each keeps its protection. Either way the end is believed only after two
readings of the venue that agree, the first asked for when nothing that was sent before the halt, by
whichever worker, can arrive any more.
"""

from decimal import Decimal

from engine.desk.book import Book
from engine.desk.leaving import is_at_rest
from engine.desk.state import HaltProof
from engine.events import VenuePosition
from engine.orders import is_of_another, is_ours
from engine.values import CloseReason

READINGS = 2


def halt(book: Book) -> None:
    """Close what is to be closed, cancel what could still open."""
    if not book.inputs.halt:
        book.halted_ms, book.halt_reads = 0, ()
        return
    if not book.halted_ms:
        book.halted_ms = book.now_ms
        book.alarm("halted", flatten=book.inputs.flatten, positions=len(book.positions))
    if book.inputs.flatten:
        for position in list(book.positions.values()):
            book.close(position, CloseReason.EMERGENCY)
    for order in list(book.orders.values()):
        if not order.reduce_only and order.state.is_working:
            book.cancel(order)


def note_reading(book: Book) -> None:
    """Count a reading of this tick that proves the end; whatever contradicts it begins anew."""
    if not book.inputs.halt:
        return
    if not _is_at_its_end(book):
        book.halt_reads = ()
    elif book.snapshot is not None and _proves(book):
        book.halt_reads = (*book.halt_reads, book.snapshot.asked_ms)[:READINGS]
    is_lacking = len(book.halt_reads) < READINGS
    if is_lacking and book.now_ms > _settled_ms(book) and not book.snapshot_wanted_ms:
        book.snapshot_wanted_ms = book.now_ms


def proof(book: Book) -> HaltProof | None:
    """What the readings proved, once there are enough of them."""
    if not book.inputs.halt or len(book.halt_reads) < READINGS:
        return None
    left = [doubt.mismatch for doubt in book.mismatches.values()]
    return HaltProof(
        halted_ms=book.halted_ms,
        reads_ms=book.halt_reads,
        open_positions=len(book.positions),
        left=tuple(f"{one.symbol} {one.side} {one.venue - one.ours:f}" for one in left),
    )


def _settled_ms(book: Book) -> int:
    """When the last order that a former owner may have claimed can no more reach the venue."""
    settings = book.settings
    last_ms = settings.send_window_ms + settings.send_validity_ms + settings.clock_skew_ms
    return book.halted_ms + last_ms


def _is_at_its_end(book: Book) -> bool:
    """Nothing is on its way, nothing is in doubt, and no position is being closed."""
    is_asking = book.fetch_wanted or book.cancelling
    is_doubted = any(not doubt.is_believed for doubt in book.mismatches.values())
    return not is_asking and not is_doubted and is_at_rest(book)


def _proves(book: Book) -> bool:
    """Whether a whole reading came in this tick, late enough, and shows nothing but the books."""
    snapshot, before = book.snapshot, book.before.snapshot
    if snapshot is None or (before is not None and snapshot.whole_ms <= before.whole_ms):
        return False
    if snapshot.whole_ms <= _settled_ms(book):
        return False
    if book.positions:
        return True  # `is_at_rest` and the comparison said that its stops are there
    is_later = snapshot.whole_ms > book.changed_ms
    return is_later and _shows_nothing_of_ours(book)


def _shows_nothing_of_ours(book: Book) -> bool:
    if book.snapshot is None:
        return False
    own = book.before.connection_id
    names = {order.client_order_id for order in book.snapshot.orders}
    mine = {name for name in names if is_ours(name) and not is_of_another(name, own)}
    if not book.inputs.flatten:
        mine -= book.guards.keys()
    return not mine and all(_is_explained(book, held) for held in book.snapshot.positions)


def _is_explained(book: Book, held: VenuePosition) -> bool:
    """Whether it is somebody else's, as agreeing readings and the fills have shown.

    On a spot market what is not in our books is the owner's.
    """
    instrument = book.instrument(held.symbol)
    if held.quantity == Decimal(0) or (instrument is not None and instrument.is_spot):
        return True
    doubt = book.mismatches.get((held.symbol, held.side))
    return doubt is not None and doubt.is_believed and doubt.mismatch.venue == held.quantity
