"""What the adapters' models say of restored rows: import it only where the stack is set."""

import getpass

from adapters import audited
from adapters.audit_chain import verdict
from adapters.tables import ALL, AuditHeadRow, AuditRow
from local.backups.rows import Item

SUBJECT = "backup"
_MODELS = {model.Meta.table_name.rpartition("-")[2]: model for model in ALL}


def reads_rows(table: str, item: Item) -> None:
    """Read a row as this version does; raises ValueError where it cannot."""
    try:
        _MODELS[table].from_raw_data(item)
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def note_and_verify(name: str, before: str, *, now_ms: int) -> list[str]:
    """Put a restore into the audit log, and walk every chain of it; the faults that were found."""
    details = {"backup": name, "before": before}
    by = f"shell:{getpass.getuser()}"
    audited.note(
        audited.audit_row(SUBJECT, "backup.restore", by=by, now_ms=now_ms, details=details)
    )
    heads = list(AuditHeadRow.query(AuditHeadRow.KIND, consistent_read=True))
    verdicts = (verdict(head, AuditRow.query(head.subject, consistent_read=True)) for head in heads)
    return [f"{one.subject}: {fault.problem}" for one in verdicts for fault in one.faults]
