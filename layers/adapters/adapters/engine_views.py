"""What the engines are doing, as the API tells it: status, progression, performance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters import accounts, cycle_views
from adapters.emergency import told_emergency
from adapters.engine_states import (
    Actual,
    desired,
    is_running,
    proven,
    read_state,
    states_of,
)
from adapters.leases import DynamoLeases
from adapters.performance_views import Samples, metrics, performance
from adapters.progress_views import progress
from adapters.risk_rows import risk_of
from adapters.tables import ConnectionRow, EngineStateRow
from engine.health import Health, overall
from engine.ports import Clock
from engine.records import LeaseRow
from engine.values import Loop

View = dict[str, Any]
Rows = Sequence[tuple[ConnectionRow, EngineStateRow]]
HEALTH_SAMPLES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineViews:
    """Reads engine state rows, leases and progression rows."""

    leases: DynamoLeases
    clock: Clock

    def status(self, connection_id: str | None) -> View:
        """What is wanted of each engine, and what its loops prove."""
        engines = self._engines(_rows(connection_id))
        return {
            "running": any(engine["running"] for engine in engines),
            "connections": engines,
            "total_connections": len(engines),
            "timestamp": self.clock.now_ms(),
        }

    def progression(self, connection_id: str | None, *, limit: int) -> View:
        """How far each engine has come, with the last `limit` rows of each loop."""
        told = [
            progress(
                row,
                state,
                rows=cycle_views.latest_of(row.connection_id, limit),
                leases=self.leases.read_both(row.connection_id),
                now_ms=self.clock.now_ms(),
            )
            for row, state in _rows(connection_id)
        ]
        return {
            "connections": told,
            "total_connections": len(told),
            "running_engines": sum(1 for one in told if one["is_engine_running"]),
            "timestamp": self.clock.now_ms(),
        }

    def performance(self, connection_id: str | None, *, samples: int) -> View:
        """Cost and punctuality of each loop over its last `samples` rows."""
        return self._performance(_rows(connection_id), samples)

    def _engines(self, rows: Rows) -> list[View]:
        return [
            self.engine(row, state, self.leases.read_both(row.connection_id)) for row, state in rows
        ]

    def _performance(self, rows: Rows, samples: int) -> View:
        told, taken, symbols = [], [], 0
        for row, state in rows:
            trade = self.leases.read(row.connection_id, Loop.TRADE)
            alive = trade.expires_at_ms > self.clock.now_ms()
            one, samples_of = performance(row, state, alive=alive, samples=samples)
            told.append(one)
            taken.append(samples_of)
            symbols += len(state.symbols or ())
        worst = overall(Health(one["health"]) for one in told if one["health"] != "stopped")
        return {
            "health": worst,
            "metrics": metrics(Samples.join(taken), symbols=symbols),
            "warnings": [
                {"connection_id": one["connection_id"], **warning}
                for one in told
                for warning in one["warnings"]
            ],
            "connections": told,
            "timestamp": self.clock.now_ms(),
        }

    def health(self, connection_id: str | None) -> View:
        """Each engine's parts over their last samples, beside what is wanted and what is so."""
        rows = _rows(connection_id)
        measured = self._performance(rows, HEALTH_SAMPLES)
        parts = {one["connection_id"]: one for one in measured["connections"]}
        engines = [
            {
                "connection_id": one["connection_id"],
                "name": one["name"],
                "desired_state": one["desired_state"],
                "actual_state": one["actual_state"],
                "overall": parts[one["connection_id"]]["health"],
                "components": parts[one["connection_id"]]["components"],
                "error": one["error"],
            }
            for one in self._engines(rows)
        ]
        return {
            "overall": measured["health"],
            "connections": engines,
            "timestamp": self.clock.now_ms(),
        }

    def engine(
        self, row: ConnectionRow, state: EngineStateRow, leases: Mapping[Loop, LeaseRow]
    ) -> View:
        """One engine from its rows."""
        loops = {loop: self._loop(lease, loop, state) for loop, lease in leases.items()}
        now = proven(state, leases, now_ms=self.clock.now_ms())
        running = is_running(state) and now is Actual.RUNNING
        loaded = bool(state.prehistoric_data_loaded)
        return {
            "connection_id": row.connection_id,
            "name": row.name,
            "exchange": row.exchange,
            "desired_state": desired(state).value,
            "actual_state": now.value,
            "running": running,
            "paused": now is Actual.PAUSED,
            "loading_stage": state.loading_stage or "",
            "loading_progress": state.loading_progress or 0,
            "prehistoric_data_loaded": loaded,
            "coverage": state.prehistory_coverage_pct,
            "symbols": list(state.symbols or ()),
            "may_trade": bool(state.may_trade),
            "may_trade_preset": bool(state.may_trade_preset),
            "warming": running and not loaded,
            "risk": _risk(state),
            "trade_loop": loops[Loop.TRADE],
            "position_loop": loops[Loop.POSITION],
            "settings_version": state.settings_version or 0,
            "engine_started_at": state.engine_started_at_ms,
            "run_id": state.run_id or "",
            "error": state.error_message or "",
            "emergency": told_emergency(state),
        }

    def _loop(self, lease: LeaseRow, loop: Loop, state: EngineStateRow) -> View:
        now_ms = self.clock.now_ms()
        trade = loop is Loop.TRADE
        beat = state.last_trade_heartbeat_ms if trade else state.last_position_heartbeat_ms
        return {
            "alive": bool(lease.owner) and lease.expires_at_ms > now_ms,
            "token": lease.token,
            "phase": lease.phase,
            "wanted": lease.wanted,
            "wanted_at_ms": lease.wanted_ms or None,
            **_acknowledged(lease),
            "halt": lease.halt,
            "last_slot_ms": lease.last_slot_ms or None,
            "age_ms": now_ms - lease.last_slot_ms if lease.last_slot_ms else None,
            "expires_at_ms": lease.expires_at_ms or None,
            "settings_version": _used_version(state, loop),
            "wanted_settings_version": max(lease.settings_version, _used_version(state, loop)),
            "heartbeat_age_ms": None if beat is None else now_ms - beat,
            "counters": dict((state.trade_counters if trade else state.position_counters) or {}),
        }


