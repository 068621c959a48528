"""What a run did, computed afterwards from stored ticks and from both sides' books."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np

CAUSES = ("overrun", "burst", "handover")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One stored tick of a loop; `taken_us` is set on a burst's first tick, else 0.

    `anew` marks the first tick of a loop that nobody handed on.
    """

    slot_ms: int
    started_us: int
    finished_us: int
    compute_us: int
    token: int
    taken_us: int = 0
    anew: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopRun:
    """All stored ticks of a loop, and what was skipped by cause."""

    interval_ms: int
    offset_ms: int
    lease_ms: int
    ticks: Sequence[Tick]
    skipped: Mapping[str, int] = field(default_factory=dict)


def loop_report(run: LoopRun) -> dict[str, Any]:
    """Ticks, skips by cause, overlaps, and percentiles of start jitter and compute time."""
    ticks = sorted(run.ticks, key=lambda tick: tick.started_us)
    jitter = [tick.started_us / 1000 - tick.slot_ms - run.offset_ms for tick in ticks]
    return {
        "ticks": len(ticks),
        "skipped": {cause: int(run.skipped.get(cause, 0)) for cause in CAUSES},
        "overlaps": overlaps(ticks),
        "active_ms": active_ms(ticks, lease_ms=run.lease_ms),
        "start_jitter_ms": _percentiles(jitter),
        "compute_ms": _percentiles([tick.compute_us / 1000 for tick in ticks]),
    }


def overlaps(ticks: Iterable[Tick]) -> int:
    """How many ticks began before an earlier one had ended, whichever worker ran them."""
    count, busy_until = 0, 0
    for tick in sorted(ticks, key=lambda tick: tick.started_us):
        count += tick.started_us < busy_until
        busy_until = max(busy_until, tick.finished_us)
    return count


def active_ms(ticks: Sequence[Tick], *, lease_ms: int) -> int:
    """Wall time under a live lease: from a burst's lease to its last tick, bursts joined.

    A loop that began anew, or after a pause longer than a lease, had no lease before: the time
    counts again from its burst's lease on.
    """
    total_us, begun, last = 0, None, 0
    for tick in sorted(ticks, key=lambda tick: tick.started_us):
        start = tick.taken_us or tick.started_us
        if begun is not None and (tick.anew or start - last > lease_ms * 1000):
            total_us += last - begun
            begun = None
        begun = start if begun is None else begun
        last = tick.finished_us
    return (total_us + (last - begun if begun is not None else 0)) // 1000


def takeovers(ticks: Sequence[Tick], *, lease_ms: int) -> int:
    """How often a lease was taken over after its holder had gone silent."""
    ordered = sorted(ticks, key=lambda tick: tick.started_us)
    pairs = pairwise(ordered)
    return sum(
        after.token != before.token and after.started_us - before.finished_us > lease_ms * 1000
        for before, after in pairs
    )


def drift(ours: "Books", venue: "Books") -> list[str]:
    """Every order, fill, quantity and stop that one side has and the other has not."""
    found: list[str] = []
    for name in ("orders", "fills", "quantities", "stops"):
        mine, theirs = getattr(ours, name), getattr(venue, name)
        for key in sorted(mine.keys() | theirs.keys()):
            if mine.get(key) != theirs.get(key):
                found.append(f"{name} {key}: ours {mine.get(key)}, venue {theirs.get(key)}")
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """One side's view: working orders, fills, open quantities and live stop quantities.

    Keys are client order id, trade id, and `SYMBOL SIDE`; values compare exactly.
    """

    orders: Mapping[str, str]
    fills: Mapping[str, Decimal]
    quantities: Mapping[str, Decimal]
    stops: Mapping[str, Decimal]


def summed(pairs: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Totals by key, without those that are zero."""
    totals: dict[str, Decimal] = {}
    for key, amount in pairs:
        totals[key] = totals.get(key, Decimal(0)) + amount
    return {key: total for key, total in totals.items() if total}


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {"p50": 0.0, "p99": 0.0}
    p50, p99 = np.percentile(np.asarray(values, dtype=np.float64), [50, 99])
    return {"p50": round(float(p50), 2), "p99": round(float(p99), 2)}
