"""The state row of an engine: what the operator wants, changed by compare-and-set."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pynamodb.expressions.condition import Condition

from adapters import audited
from adapters.audited import Changes
from adapters.leases import PAUSE
from adapters.tables import AuditRow, EngineStateRow
from adapters.transactions import Transaction
from engine.records import LeaseRow
from engine.values import Loop


class Desired(StrEnum):
    """What the operator wants."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


class Actual(StrEnum):
    """What the loops and the start and stop machines prove.

    `paused` is never stored: it is running under a pause that the loops acknowledged.
    """

    STOPPED = "stopped"
    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
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


def is_wanted(row: EngineStateRow) -> bool:
    """Whether the operator wants it alive: running or paused."""
    return desired(row) is not Desired.STOPPED


def is_running(row: EngineStateRow) -> bool:
    """Wanted, and not known to have failed: what a second start meets."""
    return is_wanted(row) and actual(row) in ACTIVE


def is_active(row: EngineStateRow) -> bool:
    """Something of the engine may still act: stricter than `is_running`."""
    return is_wanted(row) or actual(row) in ACTIVE


def is_latched(row: EngineStateRow) -> bool:
    """Whether an emergency stop holds: nothing starts, pauses or resumes until it is reset."""
    return actual(row) is Actual.EMERGENCY_STOPPED


def proven(row: EngineStateRow, leases: Mapping[Loop, LeaseRow], *, now_ms: int) -> Actual:
    """What is so by the loops' own word: paused once every loop that lives acknowledged it.

    A pause that some loop does not obey yet has not happened, and neither has a resume.
    """
    stored = actual(row)
    if stored is not Actual.RUNNING:
        return stored
    living = [one for one in leases.values() if one.owner and one.expires_at_ms > now_ms]
    words = {one.obeyed.wanted if one.obeyed else "" for one in living}
    is_paused = words == {PAUSE} if words else desired(row) is Desired.PAUSED
    return Actual.PAUSED if is_paused else Actual.RUNNING


def change_state(
    row: EngineStateRow, audit: AuditRow, *, together: Changes | None = None, **values: Any
) -> EngineStateRow:
    """Write `values`, with what `together` changes, if nobody changed the row since it was read.

    Raises
    ------
    ConflictError
        If somebody did; nothing is written then.
    """

    def changes(transaction: Transaction) -> None:
        add_change(transaction, row, now_ms=audit.at_ms, **values)
        if together is not None:
            together(transaction)

    audited.commit(audit, changes)
    return read_state(row.connection_id)


def add_change(
    transaction: Transaction, row: EngineStateRow, *, now_ms: int, **values: Any
) -> None:
    """Let the transaction write `values` too, if nobody changed the row since it was read."""
    values |= {"version": (row.version or 0) + 1, "updated_at_ms": now_ms}
    actions = audited.assignments(EngineStateRow, values)
    transaction.update("engine state", row, actions, _unchanged(row))


def require_unchanged(transaction: Transaction, row: EngineStateRow) -> None:
    """Let the transaction fail if somebody changed the row since it was read."""
    transaction.check("engine state", EngineStateRow, row.connection_id, _unchanged(row))


def _unchanged(row: EngineStateRow) -> Condition:
    version = EngineStateRow.version
    unchanged: Condition = version == row.version if row.version else version.does_not_exist()
    return unchanged
