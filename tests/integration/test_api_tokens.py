"""Tokens: issued once, scoped, expiring, revocable, counted."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws
from tests.api_world import Answer, ApiWorld, api_world
from tests.dynamo import create_tables, point_tables_at

from adapters.iam_callers import IamCallers
from adapters.tables import AuditRow, TokenRecordRow, TokenRow
from adapters.tokens import DAY_MS, Role, token_hash
from adapters.usage import Allowed
from app import app
from services import services, using

ALL = "/api/tokens"
CONNECTIONS = "/api/settings/connections"


@pytest.fixture(scope="module")
def world() -> Iterator[ApiWorld]:
    """One API for all: each test works with tokens of its own."""
    with mock_aws():
        point_tables_at(None)
        create_tables()
        with api_world() as made:
            yield made


@pytest.fixture
def strict() -> Iterator[ApiWorld]:
    """An API that allows little."""
    with mock_aws():
        point_tables_at(None)
        create_tables()
        little = Allowed(changes_per_minute=3, reads_per_second=2, failures_per_minute=2)
        with api_world(little) as made:
            yield made


def issued(world: ApiWorld, **fields: Any) -> tuple[str, str]:
    """A new token and its id."""
    asked = {"name": "Ann", "role": "operator", **fields}
    answer = world.post(ALL, asked, token="admin")
    assert answer.status == 201, answer.text
    return answer.body["token"], answer.body["record"]["id"]


def me(world: ApiWorld, token: str) -> Answer:
    return world.get("/api/auth/me", token=token)


def test_a_token_is_shown_once_and_its_record_holds_no_secret(world: ApiWorld) -> None:
    token, token_id = issued(world, days=7)

    listed = world.get(ALL, token="admin")

    found = [one for one in listed.body["tokens"] if one["id"] == token_id]
    assert [one["created_by"][:5] for one in found] == ["admin"]
    assert token not in listed.text and token_hash(token) not in listed.text
    assert token_id not in token_hash(token)


def test_a_caller_is_told_who_it_is(world: ApiWorld) -> None:
    token, token_id = issued(world, days=7)

    told = me(world, token).body

    assert told == {
        "success": True,
        "name": f"Ann-{token_id.removeprefix('t-')}",
        "role": "operator",
        "connections": None,
        "expires_at_ms": world.clock.now_ms() + 7 * DAY_MS,
    }


def test_a_revoked_token_ends_at_once_and_is_revoked_once(world: ApiWorld) -> None:
    token, token_id = issued(world)
    assert me(world, token).status == 200

    revoked = world.call("DELETE", f"{ALL}/{token_id}", token="admin")

    assert revoked.body["record"]["revoked_at_ms"] == world.clock.now_ms()
    assert (me(world, token).status, me(world, token).body["error"]) == (
        401,
        "this token was revoked",
    )
    again = world.call("DELETE", f"{ALL}/{token_id}", token="admin")
    assert (again.status, again.body["reasons"][0]["code"]) == (409, "revoked")


def test_an_expired_token_is_refused(world: ApiWorld) -> None:
    token, _ = issued(world, days=1)
    world.clock.advance(DAY_MS - 1)
    assert me(world, token).status == 200

    world.clock.advance(1)

    assert (me(world, token).status, me(world, token).body["error"]) == (
        401,
        "this token has expired",
    )


def test_a_token_that_is_not_there_cannot_be_revoked(world: ApiWorld) -> None:
    assert world.call("DELETE", f"{ALL}/t-none", token="admin").status == 404


@pytest.mark.parametrize(
    "fields",
    [
        {"role": "king"},
        {"name": ""},
        {"days": 0},
        {"days": 3651},
        {"connections": []},
        {"role": "admin", "connections": ["c-1"]},
        {"changesPerMinute": 0},
        {"colour": "red"},
    ],
)
def test_what_a_token_cannot_be_is_refused(world: ApiWorld, fields: dict[str, Any]) -> None:
    before = len(list(TokenRecordRow.query(TokenRecordRow.KIND)))

    answer = world.post(ALL, {"name": "Ann", "role": "viewer", **fields}, token="admin")

    assert answer.status == 400
    assert len(list(TokenRecordRow.query(TokenRecordRow.KIND))) == before


def test_a_token_for_a_connection_that_is_not_there_is_refused(world: ApiWorld) -> None:
    fields = {"name": "Ann", "role": "viewer", "connections": ["c-none"]}

    assert world.post(ALL, fields, token="admin").status == 404


def test_a_scoped_token_sees_and_touches_its_connections_alone(world: ApiWorld) -> None:
    mine, other = world.created(name="Mine"), world.created(name="Other")
    token, _ = issued(world, connections=[mine])

    listed = world.get(CONNECTIONS, token=token).body

    assert [one["id"] for one in listed["connections"]] == [mine]
    assert listed["count"] == 1
    assert me(world, token).body["connections"] == [mine]
    assert world.get(f"{CONNECTIONS}/{mine}", token=token).status == 200
    assert world.call("PATCH", f"{CONNECTIONS}/{mine}", {"name": "M"}, token=token).status == 200
    for path in (f"{CONNECTIONS}/{other}", f"{CONNECTIONS}/c-none", f"/api/positions/{other}"):
        assert world.get(path, token=token).status == 403
    changed = world.call("PATCH", f"{CONNECTIONS}/{other}", {"name": "X"}, token=token)
    assert changed.status == 403
    assert world.get(f"{CONNECTIONS}/{other}").body["connection"]["name"] == "Other"


@pytest.mark.parametrize("name", ["connectionId", "connection_id"])
def test_a_connection_named_in_body_or_query_is_within_the_scope_too(
    world: ApiWorld, name: str
) -> None:
    mine, other = world.created(), world.created()
    token, _ = issued(world, connections=[mine])

    assert world.get(f"/api/orders?{name}={other}", token=token).status in (400, 403)
    assert world.get(f"/api/orders?connectionId={mine}", token=token).status == 200
    start = "/api/trade-engine/start"
    assert world.post(start, {"connectionId": other}, token=token).status == 403
    assert world.post(start, {"connectionId": mine}, token=token).status == 409
    assert world.post(start, {}, token=token).status == 403


def test_issuing_and_revoking_are_audited_without_the_secret(world: ApiWorld) -> None:
    token, token_id = issued(world)
    world.call("DELETE", f"{ALL}/{token_id}", token="admin")

    rows = [row for row in AuditRow.query("tokens") if row.details["id"] == token_id]

    assert [row.action for row in rows] == ["token.create", "token.revoke"]
    assert token not in str([row.attribute_values for row in rows])


def test_the_last_use_is_noted_once_in_ten_minutes(world: ApiWorld) -> None:
    token, token_id = issued(world)

    def last_used() -> int | None:
        return TokenRecordRow.get(TokenRecordRow.KIND, token_id).last_used_ms

    assert last_used() is None
    me(world, token)
    first = last_used()
    world.clock.advance(599_999)
    me(world, token)
    assert last_used() == first == world.clock.now_ms() - 599_999
    world.clock.advance(1)
    me(world, token)
    assert last_used() == world.clock.now_ms()


def test_a_row_from_before_tokens_had_names_still_lets_its_bearer_in(world: ApiWorld) -> None:
    TokenRow(token_hash("cts_old"), role="viewer", created_at_ms=1).save()

    told = me(world, "cts_old").body

    assert (told["role"], told["connections"]) == (Role.VIEWER, None)


def test_changes_above_the_limit_wait_for_the_next_minute(strict: ApiWorld) -> None:
    strict.clock.time_ms = 1_700_000_040_000 - 1_000  # a second before a minute begins
    path = f"{CONNECTIONS}/c-none/test"

    statuses = [strict.post(path).status for _ in range(4)]

    assert statuses == [404, 404, 404, 429]
    refused = strict.post(path)
    assert (refused.body["success"], refused.headers["Retry-After"]) == (False, "1")
    assert strict.post(path, token="admin").status == 404, "each token has its own limit"
    strict.clock.advance(1_000)
    assert strict.post(path).status == 404


def test_a_token_may_have_a_lower_limit_of_its_own(world: ApiWorld) -> None:
    token, _ = issued(world, changesPerMinute=1)
    path = f"{CONNECTIONS}/c-none/test"

    assert [world.post(path, token=token).status for _ in range(2)] == [404, 429]


def test_reads_above_the_limit_wait_until_the_bucket_fills(strict: ApiWorld) -> None:
    statuses = [strict.get(CONNECTIONS).status for _ in range(11)]

    assert statuses == [200] * 10 + [429]
    assert strict.get(CONNECTIONS).headers["Retry-After"] == "1"
    strict.clock.advance(500)
    assert [strict.get(CONNECTIONS).status for _ in range(2)] == [200, 429]


def test_an_address_that_guesses_is_told_to_wait_and_keeps_nobody_else_from_acting(
    strict: ApiWorld,
) -> None:
    """Callers behind one network, or on one machine, share an address."""
    guesses = [me(strict, f"cts_guess_{number}") for number in range(3)]

    assert [one.status for one in guesses] == [401, 401, 429]
    assert int(guesses[-1].headers["Retry-After"]) in (30, 31)
    assert me(strict, strict.operator).status == 200
    assert strict.post("/api/trade-engine/emergency-stop").status == 200
    strict.clock.advance(30_000)
    assert me(strict, "cts_guess_again").status == 401


def test_where_signatures_decide_the_guard_goes_by_them_and_not_by_tokens(world: ApiWorld) -> None:
    signed = IamCallers({"user/alice": Role.VIEWER}, account="123456789012")
    alice = {"userArn": "arn:aws:iam::123456789012:user/alice"}

    def asked(method: str, identity: dict[str, str], token: str) -> int:
        event = {
            "requestContext": {
                "httpMethod": method,
                "resourcePath": CONNECTIONS,
                "identity": identity,
            },
            "headers": {"authorization": f"Bearer {token}"},
            "pathParameters": {},
            "multiValueQueryStringParameters": None,
            "stageVariables": None,
            "body": "{}" if method == "POST" else None,
        }
        answer: dict[str, Any] = app(event, None)
        return int(answer["statusCode"])

    with using(replace(services(), iam_callers=signed)):
        assert asked("GET", alice, "none") == 200
        assert asked("POST", alice, world.admin) == 403
        assert asked("GET", {}, world.admin) == 403
    assert asked("GET", alice, "none") == 401


def test_an_emergency_stop_is_never_too_often(strict: ApiWorld) -> None:
    path = "/api/trade-engine/emergency-stop"

    assert [strict.post(path).status for _ in range(5)] == [200] * 5
