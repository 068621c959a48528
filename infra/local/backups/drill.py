"""A restore drill: a backup restored into tables of its own, compared, read, and cleared away."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from local.backups.converging import converge, unlike
from local.backups.creating import Work, checked
from local.backups.manifest import BackupError, rows_of
from local.backups.rows import Item
from local.backups.tables import LASTING, Tables

Reads = Callable[[str, Item], None]
"""Reads a table's row as this version does; raises ValueError where it cannot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """What a drill proved."""

    backup: str
    tables: int
    rows: int
    took_ms: int


def drill(work: Work, name: str, *, reads: Reads) -> Drilled:
    """Restore a backup beside the stack's own tables, which are only asked for their shape.

    Raises
    ------
    BackupError
        If a file is damaged, a row is missing, differs, or cannot be read; the drill's tables are
        removed all the same.
    """
    begun_ms = work.now_ms()
    found = checked(work.shelf, name)
    work.tell(f"{name}: {found.items} rows, every checksum holds")
    with _beside(work, f"{work.tables.stack}-drill-{begun_ms}") as tables:
        for table in LASTING:
            if work.stop():
                raise BackupError(f"the drill was stopped at {table}; its tables are removed")
            converge(tables, table, rows_of(work.shelf, found, table))
            wrong = unlike(tables, table, rows_of(work.shelf, found, table))
            if wrong:
                raise BackupError(f"the drill failed: {wrong}")
            count = _read(tables, table, reads)
            work.tell(f"{table}: {count} rows restored, compared and read")
    took_ms = work.now_ms() - begun_ms
    return Drilled(backup=name, tables=len(LASTING), rows=found.items, took_ms=took_ms)


def _read(tables: Tables, table: str, reads: Reads) -> int:
    count = 0
    for item in tables.rows(table):
        try:
            reads(table, item)
        except ValueError as error:
            raise BackupError(f"{table}: this version cannot read a row: {error}") from error
        count += 1
    return count


@contextmanager
def _beside(work: Work, stack: str) -> Iterator[Tables]:
    """Empty tables of the same shape under another prefix, for as long as the block runs."""
    tables = replace(work.tables, stack=stack, _keys={})
    client, made = tables.client, []
    try:
        for table in LASTING:
            name = tables.full_name(table)
            client.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                **shape_of(work.tables.described(table)),
            )
            made.append(name)
        for name in made:
            client.get_waiter("table_exists").wait(
                TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
            )
        yield tables
    finally:
        for name in made:
            client.delete_table(TableName=name)


def shape_of(described: dict[str, Any]) -> dict[str, Any]:
    """What makes a table of the same keys and indexes, out of what DynamoDB says of one."""
    shape = {name: described[name] for name in ("AttributeDefinitions", "KeySchema")}
    indexes = [
        {name: index[name] for name in ("IndexName", "KeySchema", "Projection")}
        for index in described.get("LocalSecondaryIndexes") or []
    ]
    return shape | ({"LocalSecondaryIndexes": indexes} if indexes else {})
