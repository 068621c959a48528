"""Both sides' books after a case, and what is wrong with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.commands import queue
from adapters.tables import CommandRow, OrderRow
from engine.ledger import OrderState
from local import gather
from local.report import drift

_UNRESOLVED = {str(OrderState.NEW), str(OrderState.SUBMITTING), str(OrderState.UNKNOWN)}


@dataclass(slots=True)
class Wrongs:
    """What is wrong, a line each, by kind."""

    duplicates: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    unprotected: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """All of them, each under its kind."""
        kinds = ("duplicates", "lost", "unprotected", "drift", "unresolved")
        return [f"{kind}: {line}" for kind in kinds for line in getattr(self, kind)]


def wrongs(connection_id: str, venue: Mapping[str, Any], wishes: Sequence[str]) -> Wrongs:
    """Compare the store with `venue`, the exchange's own books; `wishes` must all be decided.

    A fill that the venue made for an order of ours and the store does not have is lost, and so is
    a wish without an outcome.
    """
    found = Wrongs()
    found.duplicates = [
        f"{count} ids of {purpose}s were accepted again"
        for purpose, count in venue["duplicates"].items()
        if count
    ]
    for line in drift(gather.our_books(connection_id), gather.venue_books(venue)):
        heap = found.lost if line.startswith("fills ") else found.drift
        heap.append(line)
    found.lost += [
        f"wish {name} has no outcome" for name in wishes if not outcome(connection_id, name)
    ]
    found.unprotected = [
        f"{one['symbol']} {one['side']} {one['quantity']}"
        for one in venue["positions"]
        if not one["protected"]
    ]
    found.unresolved = [
        f"order {row.client_order_id} is {row.state}"
        for row in OrderRow.live.query(connection_id, consistent_read=True)
        if row.state in _UNRESOLVED
    ]
    return found


def outcome(connection_id: str, command_id: str) -> str:
    """What became of a wish: empty while it waits."""
    done = CommandRow.query(
        queue(connection_id, "done"), CommandRow.command_id == command_id, consistent_read=True
    )
    return next((f"{row.outcome} {row.reason or ''}".strip() for row in done), "")
