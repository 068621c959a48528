"""Alerts: raised once, counted while they last, ended by themselves or by an operator."""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pynamodb.exceptions import PutError, UpdateError
from pynamodb.expressions.update import Action

from adapters import audited
from adapters.audited import audit_row
from adapters.monitoring.entries import safe_text, safe_values
from adapters.monitoring.packets import DAY_S
from adapters.refusals import ConflictError, Reason, UnknownError
from adapters.tables import AlertRow
from adapters.transactions import Transaction, WriteRefusedError, is_refused, reading
from engine.ports import Clock

OPEN, RESOLVED = "open", "resolved"
SUPERVISOR = "supervisor"
_ID = re.compile(r"(\d{13})-([0-9a-f]{12})", re.ASCII)


class Severity(StrEnum):
    """How bad, least first."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Its place among all."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that is so now; `subject` tells two of one rule and connection apart.

    `lasts_ms` is None for what a rule finds anew in each run; else it ends by itself once it was
    not told for that long.
    """

    rule: str
    severity: Severity
    text: str
    connection_id: str = ""
    subject: str = ""
    values: Mapping[str, object] | None = None
    count: int = 1
    lasts_ms: int | None = None

    @property
    def place(self) -> str:
        """A digest of what it is about."""
        about = "|".join((self.connection_id, self.rule, self.subject))
        return hashlib.sha256(about.encode()).hexdigest()[:12]


