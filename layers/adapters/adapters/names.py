"""Which of our orders an order of the venue is.

A venue's fills name its own order id, and an order born of a triggered conditional order has an
id, and often a client id, that we never chose. Whoever learns the relation notes it here.
"""

from collections import OrderedDict
from dataclasses import dataclass

from engine.values import Side

_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What we call an order, and the side of the position it belongs to."""

    client_order_id: str
    side: Side


class OrderNames:
    """Venue order id to `Name`, the latest ten thousand of them."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, Name] = OrderedDict()

    def note(self, exchange_order_id: str, name: Name) -> Name:
        """Remember and return it; an id learnt earlier keeps its first name."""
        known = self._names.setdefault(exchange_order_id, name)
        if len(self._names) > _KEPT:
            self._names.popitem(last=False)
        return known

    def get(self, exchange_order_id: str) -> Name | None:
        return self._names.get(exchange_order_id)
