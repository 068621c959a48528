"""Ticks on absolute deadlines: the same grid through bursts, hand-overs and restarts."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

HANDOVER_WITHIN_MS = 4_000
"""A burst this soon after its execution began is the execution's first one."""


class Cause(StrEnum):
    """Why a deadline was missed."""

    OVERRUN = "overrun"  # the tick before took too long
    BURST = "burst"  # between two invocations of one execution
    HANDOVER = "handover"  # between two executions


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Deadlines at `k * interval_ms + offset_ms` since the epoch; slot k is `k * interval_ms`."""

    interval_ms: int
    offset_ms: int = 0

    def deadline_ms(self, slot_ms: int) -> int:
        return slot_ms + self.offset_ms

    def first_slot(self, now_ms: int) -> int:
        """The first slot whose deadline has not passed at `now_ms`."""
        return -((self.offset_ms - now_ms) // self.interval_ms) * self.interval_ms

    def missed(self, last_slot_ms: int, slot_ms: int) -> int:
        """Deadlines strictly between two slots that ran."""
        return max(0, (slot_ms - last_slot_ms) // self.interval_ms - 1)


@dataclass(slots=True)
class Pace:
    """Which slot comes next; a missed deadline is skipped and counted, never queued."""

    grid: Grid
    last_slot_ms: int
    skipped: Counter[str] = field(default_factory=Counter)

    def next_slot(self, now_ms: int, cause: Cause = Cause.OVERRUN) -> int:
        """The slot to run next, counting those that `cause` made us miss."""
        slot = max(self.grid.first_slot(now_ms), self.last_slot_ms + self.grid.interval_ms)
        if self.last_slot_ms:
            missed = self.grid.missed(self.last_slot_ms, slot)
            if missed:
                self.skipped[cause] += missed
        self.last_slot_ms = slot
        return slot

    def take_skipped(self) -> dict[str, int]:
        """What was skipped since the last call."""
        taken = dict(self.skipped)
        self.skipped.clear()
        return taken


def first_cause(now_ms: int, execution_started_ms: int) -> Cause:
    """Whether the gap before this burst lies between executions or between bursts."""
    first = now_ms - execution_started_ms < HANDOVER_WITHIN_MS
    return Cause.HANDOVER if first else Cause.BURST
