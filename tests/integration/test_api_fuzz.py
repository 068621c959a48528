"""Whatever is sent, the API refuses it in its envelope, and nothing changes."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.api_world import NEW, ApiWorld, api_world
from tests.samples import a_position

from adapters.paging import to_cursor
from adapters.position_rows import position_row
from adapters.tables import CONNECTION_KIND, AuditRow, CommandRow, ConnectionRow, EngineStateRow
from app import app

PAGE = "/api/docs"  # HTML
ROUTES = sorted((how, path) for path, hows in app.routes.items() for how in hows if path != PAGE)
TEXTS = st.text(max_size=40)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)
NAMES = st.sampled_from(
    [
        *NEW,
        "volume_factor",
        "is_live_trade",
        "is_active",
        "version",
        "connectionId",
        "limit",
        "closePositions",
        "api_passphrase",
        "symbol",
        "status",
        "cursor",
    ]
)


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


@given(
    route=st.sampled_from(ROUTES),
    body=st.dictionaries(NAMES | TEXTS, VALUES, max_size=4) | VALUES,
    query=st.dictionaries(NAMES, TEXTS, max_size=2),
    part=TEXTS,
)
@settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_bad_requests_never_fail_inside_and_change_nothing(
    fuzzed: ApiWorld, route: tuple[str, str], body: Any, query: dict[str, str], part: str
) -> None:
    method, template = route
    path = template.replace("{connection_id}", quote(f"x{part}", safe=""))
    asked = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    before = _state()

    answer = fuzzed.call(
        method,
        f"{path}?{asked}" if asked else path,
        None if method in ("GET", "DELETE") else json.dumps(body).encode(),
    )

    assert answer.status < 500, answer.text
    if answer.status >= 400:
        assert answer.body["success"] is False
    assert _state() == before


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
