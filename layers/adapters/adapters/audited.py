"""Changes an operator makes: one transaction of the change and its line in the audit log."""

import secrets
from collections.abc import Mapping
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from adapters.refusals import ConflictError, Reason
from adapters.tables import AuditRow
from adapters.transactions import Transaction, WriteRefusedError

CHANGED = Reason(
    code="changed_meanwhile",
    message="somebody changed it since it was read; read it again and decide anew",
)


def audit_row(
    subject: str, action: str, *, by: str, now_ms: int, details: Mapping[str, Any] | None = None
) -> AuditRow:
    """A line of the audit log; `details` must hold no secret."""
    at_key = f"{now_ms:013d}#{secrets.token_hex(4)}"
    return AuditRow(
        subject, at_key, at_ms=now_ms, action=action, actor=by, details=dict(details or {})
    )


def put(audit: AuditRow, row: Model, condition: Condition) -> None:
    """Store `row` and the line; raises like `update`."""
    transaction = Transaction()
    transaction.put("row", row, condition)
    _commit(transaction, audit)


def update(audit: AuditRow, row: Model, values: Mapping[str, Any], condition: Condition) -> None:
    """Set `values` of the row (None removes) and store the line.

    Raises
    ------
    ConflictError
        If `condition` does not hold any more: another operator was faster.
    StoreBusyError
        If the store stayed busy.
    """
    transaction = Transaction()
    transaction.update("row", row, _assignments(type(row), values), condition)
    _commit(transaction, audit)


def delete(audit: AuditRow, row: Model, condition: Condition) -> None:
    """Delete the row and store the line; raises like `update`."""
    transaction = Transaction()
    transaction.delete("row", row, condition)
    _commit(transaction, audit)


def _commit(transaction: Transaction, audit: AuditRow) -> None:
    transaction.put("audit", audit)
    try:
        transaction.commit()
    except WriteRefusedError as error:
        raise ConflictError("the change was too late", CHANGED) from error


def _assignments(model: type[Model], values: Mapping[str, Any]) -> list[Action]:
    return [
        getattr(model, name).remove() if value is None else getattr(model, name).set(value)
        for name, value in values.items()
    ]
