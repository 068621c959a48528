"""Set books: parts written beside the valid ones, then one manifest that points at them."""

from collections.abc import Sequence

from pynamodb.exceptions import DoesNotExist

from adapters.leases import is_mine, lost, row_of
from adapters.tables import BookRow, LeaseItem
from adapters.transactions import Transaction, WriteRefusedError, reading
from engine.ports import Clock
from engine.records import Lease

_MANIFEST = "manifest"
_GENERATIONS = ("a", "b")  # the one the manifest does not name is written next


def save_books(
    clock: Clock,
    connection_id: str,
    symbol: str,
    parts: Sequence[bytes],
    *,
    last_close_ms: int,
    lease: Lease | None,
) -> None:
    """Store all parts, then the manifest: a crash in between leaves the former books valid.

    Raises
    ------
    LeaseLostError
        If `lease` is given and moved or ran out.
    """
    key = f"{connection_id}#{symbol}"
    manifest = _manifest(key)
    former = manifest.generation if manifest else _GENERATIONS[1]
    generation = _GENERATIONS[1 - _GENERATIONS.index(former)]
    for number, content in enumerate(parts):
        row = BookRow(
            key,
            _part(generation, number),
            generation=generation,
            last_close_ms=last_close_ms,
            content=content,
        )
        _put(clock, row, lease)
    row = BookRow(
        key, _MANIFEST, generation=generation, last_close_ms=last_close_ms, parts=len(parts)
    )
    _put(clock, row, lease)


def load_books(connection_id: str, symbol: str) -> tuple[tuple[bytes, ...], int] | None:
    """The parts and their last candle's close time; None without any whole books.

    Parts that do not belong to the manifest (a writer passed by twice while they were read) count
    as none: what is not whole is learned anew.
    """
    key = f"{connection_id}#{symbol}"
    manifest = _manifest(key)
    if manifest is None:
        return None
    names = [_part(manifest.generation, number) for number in range(manifest.parts)]
    with reading("read books"):
        rows = BookRow.query(
            key, BookRow.part.startswith(f"{manifest.generation}#"), consistent_read=True
        )
        found = {row.part: row for row in rows}
    whole = [found.get(name) for name in names]
    contents = [r.content for r in whole if r and r.last_close_ms == manifest.last_close_ms]
    return (tuple(contents), manifest.last_close_ms) if len(contents) == len(names) else None


def _part(generation: str, number: int) -> str:
    return f"{generation}#{number:03d}"


def _manifest(key: str) -> BookRow | None:
    with reading("read books"):
        try:
            return BookRow.get(key, _MANIFEST, consistent_read=True)
        except DoesNotExist:
            return None


def _put(clock: Clock, row: BookRow, lease: Lease | None) -> None:
    if lease is None:
        with reading("write books"):
            row.save()
        return
    transaction = Transaction()
    mine = is_mine(lease, clock.now_ms())
    transaction.check("lease", LeaseItem, row_of(lease).lease_key, mine)
    transaction.put("books", row)
    try:
        transaction.commit()
    except WriteRefusedError as e:
        raise lost(lease) from e
