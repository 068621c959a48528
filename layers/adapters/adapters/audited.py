"""Changes an operator makes: one transaction of the change and its line in the audit log.

The line joins its subject's chain (`adapters.audit_chain`) in the same transaction. Two changes of
one subject at once meet at the head of the chain: whoever comes second reads it again, so that
both succeed where their own conditions hold.
"""

import random
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from adapters.audit_chain import link, read_head
from adapters.refusals import ConflictError, Reason
from adapters.tables import AuditHeadRow, AuditRow
from adapters.transactions import Transaction, WriteRefusedError
from engine.errors import StoreBusyError

CHANGED = Reason(
    code="changed_meanwhile",
    message="somebody changed it since it was read; read it again and decide anew",
)
ATTEMPTS = 12  # to join a chain that others join at the same time
_PAUSE_S = 0.01
_HEAD, _LINE = "audit head", "audit line"

Changes = Callable[[Transaction], None]


def audit_row(
    subject: str, action: str, *, by: str, now_ms: int, details: Mapping[str, Any] | None = None
) -> AuditRow:
    """A line of the audit log, in no chain yet; `details` must hold no secret."""
    return AuditRow(subject, "", at_ms=now_ms, action=action, actor=by, details=dict(details or {}))


def put(audit: AuditRow, row: Model, condition: Condition) -> None:
    """Store `row` and the line; raises like `update`."""
    commit(audit, lambda transaction: transaction.put("row", row, condition))


def update(
    audit: AuditRow,
    row: Model,
    values: Mapping[str, Any],
    condition: Condition,
    *,
    together: Changes | None = None,
) -> None:
    """Set `values` of the row (None removes) and store the line, with what `together` changes.

    Raises
    ------
    ConflictError
        If `condition` does not hold any more: another operator was faster.
    StoreBusyError
        If the store stayed busy.
    """
    actions = assignments(type(row), values)

    def changes(transaction: Transaction) -> None:
        transaction.update("row", row, actions, condition)
        if together is not None:
            together(transaction)

    commit(audit, changes)


def delete(audit: AuditRow, row: Model, condition: Condition, *, together: Changes) -> None:
    """Delete the row and store the line, with what `together` changes; raises like `update`."""

    def changes(transaction: Transaction) -> None:
        transaction.delete("row", row, condition)
        together(transaction)

    commit(audit, changes)


def note(audit: AuditRow) -> None:
    """Store the line alone, of something that changed no row; raises StoreBusyError."""
    commit(audit, lambda transaction: None)


def commit(audit: AuditRow, changes: Changes) -> None:
    """Write what `changes` puts into a transaction, and the line; raises like `update`.

    `changes` is called for each attempt.
    """
    for attempt in count(1):
        transaction = Transaction()
        changes(transaction)
        _join_chain(transaction, audit)
        try:
            return transaction.commit()
        except WriteRefusedError as error:
            if set(error.names) - {_HEAD, _LINE}:
                raise ConflictError("the change was too late", CHANGED) from error
            _wait_for_the_others(attempt, error)


def _join_chain(transaction: Transaction, audit: AuditRow) -> None:
    head = read_head(audit.subject)
    following = link(audit, head)
    is_first = AuditHeadRow.subject.does_not_exist()
    unmoved = is_first if head.seq == 0 else AuditHeadRow.hash == head.hash
    transaction.put(_LINE, audit, AuditRow.subject.does_not_exist())
    transaction.put(_HEAD, following, unmoved)


def _wait_for_the_others(attempt: int, error: WriteRefusedError) -> None:
    if attempt >= ATTEMPTS:
        raise StoreBusyError("audit log: too many changes of one subject at once") from error
    time.sleep(_PAUSE_S * min(attempt, 8) * random.uniform(0.5, 1.5))


def assignments(model: type[Model], values: Mapping[str, Any]) -> list[Action]:
    """Updates that set `values` of a row of `model`; None removes."""
    return [
        getattr(model, name).remove() if value is None else getattr(model, name).set(value)
        for name, value in values.items()
    ]
