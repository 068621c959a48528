"""What a time to live cannot do: closed positions leave their table for the archive.

A position is moved in one transaction, and only while it is closed: nothing open is ever evicted.
One connection's turn comes in each run, and the next run goes on with the next.
"""

import json
import zlib
from dataclasses import dataclass

from adapters import accounts
from adapters.monitoring.memory import Memory
from adapters.stored_settings import settings_of
from adapters.tables import ArchivedRow, PositionRow
from adapters.transactions import Transaction, WriteRefusedError, reading
from engine.ports import Clock

POSITIONS_A_RUN = 25
DAY_MS, DAY_S = 86_400_000, 86_400

Action = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaning:
    """One of the watch's chores."""

    clock: Clock

    def __call__(self, remembered: Memory) -> list[Action]:
        """Archive what is due of the connection whose turn it is; returns what was moved."""
        connection_id = _next(remembered.cleaned.get("last", ""))
        if connection_id is None:
            return []
        remembered.cleaned["last"] = connection_id
        moved = self._archive(connection_id)
        if not moved:
            return []
        text = f"{moved} closed positions moved to the archive"
        return [{"connection_id": connection_id, "act": "cleaned", "text": text}]

    def _archive(self, connection_id: str) -> int:
        settings, now_ms = settings_of(connection_id).settings, self.clock.now_ms()
        before_ms = now_ms - settings.closed_position_days * DAY_MS
        with reading("closed positions"):
            rows = list(
                PositionRow.closed.query(
                    connection_id, PositionRow.closed_at_ms < before_ms, limit=POSITIONS_A_RUN
                )
            )
        expires_at = now_ms // 1000 + settings.archive_days * DAY_S
        return sum(_move(row, expires_at) for row in rows)


def archived_positions(connection_id: str) -> str:
    """The book of the archive that holds a connection's closed positions."""
    return f"{connection_id}#positions"


def _next(last: str) -> str | None:
    """The connection behind `last`, from the first again at the end; None without any."""
    names = [row.connection_id for row in accounts.connection_rows()]
    return next((name for name in names if name > last), names[0] if names else None)


def _move(row: PositionRow, expires_at: int) -> bool:
    """Whether it was moved; a late fill may have opened it again since it was read."""
    lines = json.dumps(row.attribute_values, default=str, separators=(",", ":"))
    archived = ArchivedRow(
        archived_positions(row.connection_id),
        f"{row.closed_at_ms:013d}#{row.position_id}",
        lines=zlib.compress(lines.encode()),
        expires_at=expires_at,
    )
    is_closed = PositionRow.live_since_ms.does_not_exist()
    transaction = Transaction()
    transaction.put("archive", archived)
    transaction.delete("position", row, is_closed & (PositionRow.closed_at_ms == row.closed_at_ms))
    try:
        transaction.commit()
    except WriteRefusedError:
        return False
    return True
