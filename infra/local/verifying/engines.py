"""Items about connections, engines, their ticks and orders, all asked of the API."""

from collections.abc import Callable, Mapping
from typing import Any

from local.verifying.items import Finding, Visit

NEWER_WITHIN_S = 10
SCREEN_PAUSE_S = 2.0
READ_WITHIN_MS = 180_000
"""The supervisor comes each minute."""
PROGRESSION = "/api/trade-engine/progression"


def configured(visit: Visit) -> Finding:
    """At least one connection is configured."""
    return _some(visit.connections, "configured", lambda one: True)


def tested(visit: Visit) -> Finding:
    """A connection's last test succeeded."""
    return _some(visit.connections, "tested", lambda one: one["last_test_result"] == "success")


def active(visit: Visit) -> Finding:
    """A connection is enabled and active."""
    return _some(visit.connections, "active", lambda one: one["is_enabled"] and one["is_active"])


def _some(
    connections: list[Mapping[str, Any]], word: str, fits: Callable[[Mapping[str, Any]], bool]
) -> Finding:
    names = [str(one["name"]) for one in connections if fits(one)]
    shown = f": {', '.join(names)}" if names else ""
    return Finding(
        holds=bool(names), seen=f"{len(names)} of {len(connections)} connections {word}{shown}"
    )


def started(visit: Visit) -> Finding:
    """An engine runs, and none stopped with an error."""
    wrong = [one for one in visit.engines if one["error"] or one["actual_state"] == "error"]
    if wrong:
        told = (f"{one['name']} is {one['actual_state']}: {one['error']}" for one in wrong)
        return Finding(holds=False, seen="; ".join(told))
    states = ", ".join(f"{one['name']} is {one['actual_state']}" for one in visit.engines)
    return Finding(holds=bool(visit.running()), seen=states or "there is no engine")


def cycling(visit: Visit) -> Finding:
    """Every running engine has a newer tick the second time it is asked."""
    engines = [str(one["connectionId"]) for one in visit.running()]
    if not engines:
        return Finding(holds=False, seen="no engine runs")
    before = {one: _last_tick(visit, one) for one in engines}
    for _ in range(NEWER_WITHIN_S):
        visit.pause(1.0)
        after = {one: _last_tick(visit, one) for one in engines}
        if all(after[one] > before[one] for one in engines):
            moved = (f"{after[one] - before[one]} ms" for one in engines)
            return Finding(holds=True, seen=f"newer ticks of all engines, by {', '.join(moved)}")
    still = [one for one in engines if after[one] <= before[one]]
    return Finding(holds=False, seen=f"no newer tick within {NEWER_WITHIN_S} s: {', '.join(still)}")


def _last_tick(visit: Visit, connection_id: str) -> int:
    told = visit.read(PROGRESSION, connectionId=connection_id, limit="1")
    return max((row["slot_ms"] for row in told["connections"][0]["tradeCycles"]), default=0)


def tracked(visit: Visit) -> Finding:
    """Each open position is counted, and has the stop that protects it."""
    opened = _pages(visit, "/api/positions", "open")
    bare = [
        str(one["symbol"]) for one in opened if one["status"] == "open" and not one["stopPrice"]
    ]
    if bare:
        return Finding(holds=False, seen=f"without a stop: {', '.join(bare)}")
    return Finding(holds=True, seen=f"{len(opened)} open positions, each with its stop")


def stored(visit: Visit) -> Finding:
    """The tables answer, and hold connections and ticks."""
    health = visit.api.ask("GET", "/api/system/health-check", with_token=False).body
    state = health.get("components", {}).get("database", "unknown")
    ticked = [one for one in visit.engines if _last_tick(visit, str(one["connectionId"]))]
    return Finding(
        holds=state == "healthy" and bool(visit.connections) and bool(ticked),
        seen=f"the database is {state}: {len(visit.connections)} connections, "
        f"{len(ticked)} with ticks",
    )


def _pages(visit: Visit, path: str, status: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for one in visit.connections:
        wanted = {"connectionId": str(one["id"]), "status": status, "limit": "500"}
        found += visit.read(path, **wanted)["data"]
    return found


def ordered(visit: Visit) -> Finding:
    """Orders were filled, and the fate of none is unknown."""
    states = [str(order["status"]) for order in _pages(visit, "/api/orders", "all")]
    filled, unknown = states.count("filled"), states.count("unknown")
    if not states:
        return Finding(holds=False, seen="no order was sent yet")
    counts = f"{filled} of the last {len(states)} orders filled, {unknown} unknown"
    return Finding(holds=filled > 0 and not unknown, seen=counts)


def logging(visit: Visit) -> Finding:
    """The monitor has caught events, and the supervisor came lately to make alerts of them."""
    logs = visit.read("/api/monitoring/logs", limit="100")["logs"]
    if not logs:
        return Finding(holds=False, seen="no line is stored")
    age_ms = visit.read("/api/monitoring/comprehensive")["supervisor"]["ageMs"]
    came = "never came" if age_ms is None else f"came {age_ms // 1000} s ago"
    return Finding(
        holds=age_ms is not None and age_ms <= READ_WITHIN_MS,
        seen=f"{len(logs)} newest lines, the last: {logs[0]['message']}; the supervisor {came}",
    )


def updating(visit: Visit) -> Finding:
    """Two reads of a screen's whole content, two seconds apart, the second with a newer tick."""
    engines = [str(one["connectionId"]) for one in visit.running()]
    if not engines:
        return Finding(holds=False, seen="no engine runs, so that nothing can change")
    first = _screen_tick(visit, engines[0])
    visit.pause(SCREEN_PAUSE_S)
    moved_ms = _screen_tick(visit, engines[0]) - first
    return Finding(
        holds=moved_ms > 0, seen=f"the last tick moved {moved_ms} ms in {SCREEN_PAUSE_S:g} s"
    )


def _screen_tick(visit: Visit, connection_id: str) -> int:
    told = visit.read("/api/snapshot", connectionId=connection_id)
    return int(told["engine"]["trade_loop"]["last_slot_ms"] or 0)
