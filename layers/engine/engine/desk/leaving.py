"""Whether the position loop may be left when the operator stops it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol

from engine.desk.state import DeskState
from engine.ledger import Order, OrderState, Position, PositionStatus, Purpose
from engine.orders import remaining

_UNSETTLED = (OrderState.NEW, OrderState.SUBMITTING, OrderState.UNKNOWN)


class Held(Protocol):
    """Orders and positions, as a state or its working copy holds them."""

    @property
    def orders(self) -> Mapping[str, Order]: ...

    @property
    def positions(self) -> Mapping[str, Position]: ...

    @property
    def doubted(self) -> Mapping[str, int]: ...


def may_leave(desk: DeskState) -> bool:
    """Nothing is wanted or on its way, and live stops on the venue cover every position."""
    return not desk.pending and is_at_rest(desk)


def is_at_rest(desk: Held) -> bool:
    """Nothing is on its way, and live stops on the venue cover every position."""
    is_settled = not any(_is_on_its_way(order) for order in desk.orders.values())
    return is_settled and all(_is_covered(desk, position) for position in desk.positions.values())


def _is_on_its_way(order: Order) -> bool:
    """Whether it may still change a position without waiting for its trigger price."""
    fills = order.state.is_working and not order.order_type.is_conditional
    return fills or order.state in _UNSETTLED


def _is_covered(desk: Held, position: Position) -> bool:
    """A position that opens or closes is still under way, whatever covers it."""
    stops = [
        order
        for order in desk.orders.values()
        if order.position_id == position.position_id
        and order.purpose is Purpose.STOP
        and order.state.is_working
        and order.client_order_id not in desk.doubted
    ]
    covered = sum((remaining(order) for order in stops), Decimal(0))
    return position.status is PositionStatus.OPEN and covered >= position.quantity
