"""Whatever is sent, the API refuses it in its envelope, and nothing changes."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api_world import NEW, ApiWorld, api_world
from tests.samples import a_position

from adapters.paging import to_cursor
from adapters.position_rows import position_row
from adapters.tables import CONNECTION_KIND, AuditRow, CommandRow, ConnectionRow, EngineStateRow


@pytest.fixture
def fuzzed(moto_tables: None) -> Iterator[ApiWorld]:
    with api_world() as world:
        yield world


def _state() -> list[Any]:
    """Everything a bad request could have changed."""
    rows = [
        *ConnectionRow.query(CONNECTION_KIND),
        *(row for model in (EngineStateRow, CommandRow, AuditRow) for row in model.scan()),
    ]
    return [row.attribute_values for row in rows]


@pytest.mark.parametrize(
    "change",
    [
        {"volume_factor": "1." + "0" * 60 + "1"},
        {"volume_factor": "NaN"},
        {"volume_factor": 1e308},
        {"name": "\ud800"},
        {"api_passphrase": "x" * 5000},
        {"name": ["Paper"]},
    ],
)
def test_values_no_table_holds_are_refused(fuzzed: ApiWorld, change: dict[str, Any]) -> None:
    answer = fuzzed.post("/api/settings/connections", {**NEW, **change})

    assert answer.status == 400, answer.text
    assert _state() == []


def test_a_body_nested_without_end_is_refused(fuzzed: ApiWorld) -> None:
    answer = fuzzed.call("POST", "/api/settings/connections", b"[" * 60_000)

    assert (answer.status, answer.body["success"]) == (400, False)


@pytest.mark.parametrize("connection_id", ["x" * 3000, "a%00b", "%F0%9F%92%A9", "%20"])
def test_an_id_no_connection_can_have_is_not_found(fuzzed: ApiWorld, connection_id: str) -> None:
    assert fuzzed.get(f"/api/positions/{connection_id}").status == 404


@pytest.mark.parametrize(
    "change",
    [
        {"position_id": {"N": "1"}, "live_since_ms": {"S": "x"}},
        {"live_since_ms": {"N": "not a number"}},
        {"live_since_ms": {"N": "9" * 40}},
        {"position_id": {"S": ""}},
        {"created_at_ms": {"N": "1"}},
    ],
)
def test_a_forged_cursor_is_refused(fuzzed: ApiWorld, change: dict[str, Any]) -> None:
    connection_id = fuzzed.created()
    position_row(connection_id, a_position()).save()
    key = {
        "connection_id": {"S": connection_id},
        "position_id": {"S": "p1"},
        "live_since_ms": {"N": "1"},
    }

    forged = to_cursor({**key, **change})

    assert fuzzed.get(f"/api/positions/{connection_id}?cursor={forged}").status == 400