def open_alerts() -> list[AlertRow]:
    """All that are not resolved, latest first."""
    with reading("alerts"):
        rows = list(AlertRow.query(OPEN, consistent_read=True))
    return sorted(rows, key=lambda row: row.alert_id, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """Every change is a compare-and-set: who comes second changes nothing."""

    clock: Clock

    def keep(
        self, conditions: Sequence[Condition], *, judged: Collection[str], keep_days: int
    ) -> list[str]:
        """Raise what is new, refresh what lasts, end what is over; returns what was raised.

        What a rule found is over if it is not among the conditions any more and its connection is
        among `judged`, those (and "", the system) that could be looked at.
        """
        known = {row.place: row for row in open_alerts()}
        raised = []
        for condition in conditions:
            row = known.pop(condition.place, None)
            if row is not None:
                self._refresh(row, condition)
            elif self._raise(condition):
                raised.append(condition.rule)
        for row in known.values():
            if self._is_over(row, judged):
                self._end(row, by=SUPERVISOR, note="it is over", keep_days=keep_days)
        return raised

    def connection_of(self, alert_id: str) -> str:
        """Whose alert it is; its own id, which is no connection's, for one that is nobody's."""
        try:
            return _found(alert_id).connection_id or alert_id
        except UnknownError:
            return alert_id

    def acknowledge(self, alert_id: str, *, by: str, reason: str) -> AlertRow:
        """Note that somebody looks after it; raises UnknownError or ConflictError."""
        row = _found(alert_id)
        if row.status != "active":
            raise ConflictError(
                "the alert is not active", Reason(code=row.status, message=f"it is {row.status}")
            )
        now_ms = self.clock.now_ms()
        values = {
            "status": "acknowledged",
            "acknowledged_by": by,
            "acknowledged_ms": now_ms,
            "note": safe_text(reason),
            "version": row.version + 1,
        }
        audit = _audit(row, "alert.acknowledge", by=by, now_ms=now_ms, reason=reason)
        audited.update(audit, row, values, _unchanged(row))
        return _found(alert_id)

    def resolve(self, alert_id: str, *, by: str, reason: str, keep_days: int) -> AlertRow:
        """End it; raises UnknownError or ConflictError. What still lasts is raised anew."""
        row = _found(alert_id)
        if row.shelf != OPEN:
            raise ConflictError(
                "the alert is resolved", Reason(code=RESOLVED, message="it has ended already")
            )
        self._end(row, by=by, note=reason, keep_days=keep_days)
        return _found(alert_id)

    def _raise(self, condition: Condition) -> bool:
        now_ms = self.clock.now_ms()
        place = condition.place
        row = AlertRow(
            OPEN,
            place,
            alert_id=f"{now_ms:013d}-{place}",
            rule=condition.rule,
            severity=condition.severity.value,
            status="active",
            connection_id=condition.connection_id or None,
            text=safe_text(condition.text),
            values=_values(condition),
            times=condition.count,
            first_ms=now_ms,
            last_ms=now_ms,
            version=1,
        )
        try:
            row.save(condition=AlertRow.place.does_not_exist())
        except PutError as error:
            if is_refused(error):
                return False  # another run was faster
            raise
        return True

    def _refresh(self, row: AlertRow, condition: Condition) -> None:
        severity = max(Severity(row.severity), condition.severity, key=lambda one: one.rank)
        actions: list[Action] = [
            AlertRow.times.set(row.times + condition.count),
            AlertRow.last_ms.set(self.clock.now_ms()),
            AlertRow.text.set(safe_text(condition.text)),
            AlertRow.severity.set(severity.value),
            AlertRow.values.set(_values(condition)),
            AlertRow.version.set(row.version + 1),
        ]
        try:
            row.update(actions, condition=_unchanged(row))
        except UpdateError as error:
            if not is_refused(error):
                raise  # an operator was faster; the next run looks again

    def _is_over(self, row: AlertRow, judged: Collection[str]) -> bool:
        lasts_ms = (row.values or {}).get("lasts_ms")
        if lasts_ms is not None:
            return self.clock.now_ms() - row.last_ms > int(lasts_ms)
        return (row.connection_id or "") in judged

    def _end(self, row: AlertRow, *, by: str, note: str, keep_days: int) -> None:
        """Move it to the resolved ones; an operator's word goes to the audit log, too."""
        now_ms = self.clock.now_ms()
        ended = {name: getattr(row, name) for name in row.get_attributes()} | {
            "shelf": RESOLVED,
            "place": row.alert_id,
            "status": RESOLVED,
            "resolved_by": by,
            "resolved_ms": now_ms,
            "note": safe_text(note),
            "version": row.version + 1,
            "expires_at": now_ms // 1000 + keep_days * DAY_S,
        }

        def changes(transaction: Transaction) -> None:
            transaction.delete("alert", row, _unchanged(row))
            transaction.put("resolved", AlertRow(**ended))

        if by == SUPERVISOR:
            _commit(changes)
            return
        audited.commit(_audit(row, "alert.resolve", by=by, now_ms=now_ms, reason=note), changes)


def _commit(changes: audited.Changes) -> None:
    transaction = Transaction()
    changes(transaction)
    try:
        transaction.commit()
    except WriteRefusedError:
        return  # an operator was faster; the next run looks again


def _found(alert_id: str) -> AlertRow:
    """The alert, open or resolved."""
    parts = _ID.fullmatch(alert_id)
    unknown = UnknownError(f"there is no alert {alert_id[:40]!r}")
    if parts is None:
        raise unknown
    for shelf, place in ((OPEN, parts[2]), (RESOLVED, alert_id)):
        try:
            row = AlertRow.get(shelf, place, consistent_read=True)
        except AlertRow.DoesNotExist:
            continue
        if row.alert_id == alert_id:
            return row
    raise unknown


def _unchanged(row: AlertRow) -> Any:
    return AlertRow.version == row.version


def _values(condition: Condition) -> dict[str, str]:
    values = safe_values(condition.values or {})
    return values if condition.lasts_ms is None else {**values, "lasts_ms": str(condition.lasts_ms)}


def _audit(row: AlertRow, action: str, *, by: str, now_ms: int, reason: str) -> Any:
    details = {"alert": row.alert_id, "rule": row.rule, "reason": safe_text(reason)}
    return audit_row(row.connection_id or "system", action, by=by, now_ms=now_ms, details=details)
