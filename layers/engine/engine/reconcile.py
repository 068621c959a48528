"""Our books against the venue's own truth: a pure comparison that yields corrections.

An order that is missing from one answer proves nothing; it is doubted and looked up. Quantities are
compared only where nothing is on its way.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.events import OrderUpdate, Snapshot, VenueOrder
from engine.ledger import Order, OrderState, Position, Purpose
from engine.listing import Heaps, as_found, is_edited, sort_unknown
from engine.orders import missing, parsed
from engine.settings import Settings
from engine.values import Side

SymbolSide = tuple[str, Side]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """Our shares of (symbol, side) together, and what the venue holds.

    `others` of it other connections on the account protect with stops of theirs.
    """

    symbol: str
    side: Side
    ours: Decimal
    venue: Decimal
    others: Decimal = Decimal(0)

    @property
    def surplus(self) -> Decimal:
        """What the venue holds and no connection accounts for."""
        return max(self.venue - self.ours - self.others, Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """What a snapshot says about our books.

    `listed` are updates of orders the venue shows; `edited` orders somebody gave another quantity
    or price there; `absent` client ids it should show and does not; `adopted` orders of ours that
    our books lacked; `orphans` reducing orders nobody needs; `guards` reducing orders of a position
    our books lost while the venue still holds it; `strangers` other orders under our prefix that
    belong to no position and are left alone.
    """

    listed: tuple[OrderUpdate, ...] = ()
    edited: tuple[Order, ...] = ()
    absent: tuple[str, ...] = ()
    adopted: tuple[Order, ...] = ()
    orphans: tuple[Order, ...] = ()
    guards: tuple[Order, ...] = ()
    strangers: tuple[str, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()


def compared(
    orders: Mapping[str, Order],
    positions: Mapping[str, Position],
    closed: Mapping[str, Position],
    snapshot: Snapshot,
    settings: Settings,
    others: Mapping[SymbolSide, Decimal] | None = None,
) -> Corrections:
    """Orders by client id, quantities by (symbol, side); `others` by other connections' stops."""
    listed: list[OrderUpdate] = []
    edited: list[Order] = []
    heaps = Heaps(surplus=_surplus(positions.values(), snapshot, others or {}))
    for found in snapshot.orders:
        order = orders.get(found.client_order_id)
        if order is not None and not order.state.is_terminal:
            listed.append(listing(found, snapshot.at_ms))
            if is_edited(order, found):
                edited.append(as_found(order, found))
        elif order is not None:
            if snapshot.asked_ms > order.updated_at_ms + settings.visibility_ms:
                heaps.orphans.append(order)
        else:
            sort_unknown(found, positions, closed, snapshot, heaps)
    return Corrections(
        listed=tuple(listed),
        edited=tuple(edited),
        absent=_absent(orders.values(), snapshot, settings),
        adopted=tuple(heaps.adopted),
        orphans=tuple(heaps.orphans),
        guards=tuple(heaps.guards),
        strangers=tuple(heaps.strangers),
        mismatches=_mismatches(
            orders.values(), positions.values(), snapshot, settings, others or {}
        ),
    )


def others_hold(orders: Iterable[VenueOrder]) -> dict[SymbolSide, Decimal]:
    """What other connections protect with stops of theirs, and so account for."""
    return _guarded(orders, frozenset())


def lost_stops(orders: Iterable[VenueOrder], known: Container[str]) -> dict[SymbolSide, Decimal]:
    """What stops of ours protect whose positions our books do not know."""
    return _guarded(orders, known)


def _guarded(orders: Iterable[VenueOrder], known: Container[str]) -> dict[SymbolSide, Decimal]:
    held: dict[SymbolSide, Decimal] = {}
    for order in orders:
        name = parsed(order.client_order_id)
        if name is not None and name.purpose is Purpose.STOP and name.position_id not in known:
            at = (order.symbol, order.side)
            held[at] = held.get(at, Decimal(0)) + order.quantity - order.filled_quantity
    return held


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
    others: Mapping[SymbolSide, Decimal],
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
            rest = others.get(at, Decimal(0))
            made = Mismatch(symbol=at[0], side=at[1], ours=mine, venue=theirs, others=rest)
            found.append(made)
    return tuple(found)


def _surplus(
    positions: Iterable[Position], snapshot: Snapshot, others: Mapping[SymbolSide, Decimal]
) -> Mapping[SymbolSide, Decimal]:
    surplus = {(held.symbol, held.side): held.quantity for held in snapshot.positions}
    for at, quantity in others.items():
        surplus[at] = surplus.get(at, Decimal(0)) - quantity
    for position in positions:
        at = (position.key.symbol, position.key.side)
        surplus[at] = surplus.get(at, Decimal(0)) - position.quantity
    return surplus


def _is_moving(order: Order, latest_ms: int) -> bool:
    """Whether the order may be changing quantities that the venue's answer shows or hides."""
    if missing(order) > 0:
        return True
    if order.state.is_terminal:
        return order.filled_quantity > 0 and order.updated_at_ms > latest_ms
    waits = order.order_type.is_conditional and order.state is OrderState.OPEN
    return not waits and order.state is not OrderState.NEW
