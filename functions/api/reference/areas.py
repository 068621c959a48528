"""The areas of the API, by which the reference is grouped."""

AREAS = {
    "Connections": "Exchange accounts: create, test, switch; their settings, logs and state.",
    "Trade engine": "Start, stop, pause, and what the loops of each engine are doing.",
    "Positions and orders": "What is held and ordered at the venues, and how to close it.",
    "Markets": "Venues, candles, and why each indication and Set is where it is.",
    "Settings": "Every setting with its range; change, compare, roll back, export, import.",
    "Monitoring": "Health, logs, errors and alerts.",
    "Analytics": "Statistics by symbol, indication, strategy, mode and Set.",
    "Access": "Tokens, and the audit log of everything that was done.",
    "Reference": "This description.",
    "System": "The state of the system as a whole.",
}
# The longest beginning that fits decides.
_BEGINNINGS = {
    "/api": "System",
    "/api/alerts": "Monitoring",
    "/api/analytics": "Analytics",
    "/api/audit": "Access",
    "/api/auth": "Access",
    "/api/backup": "System",
    "/api/commands": "Trade engine",
    "/api/connections": "Connections",
    "/api/docs": "Reference",
    "/api/exchange-positions": "Positions and orders",
    "/api/exchanges": "Markets",
    "/api/health": "Monitoring",
    "/api/indications": "Markets",
    "/api/market": "Markets",
    "/api/monitoring": "Monitoring",
    "/api/openapi.json": "Reference",
    "/api/orders": "Positions and orders",
    "/api/positions": "Positions and orders",
    "/api/sets": "Markets",
    "/api/settings": "Settings",
    "/api/settings/connections": "Connections",
    "/api/statistics": "Analytics",
    "/api/tokens": "Access",
    "/api/trade-engine": "Trade engine",
    "/api/trading": "Analytics",
    "/api/volume": "Analytics",
}


def area_of(path: str) -> str:
    """The area of a route."""
    fitting = [one for one in _BEGINNINGS if path.startswith(one)]
    return _BEGINNINGS[max(fitting, key=len)]
