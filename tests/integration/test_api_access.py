"""Who may call: default deny over every route, and answers in one envelope."""

import json

import pytest
from tests.api_world import NEW, ApiWorld

from adapters.tables import ConnectionRow
from adapters.tokens import Role, token_hash
from app import app
from guard import MAX_BODY_BYTES

ROUTES = sorted((method, path) for path, methods in app.routes.items() for method in methods)


def test_every_route_of_the_mission_is_served() -> None:
    one = "/api/settings/connections/{connection_id}"
    wanted = {
        ("GET", "/api/settings/connections"),
        ("POST", "/api/settings/connections"),
        ("GET", one),
        ("PUT", one),
        ("PATCH", one),
        ("DELETE", one),
        ("POST", f"{one}/test"),
        ("POST", f"{one}/toggle"),
        ("POST", "/api/trade-engine/start"),
        ("POST", "/api/trade-engine/stop"),
        ("GET", "/api/trade-engine/status"),
        ("GET", "/api/trade-engine/progression"),
        ("GET", "/api/trade-engine/performance"),
        ("GET", "/api/positions"),
        ("GET", "/api/positions/{id}"),
        ("GET", "/api/positions/{id}/stats"),
        ("GET", "/api/system/health-check"),
    }

    assert wanted - set(ROUTES) == set()


def test_a_viewer_reads(api: ApiWorld) -> None:
    assert api.get("/api/settings/connections", token="viewer").status == 200


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_the_token_is_found_however_its_header_is_written(
    api: ApiWorld, name: str, scheme: str
) -> None:
    headers = {name: f"{scheme} {api.operator}"}

    answer = api.get("/api/settings/connections", token=None, headers=headers)

    assert answer.status == 200


def test_the_stored_hash_is_no_token(api: ApiWorld) -> None:
    answer = api.get("/api/settings/connections", token=token_hash(api.operator))

    assert answer.status == 401


def test_the_health_check_needs_no_token(api: ApiWorld) -> None:
    answer = api.get("/api/system/health-check", token=None)

    assert (answer.status, answer.body["overall"]) == (200, "healthy")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"not json"])
def test_a_body_that_is_not_json_is_refused(api: ApiWorld, body: bytes) -> None:
    answer = api.call("POST", "/api/settings/connections", body)

    assert (answer.status, answer.body["success"]) == (400, False)


@pytest.mark.parametrize("body", [[], "text", 7, None])
def test_a_body_that_is_no_object_is_refused(api: ApiWorld, body: object) -> None:
    raw = json.dumps(body).encode()

    assert api.call("POST", "/api/settings/connections", raw).status == 400


def test_a_body_too_large_is_refused(api: ApiWorld) -> None:
    body = {**NEW, "name": "x" * MAX_BODY_BYTES}

    answer = api.post("/api/settings/connections", body)

    assert (answer.status, answer.body["success"]) == (413, False)


def test_a_body_of_another_kind_is_refused(api: ApiWorld) -> None:
    answer = api.call(
        "POST", "/api/settings/connections", b"a=b", headers={"content-type": "text/plain"}
    )

    assert (answer.status, answer.body["success"]) == (415, False)


def test_a_table_that_does_not_answer_is_not_available(api: ApiWorld) -> None:
    ConnectionRow.delete_table()

    answer = api.get("/api/settings/connections")

    assert (answer.status, answer.body["success"]) == (503, False)
    assert "cts-test" not in answer.text


def test_health_is_critical_without_its_tables(api: ApiWorld) -> None:
    ConnectionRow.delete_table()

    answer = api.get("/api/system/health-check", token=None)

    assert answer.body["overall"] == "critical"


def test_a_route_without_a_contract_is_refused(api: ApiWorld) -> None:
    def bare() -> dict[str, bool]:
        return {"success": True}

    app.route("/api/bare")(bare)
    try:
        answer = api.get("/api/bare")
    finally:
        del app.routes["/api/bare"]

    assert (answer.status, answer.body["success"]) == (403, False)


def test_each_role_may_do_what_the_lesser_may() -> None:
    assert Role.ADMIN.covers(Role.OPERATOR) and Role.OPERATOR.covers(Role.VIEWER)
    assert not Role.VIEWER.covers(Role.OPERATOR) and not Role.OPERATOR.covers(Role.ADMIN)
