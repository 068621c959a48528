"""The audit log as chains of hashes, one for each subject.

Every row names its place in the chain and the hash of the row before it; the head, a row of
another table, names the last. So a changed, removed, inserted or exchanged row shows, and so does
a tail cut off. A chain for each subject, not one for all, keeps operators of different connections
out of each other's way.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from adapters.tables import AuditHeadRow, AuditRow

GENESIS = "0" * 64
MAX_FAULTS = 100  # of one subject, told; more say nothing new


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a chain, and at which row."""

    subject: str
    at_key: str
    seq: int | None
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found in one chain; `unchained` rows are older than chains and prove nothing."""

    subject: str
    rows: int
    unchained: int
    head_seq: int
    head_hash: str
    faults: tuple[Fault, ...]


def read_head(subject: str) -> AuditHeadRow:
    """The end of a subject's chain, read strongly; one of no rows if it has none."""
    try:
        return AuditHeadRow.get(AuditHeadRow.KIND, subject, consistent_read=True)
    except AuditHeadRow.DoesNotExist:
        return AuditHeadRow(AuditHeadRow.KIND, subject, seq=0, hash=GENESIS, at_key="")


def link(row: AuditRow, head: AuditHeadRow) -> AuditHeadRow:
    """Give `row` its place behind `head`, and return the head that follows.

    Keys ascend with the chain even where the clocks of two writers disagree.
    """
    row.seq = head.seq + 1
    row.prev_hash = head.hash
    last_ms = int(head.at_key.partition("#")[0] or 0)
    row.at_key = f"{max(row.at_ms, last_ms):013d}#{row.seq:010d}"
    row.hash = row_hash(row)
    return AuditHeadRow(
        AuditHeadRow.KIND, row.subject, seq=row.seq, hash=row.hash, at_key=row.at_key
    )


def row_hash(row: AuditRow) -> str:
    """SHA-256 over everything the row says, its place and the hash before it, as sorted JSON."""
    said = {
        "subject": row.subject,
        "at_key": row.at_key,
        "at_ms": row.at_ms,
        "action": row.action,
        "actor": row.actor,
        "details": row.details,
        "seq": row.seq,
        "prev_hash": row.prev_hash,
    }
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def verdict(head: AuditHeadRow, rows: Iterable[AuditRow]) -> Verdict:
    """Judge a whole chain; `rows` ascend by key."""
    walk = _Walk(head)
    faults = [*walk.through(rows), *walk.at_the_end()]
    return Verdict(
        subject=head.subject,
        rows=walk.rows,
        unchained=walk.unchained,
        head_seq=head.seq,
        head_hash=head.hash,
        faults=tuple(faults[:MAX_FAULTS]),
    )


class _Walk:
    """From row to row; after a fault it goes on behind it, so that each is told once."""

    def __init__(self, head: AuditHeadRow) -> None:
        self._head = head
        self._seq, self._hash = 0, GENESIS
        self.rows = self.unchained = 0

    def through(self, rows: Iterable[AuditRow]) -> Iterator[Fault]:
        for row in rows:
            self.rows += 1
            if row.attribute_values.get("seq") is None:
                yield from self._unchained(row)
                continue
            yield from self._linked(row)
            self._seq, self._hash = row.seq, row.hash

    def at_the_end(self) -> Iterator[Fault]:
        head = self._head
        if self._seq < head.seq:
            yield self._fault(head.at_key, head.seq, f"rows {self._seq + 1} to {head.seq} are gone")
        elif self._seq > head.seq:
            yield self._fault(head.at_key, head.seq, "rows stand behind the head of the chain")
        elif self._hash != head.hash:
            yield self._fault(head.at_key, head.seq, "the last row is not the one the head names")

    def _unchained(self, row: AuditRow) -> Iterator[Fault]:
        """Before the first link it is a row of older days; behind one somebody slipped it in."""
        if self._seq:
            yield self._fault(row.at_key, None, "the row is in no chain: it was inserted")
        else:
            self.unchained += 1

    def _linked(self, row: AuditRow) -> Iterator[Fault]:
        wanted = self._seq + 1
        if row.hash != row_hash(row):
            yield self._fault(row.at_key, row.seq, "the row was changed")
        if row.seq > wanted:
            yield self._fault(row.at_key, row.seq, f"rows {wanted} to {row.seq - 1} are gone")
        elif row.seq < wanted:
            yield self._fault(row.at_key, row.seq, "the row is out of its place, or doubled")
        elif row.prev_hash != self._hash:
            yield self._fault(row.at_key, row.seq, "the row does not follow the one before it")

    def _fault(self, at_key: str, seq: int | None, problem: str) -> Fault:
        return Fault(subject=self._head.subject, at_key=at_key, seq=seq, problem=problem)
