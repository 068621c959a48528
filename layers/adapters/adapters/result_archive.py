"""Results that Sets keep no more, as compressed JSON lines; they expire by themselves."""

import json
import zlib
from collections.abc import Iterator, Sequence
from itertools import groupby

from adapters.tables import ArchivedRow
from adapters.transactions import reading
from engine.records import ArchivedResults, ArchivedSet

PART_SETS = 500
"""Sets of one row, which so stays far below what a row may hold."""
DAY_S = 86_400


def archive_results(
    connection_id: str, results: Sequence[ArchivedResults], *, keep_days: int, now_ms: int
) -> None:
    """One row for each symbol and candle, named by both: written again it is the same row."""
    expires_at = now_ms // 1000 + keep_days * DAY_S
    with reading("archive results"), ArchivedRow.batch_write() as batch:
        for each in results:
            for number, lines in enumerate(_parts(each)):
                row = ArchivedRow(
                    f"{connection_id}#{each.symbol}",
                    f"{each.at_ms:013d}#{number:03d}",
                    lines=zlib.compress(lines),
                    expires_at=expires_at,
                )
                batch.save(row)


def archived_results(
    connection_id: str, symbol: str, *, since_ms: int
) -> tuple[ArchivedResults, ...]:
    """What left the books of a symbol at `since_ms` or later, oldest first."""
    with reading("read archive"):
        rows = list(
            ArchivedRow.query(
                f"{connection_id}#{symbol}",
                ArchivedRow.part >= f"{since_ms:013d}",
                consistent_read=True,
            )
        )
    return tuple(
        ArchivedResults(
            symbol=symbol, at_ms=at_ms, sets=tuple(_read(row.lines for row in of_candle))
        )
        for at_ms, of_candle in groupby(rows, key=lambda row: int(row.part.partition("#")[0]))
    )


def _parts(archived: ArchivedResults) -> Iterator[bytes]:
    for start in range(0, len(archived.sets), PART_SETS):
        lines = [
            json.dumps(
                {"set": each.key_text, "first": each.first, "results": each.results},
                separators=(",", ":"),
            )
            for each in archived.sets[start : start + PART_SETS]
        ]
        yield "\n".join(lines).encode()


def _read(parts: Iterator[bytes]) -> Iterator[ArchivedSet]:
    for part in parts:
        for line in zlib.decompress(part).decode().splitlines():
            told = json.loads(line)
            yield ArchivedSet(
                key_text=told["set"], first=told["first"], results=tuple(told["results"])
            )
