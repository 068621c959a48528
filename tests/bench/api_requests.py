"""The requests that are measured: what a console or a program asks often, and everything else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench.api_filled import open_id, trail

Request = tuple[str, str, Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request under its name; the number of the time it is asked may be in it.

    What is not asked `often` is measured, and not judged. `meanwhile` is what the loops store
    between two of them.
    """

    name: str
    request: Callable[[int], Request]
    often: bool = True
    meanwhile: Callable[[int], None] | None = None


def asked_of(connection_id: str) -> list[Asked]:
    """Every GET route but those of the reference, under its own name, and the main changes."""
    return [
        *(_get(name, path) for name, path in _often(connection_id).items()),
        _each_second(connection_id),
        *_changes(connection_id),
        *(_get(name, path, often=False) for name, path in _seldom(connection_id).items()),
    ]


def _get(name: str, path: str, *, often: bool = True) -> Asked:
    return Asked(name=name, request=lambda number: ("GET", path, None), often=often)


def _each_second(connection_id: str) -> Asked:
    """A console's screen, of which some positions' stops were trailed since the last one."""
    path = f"/api/snapshot?connectionId={connection_id}&candles=3&ticks=3"
    return Asked(
        name="snapshot each second",
        request=lambda number: ("GET", path, None),
        meanwhile=lambda number: trail(connection_id, number),
    )


def _often(connection_id: str) -> dict[str, str]:
    of = f"?connectionId={connection_id}"
    return {
        "health-check": "/api/system/health-check",
        "me": "/api/auth/me",
        "connections": "/api/settings/connections",
        "connection": f"/api/settings/connections/{connection_id}",
        "status": f"/api/trade-engine/status{of}",
        "status of all": "/api/trade-engine/status",
        "progression": f"/api/trade-engine/progression{of}",
        "performance": f"/api/trade-engine/performance{of}",
        "engines' health": f"/api/trade-engine/health{of}",
        "positions": f"/api/positions{of}",
        "closed positions": f"/api/positions{of}&status=closed",
        "all positions": f"/api/positions{of}&status=all",
        "orders": f"/api/orders{of}",
        "open orders": f"/api/orders{of}&status=open",
        "candles": f"/api/market-data{of}&symbol=S000USDT&limit=60",
        "commands": f"/api/commands{of}",
        "statistics": f"/api/statistics{of}",
        "statistics of positions": f"/api/positions/{connection_id}/stats",
        "series": f"/api/statistics/series{of}",
        "volume history": f"/api/volume/history/{connection_id}",
        "settings": f"/api/settings{of}",
        "setting versions": "/api/settings/versions",
        "system": "/api/monitoring/system",
        "logs": "/api/monitoring/logs",
        "alerts": "/api/monitoring/alerts",
        "errors": "/api/monitoring/errors",
        "log hours": "/api/monitoring/stats",
    }


def _seldom(connection_id: str) -> dict[str, str]:
    of = f"?connectionId={connection_id}"
    return {
        "snapshot, first of all": f"/api/snapshot{of}&candles=300&ticks=120&cadence=true",
        "statistics by symbol": f"/api/statistics{of}&groupBy=symbol",
        "comprehensive": "/api/monitoring/comprehensive",
        "largest positions page": f"/api/positions{of}&limit=500",
        "largest orders page": f"/api/orders{of}&limit=500",
        "performance of 500": f"/api/trade-engine/performance{of}&samples=500",
        "an hour of candles": f"/api/market-data{of}&symbol=S000USDT&limit=3600",
        "why": f"/api/indications/why{of}&symbol=S000USDT",
        "sets": f"/api/sets{of}&symbol=S000USDT",
        "audit": "/api/audit",
        "audit verify": "/api/audit/verify",
        "tokens": "/api/tokens",
        "notifications": "/api/monitoring/notifications",
        "exchanges": "/api/exchanges",
        "export of settings": "/api/settings/export",
        "export of logs": "/api/monitoring/export",
    }


def _changes(connection_id: str) -> list[Asked]:
    whole = {"connectionId": connection_id, "reason": "measured"}
    one = f"/api/settings/connections/{connection_id}"
    sized = {"connectionId": connection_id, "symbol": "S000USDT", "stopLossPct": "0.4"}
    asked: dict[str, Callable[[int], Request]] = {
        "pause or resume": lambda number: _pause_or_resume(number, whole),
        "close": lambda number: _close(connection_id, number),
        "change exits": lambda number: _change_exits(connection_id, number),
        "close profitable": lambda number: ("POST", "/api/positions/close-profitable", whole),
        "change connection": lambda number: ("PATCH", one, {"name": f"Paper {number}"}),
        "change settings": lambda number: _change_settings(one, number),
        "volume": lambda number: ("POST", "/api/volume/calculate", sized),
    }
    return [Asked(name=name, request=request) for name, request in asked.items()]


def _pause_or_resume(number: int, whole: Mapping[str, Any]) -> Request:
    return "POST", f"/api/trade-engine/{('pause', 'resume')[number % 2]}", whole


def _close(connection_id: str, number: int) -> Request:
    path = f"/api/positions/{open_id(connection_id, number)}/close"
    return "POST", path, {"reason": "measured"}


def _change_exits(connection_id: str, number: int) -> Request:
    path = f"/api/positions/{open_id(connection_id, number)}"
    return "PATCH", path, {"stopPrice": str(66_900 + number), "allowLooser": True}


def _change_settings(one: str, number: int) -> Request:
    return "PATCH", f"{one}/settings", {"values": {"max_open_positions": 300 + number}}
