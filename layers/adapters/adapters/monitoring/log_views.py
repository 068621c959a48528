"""The log as an operator asks for it: filtered, newest first, page by page."""

import heapq
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from adapters import accounts
from adapters.monitoring.entries import Category, Entry, Level
from adapters.monitoring.packets import (
    MAX_SPAN_MS,
    SYSTEM,
    first_key,
    last_key,
    newest_first,
    unpack,
)
from adapters.tables import SiteLogRow
from adapters.transactions import reading
from engine.errors import RefusedError
from engine.ports import Clock

View = dict[str, Any]
ROWS_READ = 400
"""Of the table for one answer; what is not reached by then is behind the cursor."""
_MORE = 9_999  # more entries than a row has: all of it is still to come
_CURSOR = re.compile(r"(\d{13}#[0-9a-f]{8})\.(\d{1,4})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries; None or empty takes all. Times are inclusive, UTC epoch milliseconds."""

    from_ms: int
    to_ms: int
    level: Level | None = None
    category: Category | None = None
    connection_id: str | None = None
    correlation_id: str | None = None

    def takes(self, entry: Entry) -> bool:
        """Whether an entry is wanted."""
        return (
            self.from_ms <= entry.at_ms <= self.to_ms
            and self.level in (None, entry.level)
            and self.category in (None, entry.category)
            and self.correlation_id in (None, entry.correlation_id)
        )


Placed = tuple[str, Entry]
"""An entry and its id, which names its row and its place in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogViews:
    """Reads of the log; each reads a bounded number of rows."""

    clock: Clock

    def logs(self, wanted: Wanted, *, limit: int, cursor: str | None = None) -> View:
        """One page with counts of what is on it by level and category.

        Rows go from the newest written to the oldest, and a page by the time of its entries: what
        two loops told within a minute may stand on two pages.

        Raises
        ------
        RefusedError
            If the cursor is none of ours.
        UnknownError
            If there is no such connection.
        """
        found, last = self.page(wanted, limit=limit, cursor=cursor)
        found.sort(key=lambda one: one[1].at_ms, reverse=True)
        return {
            "logs": [_told(name, entry) for name, entry in found],
            "stats": _stats([entry for _, entry in found]),
            "cursor": last,
        }

    def page(
        self, wanted: Wanted, *, limit: int, cursor: str | None
    ) -> tuple[list[Placed], str | None]:
        """Entries, and the cursor of where to go on, or None at the end."""
        after = _after(cursor)
        found: list[Placed] = []
        with reading("logs"):
            for number, row in enumerate(self._rows(wanted, after)):
                if number == ROWS_READ:
                    return found, f"{row.at_key}.{_MORE}"
                for name, entry in _entries(row, after):
                    if wanted.takes(entry):
                        found.append((name, entry))
                    if len(found) == limit:
                        return found, name
        return found, None

    def _rows(self, wanted: Wanted, after: tuple[str, int] | None) -> Iterator[SiteLogRow]:
        """Rows of all streams that may hold such entries, the newest written first."""
        to_ms = min(wanted.to_ms, self.clock.now_ms()) + MAX_SPAN_MS
        to_key = min(last_key(to_ms), after[0]) if after else last_key(to_ms)
        from_key = min(first_key(wanted.from_ms), to_key)
        each = [
            newest_first(stream, from_key=from_key, to_key=to_key) for stream in _streams(wanted)
        ]
        return heapq.merge(*each, key=lambda row: row.at_key, reverse=True)


def _entries(row: SiteLogRow, after: tuple[str, int] | None) -> Iterator[Placed]:
    """Entries of a row, the last told first, from where the page before ended."""
    entries = unpack(row)
    end = min(after[1], len(entries)) if after and after[0] == row.at_key else len(entries)
    for place in reversed(range(end)):
        yield f"{row.at_key}.{place}", entries[place]


def _streams(wanted: Wanted) -> Sequence[str]:
    if wanted.connection_id is not None:
        return (accounts.connection_row(wanted.connection_id).connection_id,)
    return (SYSTEM, *(row.connection_id for row in accounts.connection_rows()))


def _after(cursor: str | None) -> tuple[str, int] | None:
    """The row and place a cursor names."""
    if cursor is None:
        return None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise RefusedError("cursor is none that this API gave")
    return found[1], int(found[2])


def _stats(entries: Sequence[Entry]) -> View:
    by_level: Counter[str] = Counter()
    by_category: Counter[str] = Counter()
    for entry in entries:
        by_level[entry.level.value] += entry.count
        by_category[entry.category.value] += entry.count
    return {
        "total": sum(by_level.values()),
        "byLevel": dict(by_level),
        "byCategory": dict(by_category),
    }


def _told(name: str, entry: Entry) -> View:
    return {
        "id": name,
        "timestamp": entry.at_ms,
        "level": entry.level.value,
        "category": entry.category.value,
        "message": entry.message,
        "values": dict(entry.values),
        "connectionId": entry.connection_id or None,
        "correlationId": entry.correlation_id or None,
        "count": entry.count,
    }
