"""Fills into positions: each fill once, positions from nothing else."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from engine.desk.book import Book
from engine.events import OrderUpdate
from engine.ledger import (
    ADOPTED,
    Fill,
    FillKind,
    Order,
    OrderState,
    Position,
    PositionStatus,
    Purpose,
)
from engine.levels import with_exits
from engine.orders import advanced, missing, parsed
from engine.shares import (
    fee_in_quote,
    received,
    with_entry,
    with_exit,
    with_settled,
    with_unconverted,
)
from engine.values import CloseReason, Instrument

_REASONS = {
    Purpose.STOP: CloseReason.STOP_LOSS,
    Purpose.TARGET: CloseReason.TAKE_PROFIT,
    Purpose.REDUCE: CloseReason.PROFIT_BACK,
}


def receive(book: Book, fill: Fill) -> None:
    """Keep an execution that is not booked yet."""
    if fill.key not in book.fill_ids:
        book.loose[fill.key] = fill


def book_fills(book: Book) -> None:
    """Book every kept fill whose position is known, oldest first, entries before exits.

    What stays are executions of others, and exits that came before their entry.
    """
    waiting = sorted(book.loose.values(), key=lambda fill: (fill.executed_at_ms, fill.key))
    named = [(fill, *_owner(book, fill)) for fill in waiting]
    for wanted in (True, False):
        for fill, position_id, purpose in named:
            if purpose is not None and purpose.reduces is not wanted:
                _place(book, fill, position_id, purpose)
    for fill in waiting:
        if fill.kind is not FillKind.TRADE:
            _force(book, fill)


def _owner(book: Book, fill: Fill) -> tuple[str, Purpose | None]:
    """Position and purpose by client id, else by the exchange's id of one of our orders."""
    name = parsed(fill.client_order_id)
    if name is not None:
        return name.position_id, name.purpose
    for order in book.orders.values():
        if fill.exchange_order_id and order.exchange_order_id == fill.exchange_order_id:
            return order.position_id, order.purpose
    return "", None


def _place(book: Book, fill: Fill, position_id: str, purpose: Purpose) -> None:
    position = book.positions.get(position_id) or book.closed.get(position_id)
    instrument = book.instrument(fill.symbol)
    if position is None or instrument is None:
        return
    if _is_adopted(position, fill):
        _done(book, fill)  # it is in the quantity that was found; if not, the next reading tells
        _count(book, fill, position_id, purpose)
        return
    if not purpose.reduces:
        _enter(book, position, fill, purpose, instrument)
    elif not _exit(book, position, fill, purpose, instrument):
        return
    _done(book, fill)
    _count(book, fill, position_id, purpose)


def _is_adopted(position: Position, fill: Fill) -> bool:
    """Whether an adopted position was found with this execution in it."""
    is_found = position.settled_of(ADOPTED) is not None
    return is_found and fill.executed_at_ms <= position.opened_at_ms


def _done(book: Book, fill: Fill) -> None:
    del book.loose[fill.key]
    book.fill_ids.add(fill.key)
    book.new_fills.append(fill)


def _force(book: Book, fill: Fill) -> None:
    """The venue itself reduced the position: what others hold of it first, then the oldest share.

    Each share remembers its part, for the worker may die between two of them.
    """
    instrument = book.instrument(fill.symbol)
    held = book.shares_of(fill.symbol, fill.side)
    shares = [share for share in held if share.opened_at_ms <= fill.executed_at_ms]
    if instrument is None or not shares or fill.order_side is not fill.side.exit:
        return
    known = [*shares, *book.closed.values()]
    settled = sum((one.settled_of(fill.key) or Decimal(0) for one in known), Decimal(0))
    left = max(fill.quantity - book.excess(fill.symbol, fill.side) - settled, Decimal(0))
    for share in shares:
        taken = min(left, share.quantity)
        if taken > 0:
            left -= taken
            reduced = _part(book, share, fill, taken, CloseReason.LIQUIDATED, instrument)
            book.put_position(with_settled(reduced, fill.key, taken))
            book.alarm(
                f"position_{fill.kind}",
                position=share.position_id,
                quantity=taken,
                rest=reduced.quantity,
                price=fill.price,
            )
    _done(book, fill)


