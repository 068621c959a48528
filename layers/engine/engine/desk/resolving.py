"""Orders of unclear fate: looked up again and again, never sent again."""

from dataclasses import replace

from engine.desk.absorbing import LOOK_UP_SPACING_MS
from engine.desk.book import Book
from engine.desk.charging import ask_funding
from engine.desk.filtering import ask_filters
from engine.ledger import Order, OrderState, Purpose
from engine.orders import is_ours, missing
from engine.reconcile import arrival_settled_ms, is_absence_proven

ANSWER_MS = 10_000  # a question is asked anew when no answer came for this long
FETCH_ANSWER_MS = 1500
FETCH_SPACING_MS = 500
MARKET_ORDER_MS = 1000  # a market order that still works after this is asked about
REPEAT_MS = 1000


def resolve(book: Book) -> None:
    """Give up silent sends, settle what is proven, ask about the rest."""
    for order in sorted(book.orders.values(), key=lambda one: one.client_order_id):
        order = _given_up(book, order)
        if missing(order) > 0:
            book.want_fills(order.symbol)
        if order.state is OrderState.UNKNOWN or order.client_order_id in book.doubted:
            _settle(book, order)
        elif _is_overdue(book, order):
            _look_up(book, order)
        _alarm(book, order)


def _given_up(book: Book, order: Order) -> Order:
    """A claimed order without any answer is unknown once its window and validity have passed."""
    patience_ms = book.settings.send_window_ms + book.settings.send_validity_ms
    silent_ms = book.now_ms - order.submitting_at_ms
    if order.state is not OrderState.SUBMITTING or silent_ms <= patience_ms:
        return order
    unknown = replace(order, state=OrderState.UNKNOWN, reason="no answer")
    book.put_order(unknown)
    book.note("order_unknown", order=order.client_order_id, why="silence")
    book.snapshot_wanted_ms = book.snapshot_wanted_ms or book.now_ms
    return unknown


def _alarm(book: Book, order: Order) -> None:
    """Say which orders nobody hears of: an entry may be filled and bare, others are just unclear.

    An entry counts from its claim, once it is as old as a fill may be without protection.
    """
    name, age_ms = order.client_order_id, book.now_ms - order.submitting_at_ms
    is_unclear = order.state in (OrderState.SUBMITTING, OrderState.UNKNOWN) or missing(order) > 0
    late_ms = book.settings.protection_deadline_ms
    if not order.reduce_only and is_unclear and order.submitting_at_ms and age_ms >= late_ms:
        book.alarm_once("entry_unheard", name, order=name, state=order.state, age_ms=age_ms)
    if order.state is OrderState.UNKNOWN and age_ms >= book.settings.unreconciled_after_s * 1000:
        book.alarm_once("unknown_too_long", name, order=name, age_ms=age_ms)
    if order.state.is_terminal and missing(order) == 0:
        book.settled("entry_unheard", name)
        book.settled("unknown_too_long", name)


def _settle(book: Book, order: Order) -> None:
    client_id = order.client_order_id
    is_unknown = order.state is OrderState.UNKNOWN
    settled_ms = (
        arrival_settled_ms(order, book.settings)
        if is_unknown
        else book.doubted[client_id] + book.settings.visibility_ms
    )
    if is_absence_proven(
        not_found_ms=book.not_found.get(client_id, ()),
        settled_ms=settled_ms,
        snapshot_ms=_snapshot_without(book, client_id),
        fills_ms=book.fetched.get(order.symbol, 0),
        needed=book.settings.not_found_evidence,
    ):
        _believe_absent(book, order, is_unknown=is_unknown)
        return
    _look_up(book, order)
    if book.now_ms >= settled_ms:
        if book.fetched.get(order.symbol, 0) < settled_ms:
            book.want_fills(order.symbol)
        if book.snapshot is None or book.snapshot.asked_ms < settled_ms:
            book.snapshot_wanted_ms = book.snapshot_wanted_ms or book.now_ms


def _believe_absent(book: Book, order: Order, *, is_unknown: bool) -> None:
    state = OrderState.REJECTED if is_unknown else OrderState.CANCELLED
    reason = "never arrived" if is_unknown else "gone from the venue"
    book.put_order(replace(order, state=state, reason=reason))
    book.doubted.pop(order.client_order_id, None)
    book.note("order_settled", order=order.client_order_id, reason=reason)


def _snapshot_without(book: Book, client_id: str) -> int:
    """When the last snapshot was asked for, if it does not show the order."""
    if book.snapshot is None:
        return 0
    shown = any(found.client_order_id == client_id for found in book.snapshot.orders)
    return 0 if shown else book.snapshot.asked_ms


def _is_overdue(book: Book, order: Order) -> bool:
    """Working market orders, and stops or targets whose price was touched, should have ended.

    A claimed one that nobody answers for is asked about too: what is found is true at once, while
    a "not found" proves nothing yet.
    """
    if order.state is OrderState.SUBMITTING:
        return book.now_ms - order.submitting_at_ms > MARKET_ORDER_MS
    if not order.state.is_working:
        return False
    if not order.order_type.is_conditional:
        return book.now_ms - order.submitting_at_ms > MARKET_ORDER_MS
    is_exit = order.purpose in (Purpose.STOP, Purpose.TARGET)
    return is_exit and order.position_id in book.touched


