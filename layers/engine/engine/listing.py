"""What the venue lists under our names, sorted by what our books know of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from engine.events import Snapshot, VenueOrder
from engine.ledger import Order, OrderState, Position, Purpose
from engine.orders import intent, order_type, parsed
from engine.values import Side


@dataclass(slots=True)
class Heaps:
    """Orders our books do not know, sorted; `surplus` is held by the venue and by no share."""

    surplus: Mapping[tuple[str, Side], Decimal]
    adopted: list[Order] = field(default_factory=list)
    orphans: list[Order] = field(default_factory=list)
    guards: list[Order] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


def sort_unknown(
    found: VenueOrder,
    positions: Mapping[str, Position],
    closed: Mapping[str, Position],
    snapshot: Snapshot,
    heaps: Heaps,
) -> None:
    """What is called an orphan is cancelled: never what may guard a position that was lost."""
    name = parsed(found.client_order_id)
    if name is None:
        return  # somebody else's: never touched
    position = positions.get(name.position_id)
    if position is not None:
        made = _order_of(found, position, name.purpose, name.attempt, snapshot.at_ms)
        heaps.adopted.append(made)
    elif name.position_id in closed:
        owner = closed[name.position_id]
        made = _order_of(found, owner, name.purpose, name.attempt, snapshot.at_ms)
        heaps.orphans.append(made)
    elif found.reduces:
        made = _orphan(found, name.purpose, name.attempt, name.position_id)
        is_needed = heaps.surplus.get((found.symbol, found.side), Decimal(0)) > 0
        (heaps.guards if is_needed else heaps.orphans).append(made)
    else:
        heaps.strangers.append(found.client_order_id)


def is_edited(order: Order, found: VenueOrder) -> bool:
    """Whether a resting order has another quantity or price than we gave it."""
    if not (order.order_type.is_conditional and order.state.is_working):
        return False
    is_moved = found.trigger_price is not None and found.trigger_price != order.trigger_price
    return is_moved or found.quantity != order.quantity


def as_found(order: Order, found: VenueOrder) -> Order:
    """The order as somebody edited it."""
    price = order.trigger_price if found.trigger_price is None else found.trigger_price
    return replace(order, quantity=found.quantity, trigger_price=price)


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
