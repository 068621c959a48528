"""Many operators at once: each one's line joins the chain, and different changes do not collide."""

from functools import partial
from uuid import uuid4

import pytest
from tests.integration.test_store_races import at_once

from adapters.audit_chain import read_head, verdict
from adapters.audited import audit_row, note, put
from adapters.refusals import ConflictError
from adapters.tables import AuditRow, LeaseItem

pytestmark = [pytest.mark.ministack, pytest.mark.usefixtures("ministack_tables")]

OPERATORS = 8


@pytest.fixture
def subject() -> str:
    return f"audit-{uuid4().hex[:10]}"


def test_different_changes_of_one_subject_at_once_all_succeed(subject: str) -> None:
    def change(number: int) -> None:
        note(audit_row(subject, "test", by=f"operator {number}", now_ms=1_000))

    at_once([partial(change, number) for number in range(OPERATORS)])

    rows = list(AuditRow.query(subject, consistent_read=True))
    assert {row.actor for row in rows} == {f"operator {number}" for number in range(OPERATORS)}
    assert verdict(read_head(subject), rows).faults == ()


def test_of_equal_changes_at_once_one_wins_and_leaves_one_line(subject: str) -> None:
    def change(number: int) -> str:
        audit = audit_row(subject, "test", by=f"operator {number}", now_ms=1_000)
        row = LeaseItem(subject, owner=f"operator {number}")
        try:
            put(audit, row, LeaseItem.lease_key.does_not_exist())
        except ConflictError:
            return "lost"
        return f"operator {number}"

    outcomes = at_once([partial(change, number) for number in range(OPERATORS)])

    rows = list(AuditRow.query(subject, consistent_read=True))
    assert sorted(outcomes).count("lost") == OPERATORS - 1
    assert [row.actor for row in rows] == [LeaseItem.get(subject).owner]
    assert verdict(read_head(subject), rows).faults == ()
