"""Default deny: every route of the API, asked by everybody who may not."""

from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws
from tests.api_world import Answer, ApiWorld, api_world
from tests.documents import described_paths
from tests.dynamo import create_tables, point_tables_at

from adapters.tables import CONNECTION_KIND, ConnectionRow
from adapters.tokens import NewToken, Role
from app import app
from guard import MAX_HEADER_BYTES, OPEN
from operation import Reach

ROUTES = sorted((method, path) for path, methods in app.routes.items() for method in methods)
CLOSED = [(method, path) for method, path in ROUTES if path not in OPEN]
LISTED = described_paths()
# The dangerous directions, spelled out: who adds to these says so here.
OPEN_ROUTES = {"/api/system/health-check", "/api/docs", "/api/openapi.json"}
TELL_OF_NO_CONNECTION = {
    "/api/auth/me",
    "/api/exchanges",
    "/api/system/health-check",
}
CALCULATE_ONLY = {"/api/volume/calculate"}
FOR_ADMINS = ("/api/tokens", "/api/audit")


class Asking:
    """An API with a connection that nobody's scope reaches, and tokens of all kinds."""

    def __init__(self, world: ApiWorld) -> None:
        self.world = world
        self.mine, self.other = world.created(name="Mine"), world.created(name="Other")
        self.tokens: dict[str, str | None] = {
            "no token": None,
            "an empty token": "",
            "a bad token": "cts_nobody_issued_this",
            "an expired token": self._issued("expired", Role.ADMIN, days=1),
            "a revoked token": self._issued("revoked", Role.ADMIN),
            "viewer": "viewer",
            "operator": "operator",
            "admin": "admin",
        }
        world.clock.advance(86_400_000)
        revoked = next(one for one in world.tokens.all() if one["name"] == "revoked")
        world.tokens.revoke(revoked["id"], by="test")
        self.tokens |= {
            f"scoped {role}": self._issued("scoped", role, connections=(self.mine,))
            for role in (Role.VIEWER, Role.OPERATOR)
        }

    def _issued(self, name: str, role: Role, **more: Any) -> str:
        return self.world.tokens.create(NewToken(name=name, role=role, **more), by="test")[0]

    def ask(
        self,
        method: str,
        path: str,
        who: str,
        *,
        query: str = "",
        body: Any = None,
        target: str | None = None,
    ) -> Answer:
        filled = (
            path.replace("{connection_id}", target or self.other)
            .replace("{", "x-")
            .replace("}", "")
        )
        sent = None if method in ("GET", "DELETE") else body or {"colour": "of no meaning"}
        asked = f"{filled}?{query}" if query else filled
        return self.world.call(method, asked, sent, token=self.tokens[who])


@pytest.fixture(scope="module")
def asking() -> Iterator[Asking]:
    """One API for all: nothing that is refused changes it."""
    with mock_aws():
        point_tables_at(None)
        create_tables()
        with api_world() as made:
            yield Asking(made)


def contract(method: str, path: str) -> Any:
    view: Any = app.routes[path][method].view_function
    return view.contract


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_is_listed_with_the_role_that_it_keeps_to(method: str, path: str) -> None:
    listed = LISTED[path][method.lower()]

    if path in OPEN_ROUTES:
        assert listed["x-cts-role"] == "open"
        return
    assert listed["x-cts-role"] == contract(method, path).role
    assert listed["x-cts-reach"] == contract(method, path).reach
    assert listed["security"]


def test_what_is_open_or_tells_of_no_connection_is_spelled_out() -> None:
    found = {path for method, path in ROUTES if contract(method, path).reach is Reach.ANY}

    assert OPEN == OPEN_ROUTES
    assert found == TELL_OF_NO_CONNECTION


