"""Whatever fails, fails in one envelope with the status that says what to do next."""

import json
from collections.abc import Iterator

import pytest
from tests.api_world import ApiWorld, api_world
from tests.dynamo import tables_of_moto
from tests.gateway import Gateway

from adapters.tables import ConnectionRow
from app import app
from guard import MAX_BODY_BYTES

ALL = "/api/settings/connections"
JSON = {"Content-Type": "application/json"}
CHANGES = {"PUT", "PATCH"}


@pytest.fixture(scope="module")
def world() -> Iterator[ApiWorld]:
    """One for all of them: nothing they ask changes anything."""
    with tables_of_moto(), api_world() as made:
        yield made


@pytest.fixture
def gateway(world: ApiWorld) -> Gateway:
    return Gateway(token=world.operator)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("POST", "/api/nothing", 404),
        ("DELETE", "/api/settings/connections/c-1/nothing", 404),
        ("GET", "/", 404),
        ("GET", "/favicon.ico", 404),
        ("HEAD", "/api/nothing", 404),
        ("OPTIONS", "/api/nothing", 404),
        ("GET", f"{ALL}/c-1", 404),
        ("PUT", ALL, 405),
        ("HEAD", ALL, 405),
        ("POST", f"{ALL}/c-1", 405),
        ("GET", "/api/trade-engine/start", 405),
        ("DELETE", "/api/trade-engine/status", 405),
        ("POST", "/api/system/health-check", 405),
    ],
)
@pytest.mark.parametrize("token", ["operator", None])
def test_what_is_not_there_is_said_to_be_so(
    world: ApiWorld, method: str, path: str, status: int, token: str | None
) -> None:
    gateway = Gateway(token=world.operator if token else None)
    wanted = 401 if token is None and path == f"{ALL}/c-1" and status == 404 else status

    told = gateway.ask(method, path)

    assert told.status == wanted, told.text
    assert told.headers["content-type"] == "application/json"
    assert told.body["success"] is False
    assert told.body["error"]
    assert told.body["details"] == []


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", ALL, "GET, POST, OPTIONS"),
        ("POST", f"{ALL}/c-1", "DELETE, GET, PATCH, PUT, OPTIONS"),
        ("HEAD", "/api/trade-engine/start", "POST, OPTIONS"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    gateway: Gateway, method: str, path: str, allowed: str
) -> None:
    assert gateway.ask(method, path).headers["allow"] == allowed


def test_options_tells_what_is_allowed_and_opens_nothing_to_other_sites(world: ApiWorld) -> None:
    told = Gateway().ask("OPTIONS", ALL, headers={"Origin": "https://elsewhere.example"})

    assert (told.status, told.text) == (204, "")
    assert told.headers["allow"] == "GET, POST, OPTIONS"
    assert not [name for name in told.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", JSON, 400),
        (b"\xff\xfe", JSON, 400),
        (b"[1]", JSON, 400),
        (b"null", JSON, 400),
        (b'{"a": NaN}', JSON, 400),
        (b"{}", JSON, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"Content-Type": "multipart/form-data; boundary=x"}, 415),
        (b" " * (MAX_BODY_BYTES + 1), JSON, 413),
        (b"{}", {**JSON, "Authorization": "Bearer nobody"}, 401),
        (b"{}", {**JSON, "Authorization": "Basic b3BlcmF0b3I6eA=="}, 401),
        (b"{}", {**JSON, "Authorization": ""}, 401),
    ],
)
def test_a_body_or_token_that_is_wrong_is_refused(
    gateway: Gateway, body: bytes, headers: dict[str, str], status: int
) -> None:
    told = gateway.ask("POST", ALL, body, headers=headers)

    assert told.status == status, told.text
    assert told.body["success"] is False
    assert ("www-authenticate" in told.headers) == (status == 401)


def test_a_field_out_of_its_range_is_named_with_its_value_and_what_is_allowed(
    gateway: Gateway,
) -> None:
    told = gateway.ask("GET", "/api/orders?limit=501&status=lost")

    assert told.status == 400
    assert told.body["details"] == [
        {"field": "status", "message": "Input should be 'open' or 'all'", "value": "lost"},
        {
            "field": "limit",
            "message": "Input should be less than or equal to 500",
            "value": "501",
        },
    ]


def test_what_a_body_holds_is_not_repeated_where_it_may_be_a_secret(gateway: Gateway) -> None:
    body = {"name": 7, "api_key": "sEcReT", "apiSecret": "sEcReT-2"}

    told = gateway.ask("POST", ALL, json.dumps(body).encode(), headers=JSON)

    assert told.status == 400
    assert "sEcReT" not in told.text
    assert {"field": "name", "message": "Input should be a valid string", "value": "7"} in (
        told.body["details"]
    )


@pytest.mark.parametrize(
    "query", ["limit=1&limit=2", "limit=1&limit=1", "symbol=A&limit=1&symbol="]
)
def test_a_parameter_given_twice_is_refused(gateway: Gateway, query: str) -> None:
    told = gateway.ask("GET", f"/api/orders?{query}")

    assert told.status == 400
    assert told.body["details"][0]["message"] == "is given more than once"


def test_a_table_that_does_not_answer_is_told_as_not_available(api: ApiWorld) -> None:
    ConnectionRow.delete_table()

    told = Gateway(token=api.operator).ask("GET", ALL)

    assert (told.status, told.body["success"]) == (503, False)


def test_an_answer_that_does_not_fit_its_model_is_our_failure_and_not_the_callers(
    api: ApiWorld,
) -> None:
    connection_id = api.created()
    ConnectionRow("connection", connection_id).update([ConnectionRow.volume_factor.remove()])

    told = Gateway(token=api.operator).ask("GET", f"{ALL}/{connection_id}")

    assert (told.status, told.body["success"]) == (500, False)
    assert "volume_factor" not in told.text


def test_whatever_is_changed_in_place_takes_put_and_patch_alike() -> None:
    for path, methods in app.routes.items():
        if not CHANGES & set(methods):
            continue
        assert set(methods) >= CHANGES, path
        views = {methods[method].view_function for method in CHANGES}
        assert len(views) == 1, path