def _enter(
    book: Book, position: Position, fill: Fill, purpose: Purpose, instrument: Instrument
) -> None:
    bought, residue = received(position, fill, instrument)
    entered = _charged(
        book,
        fill,
        instrument,
        lambda fee: with_entry(position, bought, fee, first=purpose is Purpose.ENTRY),
    )
    entered = replace(entered, residue=residue)
    entered = with_exits(entered, instrument, book.settings)
    if position.status is PositionStatus.OPENING:
        entered = replace(entered, status=PositionStatus.OPEN)
    if position.status is PositionStatus.CLOSED:
        entered = replace(
            entered,
            status=PositionStatus.CLOSING,
            close_reason=CloseReason.EMERGENCY,
            closed_at_ms=0,
        )
        book.note("late_entry_fill", position=position.position_id, trade=fill.trade_id)
    book.put_position(entered)


def _exit(
    book: Book, position: Position, fill: Fill, purpose: Purpose, instrument: Instrument
) -> bool:
    """Reduce the share; what is more than it held comes off the other shares of the symbol.

    It waits for entries whose fills it may have closed, own ones and those of other shares. Each
    of the others remembers its part, by which it is stored together with the execution.
    """
    if fill.quantity > position.quantity:
        entries = book.entries_of(position.position_id)
        if any(missing(order) > 0 for order in entries) or _waits(book, position, fill):
            return False
    left = _reduce(book, position, fill, fill.quantity, _reason(position, purpose), instrument)
    if left == 0:
        return True
    book.note("exit_beyond_share", position=position.position_id, quantity=left)
    for other in book.shares_of(fill.symbol, position.key.side):
        left = _reduce(
            book, other, fill, left, CloseReason.RECONCILE_MISSING, instrument, is_anothers=True
        )
    return True


def _waits(book: Book, position: Position, fill: Fill) -> bool:
    """Whether the known shares are too small for it while another entry may be filling."""
    at = (fill.symbol, position.key.side)
    if sum(share.quantity for share in book.shares_of(*at)) >= fill.quantity:
        return False
    return any(
        (order.symbol, order.side) == at
        and not order.reduce_only
        and (missing(order) > 0 or not order.state.is_terminal)
        for order in book.orders.values()
    )


def _reduce(
    book: Book,
    position: Position,
    fill: Fill,
    quantity: Decimal,
    reason: CloseReason,
    instrument: Instrument,
    *,
    is_anothers: bool = False,
) -> Decimal:
    """Take up to `quantity` off the share; returns what is left over."""
    taken = min(quantity, position.quantity)
    if taken <= 0:
        return quantity
    reduced = _part(book, position, fill, taken, reason, instrument)
    book.put_position(with_settled(reduced, fill.key, taken) if is_anothers else reduced)
    return quantity - taken


def _part(
    book: Book,
    position: Position,
    fill: Fill,
    taken: Decimal,
    reason: CloseReason,
    instrument: Instrument,
) -> Position:
    """The share after its part of an execution; `reason` counts if nothing is left of it."""
    part = replace(fill, quantity=taken, fee=fill.fee * taken / fill.quantity)
    after = _charged(book, part, instrument, lambda fee: with_exit(position, part, fee))
    if after.quantity == 0:
        after = replace(after, close_reason=reason)
    return after


def _reason(position: Position, purpose: Purpose) -> CloseReason:
    return _REASONS.get(purpose) or position.close_reason or CloseReason.MANUAL


def _count(book: Book, fill: Fill, position_id: str, purpose: Purpose) -> None:
    """What is booked of the order, which is also the least that it has filled."""
    order = _order_of(book, fill, position_id, purpose)
    if order is None:
        return
    booked = order.booked_quantity + fill.quantity
    update = OrderUpdate(
        client_order_id=order.client_order_id,
        state=OrderState.PARTIALLY_FILLED,
        filled_quantity=booked,
        at_ms=fill.executed_at_ms,
    )
    book.put_order(replace(advanced(order, update), booked_quantity=booked))


def _order_of(book: Book, fill: Fill, position_id: str, purpose: Purpose) -> Order | None:
    if fill.client_order_id in book.orders:
        return book.orders[fill.client_order_id]
    for order in book.orders_of(position_id, purpose):
        if fill.exchange_order_id and order.exchange_order_id == fill.exchange_order_id:
            return order
    return None


def _charged(
    book: Book, fill: Fill, instrument: Instrument, booked: Callable[[Decimal], Position]
) -> Position:
    """The position `booked` with the fee in quote currency, or with the fee kept in its asset."""
    fee = fee_in_quote(fill, instrument, book.price_of(fill.fee_asset, instrument.quote))
    if fee is not None:
        return booked(fee)
    book.alarm("fee_not_converted", trade=fill.trade_id, fee=fill.fee, asset=fill.fee_asset)
    return with_unconverted(booked(Decimal(0)), fill.fee_asset, fill.fee)
