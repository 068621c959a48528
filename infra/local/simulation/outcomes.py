"""How each fault that struck ended: the rows of the table fault, step, outcome."""

from collections import Counter

from engine.ledger import Order, OrderState
from local.simulation.hazards import Act
from local.simulation.history import History, Strike
from local.simulation.store import MemoryStore

Row = tuple[str, str, str]
_DEADLY = frozenset({Act.DIE, Act.FREEZE})
_REASONS = {
    "sealed": "sealed by the successor",
    "not_sent": "not sent, its window had passed",
    "never arrived": "proven never to have arrived",
    "gone from the venue": "gone from the venue, proven",
}
_ENDS = {
    OrderState.FILLED: "filled and booked",
    OrderState.CANCELLED: "cancelled",
    OrderState.REJECTED: "refused, tried anew where still wanted",
    OrderState.EXPIRED: "expired",
}


def outcomes(history: History, store: MemoryStore) -> Counter[Row]:
    """One count for each fault."""
    return Counter(
        (_kind(strike.fault), strike.step, _outcome(strike, store)) for strike in history.strikes
    )


def _kind(fault: str) -> str:
    """Without the figures of the one case."""
    return "external trade" if fault.startswith("external trade") else fault


def _outcome(strike: Strike, store: MemoryStore) -> str:
    order = store.orders.get(strike.client_order_id)
    if order is not None:
        return _end_of(order)
    if strike.fault in _DEADLY:
        return "taken over from the store"
    if strike.fault in (Act.THROTTLE, Act.UNCLEAR):
        return "begun again from the store"
    if strike.step == "user stream":
        return "learned by reading the account"
    if strike.step in ("outside", "start"):
        return "noticed and followed"
    return "asked again"


def _end_of(order: Order) -> str:
    if order.reason in _REASONS and order.state.is_terminal:
        return _REASONS[order.reason]
    return _ENDS.get(order.state, f"STILL {order.state}")
