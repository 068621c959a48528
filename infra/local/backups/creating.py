"""Making a backup: table after table, part after part; what was stopped goes on where it was."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from local.backups import manifest as manifests
from local.backups.manifest import COMPLETE, UNFINISHED, BackupError, Manifest, Part, TableCopy
from local.backups.rows import Item, Sum, packed
from local.backups.shelf import Shelf
from local.backups.tables import LASTING, Tables

KEEP = 10
GOES_ON_MS = 3_600_000
"""An unfinished backup older than an hour would mix two times: it is made anew."""
PART_ITEMS = 5_000
AUDIT_LINES = "audit_logs"
AUDIT_HEADS = "audit_heads"

Tell = Callable[[str], None]


class StoppedError(Exception):
    """The operator stopped it; the message says how it goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """From where to where, who is told, and whether to stop; `stop` is asked between pages."""

    tables: Tables
    shelf: Shelf
    tell: Tell
    stop: Callable[[], bool]
    now_ms: Callable[[], int]
    part_items: int = field(default=PART_ITEMS)


def create(work: Work, *, reason: str = "", prefix: str = "backup", keep: int | None = KEEP) -> str:
    """Copy every table that must last; the name of the backup.

    Raises
    ------
    BackupError
        If a table is missing.
    StoppedError
        If it was stopped; the next call goes on.
    """
    made = _begun(work, prefix) or _new(work, reason, prefix)
    for table in LASTING:
        made = _copied(work, made, table)
    made = replace(made, state=COMPLETE)
    manifests.save(work.shelf, made)
    work.tell(f"{made.name}: {made.items} rows, {made.bytes} bytes in {work.shelf}")
    if keep is not None:
        _forget_old(work, prefix, keep)
    return made.name


def _begun(work: Work, prefix: str) -> Manifest | None:
    """The newest backup if it is unfinished and young; older unfinished ones are removed."""
    found = None
    for name in manifests.every(work.shelf):
        if not name.startswith(f"{prefix}-"):
            continue
        one = manifests.load(work.shelf, name)
        if one.state == COMPLETE:
            continue
        if one.stack == work.tables.stack and work.now_ms() - one.created_at_ms < GOES_ON_MS:
            found = one
        else:
            remove(work.shelf, name)
    if found:
        work.tell(f"{found.name} goes on, with {found.items} rows")
    return found


def _new(work: Work, reason: str, prefix: str) -> Manifest:
    at = datetime.fromtimestamp(work.now_ms() / 1000, UTC)
    return Manifest(
        name=f"{prefix}-{at:%Y%m%dT%H%M%S}Z",
        stack=work.tables.stack,
        created_at_ms=work.now_ms(),
        reason=reason,
        state=UNFINISHED,
    )


def _copied(work: Work, made: Manifest, table: str) -> Manifest:
    """The manifest with this table's whole copy; saved after each part."""
    copy = made.table(table) or TableCopy(name=table)
    wanted = _belongs(work, made, table)
    while not copy.is_whole:
        copy = _next_part(work, made.name, copy, wanted)
        made = made.with_table(copy)
        manifests.save(work.shelf, made)
        work.tell(f"{table}: {copy.items} rows")
    return made


def _next_part(work: Work, name: str, copy: TableCopy, wanted: Callable[[Item], bool]) -> TableCopy:
    items: list[Item] = []
    after = manifests.key_of(copy.next_key)
    is_first = True
    while is_first or (after is not None and len(items) < work.part_items):
        if work.stop():
            raise StoppedError(f"stopped at {copy.name}; the same command goes on there")
        page = work.tables.page(copy.name, after)
        items += filter(wanted, page.items)
        after, is_first = page.next_key, False
    part = _written(work.shelf, name, copy, items)
    total = Sum(copy.items, int(copy.digest, 16))
    for item in items:
        total.add(item)
    return replace(
        copy,
        items=total.count,
        digest=total.text,
        parts=(*copy.parts, *part),
        next_key=manifests.key_text(after),
        is_whole=after is None,
    )


def _written(shelf: Shelf, name: str, copy: TableCopy, items: list[Item]) -> Iterable[Part]:
    if not items:
        return ()
    file = f"{copy.name}/{len(copy.parts) + 1:05d}.jsonl.gz"
    content = packed(items)
    shelf.put(f"{name}/{file}", content)
    sha256 = hashlib.sha256(content).hexdigest()
    return (Part(file=file, items=len(items), bytes=len(content), sha256=sha256),)


def _belongs(work: Work, made: Manifest, table: str) -> Callable[[Item], bool]:
    """Audit lines written after their chain's head was copied belong to the next backup."""
    if table != AUDIT_LINES:
        return lambda item: True
    heads = {
        head["subject"]["S"]: int(head["seq"]["N"])
        for head in manifests.rows_of(work.shelf, made, AUDIT_HEADS)
    }

    def is_known(line: Item) -> bool:
        return "seq" not in line or int(line["seq"]["N"]) <= heads.get(line["subject"]["S"], 0)

    return is_known


def _forget_old(work: Work, prefix: str, keep: int) -> None:
    mine = [name for name in manifests.every(work.shelf) if name.startswith(f"{prefix}-")]
    for name in mine[:-keep]:
        remove(work.shelf, name)
        work.tell(f"{name} is removed: the newest {keep} are kept")


def remove(shelf: Shelf, name: str) -> None:
    """Remove a backup, its manifest first: what is half removed is no backup."""
    shelf.remove(f"{name}/{manifests.FILE}")
    for file in list(shelf.names(f"{name}/")):
        shelf.remove(file)


def checked(shelf: Shelf, name: str) -> Manifest:
    """A backup that is complete and whose every byte is as it was written.

    Raises
    ------
    BackupError
        Naming the first damage.
    """
    found = manifests.load(shelf, name)
    if found.state != COMPLETE:
        raise BackupError(f"{name} is unfinished: `cts backup create` goes on with it")
    wrong = manifests.problems(shelf, found)
    if wrong:
        raise BackupError(f"{name} cannot be restored: {wrong[0]}")
    return found
