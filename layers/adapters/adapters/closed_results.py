"""Results of closed positions, remembered by a warm worker: only the last hour is read again.

Nothing changes a closed position once the position loop has let go of it, some minutes after.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from adapters.position_rows import key_of
from adapters.tables import PositionRow
from engine.analytics import HOUR_MS, Ended

MAX_RESULTS = 20_000
_NEEDED = (
    *("closed_at_ms", "opened_at_ms", "symbol", "indication", "parameter", "variant", "side"),
    *("take_profit_pct", "stop_loss_pct", "trail_start_pct", "trail_stop_pct", "exit_flags"),
    *("entry_price", "entry_quantity", "realized_pnl", "fees", "funding"),
)


@dataclass(slots=True)
class _Kept:
    """Settled results since a moment, by the time they closed, until `settled_ms`."""

    since_ms: int
    settled_ms: int
    results: list[Ended]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What was asked for, oldest first; `complete` is false where there were too many."""

    ended: list[Ended]
    read: int
    complete: bool


@dataclass(slots=True)
class ClosedResults:
    """The memory of one worker, by connection and position cost."""

    kept: dict[tuple[str, Decimal], _Kept] = field(default_factory=dict)

    def between(
        self, connection_id: str, from_ms: int, to_ms: int, *, now_ms: int, cost_pct: Decimal
    ) -> Results:
        """Results of positions that closed from `from_ms` to `to_ms`, in units of `cost_pct`."""
        name = (connection_id, cost_pct)
        kept = self.kept.get(name)
        if kept is None or kept.since_ms > from_ms:
            kept = _Kept(since_ms=from_ms, settled_ms=from_ms - 1, results=[])
        fresh = list(_read(connection_id, kept.settled_ms + 1, cost_pct))[::-1]
        if len(fresh) >= MAX_RESULTS:
            return Results(ended=_within(fresh, from_ms, to_ms), read=len(fresh), complete=False)
        everything = [*kept.results, *fresh]
        settled_ms = max(kept.settled_ms, now_ms - HOUR_MS)
        count = bisect_right(everything, settled_ms, key=_closed_at)
        self.kept[name] = _kept(kept.since_ms, settled_ms, everything[:count])
        return Results(ended=_within(everything, from_ms, to_ms), read=len(fresh), complete=True)


def _kept(since_ms: int, settled_ms: int, results: list[Ended]) -> _Kept:
    """At most `MAX_RESULTS`, the newest: what is older is read again when it is asked for."""
    if len(results) > MAX_RESULTS:
        results = results[-MAX_RESULTS:]
        since_ms = results[0].closed_at_ms + 1
    return _Kept(since_ms=since_ms, settled_ms=settled_ms, results=results)


def _within(ended: list[Ended], from_ms: int, to_ms: int) -> list[Ended]:
    begin = bisect_left(ended, from_ms, key=_closed_at)
    return ended[begin : bisect_right(ended, to_ms, key=_closed_at)]


def _closed_at(one: Ended) -> int:
    return one.closed_at_ms


def _read(connection_id: str, since_ms: int, cost_pct: Decimal) -> Iterator[Ended]:
    """The newest first: one key condition, and of each row only what is needed."""
    rows = PositionRow.closed.query(
        connection_id,
        PositionRow.closed_at_ms >= since_ms,
        scan_index_forward=False,
        limit=MAX_RESULTS,
        attributes_to_get=list(_NEEDED),
    )
    return (_ended(row, cost_pct) for row in rows if row.entry_quantity)


def _ended(row: PositionRow, cost_pct: Decimal) -> Ended:
    net = row.realized_pnl - row.fees + (row.funding or 0)
    notional = (row.entry_price or Decimal(0)) * row.entry_quantity
    return Ended(
        key=key_of(row),
        net=net,
        fees=row.fees,
        r=net * 100 / notional / cost_pct if notional else None,
        opened_at_ms=row.opened_at_ms or 0,
        closed_at_ms=row.closed_at_ms,
    )
