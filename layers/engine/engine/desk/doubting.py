"""Doubt: what may not be traded because our books and the venue have not come together."""

from decimal import Decimal

from engine.desk.book import Book
from engine.desk.state import Doubted
from engine.ledger import OrderState
from engine.orders import missing
from engine.risk import Refusal
from engine.values import Side


def not_reconciled(book: Book, symbol: str, side: Side) -> Refusal | None:
    """Why nothing may be opened or added there until books and venue come together."""
    if symbol in book.unreconciled:
        return Refusal(code="unreconciled")
    doubt = book.mismatches.get((symbol, side))
    if doubt is not None and not doubt.is_believed:
        return Refusal(code="out_of_sync")
    is_quarantined = doubt is not None and doubt.mismatch.surplus > 0
    if is_quarantined and book.settings.external_positions != "ignore":
        return Refusal(code="external_position", numbers=_numbers(doubt))
    opposite = book.mismatches.get((symbol, side.opposite))
    if not book.inputs.hedge and opposite is not None and opposite.mismatch.venue > 0:
        return Refusal(code="one_way_mode")  # it would close what somebody else holds
    return None


def doubt_symbols(book: Book) -> None:
    """Name the symbols whose doubts have lasted too long; told once, and once when it is over."""
    limit_ms = book.settings.unreconciled_after_s * 1000
    found = _late_orders(book, limit_ms) | _late_quantities(book, limit_ms)
    if _is_unread(book, limit_ms):
        found |= dict.fromkeys(book.inputs.instruments, "venue_unread")
    book.unreconciled = found
    for symbol, reason in found.items():
        book.alarm_once("unreconciled", symbol, symbol=symbol, reason=reason)
    for name in [name for name in book.alarmed if name.startswith("unreconciled ")]:
        symbol = name.removeprefix("unreconciled ")
        if symbol not in found:
            book.settled("unreconciled", symbol)
            book.note("reconciled", symbol=symbol)


def _late_orders(book: Book, limit_ms: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for order in book.orders.values():
        if book.now_ms - order.updated_at_ms < limit_ms:
            continue
        if order.state is OrderState.UNKNOWN:
            found[order.symbol] = "unknown_order"
        elif missing(order) > 0:
            found.setdefault(order.symbol, "missing_fills")
    return found


def _late_quantities(book: Book, limit_ms: int) -> dict[str, str]:
    return {
        symbol: "quantity"
        for (symbol, _), doubt in book.mismatches.items()
        if not doubt.is_believed and book.now_ms - doubt.since_ms >= limit_ms
    }


def _is_unread(book: Book, limit_ms: int) -> bool:
    """Whether the venue could not be read for longer than its pace and the limit."""
    last_ms = book.started_ms if book.snapshot is None else book.snapshot.asked_ms
    return book.now_ms - last_ms >= limit_ms + book.settings.reconcile_interval_s * 1000


def _numbers(doubt: Doubted | None) -> dict[str, Decimal]:
    return {} if doubt is None else {"surplus": doubt.mismatch.surplus}
