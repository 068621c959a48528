"""Making a table what a copy says: only what differs is written, so that it can be done again."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import batched

from local.backups.rows import Item, digest_of, item_of, text_of
from local.backups.tables import BATCH, Tables

Keeps = Callable[[Item], bool]
"""Whether a present row of that key stays as it is, whatever the copy says."""


@dataclass(frozen=True, slots=True)
class Changes:
    """How many rows were written, deleted, and left as they were."""

    written: int
    deleted: int
    same: int


class CutShortError(Exception):
    """Somebody asked to stop; the table is neither what it was nor what it shall be."""


@dataclass(slots=True)
class _Present:
    """What is in a table: digests of keys to the key and the row's digest."""

    rows: dict[bytes, tuple[str, bytes]]

    def take(self, key: Item) -> tuple[str, bytes] | None:
        return self.rows.pop(hashlib.sha256(text_of(key).encode()).digest(), None)


def converge(
    tables: Tables,
    table: str,
    wanted: Iterable[Item],
    *,
    keeps: Keeps = lambda key: False,
    stop: Callable[[], bool] = lambda: False,
) -> Changes:
    """Write what differs from the copy, delete what it does not have.

    Raises
    ------
    CutShortError
        If `stop` said so between two batches.
    BackupError
        If the table stays too busy.
    """
    present = _read(tables, table)
    written = same = 0
    for batch in batched(wanted, BATCH):
        if stop():
            raise CutShortError(table)
        differing = []
        for item in batch:
            key = tables.key(table, item)
            known = present.take(key)
            if known is not None and (known[1] == digest_of(item) or keeps(key)):
                same += 1
            else:
                differing.append(item)
        tables.write(table, differing)
        written += len(differing)
    surplus = [item_of(text) for text, _ in present.rows.values()]
    doomed = [key for key in surplus if not keeps(key)]
    for keys in batched(doomed, BATCH):
        if stop():
            raise CutShortError(table)
        tables.write(table, (), keys)
    return Changes(written=written, deleted=len(doomed), same=same)


def _read(tables: Tables, table: str) -> _Present:
    rows = {}
    for item in tables.rows(table):
        key = text_of(tables.key(table, item))
        rows[hashlib.sha256(key.encode()).digest()] = (key, digest_of(item))
    return _Present(rows)


def unlike(
    tables: Tables, table: str, wanted: Iterable[Item], *, keeps: Keeps = lambda key: False
) -> str:
    """What a table lacks of a copy, or has beyond it, in a sentence; empty if it is the same."""
    present = _read(tables, table)
    missing = differing = 0
    for item in wanted:
        key = tables.key(table, item)
        known = present.take(key)
        missing += known is None
        differing += known is not None and known[1] != digest_of(item) and not keeps(key)
    surplus = sum(not keeps(item_of(text)) for text, _ in present.rows.values())
    if missing or differing or surplus:
        return f"{table}: {missing} rows missing, {differing} differ, {surplus} too many"
    return ""
