"""Equity samples as rows: minutes for two days, the first of each hour for more than a year."""

from enum import StrEnum

from adapters.tables import EquityRow
from engine.records import EquitySample

MINUTES_KEPT_S = 2 * 86_400
HOURS_KEPT_S = 400 * 86_400
MAX_SAMPLES = 10_000


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
