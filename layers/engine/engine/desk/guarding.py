"""One open position per call: its exits, its protection on the venue, its end."""

from dataclasses import replace
from decimal import Decimal

from engine.desk.book import Book
from engine.desk.freeing import is_withdrawn, must_free
from engine.desk.recovering import leaving, take_part
from engine.desk.spot import keep_stop, leave_residue
from engine.ledger import Order, OrderState, Position, PositionStatus, Purpose
from engine.levels import exit_due, fixed_stop, recovered, stop_would_trigger, target_tick, trailed
from engine.orders import missing, remaining
from engine.risk import Refusal
from engine.values import CloseReason, IndicationType, Instrument, TradeMode

HOUR_MS = 3_600_000
COMPARISON_MS = 4000
LAST_CHANCE_MS = 1500
TARGET_ATTEMPTS = 3  # refused so often, the position loop alone takes the profit
_ON_VENUE = {
    CloseReason.STOP_LOSS: Purpose.STOP,
    CloseReason.TAKE_PROFIT: Purpose.TARGET,
}


def guard(book: Book, position_id: str) -> None:
    """Bring one position forward: end it, decide its exit, close it, protect it."""
    position = book.positions[position_id]
    instrument = book.instrument(position.key.symbol)
    if instrument is None:
        book.alarm_once("unguarded_symbol", position_id, symbol=position.key.symbol)
        return
    if _ended(book, position):
        return
    if position.quantity == 0 or position.entry_price is None:
        return
    position = _exit_decision(book, position, instrument)
    expected = book.expected(position)
    if expected == 0:
        return  # filled on the venue; the fills are being fetched
    if not book.knows_venue():
        return
    position = _watched(book, position, expected)
    if not awaits_comparison(book, position):
        _act(book, position, instrument, expected)


def _act(book: Book, position: Position, instrument: Instrument, expected: Decimal) -> None:
    """Send what it needs: its close, its stop and target, a part of it."""
    if position.status is PositionStatus.CLOSING:
        if leave_residue(book, position, instrument, expected):
            return
        _close(book, position, expected)
    _protect(book, position, instrument, expected)
    take_part(book, position, instrument, expected)


def awaits_comparison(book: Book, position: Position) -> bool:
    """Whether the venue refused to reduce and its quantities were not read since.

    It may hold less than we think. Orders on their way would keep the quantities from being
    compared, so no share of the (symbol, side) sends another one until then, or for a while.
    """
    at = (position.key.symbol, position.key.side)
    refused_ms = book.refused_ms().get(at, 0)
    if book.now_ms - refused_ms >= COMPARISON_MS:
        return False
    if book.fetched.get(position.key.symbol, 0) < refused_ms:
        book.want_fills(position.key.symbol)
    if book.snapshot is None or book.snapshot.asked_ms < refused_ms:
        book.snapshot_wanted_ms = book.snapshot_wanted_ms or book.now_ms
        return True
    return at in book.mismatches


def sweep(book: Book) -> None:
    """Cancel what still works for positions that are closed."""
    for order in book.orders.values():
        if order.position_id not in book.positions and order.state.is_working:
            book.cancel(order)


def _ended(book: Book, position: Position) -> bool:
    """Close the books of a position that is flat and that no entry can fill any more."""
    orders = book.orders_of(position.position_id)
    entries = [order for order in orders if not order.reduce_only]
    if any(missing(order) > 0 for order in orders):
        book.want_fills(position.key.symbol)
        return False
    if position.quantity > 0 or any(not order.state.is_terminal for order in entries):
        return False
    closed = replace(
        position,
        status=PositionStatus.CLOSED,
        closed_at_ms=position.closed_at_ms or book.now_ms,
    )
    if position.entry_quantity == 0:
        reason = entries[-1].reason if entries else "no_entry"
        closed = replace(closed, close_reason=None)
        book.note("entry_failed", position=position.position_id, reason=reason)
    else:
        book.note(
            "position_closed",
            position=position.position_id,
            reason=closed.close_reason,
            realized_pnl=closed.realized_pnl,
        )
    book.put_position(closed)
    return True


def _exit_decision(book: Book, position: Position, instrument: Instrument) -> Position:
    """Stop, then trailing, then target on the last price, then the time limit.

    An old price decides nothing; the time limit holds without any.
    """
    if position.status is not PositionStatus.OPEN:
        return position
    quote = book.fresh_quote(position.key.symbol)
    reason = None
    if not isinstance(quote, Refusal):
        position = _marked(book, position, quote.price, instrument)
        reason = exit_due(position, quote.price, instrument, book.settings)
        if reason is None:
            book.touched.pop(position.position_id, None)
        elif _venue_may_act(book, position, reason):
            return position
    if reason is None and _is_over(book, position):
        reason = CloseReason.TIMEOUT
    return position if reason is None else book.close(position, reason)


def _marked(book: Book, position: Position, price: Decimal, instrument: Instrument) -> Position:
    """The position after a price: profit-back first, for it may arm the trailing."""
    marked = recovered(position, price, instrument, book.settings)
    marked = trailed(marked, price, instrument, book.settings)
    if marked.recovery is not position.recovery:
        book.note(f"recovery_{marked.recovery}", position=position.position_id, price=price)
    if marked.trail_armed and not position.trail_armed:
        book.note("trailing_armed", position=position.position_id, price=price)
    book.put_position(marked)
    return marked


