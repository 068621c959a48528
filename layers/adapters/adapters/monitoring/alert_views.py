"""Alerts and errors as an operator asks for them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from adapters import audited
from adapters.audited import audit_row
from adapters.monitoring.alerts import OPEN, RESOLVED, Severity, open_alerts
from adapters.monitoring.entries import safe_text
from adapters.monitoring.packets import SYSTEM
from adapters.monitoring.rollup import ERRORS
from adapters.refusals import UnknownError
from adapters.tables import AlertRow, ErrorRow
from adapters.transactions import reading
from engine.errors import RefusedError
from engine.ports import Clock

View = dict[str, Any]
ROWS_READ = 1_000
_CURSOR = re.compile(r"(open|resolved)\.(\d{13}-[0-9a-f]{12})", re.ASCII)
_ERROR_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)


def alerts(
    *,
    status: str,
    severity: Severity | None,
    limit: int,
    connection_id: str | None = None,
    cursor: str | None = None,
) -> View:
    """A page, open ones first, each kind latest first; `status` open is active or acknowledged.

    Raises
    ------
    RefusedError
        If the cursor is none of ours.
    """
    found: list[AlertRow] = []
    with reading("alerts"):
        for read, row in enumerate(_rows(status, _after(cursor)), start=1):
            fits = severity in (None, row.severity) and connection_id in (None, row.connection_id)
            if fits and status in ("all", row.shelf, row.status):
                found.append(row)
            if len(found) == limit or read == ROWS_READ:
                return {"alerts": [told(one) for one in found], "cursor": _place(row)}
    return {"alerts": [told(one) for one in found], "cursor": None}


def told(row: AlertRow) -> View:
    """An alert as the API tells it."""
    return {
        "id": row.alert_id,
        "rule": row.rule,
        "severity": row.severity,
        "status": row.status,
        "connectionId": row.connection_id,
        "text": row.text,
        "values": {name: v for name, v in (row.values or {}).items() if name != "lasts_ms"},
        "count": row.times,
        "firstMs": row.first_ms,
        "lastMs": row.last_ms,
        "acknowledgedBy": row.acknowledged_by,
        "acknowledgedMs": row.acknowledged_ms,
        "resolvedBy": row.resolved_by,
        "resolvedMs": row.resolved_ms,
        "note": row.note,
    }


def errors(*, resolved: bool | None, connection_id: str | None, limit: int) -> View:
    """Kinds of warnings and errors, the newest first, and how many there are."""
    with reading("errors"):
        rows = [
            row
            for row in ErrorRow.query(ERRORS)
            if resolved in (None, row.resolved) and connection_id in (None, row.connection_id)
        ]
    rows.sort(key=lambda row: row.last_ms, reverse=True)
    return {"errors": [error_told(row) for row in rows[:limit]], "total": len(rows)}


def error_told(row: ErrorRow) -> View:
    """A kind of errors as the API tells it."""
    return {
        "id": row.error_id,
        "level": row.level,
        "category": row.category,
        "message": row.message,
        "connectionId": None if row.connection_id == SYSTEM else row.connection_id,
        "values": row.values or {},
        "correlationId": None if row.correlation_id == "-" else row.correlation_id,
        "count": row.times,
        "firstMs": row.first_ms,
        "lastMs": row.last_ms,
        "resolved": bool(row.resolved),
        "resolvedBy": row.resolved_by,
        "resolvedMs": row.resolved_ms,
        "version": row.version,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Changes of errors by an operator."""

    clock: Clock

    def resolve(
        self, error_id: str, *, resolved: bool, version: int | None, by: str, reason: str
    ) -> View:
        """Mark a kind of errors as dealt with, or not; it opens again when it happens again.

        Raises
        ------
        UnknownError
            If there is no such kind.
        ConflictError
            If it happened again since it was read with that `version`, or meanwhile.
        """
        row = _error(error_id)
        now_ms = self.clock.now_ms()
        values = {
            "resolved": resolved,
            "resolved_by": by if resolved else None,
            "resolved_ms": now_ms if resolved else None,
            "version": row.version + 1,
        }
        details = {"error": error_id, "message": row.message, "reason": safe_text(reason)}
        audit = audit_row(
            row.connection_id or SYSTEM, "error.resolve", by=by, now_ms=now_ms, details=details
        )
        known = row.version if version is None else version
        audited.update(audit, row, values, ErrorRow.version == known)
        return error_told(_error(error_id))


def _error(error_id: str) -> ErrorRow:
    unknown = UnknownError(f"there is no error {error_id[:40]!r}")
    if not _ERROR_ID.fullmatch(error_id):
        raise unknown
    with reading("errors"):
        try:
            return ErrorRow.get(ERRORS, error_id, consistent_read=True)
        except ErrorRow.DoesNotExist as error:
            raise unknown from error


def _rows(status: str, after: Sequence[str] | None) -> Iterator[AlertRow]:
    """Open ones, then resolved ones, each latest first, from behind the place of a cursor."""
    shelf, last = after or (OPEN, "")
    if status != RESOLVED and shelf == OPEN:
        yield from (row for row in open_alerts() if not last or row.alert_id < last)
    if status in (RESOLVED, "all"):
        is_before = AlertRow.place < last if last and shelf == RESOLVED else None
        yield from AlertRow.query(RESOLVED, is_before, scan_index_forward=False, page_size=100)


def _place(row: AlertRow) -> str:
    return f"{row.shelf}.{row.alert_id}"


def _after(cursor: str | None) -> tuple[str, str] | None:
    if cursor is None:
        return None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise RefusedError("cursor is none that this API gave")
    return found[1], found[2]
