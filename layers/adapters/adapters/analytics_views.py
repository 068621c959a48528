"""Statistics of closed positions and of equity, as the API tells them; both sides apart."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from adapters import accounts, equity_rows
from adapters.closed_results import ClosedResults, Results
from adapters.engine_states import read_state
from adapters.equity_rows import HourlySamples, Resolution
from adapters.tables import ConnectionRow
from engine.analytics import DAY_MS, Figures, GroupBy, Stretch, Window, by_side, grouped
from engine.equity import days, equity_figures
from engine.errors import RefusedError
from engine.ports import Clock
from engine.records import EquitySample
from engine.settings import Settings, with_values
from engine.values import Side

View = dict[str, Any]
DEFAULT_DAYS = 30
MAX_GROUPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalyticsViews:
    """Reads closed positions by the time they closed, and samples of equity."""

    clock: Clock
    results: ClosedResults = field(default_factory=ClosedResults)
    hours: HourlySamples = field(default_factory=HourlySamples)

    def statistics(
        self,
        *,
        connection_id: str | None,
        from_ms: int | None,
        to_ms: int | None,
        group_by: str | None,
    ) -> View:
        """Figures of one connection or of each of them: money is never summed over accounts."""
        stretch = self._stretch(from_ms, to_ms)
        rows = (
            accounts.connection_rows()
            if connection_id is None
            else [accounts.connection_row(connection_id)]
        )
        by = None if group_by is None else GroupBy(group_by)
        return {
            "from_ms": stretch.from_ms,
            "to_ms": stretch.to_ms,
            "group_by": group_by,
            "connections": [self._of_connection(row, stretch, by) for row in rows],
            "timestamp": self.clock.now_ms(),
        }

    def series(
        self, *, connection_id: str, from_ms: int | None, to_ms: int | None, resolution: str
    ) -> View:
        """Balance, equity, margin and open positions as sampled, and results by day."""
        accounts.connection_row(connection_id)
        stretch = self._stretch(from_ms, to_ms)
        step = Resolution(resolution)
        samples = self._samples(connection_id, step, stretch)
        results = self._results(connection_id, stretch)
        return {
            "connection_id": connection_id,
            "from_ms": stretch.from_ms,
            "to_ms": stretch.to_ms,
            "resolution": step.value,
            "complete": results.complete and len(samples) < equity_rows.MAX_SAMPLES,
            "equity": [_sample(one) for one in samples],
            "daily": [asdict(one) for one in days(results.ended)],
        }

    def _of_connection(self, row: ConnectionRow, stretch: Stretch, by: GroupBy | None) -> View:
        results = self._results(row.connection_id, stretch)
        samples = self._samples(row.connection_id, Resolution.HOUR, stretch)
        groups = {} if by is None else grouped(results.ended, by)
        largest = sorted(groups.items(), key=lambda group: -len(group[1]))[:MAX_GROUPS]
        sides = by_side(results.ended, stretch)
        return {
            "connection_id": row.connection_id,
            "name": row.name,
            **_sides(sides),
            "net": sum((one.net for one in sides.values()), Decimal(0)),
            "account": asdict(equity_figures(samples)),
            "groups": [
                {"name": name, **_sides(by_side(ended, stretch))} for name, ended in largest
            ],
            "groups_left_out": len(groups) - len(largest),
            "positions": len(results.ended),
            "positions_read": results.read,
            "complete": results.complete,
        }

    def _results(self, connection_id: str, stretch: Stretch) -> Results:
        settings = with_values(Settings(), read_state(connection_id).settings or {})
        return self.results.between(
            connection_id,
            stretch.from_ms,
            stretch.to_ms,
            now_ms=self.clock.now_ms(),
            cost_pct=settings.position_cost_pct,
        )

    def _samples(
        self, connection_id: str, step: Resolution, stretch: Stretch
    ) -> list[EquitySample]:
        from_ms, to_ms = stretch.from_ms, stretch.to_ms
        if step is not Resolution.HOUR:
            return equity_rows.samples(connection_id, step, from_ms=from_ms, to_ms=to_ms)
        now_ms = self.clock.now_ms()
        return self.hours.between(connection_id, from_ms=from_ms, to_ms=to_ms, now_ms=now_ms)

    def _stretch(self, from_ms: int | None, to_ms: int | None) -> Stretch:
        until_ms = self.clock.now_ms() if to_ms is None else to_ms
        since_ms = until_ms - DEFAULT_DAYS * DAY_MS if from_ms is None else from_ms
        if since_ms >= until_ms:
            raise RefusedError(f"from ({since_ms}) must be before to ({until_ms})")
        return Stretch(from_ms=max(0, since_ms), to_ms=until_ms)


def _sides(told: Mapping[Side, Figures]) -> View:
    return {"long": _figures(told[Side.LONG]), "short": _figures(told[Side.SHORT])}


def _figures(one: Figures) -> View:
    """Field by field: what is in it is not copied."""
    told = {name: getattr(one, name) for name in Figures.__slots__}
    windows = {count: window and _window(window) for count, window in one.last.items()}
    told["last"] = {str(count): window for count, window in windows.items()}
    told["pnl_hours"] = {str(hours): net for hours, net in one.pnl_hours.items()}
    return told


def _window(one: Window) -> View:
    return {name: getattr(one, name) for name in Window.__slots__}


def _sample(one: EquitySample) -> View:
    return {
        "at_ms": one.at_ms,
        "equity": one.equity,
        "balance": None if one.unrealized is None else one.equity - one.unrealized,
        "margin": one.equity - one.free_margin,
        "unrealized": one.unrealized,
        "open_positions": one.open_positions,
    }
