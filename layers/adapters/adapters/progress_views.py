"""How far an engine has come, as the API tells it."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters import cycle_views
from adapters.engine_states import Actual, actual, is_running, proven
from adapters.tables import ConnectionRow, EngineStateRow, ProgressionRow
from engine.records import LeaseRow
from engine.settings import Settings, with_values
from engine.values import Loop


def progress(
    row: ConnectionRow,
    state: EngineStateRow,
    *,
    rows: Mapping[Loop, Sequence[ProgressionRow]],
    leases: Mapping[Loop, LeaseRow],
    now_ms: int,
) -> dict[str, Any]:
    """One engine with the cycles of these rows; a count that no loop reported is None."""
    trade, position = state.trade_counters or {}, state.position_counters or {}
    beats = (state.last_trade_heartbeat_ms or 0, state.last_position_heartbeat_ms or 0)
    last_cycle_ms = max(*beats, *(lease.last_slot_ms for lease in leases.values())) or None
    settings = with_values(Settings(), state.settings or {})
    cycles = {
        loop: cycle_views.cycles(rows[loop], offset_ms=offset_ms(settings, loop)) for loop in Loop
    }
    return {
        "connection_id": row.connection_id,
        "name": row.name,
        "exchange": row.exchange,
        "is_enabled": row.is_enabled,
        "is_active": row.is_active,
        "is_live_trading": row.is_live_trade,
        "is_engine_running": is_running(state) and actual(state) is Actual.RUNNING,
        "engine_state": proven(state, leases, now_ms=now_ms).value,
        "loading_stage": state.loading_stage or "",
        "loading_progress": state.loading_progress or 0,
        "trade_count": position.get("filled"),
        "pseudo_position_count": trade.get("open_pseudo_positions"),
        "prehistoric_data_loaded": bool(state.prehistoric_data_loaded),
        "last_update": max(last_cycle_ms or 0, state.updated_at_ms or 0) or None,
        "cycle_metrics": {
            "indication_cycles": trade.get("ticks"),
            "strategy_cycles": trade.get("ticks"),
            "realtime_cycles": position.get("ticks"),
            "last_cycle_at": last_cycle_ms,
        },
        "trade_cycles": cycles[Loop.TRADE],
        "position_cycles": cycles[Loop.POSITION],
    }


def offset_ms(settings: Settings, loop: Loop) -> int:
    """How long after its slot a tick is due: the trade loop waits for late trades."""
    return settings.candle_lateness_ms if loop is Loop.TRADE else 0
