"""GET /api/monitoring/logs: what was told is found again, newest first, page by page."""

from typing import Any
from urllib.parse import quote

import pytest
from tests.api_world import ApiWorld

from adapters.monitoring import log_views
from adapters.monitoring.entries import Category, Entry, Level
from adapters.monitoring.packets import write_packet
from adapters.tables import ConnectionRow, SiteLogRow

LOGS = "/api/monitoring/logs"


def an_entry(at_ms: int, message: str, **changes: Any) -> Entry:
    known: dict[str, Any] = {"level": Level.INFO, "category": Category.SYSTEM, "values": {}}
    return Entry(at_ms=at_ms, message=message, **(known | changes))


def messages(api: ApiWorld, query: str = "") -> list[str]:
    answer = api.get(f"{LOGS}?{query}")
    assert answer.status == 200, answer.text
    return [one["message"] for one in answer.body["logs"]]


def test_entries_of_overlapping_rows_are_told_newest_first(api: ApiWorld) -> None:
    one, now = api.created(), api.clock.now_ms()
    write_packet(
        one, [an_entry(now - 50_000, "e"), an_entry(now - 100, "b")], now_ms=now, keep_days=1
    )
    rows = [an_entry(now - 40_000, "d"), an_entry(now - 200, "c")]
    write_packet("system", rows, now_ms=now - 150, keep_days=1)
    write_packet("system", [an_entry(now - 50, "a")], now_ms=now + 100, keep_days=1)

    assert messages(api) == ["a", "b", "c", "d", "e"]


def test_pages_together_are_the_whole_and_nothing_twice(api: ApiWorld) -> None:
    now = api.clock.now_ms()
    for number in range(7):
        entries = [an_entry(now - 10 * n, f"{number}.{n}") for n in range(3)]
        write_packet("system", entries, now_ms=now + number, keep_days=1)

    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = api.get(f"{LOGS}?limit=4" + (f"&cursor={quote(cursor)}" if cursor else ""))
        found += [one["message"] for one in answer.body["logs"]]
        cursor = answer.body["cursor"]

    assert sorted(found) == sorted(messages(api, "limit=500"))
    assert len(found) == len(set(found)) == 21


def test_a_long_search_ends_with_a_cursor_and_goes_on_there(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_views, "ROWS_READ", 3)
    now = api.clock.now_ms()
    for number in range(8):
        write_packet(
            "system", [an_entry(now + number, f"m{number}")], now_ms=now + number, keep_days=1
        )

    first = api.get(f"{LOGS}?correlationId=nothing").body
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = api.get(f"{LOGS}?limit=500" + (f"&cursor={quote(cursor)}" if cursor else "")).body
        found += [one["message"] for one in answer["logs"]]
        cursor = answer["cursor"]

    assert first["logs"] == []
    assert first["cursor"] is not None
    assert found == [f"m{number}" for number in reversed(range(8))]


def test_filters_take_what_they_name_and_leave_the_rest(api: ApiWorld) -> None:
    one, now = api.created(), api.clock.now_ms()
    write_packet("system", [an_entry(now, "plain")], now_ms=now, keep_days=1)
    bad = an_entry(now - 5_000, "bad", level=Level.ERROR, correlation_id="b1", count=4)
    old = an_entry(now - 60_000, "old", category=Category.DATABASE)
    write_packet(one, [bad, old], now_ms=now, keep_days=1)

    assert messages(api, "level=error") == ["bad"]
    assert messages(api, "category=database") == ["old"]
    assert messages(api, f"connectionId={one}") == ["bad", "old"]
    assert messages(api, "correlationId=b1") == ["bad"]
    assert messages(api, f"startDate={now - 5_000}") == ["plain", "bad"]
    assert messages(api, f"endDate={now - 5_000}") == ["bad", "old"]
    stats = api.get(f"{LOGS}?connectionId={one}").body["stats"]
    assert stats == {
        "total": 5,
        "byLevel": {"error": 4, "info": 1},
        "byCategory": {"system": 4, "database": 1},
    }


def test_a_wrong_question_is_refused(api: ApiWorld) -> None:
    asked = {
        query: api.get(f"{LOGS}?{query}").status
        for query in (
            "level=fatal",
            "limit=0",
            "limit=501",
            "startDate=5&endDate=4",
            "cursor=nonsense",
            "colour=red",
            "connectionId=nobody",
        )
    }

    assert asked.pop("connectionId=nobody") == 404
    assert set(asked.values()) == {400}


def test_a_row_lasts_as_long_as_it_was_told(api: ApiWorld) -> None:
    now = api.clock.now_ms()
    write_packet("system", [an_entry(now, "m")], now_ms=now, keep_days=30)

    (row,) = SiteLogRow.query("system")

    assert row.expires_at == now // 1000 + 30 * 86_400


def test_changes_are_told_and_reads_are_not(api: ApiWorld) -> None:
    api.created()
    api.get(LOGS)
    api.get(LOGS, token="nobody's")
    with_log = [entry.message for entry in _held(api)]

    assert with_log == ["request done", "request refused"]


def test_a_request_that_fails_is_stored_with_its_id_at_once(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("api_secret=hidden")

    monkeypatch.setattr(ConnectionRow, "query", broken)
    assert api.get("/api/settings/connections").status == 500
    monkeypatch.undo()

    (told,) = api.get(f"{LOGS}?level=error&category=api").body["logs"]

    assert told["message"] == "request failed"
    assert "hidden" not in str(told)


def _held(api: ApiWorld) -> list[Entry]:
    from services import services

    recorder = services().log._recorder
    assert recorder is not None
    return recorder._held
