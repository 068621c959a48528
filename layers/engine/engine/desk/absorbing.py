"""What arrived since the last plan, into the book."""

from dataclasses import replace
from functools import singledispatch

from engine.desk.book import Book
from engine.desk.booking import book_fills, receive
from engine.desk.charging import charge, is_dealt_with
from engine.desk.comparing import compare
from engine.desk.filtering import heard_refusal, refilter
from engine.events import (
    Account,
    CancelUnclear,
    FillsFetched,
    Funding,
    FundingFetched,
    InstrumentsRead,
    NotFound,
    OrderUpdate,
    Prepared,
    PrepareRefused,
    SendSkipped,
    SendUnclear,
    Snapshot,
    SnapshotFailed,
    StreamBroken,
)
from engine.ledger import Fill, OrderState
from engine.orders import advanced

LOOK_UP_SPACING_MS = 500


def absorb(book: Book) -> None:
    """Every event in order, then whatever fills and payments can be booked."""
    for event in book.inputs.events:
        _take(event, book)
    book_fills(book)
    charge(book)


def seal(book: Book) -> None:
    """A new owner sends nothing of a former one: intents end, claimed orders are looked up."""
    if book.sealed:
        return
    book.sealed = True
    for order in list(book.orders.values()):
        if order.state is OrderState.NEW:
            book.put_order(replace(order, state=OrderState.CANCELLED, reason="sealed"))
        elif order.state is OrderState.SUBMITTING:
            book.put_order(replace(order, state=OrderState.UNKNOWN, reason="inherited"))
    for position in book.positions.values():
        book.want_fills(position.key.symbol)
    if book.positions or book.closed:
        book.funding_wanted_ms = book.now_ms


@singledispatch
def _take(event: object, book: Book) -> None:
    raise TypeError(f"event {type(event).__name__} is unknown")


@_take.register
def _(event: OrderUpdate, book: Book) -> None:
    client_id = event.client_order_id
    book.looked.pop(client_id, None)
    book.cancelling.pop(client_id, None)
    order = book.orders.get(client_id)
    if order is None:
        return
    after = advanced(order, event)
    if after != order or event.state is after.state:
        book.doubted.pop(client_id, None)
        book.not_found.pop(client_id, None)
    book.put_order(after)
    heard_refusal(book, order, after)


@_take.register
def _(event: Fill, book: Book) -> None:
    receive(book, event)


@_take.register
def _(event: SendUnclear, book: Book) -> None:
    book.looked.pop(event.client_order_id, None)
    order = book.orders.get(event.client_order_id)
    if order is not None and order.state is OrderState.SUBMITTING:
        book.put_order(replace(order, state=OrderState.UNKNOWN, reason=event.text))
        book.note("order_unknown", order=order.client_order_id, why=event.why)
        book.snapshot_wanted_ms = book.now_ms


@_take.register
def _(event: SendSkipped, book: Book) -> None:
    order = book.orders.get(event.client_order_id)
    if order is not None and order.state is OrderState.SUBMITTING:
        book.put_order(replace(order, state=OrderState.CANCELLED, reason="not_sent"))


@_take.register
def _(event: NotFound, book: Book) -> None:
    """Evidence counts from when the question was asked, the answer may be old."""
    client_id = event.client_order_id
    asked_ms = book.looked.pop(client_id, None)
    order = book.orders.get(client_id)
    if order is None:
        book.cancelling.pop(client_id, None)
        return
    if asked_ms is None:  # the answer to a cancel: whether it filled or vanished, a look-up tells
        book.cancelling.pop(client_id, None)
        if order.state.is_working:
            book.doubt(order)
        return
    times = book.not_found.get(client_id, ())
    if not times or asked_ms >= times[-1] + LOOK_UP_SPACING_MS:
        book.not_found[client_id] = (*times, asked_ms)
    if order.state.is_working:
        book.doubt(order)


@_take.register
def _(event: CancelUnclear, book: Book) -> None:
    order = book.orders.get(event.client_order_id)
    if order is None:  # an orphan: the next snapshot shows whether it is gone
        book.cancelling.pop(event.client_order_id, None)
        book.snapshot_wanted_ms = book.now_ms
    elif order.state.is_working:
        book.doubt(order)


@_take.register
def _(event: Snapshot, book: Book) -> None:
    compare(book, event)


@_take.register
def _(event: SnapshotFailed, book: Book) -> None:
    book.snapshot_wanted_ms = book.now_ms
    book.snapshot_failed_ms = book.now_ms
    book.note("snapshot_failed", text=event.text)


@_take.register
def _(event: Account, book: Book) -> None:
    if book.account is None or event.at_ms >= book.account.at_ms:
        book.account = event


@_take.register
def _(event: StreamBroken, book: Book) -> None:
    book.snapshot_wanted_ms = book.now_ms
    for position in book.positions.values():
        book.want_fills(position.key.symbol)


@_take.register
def _(event: FillsFetched, book: Book) -> None:
    book.fetching.pop(event.symbol, None)
    book.fetched[event.symbol] = max(event.asked_ms, book.fetched.get(event.symbol, 0))


@_take.register
def _(event: Funding, book: Book) -> None:
    if not is_dealt_with(book, event):
        book.payments[event.funding_id] = event


@_take.register
def _(event: FundingFetched, book: Book) -> None:
    book.funding_read_ms = max(event.asked_ms, book.funding_read_ms)
    if event.asked_ms >= book.funding_wanted_ms:
        book.funding_wanted_ms = 0


@_take.register
def _(event: InstrumentsRead, book: Book) -> None:
    refilter(book, event)


@_take.register
def _(event: Prepared, book: Book) -> None:
    book.preparing.pop(event.symbol, None)
    book.unprepared.pop(event.symbol, None)
    book.prepared[event.symbol] = event.leverage


@_take.register
def _(event: PrepareRefused, book: Book) -> None:
    book.unprepared[event.symbol] = event.text
    book.note("prepare_refused", symbol=event.symbol, text=event.text)
