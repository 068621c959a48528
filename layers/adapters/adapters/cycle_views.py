"""Stored ticks of a loop, and what can be measured on them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from adapters.progression import loop_key, unpack_ticks
from adapters.tables import ProgressionRow
from engine.performance import spread
from engine.values import Loop

View = dict[str, Any]
Tick = tuple[int, int, int, int]
"""slot_ms, started_us, finished_us, compute_us"""


def cycles(rows: Sequence[ProgressionRow], *, offset_ms: int) -> list[View]:
    """Rows of a loop, each as one line; a deadline is slot plus `offset_ms`."""
    return [_cycle(row, offset_ms) for row in rows]


def performance(rows: Sequence[ProgressionRow], *, offset_ms: int) -> View:
    """Cost and punctuality over rows of a loop; a deadline is slot plus `offset_ms`."""
    found = [tick for row in rows for tick in ticks(row)]
    skipped: Counter[str] = Counter()
    for row in rows:
        skipped.update(row.skipped or {})
    jitter = [started - (slot + offset_ms) * 1000 for slot, started, _, _ in found]
    return {
        "ticks": len(found),
        "last_tick_ms": _last_ms(found),
        "compute_ms": _spread([compute for _, _, _, compute in found]),
        "tick_ms": _spread([finished - started for _, started, finished, _ in found]),
        "start_jitter_ms": _spread(jitter),
        "skipped": dict(skipped),
    }


def _spread(values_us: Sequence[int]) -> View:
    told = asdict(spread(values_us))
    told.pop("last")
    return told


def latest(connection_id: str, loop: Loop, limit: int) -> list[ProgressionRow]:
    """The last `limit` rows of a loop, newest first."""
    key = loop_key(connection_id, loop)
    return list(ProgressionRow.query(key, scan_index_forward=False, limit=limit))


def latest_of(connection_id: str, limit: int) -> dict[Loop, list[ProgressionRow]]:
    """The last `limit` rows of each loop, newest first."""
    return {loop: latest(connection_id, loop, limit) for loop in Loop}


def ticks(row: ProgressionRow) -> Sequence[Tick]:
    """The ticks of a row."""
    if row.ticks:
        return unpack_ticks(row.ticks)
    return ((row.slot_ms, row.started_us, row.finished_us, row.compute_us),)


def _cycle(row: ProgressionRow, offset_ms: int) -> View:
    """A row as one line: sums over its ticks, jitter of its first."""
    told = ticks(row)
    jitter_us = told[0][1] - (told[0][0] + offset_ms) * 1000 if told else 0
    return {
        "slot_ms": row.slot_ms,
        "ticks": len(told),
        "compute_ms": _ms(sum(compute for _, _, _, compute in told)),
        "duration_ms": _ms(sum(finished - started for _, started, finished, _ in told)),
        "start_jitter_ms": _ms(jitter_us),
        "counts": dict(row.counts or {}),
        "skipped": dict(row.skipped or {}),
        "source": row.source or "",
    }


def _last_ms(found: Sequence[Tick]) -> Decimal | None:
    """How long the newest tick took."""
    if not found:
        return None
    _, started, finished, _ = max(found)
    return _ms(finished - started)


def _ms(microseconds: int | Decimal) -> Decimal:
    return (Decimal(microseconds) / 1000).quantize(Decimal("0.001"))
