"""The audit log's chains: whatever is done to a stored row shows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from moto import mock_aws
from tests.dynamo import create_tables, point_tables_at

from adapters.audit_chain import Verdict, read_head, row_hash, verdict
from adapters.audited import audit_row, note
from adapters.tables import AuditHeadRow, AuditRow

ROWS = 5


@dataclass(frozen=True, slots=True)
class Log:
    """A chain of five rows."""

    subject: str

    def rows(self) -> list[AuditRow]:
        return list(AuditRow.query(self.subject, consistent_read=True))

    def judged(self) -> Verdict:
        return verdict(read_head(self.subject), self.rows())

    def problems(self) -> list[str]:
        return [fault.problem for fault in self.judged().faults]


def add(subject: str, number: int, *, at_ms: int | None = None) -> None:
    details = {"number": number, "share": 0.1, "nested": {"b": [1, None], "a": "é"}}
    row = audit_row(subject, "test", by="me", now_ms=at_ms or 1_000 + number, details=details)
    note(row)


@pytest.fixture(scope="module")
def tables() -> Iterator[None]:
    """One set of tables: each test has a subject of its own."""
    with mock_aws():
        point_tables_at(None)
        create_tables()
        yield


@pytest.fixture
def log(tables: None, request: pytest.FixtureRequest) -> Log:
    made = Log(subject=request.node.name)
    for number in range(ROWS):
        add(made.subject, number)
    return made


def change_in_the_store(row: AuditRow, **values: object) -> None:
    row.update([getattr(AuditRow, name).set(value) for name, value in values.items()])


def test_an_untouched_chain_holds_and_counts_its_rows(log: Log) -> None:
    found = log.judged()

    assert found.faults == ()
    assert (found.rows, found.head_seq, found.unchained) == (ROWS, ROWS, 0)
    assert [row.seq for row in log.rows()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "value"),
    [("actor", "you"), ("action", "other"), ("at_ms", 7), ("details", {"number": 9})],
)
def test_a_changed_row_shows(log: Log, name: str, value: object) -> None:
    change_in_the_store(log.rows()[2], **{name: value})

    assert log.problems() == ["the row was changed"]
    assert log.judged().faults[0].seq == 3


def test_a_changed_row_with_a_hash_to_match_shows_at_the_next(log: Log) -> None:
    row = log.rows()[2]
    row.actor = "you"
    change_in_the_store(log.rows()[2], actor="you", hash=row_hash(row))

    assert log.problems() == ["the row does not follow the one before it"]


def test_a_changed_last_row_with_a_hash_to_match_shows_at_the_head(log: Log) -> None:
    row = log.rows()[-1]
    row.actor = "you"
    change_in_the_store(log.rows()[-1], actor="you", hash=row_hash(row))

    assert log.problems() == ["the last row is not the one the head names"]


def test_a_removed_row_shows(log: Log) -> None:
    log.rows()[2].delete()

    assert log.problems() == ["rows 3 to 3 are gone"]


def test_a_removed_beginning_shows(log: Log) -> None:
    for row in log.rows()[:2]:
        row.delete()

    assert log.problems() == ["rows 1 to 2 are gone"]


def test_a_tail_cut_off_shows(log: Log) -> None:
    for row in log.rows()[3:]:
        row.delete()

    assert log.problems() == ["rows 4 to 5 are gone"]


def test_a_chain_of_which_nothing_is_left_but_the_head_shows(log: Log) -> None:
    for row in log.rows():
        row.delete()

    assert log.problems() == ["rows 1 to 5 are gone"]


def test_rows_whose_head_is_gone_show(log: Log) -> None:
    read_head(log.subject).delete()

    assert log.problems() == ["rows stand behind the head of the chain"]


def test_an_inserted_row_shows_with_or_without_a_place(log: Log) -> None:
    last = log.rows()[-1]
    forged = AuditRow(log.subject, "0000000001002#x", at_ms=1_002, action="forged", actor="you")
    forged.seq, forged.prev_hash, forged.hash = 3, last.hash, last.hash
    forged.save()
    assert "the row was changed" in log.problems()
    forged.update([AuditRow.seq.remove(), AuditRow.prev_hash.remove(), AuditRow.hash.remove()])

    assert log.problems() == ["the row is in no chain: it was inserted"]


def test_exchanged_rows_show(log: Log) -> None:
    second, third = log.rows()[1:3]
    said = [
        {name: getattr(row, name) for name in ("at_ms", "details", "seq", "prev_hash", "hash")}
        for row in (second, third)
    ]
    change_in_the_store(second, **said[1])
    change_in_the_store(third, **said[0])

    assert "the row is out of its place, or doubled" in log.problems()


def test_rows_from_before_there_were_chains_are_counted_and_blamed_on_nobody(tables: None) -> None:
    log = Log(subject="old")
    for number in range(2):
        add("old", number)
    for row in log.rows():
        row.update([AuditRow.seq.remove(), AuditRow.prev_hash.remove(), AuditRow.hash.remove()])
    read_head("old").delete()
    add("old", 9)

    found = log.judged()

    assert (found.faults, found.unchained, found.rows, found.head_seq) == ((), 2, 3, 1)


def test_a_clock_that_lags_does_not_put_a_row_before_those_it_follows(log: Log) -> None:
    add(log.subject, 99, at_ms=1)

    assert log.rows()[-1].at_ms == 1
    assert log.problems() == []


def test_a_row_without_a_place_in_a_chain_cannot_be_stored(tables: None) -> None:
    with pytest.raises(ValueError, match="cannot be None"):
        audit_row("loose", "test", by="me", now_ms=1).save()


def test_a_row_is_never_written_over_another(log: Log) -> None:
    head = read_head(log.subject)
    head.update([AuditHeadRow.seq.set(3), AuditHeadRow.hash.set(log.rows()[2].hash)])
    head.update([AuditHeadRow.at_key.set(log.rows()[2].at_key)])

    with pytest.raises(Exception, match="audit log"):
        _quickly(lambda: add(log.subject, 3))

    assert [row.seq for row in log.rows()] == [1, 2, 3, 4, 5]


def _quickly(work: Callable[[], None]) -> None:
    with _no_pauses():
        work()


@contextmanager
def _no_pauses() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("adapters.audited._PAUSE_S", 0.0)
        yield
