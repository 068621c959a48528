"""Bybit's lists, read to their last page."""

from collections.abc import Mapping
from typing import Any

from adapters.venues import Caller
from adapters.venues.bybit_requests import LINEAR

_WEEK_MS = 7 * 86_400_000


async def pages(
    wire: Caller, method: str, params: Mapping[str, Any], *, limit: int, urgent: bool = False
) -> list[Any]:
    """The rows of all pages of a list."""
    rows: list[Any] = []
    asked = dict(params) | {"limit": limit}
    while True:
        result = (await wire.call(method, asked, urgent=urgent))["result"]
        rows += result["list"]
        cursor = _next(result, asked)
        if not cursor:
            return rows
        asked["cursor"] = cursor


async def executions(wire: Caller, params: Mapping[str, Any], *, since_ms: int) -> list[Any]:
    """All executions since then, asked for week by week until the venue's own present."""
    found: dict[str, Any] = {}
    asked: dict[str, Any] = {**LINEAR, **params, "limit": 100, "startTime": since_ms}
    asked["endTime"] = since_ms + _WEEK_MS
    while True:
        answer = await wire.call("privateGetV5ExecutionList", asked, urgent=True)
        result = answer["result"]
        found |= {row["execId"]: row for row in result["list"]}
        cursor = _next(result, asked)
        if cursor:
            asked["cursor"] = cursor
        elif asked["endTime"] < int(answer["time"]):
            asked.pop("cursor", None)
            asked["startTime"], asked["endTime"] = asked["endTime"], asked["endTime"] + _WEEK_MS
        else:
            return list(found.values())


def _next(result: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """The cursor of the next page, empty after the last; one that stands still leads nowhere."""
    cursor = str(result.get("nextPageCursor") or "")
    return cursor if result["list"] and cursor != asked.get("cursor") else ""
