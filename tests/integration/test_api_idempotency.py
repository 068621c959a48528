"""Changes under an Idempotency-Key are done once."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from chalice.app import Request, Response
from moto import mock_aws
from pynamodb.exceptions import PutError
from tests.api_world import NEW, SECRETS, Answer, ApiWorld, api_world
from tests.dynamo import create_tables, point_tables_at

import remembered
from adapters.aws import client
from adapters.refusals import ConflictError
from adapters.tables import CONNECTION_KIND, ConnectionRow, IdempotencyRow
from adapters.tokens import Caller, Role
from answers import success
from app import app
from engine.errors import StoreBusyError

ALL = "/api/settings/connections"
TOKENS = "/api/tokens"


@pytest.fixture(scope="module")
def world() -> Iterator[ApiWorld]:
    with mock_aws():
        point_tables_at(None)
        _forget_clients()
        create_tables()
        with api_world() as made:
            yield made
    _forget_clients()


def _forget_clients() -> None:
    client.cache_clear()
    remembered._store.cache_clear()


def keyed(
    world: ApiWorld, key: str, body: Any = None, *, path: str = ALL, token: str = "operator"
) -> Answer:
    sent = NEW if body is None else body
    return world.post(path, sent, token=token, headers={"Idempotency-Key": key})


def connections() -> int:
    return len(list(ConnectionRow.query(CONNECTION_KIND)))


def stored() -> str:
    return str([row.attribute_values for row in IdempotencyRow.scan()])


@pytest.fixture
def key() -> str:
    return uuid4().hex


def test_a_repeated_change_is_told_the_same_and_done_once(world: ApiWorld, key: str) -> None:
    first = keyed(world, key)
    before = connections()

    again = keyed(world, key)

    assert (again.status, again.body) == (first.status, first.body) == (201, first.body)
    assert connections() == before
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_key_may_be_written_as_a_structured_string(world: ApiWorld, key: str) -> None:
    first = keyed(world, f'"{key}"')

    assert keyed(world, key).body == first.body


@pytest.mark.parametrize("changed", ["body", "path"])
def test_a_key_with_another_request_is_refused(world: ApiWorld, key: str, changed: str) -> None:
    made = keyed(world, key).body["id"]
    before = connections()

    if changed == "body":
        answer = keyed(world, key, {**NEW, "name": "Another"})
    else:
        answer = keyed(world, key, path=f"{ALL}/{made}/test")

    assert (answer.status, answer.body["success"]) == (422, False)
    assert connections() == before


def test_two_resources_of_one_route_are_two_requests(world: ApiWorld, key: str) -> None:
    one, other = world.created(), world.created()
    assert keyed(world, key, {}, path=f"{ALL}/{one}/test").status == 200

    assert keyed(world, key, {}, path=f"{ALL}/{other}/test").status == 422


def test_a_key_belongs_to_its_caller(world: ApiWorld, key: str) -> None:
    first = keyed(world, key)

    other = keyed(world, key, token="admin")

    assert other.status == 201
    assert other.body["id"] != first.body["id"]


def test_without_a_key_each_request_is_done(world: ApiWorld) -> None:
    assert world.post(ALL, NEW).body["id"] != world.post(ALL, NEW).body["id"]


@pytest.mark.parametrize("bad", ["", "x" * 256, "two words", "tab\there"])
def test_a_key_that_is_none_is_refused(world: ApiWorld, bad: str) -> None:
    before = connections()

    answer = keyed(world, bad)

    assert (answer.status, answer.body["success"]) == (400, False)
    assert connections() == before


def test_a_refused_change_may_be_corrected_under_its_key(world: ApiWorld, key: str) -> None:
    assert keyed(world, key, {**NEW, "volume_factor": "-1"}).status == 400

    assert keyed(world, key).status == 201


def test_a_failure_is_not_remembered(
    world: ApiWorld, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: Any, **__: Any) -> None:
        raise PutError("the store is away")

    with monkeypatch.context() as patched:
        patched.setattr("adapters.audited.put", unavailable)
        assert keyed(world, key).status == 503
    made = keyed(world, key)

    assert made.status == 201
    assert "Idempotency-Replayed" not in made.headers


def test_nothing_that_is_kept_holds_a_secret(world: ApiWorld, key: str) -> None:
    keyed(world, key)
    issued = keyed(world, key + "t", {"name": "A", "role": "viewer"}, path=TOKENS, token="admin")
    again = keyed(world, key + "t", {"name": "A", "role": "viewer"}, path=TOKENS, token="admin")

    told = stored()
    assert [
        one for one in (*SECRETS.values(), issued.body["token"], world.admin) if one in told
    ] == []
    assert again.body == {**issued.body, "token": None}


def test_reads_take_no_notice_of_a_key(world: ApiWorld, key: str) -> None:
    world.get(ALL, headers={"Idempotency-Key": key})
    world.created()

    assert (
        len(world.get(ALL, headers={"Idempotency-Key": key}).body["connections"]) == connections()
    )


def test_every_change_takes_a_key(world: ApiWorld) -> None:
    """The key is read before the route: none can be forgotten."""
    changing = [
        (method, path)
        for path, methods in app.routes.items()
        for method in methods
        if method != "GET"
    ]
    for method, path in changing:
        answer = world.call(
            method,
            path.replace("{", "").replace("}", ""),
            {},
            token="admin",
            headers={"Idempotency-Key": "two words"},
        )

        assert (answer.status, "Idempotency-Key" in answer.text) == (400, True), (method, path)


def a_request(key: str) -> Request:
    """A change as the guard lets it through."""
    event = {
        "requestContext": {"httpMethod": "POST", "resourcePath": "/api/x"},
        "headers": {"Idempotency-Key": key},
        "pathParameters": {},
        "multiValueQueryStringParameters": None,
        "stageVariables": None,
        "body": "{}",
    }
    request = Request(event, SimpleNamespace(get_remaining_time_in_millis=lambda: 20_000))
    request.context["caller"] = Caller(name="me", role=Role.OPERATOR, caller_id="me")
    return request


def a_contract() -> Any:
    view: Any = app.routes[ALL]["POST"].view_function
    return view.contract


def test_a_done_change_whose_memory_fails_is_told_as_done(
    world: ApiWorld, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("the store is away")

    monkeypatch.setattr(remembered._store(), "save_success", fail)

    answer = remembered.done_once(a_request(key), a_contract(), lambda: success({"success": True}))

    assert answer.status_code == 200


def test_nothing_is_done_while_the_memory_is_away(
    world: ApiWorld, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("the store is away")

    done: list[int] = []
    monkeypatch.setattr(remembered._store(), "save_inprogress", fail)

    with pytest.raises(StoreBusyError):
        remembered.done_once(a_request(key), a_contract(), lambda: _noted(done))

    assert done == []


def test_an_emergency_stop_under_a_key_waits_for_no_memory(
    world: ApiWorld, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one stop however often it is asked for, and a repetition must not be told to wait."""

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("the store is away")

    monkeypatch.setattr(remembered._store(), "save_inprogress", fail)
    path, body = "/api/trade-engine/emergency-stop", {"connectionId": "c-none"}

    answer = world.call("POST", path, body, headers={"Idempotency-Key": key})

    assert (answer.status, "c-none" in answer.text) == (404, True)


def _noted(done: list[int]) -> Response:
    done.append(1)
    return success({"success": True, "number": len(done)})


@pytest.mark.ministack
@pytest.mark.usefixtures("ministack_tables")
def test_of_duplicates_at_once_one_is_done(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    _forget_clients()
    done: list[int] = []
    start, others_refused = Barrier(4), Event()

    def working() -> Response:
        others_refused.wait(10)
        return _noted(done)

    def ask(_: int) -> str:
        start.wait()
        try:
            remembered.done_once(a_request(key), a_contract(), working)
        except ConflictError as error:
            return error.reasons[0].code
        return "done"

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask, number) for number in range(4)]
        _until(lambda: sum(one.done() for one in asked) == 3)
        others_refused.set()
        outcomes = sorted(one.result() for one in asked)
    _forget_clients()

    assert outcomes == ["done", "in_progress", "in_progress", "in_progress"]
    assert done == [1]


def _until(holds: Callable[[], bool]) -> None:

    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.005)
