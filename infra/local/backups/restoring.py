"""Restoring a backup: checksums first, engines stopped, each table whole or as it was."""

from collections.abc import Callable

from local.backups.converging import CutShortError, converge, unlike
from local.backups.creating import StoppedError, Work, checked, create
from local.backups.manifest import BackupError, Manifest, load, rows_of
from local.backups.rows import Item
from local.backups.rules import Rules, rules
from local.backups.tables import LASTING, Tables

BEFORE = "before"
"""What there was before a restore is kept under such names until the operator removes it."""
AT_REST = frozenset({"stopped", "error", "emergency_stopped"})


def restore(work: Work, name: str) -> str:
    """Bring every table to what a backup says; the name of the copy of what was there before.

    Done again it goes on: a table that is as it shall be is read and left alone.

    Raises
    ------
    BackupError
        If the backup is damaged, an engine is not stopped, or a table could not be written; that
        one is put back as it was.
    StoppedError
        If it was stopped between two tables, or in one, which is put back as it was.
    """
    found = checked(work.shelf, name)
    refuse_running(work.tables, now_ms=work.now_ms())
    before = create(work, reason=f"before the restore of {name}", prefix=BEFORE, keep=None)
    ruled = rules(work.shelf, found, work.tables)
    keeps = {table: ruled.keeps(table) for table in LASTING}
    for table in LASTING:
        refuse_running(work.tables, now_ms=work.now_ms())
        _restored(work, ruled, table, before, keeps[table])
    wrong = [
        line
        for table in LASTING
        if (line := unlike(work.tables, table, ruled.wanted(table), keeps=keeps[table]))
    ]
    if wrong:
        raise BackupError(f"{name} was written, but compares otherwise: {'; '.join(wrong)}")
    work.tell(f"{found.items} rows compare as the backup has them")
    return before


def refuse_running(tables: Tables, *, now_ms: int) -> None:
    """Raise BackupError, naming the first, unless every engine is stopped and no lease is held."""
    for state in tables.rows("trade_engine_state"):
        wanted = state.get("desired_state", {"S": "stopped"})["S"]
        actual = state.get("actual_state", {"S": "stopped"})["S"]
        if wanted != "stopped" or actual not in AT_REST:
            raise BackupError(
                f"the engine of {state['connection_id']['S']} is {actual}, wanted {wanted}: "
                "stop every engine first"
            )
    for lease in tables.rows("leases"):
        if "owner" in lease and int(lease.get("expires_at_ms", {"N": "0"})["N"]) > now_ms:
            raise BackupError(f"loop {lease['lease_key']['S']} still runs: wait until it has ended")


def _restored(
    work: Work, ruled: Rules, table: str, before: str, keeps: Callable[[Item], bool]
) -> None:
    if work.stop():
        raise StoppedError(f"stopped before {table}; restore the same backup again to go on")
    try:
        changes = converge(work.tables, table, ruled.wanted(table), keeps=keeps, stop=work.stop)
    except CutShortError:
        _put_back(work, table, load(work.shelf, before))
        raise StoppedError(
            f"stopped in {table}, which is as it was; restore the same backup again to go on"
        ) from None
    except Exception:
        _put_back(work, table, load(work.shelf, before))
        raise
    work.tell(
        f"{table}: {changes.written} rows written, {changes.deleted} deleted, "
        f"{changes.same} were there"
    )


def _put_back(work: Work, table: str, before: Manifest) -> None:
    """The table as it was; told where even that fails, because the copy of it is still there."""
    work.tell(f"{table}: is put back as it was")
    try:
        converge(work.tables, table, rows_of(work.shelf, before, table))
    except Exception as error:
        raise BackupError(
            f"{table} is half restored and could not be put back ({type(error).__name__}): "
            f"restore again, or restore {before.name}, which holds what was there"
        ) from error
