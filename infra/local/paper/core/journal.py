"""The journal: each accepted change is kept before it is answered."""

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol, Self

Row = tuple[str, str, dict[str, Any]]
"""Kind, key and values of one record."""


class Records(Protocol):
    """Where books keep their records, by kind and key."""

    def write(self, rows: Iterable[Row]) -> None:
        """Store records, all or none."""
        ...

    def read(self, kind: str) -> list[dict[str, Any]]:
        """All records of a kind."""
        ...

    def close(self) -> None:
        """Let go of what holds the records."""
        ...


class MemoryJournal:
    """Records in memory, for a simulation that runs exchanges by the thousand.

    It keeps what was committed and nothing else, so `Books(journal, balance)` on the same journal
    is the exchange as it comes back after a kill: what its process knew beyond its commits is
    gone. `copy` takes the state at a moment, to come back to it more than once.
    """

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, dict[str, Any]]] = {}

    def write(self, rows: Iterable[Row]) -> None:
        """Store records; a failing row stores none."""
        for kind, key, body in list(rows):
            self._rows.setdefault(kind, {})[key] = body

    def read(self, kind: str) -> list[dict[str, Any]]:
        """All records of a kind, each its own copy."""
        return [dict(body) for body in self._rows.get(kind, {}).values()]

    def close(self) -> None:
        """Nothing is held: the records stay readable."""

    def copy(self) -> Self:
        """The journal as it is now; later writes to either do not show in the other."""
        other = type(self)()
        other._rows = {kind: dict(rows) for kind, rows in self._rows.items()}
        return other


class Journal:
    """Records by kind and key in one SQLite file, changed in transactions.

    Write-ahead log with ``synchronous=NORMAL``: a transaction is in the operating system's hands
    when ``write`` returns, so a killed process loses nothing; only a power cut could lose the last
    ones, and a paper exchange does not promise to survive that. A waiting ``fsync`` per order would
    hold up the market streams.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS records"
            " (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID"
        )

    def write(self, rows: Iterable[Row]) -> None:
        """Store records in one transaction."""
        values = [(kind, key, json.dumps(body)) for kind, key, body in rows]
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", values)
        self._connection.execute("COMMIT")

    def read(self, kind: str) -> list[dict[str, Any]]:
        """All records of a kind."""
        found = self._connection.execute("SELECT body FROM records WHERE kind = ?", (kind,))
        return [json.loads(body) for (body,) in found]

    def close(self) -> None:
        self._connection.close()
