"""Sums over all closed positions, day by day, remembered by a warm worker.

Nothing changes a closed position once the position loop has let go of it, some minutes after: what
closed more than an hour ago is read once. Days that the archive has taken from the table leave the
sums, and the first one that is left is read anew.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from adapters.tables import PositionRow
from engine.analytics import DAY_MS, HOUR_MS
from engine.values import Side

_NEEDED = (
    *("closed_at_ms", "side", "entry_quantity", "realized_pnl", "fees", "funding"),
    "close_reason",
)


@dataclass(slots=True)
class Totals:
    """Closed positions of one side that had an entry; money in quote, `won` and `lost` net."""

    wins: int = 0
    losses: int = 0
    closed: int = 0
    won: Decimal = Decimal(0)
    lost: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    funding: Decimal = Decimal(0)

    def add(self, other: "Totals") -> None:
        """Take those of `other` in."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def net(self) -> Decimal:
        return self.won + self.lost


@dataclass(slots=True)
class Sums:
    """Totals by side, and how often each reason closed one."""

    sides: dict[Side, Totals] = field(default_factory=lambda: {side: Totals() for side in Side})
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Sums") -> None:
        """Take those of `other` in."""
        for side, totals in self.sides.items():
            totals.add(other.sides[side])
        self.reasons.update(other.reasons)


@dataclass(slots=True)
class _Kept:
    """Sums of what closed until `settled_ms`, by UTC day, and when the oldest of it closed."""

    first_ms: int
    settled_ms: int
    days: dict[int, Sums] = field(default_factory=dict)

    def take(self, rows: Sequence[PositionRow]) -> None:
        for row in rows:
            _add(self.days.setdefault(row.closed_at_ms // DAY_MS, Sums()), row)


@dataclass(slots=True)
class ClosedSums:
    """The memory of one worker, by connection."""

    kept: dict[str, _Kept] = field(default_factory=dict)

    def of(self, connection_id: str, *, now_ms: int) -> Sums:
        """Sums over every closed position of a connection that is stored now."""
        first_ms = _first_ms(connection_id)
        kept = self._kept(connection_id, first_ms)
        fresh = list(_read(connection_id, kept.settled_ms + 1))
        settled_ms = max(kept.settled_ms, now_ms - HOUR_MS)
        count = bisect_right(fresh, settled_ms, key=lambda row: int(row.closed_at_ms))
        kept.take(fresh[:count])
        kept.settled_ms = settled_ms
        return _joined([*kept.days.values(), _sums(fresh[count:])])

    def _kept(self, connection_id: str, first_ms: int) -> _Kept:
        """What is remembered, without what the archive took since."""
        kept = self.kept.get(connection_id)
        if kept is None or first_ms < kept.first_ms:
            kept = self.kept[connection_id] = _Kept(first_ms=first_ms, settled_ms=first_ms - 1)
        elif first_ms > kept.first_ms:
            day = first_ms // DAY_MS
            kept.days = {each: sums for each, sums in kept.days.items() if each > day}
            kept.first_ms = first_ms
            until_ms = min(kept.settled_ms, (day + 1) * DAY_MS - 1)
            if first_ms <= until_ms:
                kept.take(list(_read(connection_id, first_ms, until_ms)))
        return kept


def _first_ms(connection_id: str) -> int:
    """When the oldest stored one closed; 0 without any."""
    rows = PositionRow.closed.query(connection_id, limit=1, attributes_to_get=["closed_at_ms"])
    return next((int(row.closed_at_ms) for row in rows), 0)


def _read(connection_id: str, from_ms: int, to_ms: int | None = None) -> Iterator[PositionRow]:
    """The oldest first: one key condition, and of each row only what is needed."""
    since = (
        PositionRow.closed_at_ms >= from_ms
        if to_ms is None
        else PositionRow.closed_at_ms.between(from_ms, to_ms)
    )
    return PositionRow.closed.query(connection_id, since, attributes_to_get=list(_NEEDED))


def _sums(rows: Iterable[PositionRow]) -> Sums:
    sums = Sums()
    for row in rows:
        _add(sums, row)
    return sums


def _joined(parts: Iterable[Sums]) -> Sums:
    whole = Sums()
    for part in parts:
        whole.add(part)
    return whole


def _add(sums: Sums, row: PositionRow) -> None:
    if not row.entry_quantity:
        return
    totals, fees, funding = sums.sides[Side(row.side)], row.fees, row.funding or Decimal(0)
    net = row.realized_pnl - fees + funding
    totals.closed += 1
    totals.fees += fees
    totals.funding += funding
    if net > 0:
        totals.wins += 1
        totals.won += net
    elif net < 0:
        totals.losses += 1
        totals.lost += net
    sums.reasons[row.close_reason or ""] += 1
