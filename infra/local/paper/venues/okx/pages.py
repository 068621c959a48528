"""Lists of private rows, newest first, a page at a time."""

from collections.abc import Iterable

from local.paper.venues.okx.parameters import Parameters
from local.paper.wire import Json

_MOST = 100


def page(rows: Iterable[Json], given: Parameters, key: str, time_key: str) -> list[Json]:
    """At most a hundred rows, of one instrument if it is named.

    `after` is an id that all must be older than, `before` one they must be newer than; `begin` and
    `end` are moments.
    """
    name = given.text("instId", "-")
    after, before = given.integer("after", 2**63), given.integer("before", 0)
    begin, end = given.integer("begin", 0), given.integer("end", 2**63)
    found = [
        row
        for row in rows
        if name in ("-", row["instId"])
        and before < int(row[key]) < after
        and begin <= int(row[time_key]) <= end
    ]
    return found[: min(given.integer("limit", _MOST), _MOST)]