@pytest.mark.parametrize(("method", "path"), CLOSED)
def test_changes_need_an_operator_and_access_itself_an_administrator(
    method: str, path: str
) -> None:
    needed = contract(method, path).role

    reads = method == "GET" or path in CALCULATE_ONLY
    assert needed.covers(Role.VIEWER if reads else Role.OPERATOR)
    assert needed is Role.ADMIN or not path.startswith(FOR_ADMINS)


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize(
    "who", ["no token", "an empty token", "a bad token", "an expired token", "a revoked token"]
)
def test_nobody_without_a_valid_token_is_answered(
    asking: Asking, method: str, path: str, who: str
) -> None:
    answer = asking.ask(method, path, who)

    assert (answer.status, answer.body["success"]) == (401, False)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize("who", list(Role))
def test_a_role_is_admitted_where_its_contract_says_and_nowhere_else(
    asking: Asking, method: str, path: str, who: Role
) -> None:
    answer = asking.ask(method, path, who.value, target="c-none")

    if who.covers(contract(method, path).role):
        assert answer.status not in (401, 403, 429)
    else:
        assert (answer.status, answer.body["success"]) == (403, False)


@pytest.mark.parametrize(("method", "path"), CLOSED)
@pytest.mark.parametrize("who", ["scoped viewer", "scoped operator"])
@pytest.mark.parametrize("name", ["", "connectionId", "connection_id"])
def test_a_token_of_another_connection_sees_and_touches_nothing(
    asking: Asking, method: str, path: str, who: str, name: str
) -> None:
    query = f"{name}={asking.other}" if name else ""
    body = {name: asking.other} if name else None

    answer = asking.ask(method, path, who, query=query, body=body)

    reach = contract(method, path).reach
    if reach is Reach.ANY or (reach is Reach.LISTED and "{" not in path and not name):
        assert asking.other not in answer.text
        return
    # Refused for its reach, or before for its form; never told whether there is such a thing.
    assert answer.status in (400, 403)
    assert "Other" not in answer.text


def test_nothing_of_all_that_changed_anything(asking: Asking) -> None:
    names = {row.connection_id: row.name for row in ConnectionRow.query(CONNECTION_KIND)}

    assert names == {asking.mine: "Mine", asking.other: "Other"}


@pytest.mark.parametrize("path", sorted(app.routes))
def test_no_other_origin_is_ever_allowed(asking: Asking, path: str) -> None:
    origin = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}

    preflight = _preflight(path, origin)
    sent = {**origin, "authorization": f"Bearer {asking.world.viewer}"}
    read = asking.world.client.http.request("GET", path, headers=sent)

    assert preflight["statusCode"] in (204, 401, 405)
    told = [*preflight["headers"], *preflight["multiValueHeaders"], *read.headers]
    assert not [name for name in told if name.lower().startswith("access-control-")]
    assert all(entry.cors is None for entry in app.routes[path].values())


def _preflight(path: str, headers: dict[str, str]) -> dict[str, Any]:
    """What the function answers to OPTIONS: perhaps the methods, never an origin."""
    event = {
        "requestContext": {"httpMethod": "OPTIONS", "resourcePath": path},
        "headers": headers,
        "pathParameters": {},
        "multiValueQueryStringParameters": None,
        "stageVariables": None,
        "body": None,
    }
    answer: dict[str, Any] = app(event, None)
    return answer


@pytest.mark.parametrize(
    ("method", "path"),
    [(method, path) for method, path in CLOSED if contract(method, path).body is not None],
)
def test_a_body_that_is_not_json_by_its_type_is_refused(
    asking: Asking, method: str, path: str
) -> None:
    answer = asking.world.call(
        method, path, b"a=b", token="admin", headers={"content-type": "text/plain"}
    )

    assert (answer.status, answer.body["success"]) == (415, False)


def test_headers_too_large_are_refused(asking: Asking) -> None:
    answer = asking.world.get("/api/exchanges", headers={"x-much": "x" * MAX_HEADER_BYTES})

    assert (answer.status, answer.body["success"]) == (431, False)
