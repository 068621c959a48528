"""An order leaves soon after it was claimed, or not at all.

A worker that sends long after its claim may have lost its lease meanwhile, and its successor may
rightly have given the order up. What a venue wants read before an order counts, too, and so does
its turn among other requests: the clocks are looked at when nothing is left to wait for. They are
two: a worker that was frozen may find its monotonic clock where it left it, and the other one may
be set back.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from adapters.names import OrderNames
from engine.errors import VenueBusyError
from engine.ports import Clock


class Guarded(Protocol):
    """A wire that asks `before` it makes the request; see `Wire`."""

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        weight: int = 1,
        urgent: bool = False,
        before: Callable[[], None] | None = None,
    ) -> Any: ...

    def client(self) -> Any: ...


@dataclass(slots=True, kw_only=True)
class Leaving:
    """The wire for one order, until `by_ms`, and `by_monotonic_ms` of the monotonic clock."""

    wire: Guarded
    names: OrderNames
    clock: Clock
    by_ms: int
    by_monotonic_ms: int

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        weight: int = 1,
        urgent: bool = False,
    ) -> Any:
        """As the wire's; raises VenueBusyError for an order that would leave too late."""
        before = self._refuse_late if is_order(method) else None
        return await self.wire.call(method, params, weight=weight, urgent=urgent, before=before)

    def client(self) -> Any:
        return self.wire.client()

    def _refuse_late(self) -> None:
        clock = self.clock
        if clock.now_ms() > self.by_ms or clock.monotonic_ms() > self.by_monotonic_ms:
            raise VenueBusyError("not sent: its turn, or what had to be read first, came too late")


def is_order(method: str) -> bool:
    """Whether a ccxt method creates or changes orders: these are counted beside the weight."""
    is_sent = "Post" in method or method.startswith(("create_", "unified_create_"))
    return is_sent and "rder" in method and "ancel" not in method
