"""Our books against the venue's own truth: a pure comparison that yields corrections.

An order that is missing from one answer proves nothing; it is doubted and looked up. Quantities are
compared only where nothing is on its way.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from engine.events import OrderUpdate, Snapshot, VenueOrder
from engine.ledger import Order, OrderState, Position, Purpose
from engine.orders import intent, missing, order_type, parsed
from engine.settings import Settings
from engine.values import Side

SymbolSide = tuple[str, Side]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Our shares of (symbol, side) together, and what the venue holds."""

    symbol: str
    side: Side
    ours: Decimal
    venue: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """What a snapshot says about our books.

    `listed` are updates of orders the venue shows; `absent` client ids it should show and does
    not; `adopted` orders of ours that our books lacked; `orphans` reducing orders nobody needs;
    `strangers` orders under our prefix that belong to no position and are left alone.
    """

    listed: tuple[OrderUpdate, ...] = ()
    absent: tuple[str, ...] = ()
    adopted: tuple[Order, ...] = ()
    orphans: tuple[Order, ...] = ()
    strangers: tuple[str, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()


def compared(
    orders: Mapping[str, Order],
    positions: Mapping[str, Position],
    closed: Mapping[str, Position],
    snapshot: Snapshot,
    settings: Settings,
) -> Corrections:
    """Orders by client id, quantities by (symbol, side)."""
    listed: list[OrderUpdate] = []
    adopted: list[Order] = []
    orphans: list[Order] = []
    strangers: list[str] = []
    for found in snapshot.orders:
        order = orders.get(found.client_order_id)
        if order is not None and not order.state.is_terminal:
            listed.append(listing(found, snapshot.at_ms))
        elif order is not None:
            if snapshot.asked_ms > order.updated_at_ms + settings.visibility_ms:
                orphans.append(order)
        else:
            _sort_unknown(found, positions, closed, snapshot, (adopted, orphans, strangers))
    return Corrections(
        listed=tuple(listed),
        absent=_absent(orders.values(), snapshot, settings),
        adopted=tuple(adopted),
        orphans=tuple(orphans),
        strangers=tuple(strangers),
        mismatches=_mismatches(orders.values(), positions.values(), snapshot, settings),
    )


def listing(found: VenueOrder, at_ms: int) -> OrderUpdate:
    """A working order of the venue's list as an update."""
    return OrderUpdate(
        client_order_id=found.client_order_id,
        state=OrderState.PARTIALLY_FILLED if found.filled_quantity > 0 else OrderState.OPEN,
        exchange_order_id=found.exchange_order_id,
        filled_quantity=found.filled_quantity,
        at_ms=at_ms,
    )


def is_absence_proven(
    *, not_found_ms: Sequence[int], settled_ms: int, snapshot_ms: int, fills_ms: int, needed: int
) -> bool:
    """Whether an order may be believed not to exist.

    It takes `needed` spaced targeted not-founds, a snapshot without the order and a complete
    reading of the fills, all asked after `settled_ms`: the time from which on the venue must know.
    """
    late = [at_ms for at_ms in not_found_ms if at_ms >= settled_ms]
    return len(late) >= needed and snapshot_ms >= settled_ms and fills_ms >= settled_ms


def arrival_settled_ms(order: Order, settings: Settings) -> int:
    """From when on a venue that does not know a claimed order never will."""
    return (
        order.submitting_at_ms
        + settings.send_window_ms
        + settings.send_validity_ms
        + settings.visibility_ms
        + settings.clock_skew_ms
    )


def expected_quantity(position: Position, orders: Iterable[Order]) -> Decimal:
    """What is open, less what the venue says is filled by reducing orders and is not booked yet."""
    leaving = sum((missing(order) for order in orders if order.reduce_only), Decimal(0))
    return max(position.quantity - leaving, Decimal(0))


def _sort_unknown(
    found: VenueOrder,
    positions: Mapping[str, Position],
    closed: Mapping[str, Position],
    snapshot: Snapshot,
    heaps: tuple[list[Order], list[Order], list[str]],
) -> None:
    adopted, orphans, strangers = heaps
    name = parsed(found.client_order_id)
    if name is None:
        return  # somebody else's: never touched
    position = positions.get(name.position_id)
    if position is not None:
        adopted.append(_order_of(found, position, name.purpose, name.attempt, snapshot.at_ms))
    elif found.reduces:
        orphans.append(_orphan(found, name.purpose, name.attempt, name.position_id))
    elif name.position_id in closed:
        owner = closed[name.position_id]
        orphans.append(_order_of(found, owner, name.purpose, name.attempt, snapshot.at_ms))
    else:
        strangers.append(found.client_order_id)


def _order_of(
    found: VenueOrder, position: Position, purpose: Purpose, attempt: int, at_ms: int
) -> Order:
    made = intent(
        position,
        purpose,
        attempt=attempt,
        quantity=found.quantity,
        now_ms=at_ms,
        trigger_price=found.trigger_price,
    )
    return replace(
        made,
        state=OrderState.PARTIALLY_FILLED if found.filled_quantity > 0 else OrderState.OPEN,
        exchange_order_id=found.exchange_order_id,
        filled_quantity=found.filled_quantity,
        reason="adopted",
    )


def _orphan(found: VenueOrder, purpose: Purpose, attempt: int, position: str) -> Order:
    """A reducing order of a position long gone, as much of it as a cancel needs."""
    return Order(
        client_order_id=found.client_order_id,
        position_id=position,
        purpose=purpose,
        attempt=attempt,
        symbol=found.symbol,
        side=found.side,
        order_type=order_type(purpose),
        quantity=found.quantity,
        trigger_price=found.trigger_price,
        state=OrderState.OPEN,
        exchange_order_id=found.exchange_order_id,
        filled_quantity=found.filled_quantity,
        reason="orphan",
    )


def _absent(orders: Iterable[Order], snapshot: Snapshot, settings: Settings) -> tuple[str, ...]:
    shown = {found.client_order_id for found in snapshot.orders}
    latest = snapshot.asked_ms - settings.visibility_ms
    return tuple(
        order.client_order_id
        for order in orders
        if order.state.is_working
        and order.client_order_id not in shown
        and order.updated_at_ms < latest
    )


def _mismatches(
    orders: Iterable[Order],
    positions: Iterable[Position],
    snapshot: Snapshot,
    settings: Settings,
) -> tuple[Mismatch, ...]:
    ours: dict[SymbolSide, Decimal] = {}
    unsettled: set[SymbolSide] = set()
    latest = snapshot.asked_ms - settings.visibility_ms
    for position in positions:
        at = (position.key.symbol, position.key.side)
        ours[at] = ours.get(at, Decimal(0)) + position.quantity
        if position.updated_at_ms > latest:
            unsettled.add(at)
    for order in orders:
        if _is_moving(order, latest):
            unsettled.add((order.symbol, order.side))
    venue = {(held.symbol, held.side): held.quantity for held in snapshot.positions}
    found = []
    for at in sorted(ours.keys() | venue.keys()):
        mine, theirs = ours.get(at, Decimal(0)), venue.get(at, Decimal(0))
        if mine != theirs and at not in unsettled:
            found.append(Mismatch(symbol=at[0], side=at[1], ours=mine, venue=theirs))
    return tuple(found)


def _is_moving(order: Order, latest_ms: int) -> bool:
    """Whether the order may be changing quantities that the venue's answer shows or hides."""
    if missing(order) > 0:
        return True
    if order.state.is_terminal:
        return order.filled_quantity > 0 and order.updated_at_ms > latest_ms
    waits = order.order_type.is_conditional and order.state is OrderState.OPEN
    return not waits and order.state is not OrderState.NEW
