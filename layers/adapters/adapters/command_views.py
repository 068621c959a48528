"""What became of what operators commanded: one key condition for each queue."""

from typing import Any

from adapters import accounts, commands
from adapters.tables import CommandRow

View = dict[str, Any]
_PENDING_LIMIT = 500


def listed(connection_id: str, *, status: str, limit: int, cursor: str | None) -> View:
    """Operators' commands, the latest first: those that wait, then a page of those dealt with."""
    owner = accounts.connection_row(connection_id).connection_id
    data = [] if status == "done" or cursor else _waiting(owner)
    following = None
    if status != "pending":
        done = commands.answered(owner, before=cursor, limit=limit)
        data += [_done(row) for row in done]
        following = done[-1].command_id if len(done) == limit else None
    return {"connection_id": owner, "count": len(data), "data": data, "cursor": following}


def _waiting(connection_id: str) -> list[View]:
    found = [one for one in commands.pending(connection_id) if commands.is_operators(one.kind)]
    return [
        {
            "id": one.command_id,
            "kind": one.kind,
            "position_id": one.position_id,
            "status": "pending",
            "reason": "",
            "numbers": {},
            "created_at_ms": one.created_at_ms,
            "done_at_ms": None,
        }
        for one in sorted(found, key=lambda one: one.command_id, reverse=True)[:_PENDING_LIMIT]
    ]


def _done(row: CommandRow) -> View:
    return {
        "id": row.command_id,
        "kind": row.kind or "",
        "position_id": row.position_id or "",
        "status": row.outcome or "",
        "reason": row.reason or "",
        "numbers": dict(row.numbers or {}),
        "created_at_ms": row.created_at_ms or 0,
        "done_at_ms": row.done_at_ms,
    }
