"""Equity samples as rows: minutes for two days, the first of each hour for more than a year."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from enum import StrEnum

from adapters.tables import EquityRow
from engine.records import EquitySample

MINUTES_KEPT_S = 2 * 86_400
HOURS_KEPT_S = 400 * 86_400
MAX_SAMPLES = 10_000
HOUR_MS = 3_600_000
END_MS = 10**14  # after every time the API takes


class Resolution(StrEnum):
    """How far apart samples are."""

    MINUTE = "minute"
    HOUR = "hour"


def rows_of(connection_id: str, sample: EquitySample) -> list[EquityRow]:
    """The rows of one sample."""
    rows = [_row(connection_id, sample, Resolution.MINUTE, MINUTES_KEPT_S)]
    if sample.opens_hour:
        rows.append(_row(connection_id, sample, Resolution.HOUR, HOURS_KEPT_S))
    return rows


@dataclass(slots=True)
class _Kept:
    """Samples since a moment, oldest first, of which those until `settled_ms` change no more."""

    since_ms: int
    settled_ms: int
    samples: list[EquitySample]


@dataclass(slots=True)
class HourlySamples:
    """What a warm worker remembers of hours, by connection: only the last one is read again."""

    kept: dict[str, _Kept] = field(default_factory=dict)

    def between(
        self, connection_id: str, *, from_ms: int, to_ms: int, now_ms: int
    ) -> list[EquitySample]:
        """The same as `samples` of hours."""
        kept = self.kept.get(connection_id)
        if kept is None or kept.since_ms > from_ms:
            kept = _Kept(since_ms=from_ms, settled_ms=from_ms - 1, samples=[])
        first_ms = kept.settled_ms + 1
        fresh = samples(connection_id, Resolution.HOUR, from_ms=first_ms, to_ms=END_MS)
        known = [*kept.samples, *fresh]
        if len(known) >= MAX_SAMPLES:
            return samples(connection_id, Resolution.HOUR, from_ms=from_ms, to_ms=to_ms)
        settled_ms = max(kept.settled_ms, now_ms - HOUR_MS)
        settled = known[: bisect_right(known, settled_ms, key=_at)]
        self.kept[connection_id] = _Kept(kept.since_ms, settled_ms, settled)
        return known[bisect_left(known, from_ms, key=_at) : bisect_right(known, to_ms, key=_at)]


def samples(
    connection_id: str, resolution: Resolution, *, from_ms: int, to_ms: int
) -> list[EquitySample]:
    """Stored samples between two moments, oldest first; the newest `MAX_SAMPLES` of them."""
    rows = EquityRow.query(
        f"{connection_id}#{resolution}",
        EquityRow.at_ms.between(from_ms, to_ms),
        scan_index_forward=False,
        limit=MAX_SAMPLES,
    )
    return [_sample(row) for row in rows][::-1]


def latest(connection_id: str) -> EquitySample | None:
    """The newest stored sample."""
    series = f"{connection_id}#{Resolution.MINUTE}"
    rows = EquityRow.query(series, scan_index_forward=False, limit=1)
    return next((_sample(row) for row in rows), None)


def _row(
    connection_id: str, sample: EquitySample, resolution: Resolution, kept_s: int
) -> EquityRow:
    return EquityRow(
        f"{connection_id}#{resolution}",
        sample.at_ms,
        equity=sample.equity,
        free_margin=sample.free_margin,
        unrealized=sample.unrealized,
        open_positions=sample.open_positions,
        expires_at=sample.at_ms // 1000 + kept_s,
    )


def _sample(row: EquityRow) -> EquitySample:
    return EquitySample(
        at_ms=row.at_ms,
        equity=row.equity,
        free_margin=row.free_margin,
        unrealized=row.unrealized,
        open_positions=row.open_positions,
    )


def _at(sample: EquitySample) -> int:
    return sample.at_ms
