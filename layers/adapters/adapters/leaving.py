"""An order leaves soon after it was claimed, or not at all.

A worker that sends long after its claim may have lost its lease meanwhile, and its successor may
rightly have given the order up. What a venue wants read before an order counts, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.names import OrderNames
from adapters.venues import Caller
from engine.errors import VenueBusyError
from engine.ports import Clock


@dataclass(slots=True, kw_only=True)
class Leaving:
    """The wire for one order, until `by_ms` of the monotonic clock."""

    wire: Caller
    names: OrderNames
    clock: Clock
    by_ms: int

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        weight: int = 1,
        urgent: bool = False,
    ) -> Any:
        """As the wire's; raises VenueBusyError for an order that would leave too late."""
        if is_order(method) and self.clock.monotonic_ms() > self.by_ms:
            raise VenueBusyError("not sent: what had to be read first came too late")
        return await self.wire.call(method, params, weight=weight, urgent=urgent)

    def client(self) -> Any:
        return self.wire.client()


def is_order(method: str) -> bool:
    """Whether a ccxt method creates or changes orders: these are counted beside the weight."""
    is_sent = "Post" in method or method.startswith(("create_", "unified_create_"))
    return is_sent and "rder" in method and "ancel" not in method
