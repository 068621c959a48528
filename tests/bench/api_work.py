"""The API's own work for a request: parsing, decoding, computing, checking, encoding.

The deployed handler is called with the event a gateway would send, in this process. Time in the
tables' stand-in is left out, while signing, and reading the answer, are ours and counted. Processor
time is counted, so that what else runs on the machine is not. Each request is asked once before it
is measured: what a container does once in its life is told apart, as `first`. Then it is asked
twice more, and repeated with the answers it had those two times, in turn: what the loops change in
between (`Asked.meanwhile`) it finds changed every time. All are measured in rounds, and each is
told by its quietest: a machine that others use is slow for seconds at a time.
"""

import gc
import json
import secrets
import time
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aws_lambda_powertools.utilities.typing import LambdaContext
from tests.api_world import ApiWorld, api_world
from tests.bench.api_filled import Stored, filled
from tests.bench.api_requests import Asked, asked_of
from tests.bench.api_store import Store, Taken, store_in_between
from tests.bench.ordering import share as percentile
from tests.dynamo import tables_of_moto
from tests.store_watch import watched_store

from app import app, lambda_handler

HEAD = (
    *("own work of a request", "count", "first ms", "p50 ms", "p95 ms", "p99 ms"),
    *("reads", "bytes", ""),
)
ROUNDS = 5
TURNS = (1, 2)
"""The requests that are repeated, by the number of the time they were asked."""


@dataclass(slots=True)
class Work:
    """What a route's requests took, in milliseconds of own work, the first of all apart.

    `reads` and `size` (bytes of the answer) are those of the last request.
    """

    often: bool
    first_ms: float = 0.0
    ms: list[float] = field(default_factory=list)
    reads: int = 0
    size: int = 0

    @property
    def line(self) -> tuple[object, ...]:
        """For a table: after the name."""
        shares = (percentile(self.ms, each) for each in (50, 95, 99))
        judged = "" if self.often else "seldom"
        return len(self.ms), self.first_ms, *shares, self.reads, self.size, judged


def worst_ms(work: Mapping[str, Work]) -> tuple[str, float]:
    """The 95th percentile of the slowest of what is asked often, under its name."""
    often = {name: percentile(one.ms, 95) for name, one in work.items() if one.often}
    name = max(often, key=lambda one: often[one])
    return name, often[name]


class Context(LambdaContext):
    """What Lambda tells a handler of its invocation."""

    _function_name = "api"
    _memory_limit_in_mb = 512
    _invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:api"
    _aws_request_id = "11111111-2222-3333-4444-555555555555"


def measure_api(stored: Stored, *, requests: int) -> dict[str, Work]:
    """The work of each request of `api_requests`, by name, repeated so often in each round."""
    with (
        tables_of_moto(),
        api_world() as api,
        store_in_between() as store,
        redirect_stdout(StringIO()),  # where the API's own metrics go
    ):
        connection_id = filled(api, stored)
        gc.freeze()  # collecting what the stand-in holds is no work of ours
        asked = [_first(api, one, store) for one in asked_of(connection_id)]
        for _ in range(ROUNDS):
            for one in asked:
                _again(api, one, store, requests)
        return {one.asked.name: one.work for one in asked}


@dataclass(slots=True)
class _Known:
    """A request, what the store answered it by the number of the time, and its work."""

    asked: Asked
    taken: list[tuple[Taken, ...]]
    work: Work


def _first(api: ApiWorld, asked: Asked, store: Store) -> _Known:
    known = _Known(asked, [], Work(often=asked.often))
    with watched_store() as watch:
        for number in range(1 + len(TURNS)):
            if asked.meanwhile is not None:
                asked.meanwhile(number)
            watch.forget()
            store.forget()
            took_ms, answer = _own_ms(_event(asked, number, api.admin, f"live {number}"))
            if number == 0:
                known.work.first_ms = took_ms - store.seconds * 1e3
            known.work.reads, known.work.size = watch.reads, len(answer["body"].encode())
            known.taken.append(tuple(store.taken))
    return known


def _again(api: ApiWorld, known: _Known, store: Store, requests: int) -> None:
    """One more round, which counts if it is quieter than those before."""
    ms = []
    for number in range(requests):
        turn = TURNS[number % len(TURNS)]
        event = _event(known.asked, turn, api.admin, secrets.token_hex(8))
        with store.giving(known.taken[turn]):
            took_ms, _ = _own_ms(event)
        ms.append(took_ms)
    if not known.work.ms or percentile(ms, 95) < percentile(known.work.ms, 95):
        known.work.ms = ms


def _own_ms(event: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    begun = time.thread_time()
    answer = lambda_handler(event, Context())
    took_ms = (time.thread_time() - begun) * 1e3
    assert 200 <= answer["statusCode"] < 300, (event["path"], answer["body"][:500])
    return took_ms, answer


def _event(asked: Asked, number: int, token: str, key: str) -> dict[str, Any]:
    """What the REST gateway sends."""
    method, path, body = asked.request(number)
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query))
    resource, parameters = _resource(parts.path, method)
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    if body is not None:
        headers |= {
            "content-type": "application/json",
            "idempotency-key": f"{asked.name} {key}".replace(" ", "-"),
        }
    return {
        "resource": resource,
        "path": parts.path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {k: [v] for k, v in query.items()} or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": method,
            "path": parts.path,
            "stage": "v1",
            "requestId": key,
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def _resource(path: str, method: str) -> tuple[str, dict[str, str]]:
    """The route of a path, the one with the fewest parameters, and those."""
    told = path.split("/")
    fitting = []
    for route, methods in app.routes.items():
        parts = route.split("/")
        pairs = list(zip(parts, told, strict=False))
        if method in methods and len(parts) == len(told):
            given = {part[1:-1]: value for part, value in pairs if part.startswith("{")}
            if all(part == value or part.startswith("{") for part, value in pairs):
                fitting.append((len(given), route, given))
    _, route, given = min(fitting)
    return route, given
