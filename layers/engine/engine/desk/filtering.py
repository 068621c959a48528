"""Steps and limits of an instrument, which a venue may change while we trade on it.

They are read when the engine starts, and again when the venue refuses an order: at most once a
minute, for most refusals have other reasons.
"""

from dataclasses import replace

from engine.desk.book import Book
from engine.events import InstrumentsRead
from engine.ledger import Order, OrderState
from engine.values import Instrument

PAUSE_MS = 60_000
_NOT_ASKED = "not sent"  # what the adapter itself held back
_FILTERS = ("price_tick", "quantity_step", "min_quantity", "max_quantity", "min_notional")


def heard_refusal(book: Book, before: Order, after: Order) -> None:
    """The venue refused an order: its instrument may not be what we take it for."""
    is_new = after.state is OrderState.REJECTED and before.state is not OrderState.REJECTED
    if is_new and not after.reason.startswith(_NOT_ASKED):
        book.filters_wanted = True


def ask_filters(book: Book) -> None:
    """Have the instruments read, if a refusal asks for it and the pause is over."""
    if book.filters_wanted and book.now_ms - book.filters_asked_ms >= PAUSE_MS:
        book.filters_wanted = False
        book.filters_asked_ms = book.now_ms
        book.want_instruments = True


def refilter(book: Book, read: InstrumentsRead) -> None:
    """From now on what we trade goes in the steps that the venue takes."""
    for found in read.instruments:
        known = book.instrument(found.symbol)
        if known is None:
            continue
        now = replace(known, **{name: getattr(found, name) for name in _FILTERS})
        if now != known:
            book.filters[found.symbol] = now
            book.alarm("filters_changed", symbol=found.symbol, **_changed(known, now))


def _changed(known: Instrument, now: Instrument) -> dict[str, object]:
    return {
        name: getattr(now, name) for name in _FILTERS if getattr(now, name) != getattr(known, name)
    }
