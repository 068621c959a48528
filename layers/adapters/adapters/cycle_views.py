"""Stored ticks of a loop, and what can be measured on them."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from adapters.progression import loop_key, unpack_ticks
from adapters.tables import ProgressionRow
from engine.values import Loop

View = dict[str, Any]
Tick = tuple[int, int, int, int]
"""slot_ms, started_us, finished_us, compute_us"""


def cycles(connection_id: str, loop: Loop, *, limit: int, offset_ms: int) -> list[View]:
    """The last `limit` rows of a loop, newest first; a deadline is slot plus `offset_ms`."""
    return [_cycle(row, offset_ms) for row in _latest(connection_id, loop, limit)]


def performance(connection_id: str, loop: Loop, *, samples: int, offset_ms: int) -> View:
    """Cost and punctuality over the last `samples` rows; a deadline is slot plus `offset_ms`."""
    rows = _latest(connection_id, loop, samples)
    ticks = [tick for row in rows for tick in _ticks(row)]
    skipped: Counter[str] = Counter()
    for row in rows:
        skipped.update(row.skipped or {})
    return {
        "ticks": len(ticks),
        "last_tick_ms": _last_ms(ticks),
        "compute_ms": spread([compute for _, _, _, compute in ticks]),
        "tick_ms": spread([finished - started for _, started, finished, _ in ticks]),
        "start_jitter_ms": spread(
            [started - (slot + offset_ms) * 1000 for slot, started, _, _ in ticks]
        ),
        "skipped": dict(skipped),
    }


def spread(values_us: Sequence[int]) -> View:
    """Count, mean, extremes and nearest-rank percentiles, in milliseconds."""
    if not values_us:
        names = ("avg", "min", "max", "p50", "p99")
        return {"samples": 0, **dict.fromkeys(names)}
    ordered = sorted(values_us)
    return {
        "samples": len(ordered),
        "avg": _ms(Decimal(sum(ordered)) / len(ordered)),
        "min": _ms(ordered[0]),
        "max": _ms(ordered[-1]),
        "p50": _ms(_rank(ordered, 50)),
        "p99": _ms(_rank(ordered, 99)),
    }


def _latest(connection_id: str, loop: Loop, limit: int) -> list[ProgressionRow]:
    key = loop_key(connection_id, loop)
    return list(ProgressionRow.query(key, scan_index_forward=False, limit=limit))


def _ticks(row: ProgressionRow) -> Sequence[Tick]:
    if row.ticks:
        return unpack_ticks(row.ticks)
    return ((row.slot_ms, row.started_us, row.finished_us, row.compute_us),)


def _cycle(row: ProgressionRow, offset_ms: int) -> View:
    """A row as one line: sums over its ticks, jitter of its first."""
    ticks = _ticks(row)
    jitter_us = ticks[0][1] - (ticks[0][0] + offset_ms) * 1000 if ticks else 0
    return {
        "slot_ms": row.slot_ms,
        "ticks": len(ticks),
        "compute_ms": _ms(sum(compute for _, _, _, compute in ticks)),
        "duration_ms": _ms(sum(finished - started for _, started, finished, _ in ticks)),
        "start_jitter_ms": _ms(jitter_us),
        "counts": dict(row.counts or {}),
        "skipped": dict(row.skipped or {}),
        "source": row.source or "",
    }


def _last_ms(ticks: Sequence[Tick]) -> Decimal | None:
    """How long the newest tick took."""
    if not ticks:
        return None
    _, started, finished, _ = max(ticks)
    return _ms(finished - started)


def _rank(ordered: Sequence[int], percent: int) -> int:
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _ms(microseconds: int | Decimal) -> Decimal:
    return (Decimal(microseconds) / 1000).quantize(Decimal("0.001"))
