"""What a backup says of itself; its own checksum covers every word of it."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from local.backups.rows import Item, item_of, text_of, unpacked
from local.backups.shelf import Shelf

FORMAT = 1
FILE = "manifest.json"
UNFINISHED, COMPLETE = "unfinished", "complete"


class BackupError(Exception):
    """A backup cannot be made, read or restored; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file of rows: its name under the backup's, rows, bytes and SHA-256."""

    file: str
    items: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableCopy:
    """The copy of a table: its rows in parts, and where an unfinished one goes on."""

    name: str
    items: int = 0
    digest: str = f"{0:064x}"
    parts: tuple[Part, ...] = ()
    next_key: str = ""
    is_whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A backup: when, of which stack, and the copy of each table."""

    name: str
    stack: str
    created_at_ms: int
    reason: str = ""
    state: str = UNFINISHED
    tables: tuple[TableCopy, ...] = ()
    format: int = field(default=FORMAT)

    def table(self, name: str) -> TableCopy | None:
        """The copy of one table, if there is any."""
        return next((copy for copy in self.tables if copy.name == name), None)

    def with_table(self, copy: TableCopy) -> "Manifest":
        """The same with this copy of that table."""
        others = tuple(one for one in self.tables if one.name != copy.name)
        return replace(self, tables=(*others, copy))

    @property
    def items(self) -> int:
        return sum(copy.items for copy in self.tables)

    @property
    def bytes(self) -> int:
        return sum(part.bytes for copy in self.tables for part in copy.parts)


def save(shelf: Shelf, manifest: Manifest) -> None:
    """Write the manifest with its own checksum."""
    said = asdict(manifest)
    text = json.dumps(said | {"sha256": _sealed(said)}, indent=1)
    shelf.put(f"{manifest.name}/{FILE}", text.encode())


def load(shelf: Shelf, name: str) -> Manifest:
    """Read a manifest.

    Raises
    ------
    BackupError
        If there is none, it is damaged, or of a format this version does not read.
    """
    content = shelf.get(f"{name}/{FILE}")
    if content is None:
        raise BackupError(f"there is no backup {name!r} in {shelf}")
    try:
        said: dict[str, Any] = json.loads(content)
        if said.get("format") != FORMAT:
            raise BackupError(
                f"{name} has format {said.get('format')}; this version reads {FORMAT}"
            )
        if said.pop("sha256", "") != _sealed(said):
            raise BackupError(f"the manifest of {name} is damaged: its checksum does not fit")
    except ValueError as error:
        raise BackupError(f"the manifest of {name} is damaged: it is no JSON") from error
    tables = tuple(
        TableCopy(**{**copy, "parts": tuple(Part(**part) for part in copy["parts"])})
        for copy in said.pop("tables")
    )
    return Manifest(**said, tables=tables)


def every(shelf: Shelf) -> list[str]:
    """The names of all backups, oldest first."""
    return sorted(name.split("/")[0] for name in shelf.names() if name.endswith(f"/{FILE}"))


def problems(shelf: Shelf, manifest: Manifest) -> list[str]:
    """Every part that is missing or whose bytes are not those that were written."""
    return [
        wrong
        for copy in manifest.tables
        for part in copy.parts
        if (wrong := _problem(shelf, manifest, part))
    ]


def _problem(shelf: Shelf, manifest: Manifest, part: Part) -> str:
    content = shelf.get(f"{manifest.name}/{part.file}")
    if content is None:
        return f"{part.file} is missing"
    if hashlib.sha256(content).hexdigest() != part.sha256:
        return f"{part.file} is damaged: its checksum does not fit"
    return ""


def rows_of(shelf: Shelf, manifest: Manifest, table: str) -> Iterator[Item]:
    """Every row of a table's copy, part by part."""
    copy = manifest.table(table)
    for part in copy.parts if copy else ():
        yield from unpacked(shelf.get(f"{manifest.name}/{part.file}") or b"")


def key_text(key: Item | None) -> str:
    """Where a table's copy goes on, as text; empty at its end."""
    return text_of(key) if key else ""


def key_of(text: str) -> Item | None:
    """The key of such a text."""
    return item_of(text) if text else None


def _sealed(said: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
