"""A snapshot of the venue into the book: corrections applied, mismatches followed up."""

from dataclasses import replace
from decimal import Decimal

from engine.desk.book import Book
from engine.desk.booking import book_fills
from engine.desk.external import settle_surplus
from engine.desk.spot import owned
from engine.desk.state import Doubted
from engine.events import Snapshot
from engine.ledger import Fill, Position, PositionStatus
from engine.orders import advanced, is_of_another, parsed
from engine.reconcile import Corrections, Mismatch, compared, lost_stops, others_hold
from engine.values import CloseReason, OrderSide

AGREEING_SNAPSHOTS = 2  # that it takes before a missing quantity is believed


def compare(book: Book, snapshot: Snapshot) -> None:
    """Bring the book in line with the venue's truth; an older answer than the last is dropped.

    Executions that came before it are booked before it is compared: else what they took would be
    taken twice. Orders of another connection on the same account are that one's to look after.
    """
    if book.snapshot is not None and snapshot.asked_ms < book.snapshot.asked_ms:
        return
    book_fills(book)
    book.snapshot = snapshot
    if book.snapshot_wanted_ms <= snapshot.asked_ms:
        book.snapshot_wanted_ms = 0
    own = [
        order
        for order in snapshot.orders
        if not is_of_another(order.client_order_id, book.before.connection_id)
    ]
    others = others_hold(order for order in snapshot.orders if order not in own)
    known = book.positions.keys() | book.closed.keys()
    held = owned(book, snapshot.positions, lost_stops(own, known))
    ours = replace(snapshot, orders=tuple(own), positions=held)
    found = compared(book.orders, book.positions, book.closed, ours, book.settings, others)
    _watch_mode(book, snapshot)
    _apply_orders(book, found)
    _apply_mismatches(book, found.mismatches, snapshot)


def _watch_mode(book: Book, snapshot: Snapshot) -> None:
    """Somebody flipped the position mode: it is set again before the next entry."""
    is_spot = any(each.is_spot for each in book.inputs.instruments.values())
    if snapshot.hedge is None or is_spot:
        return
    if snapshot.hedge == book.inputs.hedge:
        book.settled("position_mode_flipped", "")
        return
    if book.prepared:
        book.prepared = {}
    book.alarm_once("position_mode_flipped", "", hedge=snapshot.hedge)


def _apply_orders(book: Book, found: Corrections) -> None:
    for update in found.listed:
        order = book.orders[update.client_order_id]
        book.doubted.pop(order.client_order_id, None)
        book.not_found.pop(order.client_order_id, None)
        book.put_order(advanced(order, update))
    for edited in found.edited:
        order = book.orders[edited.client_order_id]
        changed = replace(order, quantity=edited.quantity, trigger_price=edited.trigger_price)
        book.put_order(changed)
        book.alarm("order_edited", order=edited.client_order_id, quantity=edited.quantity)
    for client_id in found.absent:
        book.doubt(book.orders[client_id])
    for order in found.adopted:
        book.put_order(order)
        book.note("order_adopted", order=order.client_order_id)
    for order in found.orphans:
        book.cancel(order)
        book.note("orphan_cancelled", order=order.client_order_id)
    book.guards = {order.client_order_id: order for order in found.guards}
    for order in found.guards:
        book.alarm_once("lost_position_guarded", order.client_order_id, order=order.client_order_id)
    for client_id in found.strangers:
        book.alarm_once("order_of_no_position", client_id, order=client_id)


def _apply_mismatches(book: Book, found: tuple[Mismatch, ...], snapshot: Snapshot) -> None:
    before, book.mismatches = book.mismatches, {}
    for mismatch in found:
        at = (mismatch.symbol, mismatch.side)
        last = before.get(at)
        since_ms = last.since_ms if last is not None else snapshot.asked_ms
        doubt = Doubted(mismatch=mismatch, first_ms=snapshot.at_ms, times=1, since_ms=since_ms)
        if last is not None and last.mismatch == mismatch:
            doubt = replace(last, times=last.times + 1)
        book.mismatches[at] = doubt
        _follow_up(book, doubt)


def _follow_up(book: Book, doubt: Doubted) -> None:
    """First the fills; what they do not explain in agreeing snapshots is believed.

    Those that made the difference may be shown a while after it.
    """
    mismatch = doubt.mismatch
    shown_ms = doubt.first_ms + book.settings.visibility_ms
    is_fetched = book.fetched.get(mismatch.symbol, 0) >= shown_ms
    if doubt.times == 1:
        book.note("out_of_sync", **_figures(mismatch))
    if not is_fetched:
        book.want_fills(mismatch.symbol)
    if doubt.times < AGREEING_SNAPSHOTS or not is_fetched:
        book.snapshot_wanted_ms = book.now_ms
    elif mismatch.venue < mismatch.ours:
        _reduce_shares(book, mismatch)
    else:
        settle_surplus(book, doubt)


def _figures(mismatch: Mismatch) -> dict[str, object]:
    return {
        "symbol": mismatch.symbol,
        "side": mismatch.side,
        "ours": mismatch.ours,
        "venue": mismatch.venue,
    }


def _reduce_shares(book: Book, mismatch: Mismatch) -> None:
    """The venue holds less: the oldest shares lose it, priced by the fills that took it."""
    left = mismatch.ours - mismatch.venue
    shares = [
        share
        for share in book.positions.values()
        if (share.key.symbol, share.key.side) == (mismatch.symbol, mismatch.side)
    ]
    for share in sorted(shares, key=lambda one: (one.opened_at_ms, one.position_id)):
        taken = min(left, share.quantity)
        if taken > 0:
            _take_off(book, share, taken, _outside_price(book, share))
            left -= taken
    book.mismatches.pop((mismatch.symbol, mismatch.side), None)


def _take_off(book: Book, share: Position, taken: Decimal, price: Decimal | None) -> None:
    rest = share.quantity - taken
    gain = Decimal(0)
    if price is not None and share.entry_price is not None:
        gain = (price - share.entry_price) * taken * share.key.side.sign
    after = replace(share, quantity=rest, realized_pnl=share.realized_pnl + gain)
    if rest == 0:
        after = replace(
            after,
            status=PositionStatus.CLOSED,
            close_reason=CloseReason.RECONCILE_MISSING,
            exit_price=price or share.exit_price,
            closed_at_ms=book.now_ms,
        )
    book.put_position(after)
    book.alarm("share_reduced", position=share.position_id, quantity=taken, price=price)


def _outside_price(book: Book, share: Position) -> Decimal | None:
    """Average of somebody else's executions against the share since it was opened."""
    exits: OrderSide = share.key.side.exit
    fills = [fill for fill in book.loose.values() if _is_against(fill, share, exits)]
    quantity = sum((fill.quantity for fill in fills), Decimal(0))
    if quantity == 0:
        return None
    return sum((fill.price * fill.quantity for fill in fills), Decimal(0)) / quantity


def _is_against(fill: Fill, share: Position, exits: OrderSide) -> bool:
    return (
        fill.symbol == share.key.symbol
        and fill.order_side is exits
        and fill.executed_at_ms >= share.opened_at_ms
        and parsed(fill.client_order_id) is None
    )
