"""The system at a glance: what there is, how it is, and what went wrong in the last day."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapters import accounts
from adapters.engine_states import Actual, actual, is_wanted, states_of
from adapters.health import health
from adapters.leases import DynamoLeases
from adapters.monitoring import memory
from adapters.monitoring.alerts import Severity, open_alerts
from adapters.monitoring.rollup import HOUR_MS, hours_since
from adapters.tables import AlertRow, ConnectionRow, EngineStateRow, PositionRow
from adapters.transactions import reading
from engine.ports import Clock

View = dict[str, Any]
Tally = dict[str, dict[str, int]]
DAY_HOURS = 24
TOP_ERRORS = 10
WARNING_ERRORS, CRITICAL_ERRORS = 5, 10  # an hour


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemViews:
    """Reads what loops and supervisor left; `engines` tells the health of each engine."""

    leases: DynamoLeases
    clock: Clock
    engines: Callable[[], View]

    def system(self) -> View:
        """Counts and a status of each part."""
        began_ms = self.clock.monotonic_ms()
        rows = accounts.connection_rows()
        states = states_of([row.connection_id for row in rows])
        errors = self._errors_of_the_hour()
        took_ms = self.clock.monotonic_ms() - began_ms
        return {
            "states": {
                "connections": _connections(rows),
                "trading": _trading(rows, states),
                "strategy": _strategy(rows, states),
                "database": {"status": "healthy", "readMs": took_ms},
                "errors": {"count": errors, "status": _error_status(errors)},
            },
            "timestamp": self.clock.now_ms(),
        }

    def stats(self) -> View:
        """The last day: counts, errors of each hour, the most frequent, and a score of 0 to 100."""
        now_ms = self.clock.now_ms()
        hours = list(hours_since(now_ms - (DAY_HOURS - 1) * HOUR_MS))
        levels, categories, messages = _summed([tally for _, tally in hours])
        errors, warnings = levels.get("error", 0), levels.get("warn", 0)
        score = 100 - 2 * errors - Decimal(warnings) / 2
        return {
            "total": sum(levels.values()),
            "byLevel": dict(levels),
            "byCategory": dict(categories),
            "errorRate": [
                {"hour": hour_ms, "errors": tally.get("level", {}).get("error", 0)}
                for hour_ms, tally in hours
            ],
            "topErrors": [
                {"level": name.partition(" ")[0], "message": name.partition(" ")[2], "count": count}
                for name, count in messages.most_common(TOP_ERRORS)
            ],
            "criticalLastHour": _criticals(open_alerts(), now_ms - HOUR_MS),
            "healthScore": max(Decimal(0), score),
            "timestamp": now_ms,
        }

    def comprehensive(self) -> View:
        """Health of the whole and of each engine's parts, open alerts, the supervisor's beat."""
        alerts = open_alerts()
        counts = Counter(row.severity for row in alerts)
        now_ms = self.clock.now_ms()
        beat_ms = memory.recall().beat_ms
        return {
            "health": health(self.leases, self.clock),
            "engines": self.engines(),
            "alerts": {severity.value: counts[severity.value] for severity in Severity},
            "supervisor": {
                "lastRunMs": beat_ms or None,
                "ageMs": now_ms - beat_ms if beat_ms else None,
            },
            "timestamp": now_ms,
        }

    def _errors_of_the_hour(self) -> int:
        """Of this hour and the one before it: at least of the last sixty minutes."""
        since_ms = self.clock.now_ms() - HOUR_MS
        return sum(tally.get("level", {}).get("error", 0) for _, tally in hours_since(since_ms))


def _connections(rows: Sequence[ConnectionRow]) -> View:
    active = sum(1 for row in rows if row.is_active)
    failed = any(row.last_test_result == "failed" for row in rows if row.is_active)
    return {
        "total": len(rows),
        "active": active,
        "liveTrade": sum(1 for row in rows if row.is_live_trade),
        "status": "degraded" if failed else "healthy" if active else "idle",
    }


def _trading(rows: Sequence[ConnectionRow], states: dict[str, EngineStateRow]) -> View:
    """Positions on paper as the trade loops count them, on the exchange as they are stored."""
    wanted = [row for row in rows if is_wanted(states[row.connection_id])]
    with reading("open positions"):
        real = sum(PositionRow.live.count(row.connection_id, consistent_read=True) for row in rows)
    return {
        "pseudoPositions": sum(
            (states[row.connection_id].trade_counters or {}).get("open_pseudo_positions", 0)
            for row in wanted
        ),
        "realPositions": real,
        "status": _engines_status([states[row.connection_id] for row in wanted]),
    }


def _engines_status(states: Sequence[EngineStateRow]) -> str:
    if not states:
        return "idle"
    if any(actual(state) is Actual.ERROR for state in states):
        return "error"
    return "running" if any(actual(state) is Actual.RUNNING for state in states) else "starting"


def _strategy(rows: Sequence[ConnectionRow], states: dict[str, EngineStateRow]) -> View:
    beats = [states[row.connection_id].last_trade_heartbeat_ms or 0 for row in rows]
    running = [row for row in rows if actual(states[row.connection_id]) is Actual.RUNNING]
    return {
        "status": "running" if running else "idle",
        "lastUpdate": max(beats, default=0) or None,
    }


def _error_status(count: int) -> str:
    if count > CRITICAL_ERRORS:
        return "critical"
    return "warning" if count > WARNING_ERRORS else "healthy"


def _criticals(rows: Sequence[AlertRow], since_ms: int) -> int:
    return sum(
        1 for row in rows if row.severity == Severity.CRITICAL.value and row.last_ms >= since_ms
    )


def _summed(tallies: Sequence[Tally]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    summed: tuple[Counter[str], Counter[str], Counter[str]] = (Counter(), Counter(), Counter())
    for tally in tallies:
        for name, counter in zip(("level", "category", "messages"), summed, strict=True):
            counter.update(tally.get(name, {}))
    return summed