def _acknowledged(lease: LeaseRow) -> View:
    """What the loop says that it obeys, and how long after the wish if that is the newest."""
    obeyed = lease.obeyed
    if obeyed is None:
        names = ("", "_at_ms", "_slot_ms", "_token", "_after_ms")
        return {f"acknowledged{name}": None for name in names}
    after_ms = obeyed.at_ms - lease.wanted_ms if lease.is_obeyed and lease.wanted_ms else None
    return {
        "acknowledged": obeyed.wanted,
        "acknowledged_at_ms": obeyed.at_ms,
        "acknowledged_slot_ms": obeyed.slot_ms,
        "acknowledged_token": obeyed.token,
        "acknowledged_after_ms": after_ms,
    }


def _used_version(state: EngineStateRow, loop: Loop) -> int:
    """The version of the settings that a loop decides with, as it noted before it used them."""
    own = state.position_settings_version if loop is Loop.POSITION else None
    return int(own or state.settings_version or 0)


def _risk(state: EngineStateRow) -> View | None:
    """What the limits of the account say; None before its equity was ever read."""
    if not state.risk:
        return None
    record = risk_of(state.risk)
    held = record.restraint
    return {
        "trading_state": record.state.value,
        "reason": held.reason if held else "",
        "numbers": dict(held.numbers) if held else {},
        "since_ms": held.since_ms if held else None,
        "until_ms": held.until_ms if held else None,
        "day_start_equity": record.day_start_equity,
        "equity_peak": record.equity_peak,
        "realised_today": record.realised_today,
        "consecutive_losses": record.consecutive_losses,
    }


def _rows(connection_id: str | None) -> Rows:
    if connection_id is not None:
        return [(accounts.connection_row(connection_id), read_state(connection_id))]
    rows = accounts.connection_rows()
    states = states_of([row.connection_id for row in rows])
    return [(row, states[row.connection_id]) for row in rows]
