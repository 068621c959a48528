"""New entries of the log become counts of hours, kinds of errors and alarms; by one reader alone.

Whoever tells an entry writes one row and nothing else. What is derived of it is made once a minute
by the supervisor, which remembers the last row it read of each stream.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from adapters.monitoring.entries import Entry, Level
from adapters.monitoring.memory import Memory
from adapters.monitoring.packets import DAY_S, SYSTEM, first_key, last_key, unpack
from adapters.tables import ErrorRow, SiteLogRow
from adapters.transactions import reading

HOUR_MS, MINUTE_MS = 3_600_000, 60_000
HOURS, ERRORS = "#hours", "error"
SETTLED_MS = 5_000
"""A row is read this long after its time: its write may take a while."""
LOOK_BACK_MS = 600_000
"""Of a stream that was never read."""
ROWS_A_RUN = 200
KINDS_A_RUN = 50
TROUBLES_KEPT_MS = 600_000


def new_entries(streams: Iterable[str], memory: Memory, *, now_ms: int) -> list[Entry]:
    """Entries of rows not read before, oldest first in each stream; the memory moves on."""
    found: list[Entry] = []
    left = ROWS_A_RUN
    for stream in streams:
        start = memory.read_to.get(stream) or first_key(now_ms - LOOK_BACK_MS)
        for row in _rows(stream, start, last_key(now_ms - SETTLED_MS), left):
            found += unpack(row)
            memory.read_to[stream] = row.at_key
            left -= 1
    return found


def note_troubles(entries: Sequence[Entry], memory: Memory, *, now_ms: int) -> int:
    """Errors of the last ten minutes, these included."""
    for entry in entries:
        if entry.level is Level.ERROR:
            minute = str(entry.at_ms // MINUTE_MS * MINUTE_MS)
            memory.troubles[minute] = memory.troubles.get(minute, 0) + entry.count
    memory.troubles = {
        minute: count
        for minute, count in memory.troubles.items()
        if int(minute) > now_ms - TROUBLES_KEPT_MS
    }
    return sum(memory.troubles.values())


def count_hours(entries: Sequence[Entry], *, keep_days: int) -> None:
    """Add entries to the counts of their hours."""
    hours: dict[int, list[Entry]] = {}
    for entry in entries:
        hours.setdefault(entry.at_ms // HOUR_MS * HOUR_MS, []).append(entry)
    for hour_ms, told in hours.items():
        with reading("counts of an hour"):
            row = _hour_row(hour_ms)
            row.tally = added(row.tally or {}, told)
            row.expires_at = hour_ms // 1000 + keep_days * DAY_S
            row.save()


def added(tally: dict[str, dict[str, int]], entries: Iterable[Entry]) -> dict[str, dict[str, int]]:
    """A tally with entries added: by level, by category, and messages of errors and warnings."""
    counts = {name: Counter(tally.get(name, {})) for name in ("level", "category", "messages")}
    for entry in entries:
        counts["level"][entry.level.value] += entry.count
        counts["category"][entry.category.value] += entry.count
        if entry.level in (Level.ERROR, Level.WARN):
            counts["messages"][f"{entry.level.value} {entry.message}"] += entry.count
    return {name: dict(count) for name, count in counts.items()}


def hours_since(from_ms: int) -> Iterator[tuple[int, dict[str, dict[str, int]]]]:
    """Counts of each hour that ends after `from_ms`, oldest first."""
    later = SiteLogRow.at_key >= first_key(from_ms // HOUR_MS * HOUR_MS)
    with reading("counts of hours"):
        for row in SiteLogRow.query(HOURS, later):
            yield int(row.at_key), row.tally or {}


def count_errors(entries: Sequence[Entry], *, keep_days: int) -> int:
    """Add warnings and errors to their kinds; returns how many kinds had to be left out."""
    kinds: dict[tuple[str, ...], list[Entry]] = {}
    for entry in entries:
        if entry.level in (Level.ERROR, Level.WARN):
            kinds.setdefault(entry.kind, []).append(entry)
    for kind, alike in list(kinds.items())[:KINDS_A_RUN]:
        with reading("errors"):
            ErrorRow(ERRORS, error_id(kind)).update(_again(alike, keep_days))
    return max(0, len(kinds) - KINDS_A_RUN)


def error_id(kind: tuple[str, ...]) -> str:
    """The name of a kind of errors."""
    return hashlib.sha256("|".join(kind).encode()).hexdigest()[:16]


def _again(alike: Sequence[Entry], keep_days: int) -> list[Any]:
    """A kind that happens again is not resolved any more."""
    newest, first_ms = alike[-1], alike[0].at_ms
    return [
        ErrorRow.times.add(sum(entry.count for entry in alike)),
        ErrorRow.version.add(1),
        ErrorRow.level.set(newest.level.value),
        ErrorRow.category.set(newest.category.value),
        ErrorRow.message.set(newest.message),
        ErrorRow.connection_id.set(newest.connection_id or SYSTEM),
        ErrorRow.values.set(dict(newest.values)),
        ErrorRow.correlation_id.set(newest.correlation_id or "-"),
        ErrorRow.first_ms.set(ErrorRow.first_ms | first_ms),
        ErrorRow.last_ms.set(newest.at_ms),
        ErrorRow.resolved.set(False),
        ErrorRow.resolved_by.remove(),
        ErrorRow.resolved_ms.remove(),
        ErrorRow.expires_at.set(newest.at_ms // 1000 + keep_days * DAY_S),
    ]


def _hour_row(hour_ms: int) -> SiteLogRow:
    try:
        return SiteLogRow.get(HOURS, first_key(hour_ms), consistent_read=True)
    except SiteLogRow.DoesNotExist:
        return SiteLogRow(HOURS, first_key(hour_ms))


def _rows(stream: str, after: str, to_key: str, limit: int) -> Iterator[SiteLogRow]:
    """At most `limit` rows behind `after`, oldest first."""
    if after >= to_key or limit <= 0:
        return
    inside = SiteLogRow.at_key.between(after, to_key)
    with reading("logs"):
        found = SiteLogRow.query(stream, inside, limit=limit + 1)
        yield from islice((row for row in found if row.at_key != after), limit)
