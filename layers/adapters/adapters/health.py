"""Whether the parts of CTS work, from what they left behind."""

from collections.abc import Callable, Mapping
from typing import Any

from pynamodb.exceptions import PynamoDBException

from adapters import accounts
from adapters.emergency import emergency_of
from adapters.engine_states import Actual, actual, is_wanted, states_of
from adapters.leases import DynamoLeases
from adapters.monitoring.memory import recall
from adapters.tables import ConnectionRow, EngineStateRow
from engine.errors import StoreBusyError
from engine.ports import Clock
from engine.values import Loop

SUPERVISOR_MS = 180_000
"""The supervisor comes each minute; three missed ones are no delay any more."""
STALE_MS = 15_000
DEAD_MS = 60_000
_RANK = ("healthy", "degraded", "critical")


def health(leases: DynamoLeases, clock: Clock) -> dict[str, Any]:
    """Components, workflows and issues; tells no name and no id, because anybody may ask."""
    now_ms = clock.now_ms()
    try:
        rows = accounts.connection_rows()
        states = states_of([row.connection_id for row in rows])
        engines = [_engine(leases, states[row.connection_id], now_ms) for row in rows]
        watched = _is_watched(states, now_ms)
        positions = _position_health(rows, states, now_ms)
    except (PynamoDBException, StoreBusyError):
        return _answer(now_ms, {"database": "critical"}, {}, ["the database does not answer"])
    worst = max((_RANK.index(state) for state, _ in engines), default=0)
    bare, unlike = (_counted(states, name) for name in ("unprotected", "unreconciled"))
    issues = [issue for _, issue in engines if issue]
    if bare:
        issues.append(f"{bare} positions are without a stop")
    if unlike:
        issues.append(f"{unlike} symbols whose books and exchange differ")
    if not watched:
        issues.append("the supervisor is silent: loops that end now are not restarted")
    tested = any(row.last_test_result == "success" for row in rows)
    failed = sum(1 for row in rows if row.last_test_result == "failed")
    if failed:
        issues.append(f"{failed} connections failed their last test")
    components = {
        "database": "healthy",
        "connections": "degraded" if failed else "healthy",
        "tradeEngine": _RANK[worst],
        "monitoring": "healthy" if watched else "degraded",
        "positions": "degraded" if bare else positions,
        "orders": "degraded" if unlike else "healthy",
    }
    runs = worst == 0
    workflows = {
        "connectionTesting": "operational" if tested else "untried",
        "engineStartStop": _works(runs),
        "positionManagement": _works(runs and components["positions"] == "healthy"),
        "orderExecution": _works(runs and components["orders"] == "healthy"),
    }
    return _answer(now_ms, components, workflows, issues)


def _engine(leases: DynamoLeases, state: EngineStateRow, now_ms: int) -> tuple[str, str]:
    return engine_health(state, lambda: _last_slot(leases, state), now_ms)


def engine_health(
    state: EngineStateRow, last_slot_ms: Callable[[], int], now_ms: int
) -> tuple[str, str]:
    """Health of one engine that should run or be flat, and what is wrong with it."""
    held = emergency_of(state)
    if held is not None and not held["verified"]:
        late = now_ms - held["since_ms"] > DEAD_MS
        status = "critical" if late else "degraded"
        return status, "an emergency stop is under way: the exchange has not proved its end"
    if not is_wanted(state):
        return "healthy", ""
    if actual(state) is Actual.ERROR:
        return "critical", "an engine stopped with an error"
    if actual(state) is not Actual.RUNNING:
        return "healthy", ""
    beat = max(state.last_trade_heartbeat_ms or 0, state.updated_at_ms or 0, last_slot_ms())
    silent_ms = now_ms - beat
    if silent_ms > DEAD_MS:
        return "critical", "a trade loop is silent for more than a minute"
    if silent_ms > STALE_MS:
        return "degraded", f"a trade loop is silent for {silent_ms // 1000} s"
    return "healthy", ""


def _is_watched(states: Mapping[str, EngineStateRow], now_ms: int) -> bool:
    """Whether the supervisor came lately, if there is an engine it should look after."""
    wanted = [state for state in states.values() if is_wanted(state)]
    if not wanted:
        return True
    since_ms = max(state.updated_at_ms or 0 for state in wanted)  # none is older than its engine
    return now_ms - max(recall().beat_ms, since_ms) <= SUPERVISOR_MS


def _counted(states: Mapping[str, EngineStateRow], name: str) -> int:
    """What the position loops of engines that should run said in their last heartbeat."""
    wanted = [state for state in states.values() if is_wanted(state)]
    return sum((state.position_counters or {}).get(name, 0) for state in wanted)


def _works(is_well: bool) -> str:
    return "operational" if is_well else "impaired"


def _last_slot(leases: DynamoLeases, state: EngineStateRow) -> int:
    return leases.read(state.connection_id, Loop.TRADE).last_slot_ms


def _position_health(
    rows: list[ConnectionRow], states: dict[str, EngineStateRow], now_ms: int
) -> str:
    """Degraded while an engine holds positions and its position loop is silent."""
    for row in rows:
        state = states[row.connection_id]
        if not is_wanted(state) or not accounts.holds_positions(row.connection_id):
            continue
        if now_ms - (state.last_position_heartbeat_ms or 0) > DEAD_MS:
            return "degraded"
    return "healthy"


def _answer(
    now_ms: int, components: dict[str, str], workflows: dict[str, str], issues: list[str]
) -> dict[str, Any]:
    worst = max(_RANK.index(state) for state in components.values())
    return {
        "overall": _RANK[worst],
        "components": components,
        "workflows": workflows,
        "issues": issues,
        "timestamp": now_ms,
    }