def _look_up(book: Book, order: Order) -> None:
    client_id = order.client_order_id
    asked_ms = book.looked.get(client_id)
    if asked_ms is not None and book.now_ms - asked_ms < ANSWER_MS:
        return
    if client_id in book.cancels or _is_within(book, book.cancelling.get(client_id)):
        return
    if book.now_ms - book.looked_last.get(client_id, 0) < LOOK_UP_SPACING_MS:
        return
    book.looked[client_id] = book.looked_last[client_id] = book.now_ms
    book.look_ups[client_id] = order


def _is_within(book: Book, asked_ms: int | None) -> bool:
    return asked_ms is not None and book.now_ms - asked_ms < REPEAT_MS


def ask(book: Book) -> None:
    """Fills, funding, filters, snapshot and account, each at its pace, one question at a time."""
    _ask_fills(book)
    ask_funding(book)
    ask_filters(book)
    _ask_snapshot(book)
    interval_ms = book.settings.stale_equity_ms // 4
    age_ms = interval_ms if book.account is None else book.now_ms - book.account.at_ms
    if age_ms >= interval_ms and book.now_ms - book.account_asked_ms >= REPEAT_MS:
        book.account_asked_ms = book.now_ms
        book.want_account = True


def _ask_fills(book: Book) -> None:
    for symbol, wanted_ms in sorted(book.fetch_wanted.items()):
        if book.fetched.get(symbol, 0) >= wanted_ms:
            del book.fetch_wanted[symbol]
            continue
        asked_ms = book.fetching.get(symbol)
        is_free = asked_ms is None or book.now_ms - asked_ms >= FETCH_ANSWER_MS
        if is_free and book.now_ms - book.fetched.get(symbol, 0) >= FETCH_SPACING_MS:
            book.fetching[symbol] = book.now_ms
            book.fetches.append((symbol, _since(book, symbol)))


def _since(book: Book, symbol: str) -> int:
    """Before the first entry of anything that may still be missing a fill."""
    held = [*book.positions.values(), *book.closed.values()]
    starts = [p.entry_close_ms for p in held if p.key.symbol == symbol]
    return min(starts, default=book.now_ms) - book.settings.clock_skew_ms - 1000


def _ask_snapshot(book: Book) -> None:
    """All symbols in their turn; after a failure those in play, which may weigh less."""
    last_ms = book.snapshot.asked_ms if book.snapshot is not None else 0
    whole_ms = book.snapshot.whole_ms if book.snapshot is not None else 0
    is_due = book.now_ms - whole_ms >= book.settings.reconcile_interval_s * 1000
    is_whole = is_due or _ends_idle(book, whole_ms)
    is_wanted = book.snapshot_wanted_ms > 0 or is_whole
    is_answered = max(last_ms, book.snapshot_failed_ms) >= book.snapshot_asked_ms
    pause_ms = REPEAT_MS if is_answered else ANSWER_MS
    asked_ms = book.snapshot_asked_ms
    if is_wanted and book.now_ms - asked_ms >= pause_ms:
        book.snapshot_asked_ms = book.now_ms
        book.want_snapshot = True
        has_failed = 0 < asked_ms <= book.snapshot_failed_ms
        is_whole = (is_whole or book.inputs.halt) and not has_failed
        book.snapshot_of = None if is_whole else _in_play(book, whole_ms)


def _in_play(book: Book, whole_ms: int) -> frozenset[str] | None:
    """Symbols that our books may differ from the venue in; None if there are none."""
    there = () if book.snapshot is None else book.snapshot.orders
    since_ms = max(whole_ms, book.started_ms)
    found = {position.key.symbol for position in book.positions.values()}
    found |= {one.key.symbol for one in book.closed.values() if one.updated_at_ms >= since_ms}
    found |= {order.symbol for order in book.orders.values() if not order.state.is_terminal}
    found |= {order.symbol for order in there if is_ours(order.client_order_id)}
    found |= {symbol for symbol, _ in book.mismatches}
    return frozenset(found) or None


def _ends_idle(book: Book, last_ms: int) -> bool:
    return is_quiet(book) and last_ms <= book.changed_ms


def is_quiet(book: Book) -> bool:
    """Flat, nothing wanted, nothing on its way."""
    is_busy = (
        book.positions
        or book.pending
        or book.fetch_wanted
        or book.cancelling
        or book.funding_wanted_ms
    )
    return not is_busy and all(order.state.is_terminal for order in book.orders.values())


def is_idle(book: Book) -> bool:
    """Quiet, and a snapshot asked for afterwards agreed."""
    snapshot = book.snapshot
    is_verified = snapshot is not None and snapshot.whole_ms > book.changed_ms
    behind = [d for d in book.mismatches.values() if d.mismatch.venue < d.mismatch.ours]
    return is_quiet(book) and is_verified and not behind and book.snapshot_wanted_ms == 0
