"""The state row of an engine: what the operator wants, changed by compare-and-set."""

from enum import StrEnum
from typing import Any

from adapters import audited
from adapters.tables import AuditRow, EngineStateRow


class Desired(StrEnum):
    """What the operator wants."""

    RUNNING = "running"
    STOPPED = "stopped"


class Actual(StrEnum):
    """What the loops and the start and stop machines prove."""

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    ERROR = "error"
    EMERGENCY_STOPPED = "emergency_stopped"  # latched: only an operator's reset ends it


ACTIVE = frozenset({Actual.STARTING, Actual.RUNNING, Actual.STOPPING})


def read_state(connection_id: str) -> EngineStateRow:
    """The row, read strongly; an empty one for an engine that was never started."""
    try:
        return EngineStateRow.get(connection_id, consistent_read=True)
    except EngineStateRow.DoesNotExist:
        return EngineStateRow(connection_id)


def states_of(connection_ids: list[str]) -> dict[str, EngineStateRow]:
    """Rows of many engines by connection; an empty row where none is stored."""
    found = {row.connection_id: row for row in EngineStateRow.batch_get(connection_ids)}
    return {one: found.get(one) or EngineStateRow(one) for one in connection_ids}


def desired(row: EngineStateRow) -> Desired:
    """What the operator wants; `stopped` before a first start."""
    return Desired(row.desired_state or Desired.STOPPED)


def actual(row: EngineStateRow) -> Actual:
    """What was proven last; `stopped` before a first start."""
    return Actual(row.actual_state or Actual.STOPPED)


def is_running(row: EngineStateRow) -> bool:
    """Wanted, and not known to have failed: what a second start meets."""
    return desired(row) is Desired.RUNNING and actual(row) in ACTIVE


def is_active(row: EngineStateRow) -> bool:
    """Something of the engine may still act: stricter than `is_running`."""
    return desired(row) is Desired.RUNNING or actual(row) in ACTIVE


def is_latched(row: EngineStateRow) -> bool:
    """Whether an emergency stop holds: nothing starts, pauses or resumes until it is reset."""
    return actual(row) is Actual.EMERGENCY_STOPPED


def change_state(row: EngineStateRow, audit: AuditRow, **values: Any) -> EngineStateRow:
    """Write `values` if nobody changed the row's version since it was read.

    Raises
    ------
    ConflictError
        If somebody did; nothing is written then.
    """
    version = row.version or 0
    values |= {"version": version + 1, "updated_at_ms": audit.at_ms}
    unchanged = (
        EngineStateRow.version == version if version else EngineStateRow.version.does_not_exist()
    )
    audited.update(audit, row, values, unchanged)
    return read_state(row.connection_id)