def _is_over(book: Book, position: Position) -> bool:
    """Whether it lived as long as its mode allows, counted from the candle it was decided on.

    What was adopted was decided on no candle, and has no such limit.
    """
    if position.key.indication is IndicationType.EXTERNAL:
        return False
    is_preset = position.key.indication.mode is TradeMode.PRESET
    hours = book.settings.preset_timeout_h if is_preset else book.settings.main_timeout_h
    return 0 < hours * HOUR_MS <= book.now_ms - position.entry_close_ms


def _venue_may_act(book: Book, position: Position, reason: CloseReason) -> bool:
    """Whether the venue's own stop or target still has time; it is looked up meanwhile."""
    purpose = _ON_VENUE.get(reason)
    if purpose is None:
        return False
    live = [o for o in book.orders_of(position.position_id, purpose) if book.is_live(o)]
    if sum((remaining(order) for order in live), Decimal(0)) < book.expected(position):
        return False
    since_ms = book.touched.setdefault(position.position_id, book.now_ms)
    return book.now_ms - since_ms < book.settings.protection_grace_ms


def _close(book: Book, position: Position, expected: Decimal) -> None:
    """A reduce-only market order for what is left, a new attempt only after the last one ended.

    What profit-back has on its way is not closed twice: it could take from other shares.
    """
    closes = book.orders_of(position.position_id, Purpose.CLOSE)
    if any(not order.state.is_terminal for order in closes) or not book.may_retry(position, closes):
        return
    rest = expected - leaving(book, position)
    if rest > 0 and not must_free(book, position):
        book.new_order(position, Purpose.CLOSE, rest)


def _protect(book: Book, position: Position, instrument: Instrument, expected: Decimal) -> None:
    if is_withdrawn(book, position):
        return
    stop = fixed_stop(position, instrument, book.settings)
    quote = book.fresh_quote(position.key.symbol)
    price = None if isinstance(quote, Refusal) else quote.price
    would_trigger = price is not None and stop_would_trigger(
        position, price, instrument, book.settings
    )
    if instrument.is_spot:
        keep_stop(book, position, instrument, expected, None if would_trigger else stop)
        return
    if not would_trigger:
        _keep_one(book, position, Purpose.STOP, expected, stop)
    target = position.target_price
    is_calm = position.status is PositionStatus.OPEN and position.position_id not in book.touched
    if target is not None and is_calm:
        target = target_tick(target, position.key.side, instrument.price_tick)
        _keep_one(book, position, Purpose.TARGET, expected, target)


def _watched(book: Book, position: Position, expected: Decimal) -> Position:
    """Count the time without a live stop for all of it; past the deadline it is to be closed."""
    if book.stop_cover(position) >= expected:
        book.bare_since.pop(position.position_id, None)
        return position
    stops = book.orders_of(position.position_id, Purpose.STOP)
    since_ms = book.bare_since.setdefault(position.position_id, _bare_from(book, position, stops))
    is_late = book.now_ms - since_ms >= book.settings.protection_deadline_ms
    if is_late and position.status is PositionStatus.OPEN:
        book.alarm("unprotected", position=position.position_id, since_ms=since_ms)
        return book.close(position, CloseReason.EMERGENCY)
    return position


def _bare_from(book: Book, position: Position, stops: list[Order]) -> int:
    """Since when it is bare: a first fill counts from its execution, whoever was watching.

    A new owner that comes late still has time for one attempt.
    """
    if any(order.exchange_order_id for order in stops):
        return book.now_ms
    latest = book.now_ms - book.settings.protection_deadline_ms + LAST_CHANCE_MS
    return max(position.opened_at_ms, min(latest, book.now_ms))


def _keep_one(
    book: Book,
    position: Position,
    purpose: Purpose,
    expected: Decimal,
    trigger: Decimal,
) -> None:
    """Exactly one live order of the right size and price: place the new, then cancel the old.

    While a stop's fate is unknown, or one of another size is on its way, a second one is allowed at
    once; a target waits for the answer.
    """
    orders = book.orders_of(position.position_id, purpose)
    live = [order for order in orders if book.is_live(order)]
    fitting = [o for o in live if remaining(o) == expected and o.trigger_price == trigger]
    if fitting:
        for order in live:
            if order is not fitting[-1]:
                book.cancel(order)
        return
    unresolved = [o for o in orders if not o.state.is_terminal and not book.is_live(o)]
    on_its_way = [o for o in unresolved if o.state in (OrderState.NEW, OrderState.SUBMITTING)]
    if any(o.quantity == expected and o.trigger_price == trigger for o in on_its_way):
        return
    spare = 1 if purpose is Purpose.STOP else 0
    refused = sum(order.state is OrderState.REJECTED for order in orders)
    is_given_up = purpose is Purpose.TARGET and refused >= TARGET_ATTEMPTS
    if len(unresolved) <= spare and not is_given_up and book.may_retry(position, orders):
        book.new_order(position, purpose, expected, trigger)
