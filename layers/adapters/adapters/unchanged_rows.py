"""What was made of rows, kept for as long as the store holds them word for word."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Item = Mapping[str, Any]
MOST_CONNECTIONS = 8


class UnchangedRows[Made]:
    """Makes of each row what `make` says, or takes what it made of it last time.

    A row counts as the same only if all that the store has just told of it equals all that it told
    then, so nothing old is ever shown: whoever asks each second for hundreds of rows, of which a
    few have changed, reads them all and pays for the few. Rows that were not told last time are
    forgotten, and so are connections beyond `MOST_CONNECTIONS`.
    """

    def __init__(self, row_id: str, make: Callable[[dict[str, Any]], Made]) -> None:
        self._row_id = row_id
        self._make = make
        self._held: dict[str, dict[str, tuple[Item, Made]]] = {}

    def of(self, connection_id: str, items: Iterable[dict[str, Any]]) -> list[Made]:
        """One for each row of a connection, as the wire has them, in their order."""
        before = self._held.pop(connection_id, {})
        now: dict[str, tuple[Item, Made]] = {}
        for item in items:
            name = item[self._row_id]["S"]
            held = before.get(name)
            now[name] = held if held is not None and held[0] == item else (item, self._make(item))
        self._held[connection_id] = now
        while len(self._held) > MOST_CONNECTIONS:
            del self._held[next(iter(self._held))]
        return [made for _, made in now.values()]
