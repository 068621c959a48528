"""What the supervisor's watch remembers between two runs, in one row."""

from dataclasses import dataclass, field
from typing import Any

from adapters.tables import NoticeRow
from adapters.transactions import reading

KIND, NAME = "memory", "supervisor"


@dataclass(slots=True, kw_only=True)
class Memory:
    """`read_to` is the last row read of each stream; `troubles` counts errors by minute.

    `beat_ms` proves that the supervisor ran. `cleaned` tells where the clean-up goes on.
    """

    beat_ms: int = 0
    read_to: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, int] = field(default_factory=dict)
    cleaned: dict[str, Any] = field(default_factory=dict)


def recall() -> Memory:
    """What was kept last; an empty memory before the first run."""
    with reading("the supervisor's memory"):
        try:
            row = NoticeRow.get(KIND, NAME, consistent_read=True)
        except NoticeRow.DoesNotExist:
            return Memory()
    return Memory(**(row.memory or {}))


def keep(memory: Memory) -> None:
    """Store it for the next run."""
    values = {
        "beat_ms": memory.beat_ms,
        "read_to": memory.read_to,
        "troubles": memory.troubles,
        "cleaned": memory.cleaned,
    }
    with reading("the supervisor's memory"):
        NoticeRow(KIND, NAME, memory=values, updated_at_ms=memory.beat_ms).save()
