"""Entries of the log as packed rows of `site_logs`, and back."""

import json
import secrets
import zlib
from collections.abc import Iterator, Sequence

from adapters.monitoring.entries import Entry, from_json, to_json
from adapters.tables import SiteLogRow

SYSTEM = "system"
"""The stream of what belongs to no connection."""
DAY_S = 86_400
MAX_SPAN_MS = 600_000
"""No packet holds an entry older than this when it is written, so that readers know where to look;
an older one is told as of that moment, with its own time beside it."""


def write_packet(stream: str, entries: Sequence[Entry], *, now_ms: int, keep_days: int) -> None:
    """Store entries of one stream as one row, once."""
    packed = json.dumps([to_json(entry) for entry in entries], separators=(",", ":"))
    SiteLogRow(
        stream,
        f"{now_ms:013d}#{secrets.token_hex(4)}",
        entries=zlib.compress(packed.encode()),
        expires_at=now_ms // 1000 + keep_days * DAY_S,
    ).save()


def unpack(row: SiteLogRow) -> list[Entry]:
    """The entries of a row, in the order they were told."""
    connection_id = "" if row.stream == SYSTEM else row.stream
    return [
        from_json(one, connection_id) for one in json.loads(zlib.decompress(row.entries or b""))
    ]


def newest_first(
    stream: str, *, from_key: str, to_key: str, page_size: int = 50
) -> Iterator[SiteLogRow]:
    """Rows of a stream from key to key, inclusive, newest first, read as they are asked for."""
    inside = SiteLogRow.at_key.between(from_key, to_key)
    return iter(SiteLogRow.query(stream, inside, scan_index_forward=False, page_size=page_size))


def first_key(at_ms: int) -> str:
    """Before the key of any row written at `at_ms`."""
    return f"{at_ms:013d}"


def last_key(at_ms: int) -> str:
    """Behind the key of every row written at `at_ms`."""
    return f"{at_ms:013d}~"
