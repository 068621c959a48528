"""The audit log as administrators read and verify it."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from adapters import accounts
from adapters.audit_chain import Fault, Verdict, read_head, verdict
from adapters.tables import AuditHeadRow, AuditRow
from engine.errors import RefusedError

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditViews:
    """Reads the audit log; each subject is one key condition."""

    def lines(self, *, subject: str | None, limit: int, cursor: str | None) -> Told:
        """A page of one subject, or the latest of all; newest first.

        Raises
        ------
        RefusedError
            If a cursor comes without its subject.
        """
        if subject is not None:
            found = _latest(subject, limit, before=cursor)
            following = found[-1].at_key if len(found) == limit else None
            return {"count": len(found), "data": [_told(row) for row in found], "cursor": following}
        if cursor is not None:
            raise RefusedError("cursor needs subject: pages are kept for one subject each")
        rows = [row for one in subjects() for row in _latest(one, limit, before=None)]
        rows = sorted(rows, key=lambda row: row.at_key, reverse=True)[:limit]
        return {"count": len(rows), "data": [_told(row) for row in rows], "cursor": None}

    def verified(self, subject: str | None = None) -> Told:
        """Every row of one chain, or of all, judged anew; raises UnknownError."""
        verdicts = [judged(one) for one in ([subject] if subject is not None else subjects())]
        faults = [asdict(fault) for one in verdicts for fault in one.faults]
        chains = [asdict(one) for one in verdicts]
        for chain in chains:
            del chain["faults"]
        rows = sum(one.rows for one in verdicts)
        return {"holds": not faults, "rows": rows, "chains": chains, "faults": faults}


def subjects() -> list[str]:
    """Whatever has a chain, and every connection: one without any line is a fault."""
    heads = AuditHeadRow.query(AuditHeadRow.KIND, consistent_read=True)
    named = {head.subject for head in heads}
    return sorted(named | {row.connection_id for row in accounts.connection_rows()})


def judged(subject: str) -> Verdict:
    """One chain from its beginning to its head.

    Lines that join while this reads move the head: a fault counts if the head stood still.

    Raises
    ------
    UnknownError
        If it is neither a chain nor a connection.
    """
    while True:
        head = read_head(subject)
        found = verdict(head, AuditRow.query(subject, consistent_read=True))
        if not found.faults or read_head(subject).hash == head.hash:
            break
    if found.rows or found.faults:
        return found
    accounts.connection_row(subject)
    nothing = Fault(subject=subject, at_key="", seq=None, problem="there is no line of it")
    return replace(found, faults=(nothing,))


def _latest(subject: str, limit: int, *, before: str | None) -> list[AuditRow]:
    older = None if before is None else AuditRow.at_key < before
    return list(AuditRow.query(subject, older, scan_index_forward=False, limit=limit))


def _told(row: AuditRow) -> Told:
    names = ("subject", "at_ms", "action", "actor", "seq", "prev_hash", "hash")
    return {name: getattr(row, name) for name in names} | {"details": row.details or {}}
