"""Which of our orders an order of the venue is.

A venue's fills name its own order id, and an order born of a triggered conditional order has an
id, and often a client id, that we never chose. Whoever learns the relation notes it here. Where
client ids are numbers, they cannot hold our names: what was given out is remembered, too.
"""

from collections import OrderedDict
from dataclasses import dataclass

from adapters.numbered import name_behind, number_of
from engine.ledger import Order
from engine.orders import is_ours
from engine.values import Side

_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What we call an order, and the side of the position it belongs to."""

    client_order_id: str
    side: Side


class OrderNames:
    """Venue order id to `Name`, and number to client order id, the latest ten thousand of each.

    `mark` is that of the connection whose orders these are, empty if nobody told.
    """

    def __init__(self) -> None:
        self.mark = ""
        self._names: OrderedDict[str, Name] = OrderedDict()
        self._numbers: OrderedDict[int, str] = OrderedDict()
        self._given: OrderedDict[str, Name] = OrderedDict()

    def note(self, exchange_order_id: str, name: Name) -> Name:
        """Remember and return it; an id learnt earlier keeps its first name."""
        return _kept(self._names, exchange_order_id, name)

    def get(self, exchange_order_id: str) -> Name | None:
        return self._names.get(exchange_order_id)

    def recall(self, order: Order) -> None:
        """Remember an order of ours by its number, and by the id the venue gave it."""
        name = order.client_order_id
        if not is_ours(name):
            return
        _kept(self._numbers, number_of(name), name)
        if order.exchange_order_id:
            given = Name(client_order_id=name, side=order.side)
            _kept(self._given, order.exchange_order_id, given)

    def given(self, exchange_order_id: str) -> Name | None:
        """The order of ours to which the venue gave this id, if that is remembered."""
        return self._given.get(exchange_order_id)

    def numbered(self, number: int) -> str | None:
        """The name of a number of ours, one made up if nobody remembers it; None for others.

        What is asked for stays the longest: an order that is listed again and again is not
        forgotten.
        """
        known = self._numbers.get(number)
        if known is None:
            return name_behind(number, self.mark)
        self._numbers.move_to_end(number)
        return known


def _kept[K, V](known: OrderedDict[K, V], key: K, value: V) -> V:
    found = known.setdefault(key, value)
    if len(known) > _KEPT:
        known.popitem(last=False)
    return found
