"""The capability matrix: what ccxt says of each venue, how far we go, and on which wires it holds.

`python -m local.capabilities` writes it as the API reads it and as a page to read; a test holds
both current.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.capabilities import MATRIX
from adapters.ccxt_loader import load_venue
from adapters.venues.registry import VENUES, Level, Venue

PAGE = Path(__file__).parents[1] / "docs" / "venues.md"
METHODS = (
    "fetchOHLCV",
    "fetchTrades",
    "fetchTickers",
    "fetchBalance",
    "fetchPositions",
    "fetchOrder",
    "fetchOpenOrders",
    "fetchClosedOrders",
    "fetchMyTrades",
    "fetchFundingHistory",
    "createOrder",
    "cancelOrder",
    "setLeverage",
    "setMarginMode",
    "setPositionMode",
    "fetchPositionMode",
    "fetchLeverage",
    "fetchMarginMode",
    "watchTrades",
    "watchOrders",
    "watchMyTrades",
)
FEATURES = ("triggerPrice", "stopLossPrice", "takeProfitPrice", "hedged")
WIRES = {"binance": ("binance", "binance_spot"), "bybit": ("bybit",), "okx": ("okx",)}
"""The wires of the paper exchange on which the contract of the Exchange port passes."""


def matrix() -> list[dict[str, Any]]:
    """One row for each venue."""
    return [_row(venue) for venue in VENUES]


def _row(venue: Venue) -> dict[str, Any]:
    is_traded = venue.level is not Level.NONE
    return {
        "name": venue.name,
        "aliases": list(venue.aliases),
        "level": str(venue.level),
        "why": venue.why,
        "api_types": list(venue.api_types) if is_traded else [],
        "position_modes": _modes(venue),
        "streams": is_traded and venue.has_streams,
        "needs_passphrase": venue.needs_passphrase,
        "tested_on_wires": list(WIRES.get(venue.name, ())),
        **_of_ccxt(venue),
    }


def _modes(venue: Venue) -> list[str]:
    if venue.level is Level.NONE:
        return []
    return ["one_way", "hedge"] if venue.has_both_sides else ["one_way"]


def _of_ccxt(venue: Venue) -> dict[str, Any]:
    if not venue.ccxt_id:
        return {"ccxt_id": "", "test_net": False, "methods": {}, "orders": {}}
    client = load_venue(venue.ccxt_id)({})
    linear: Mapping[str, Any] = (client.features.get("swap") or {}).get("linear") or {}
    created: Mapping[str, Any] = linear.get("createOrder") or {}
    return {
        "ccxt_id": venue.ccxt_id,
        "test_net": bool(client.urls.get("test") or client.has.get("sandbox")),
        "methods": {name: client.has.get(name) is True for name in METHODS},
        "orders": {name: created.get(name) is True for name in FEATURES},
    }


def as_json(rows: list[dict[str, Any]]) -> str:
    """The matrix as the API reads it."""
    return json.dumps(rows, indent=1) + "\n"


def as_page(rows: list[dict[str, Any]]) -> str:
    """The matrix as a page."""
    names = [row["name"] for row in rows]
    lines = [
        "# Venues",
        "",
        "Written by `python -m local.capabilities` from ccxt, the registry of venues and the wires",
        "our tests run on. Methods and order parameters are what ccxt says of perpetuals.",
        "",
        "| venue | level | kinds | modes | streams | test net | tested on | why |",
        "|---|---|---|---|---|---|---|---|",
        *(_line(row) for row in rows),
        "",
        f"| ccxt | {' | '.join(names)} |",
        "|---|" + "---|" * len(names),
    ]
    for kind, keys in (("methods", METHODS), ("orders", FEATURES)):
        for key in keys:
            marks = ["x" if row[kind].get(key) else "" for row in rows]
            lines.append(f"| {key} | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


def _line(row: Mapping[str, Any]) -> str:
    alias = f" ({', '.join(row['aliases'])})" if row["aliases"] else ""
    cells = (
        row["name"] + alias,
        row["level"],
        ", ".join(row["api_types"]),
        ", ".join(row["position_modes"]),
        "yes" if row["streams"] else "no",
        "yes" if row["test_net"] else "no",
        ", ".join(row["tested_on_wires"]),
        row["why"],
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    made = matrix()
    MATRIX.write_text(as_json(made))
    PAGE.write_text(as_page(made))
    sys.stdout.write(f"wrote {MATRIX.name} and {PAGE.name}\n")
