"""The API's own work for a request: parsing, decoding, computing, checking, encoding.

The deployed handler is called with the event a gateway would send, in this process. Tables are
moto's, which answers botocore where it would send the request: the time in there is that of a
stand-in and is left out, while signing, and reading the answer, are ours and counted. Processor
time is counted, so that what else runs on the machine is not. Each request is asked once before it
is measured: what a container does once in its life is told apart, as `first`.
"""

import gc
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aws_lambda_powertools.utilities.typing import LambdaContext
from moto.core.botocore_stubber import BotocoreStubber
from tests.api_world import ApiWorld, api_world
from tests.bench.api_filled import Stored, filled
from tests.bench.api_requests import Asked, asked_of
from tests.bench.ordering import share as percentile
from tests.dynamo import tables_of_moto
from tests.store_watch import StoreWatch, watched_store

from app import app, lambda_handler

HEAD = (
    *("own work of a request", "count", "first ms", "p50 ms", "p95 ms", "p99 ms"),
    *("reads", "bytes", ""),
)
BUDGET_S = 20.0
"""For one route: its stand-in of a store may take far longer than the route."""


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


@dataclass(slots=True)
class Waited:
    """Seconds in the stand-in of the store."""

    seconds: float = 0.0


class Context(LambdaContext):
    """What Lambda tells a handler of its invocation."""

    _function_name = "api"
    _memory_limit_in_mb = 512
    _invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:api"
    _aws_request_id = "11111111-2222-3333-4444-555555555555"


def measure_api(stored: Stored, *, requests: int) -> dict[str, Work]:
    """The work of each request of `api_requests`, by name: asked so often, or for `BUDGET_S`."""
    with (
        tables_of_moto(),
        api_world() as api,
        _left_out() as waited,
        watched_store() as watch,
        redirect_stdout(StringIO()),  # where the API's own metrics go
    ):
        connection_id = filled(api, stored)
        gc.freeze()  # collecting what the stand-in holds is no work of ours
        found = {}
        for asked in asked_of(connection_id):
            found[asked.name] = _measured(api, asked, waited, watch, requests)
        return found


def _measured(
    api: ApiWorld, asked: Asked, waited: Waited, watch: StoreWatch, requests: int
) -> Work:
    work = Work(often=asked.often)
    until = 0.0
    for number in range(1 + requests):
        method, path, body = asked.request(number)
        event = _event(method, path, body, api.admin, f"{asked.name} {number}")
        watch.forget()
        took_ms, answer = _own_ms(event, waited)
        assert 200 <= answer["statusCode"] < 300, (method, path, answer["body"][:500])
        work.reads, work.size = watch.reads, len(answer["body"].encode())
        if number:
            work.ms.append(took_ms)
        else:
            work.first_ms, until = took_ms, time.monotonic() + BUDGET_S
        if number and time.monotonic() > until:
            break
    return work


def _own_ms(event: dict[str, Any], waited: Waited) -> tuple[float, dict[str, Any]]:
    waited.seconds = 0.0
    begun = time.thread_time()
    answer = lambda_handler(event, Context())
    return (time.thread_time() - begun - waited.seconds) * 1e3, answer


@contextmanager
def _left_out() -> Iterator[Waited]:
    """Note how long the store's stand-in takes for its answers."""
    waited = Waited()
    answer: Callable[..., Any] = BotocoreStubber.__call__

    def timed(stub: BotocoreStubber, *given: Any, **named: Any) -> Any:
        begun = time.thread_time()
        try:
            return answer(stub, *given, **named)
        finally:
            waited.seconds += time.thread_time() - begun

    BotocoreStubber.__call__ = timed
    try:
        yield waited
    finally:
        BotocoreStubber.__call__ = answer


def _event(
    method: str, path: str, body: Mapping[str, Any] | None, token: str, key: str
) -> dict[str, Any]:
    """What the REST gateway sends."""
    parts = urlsplit(path)
    query = dict(parse_qsl(parts.query))
    resource, parameters = _resource(parts.path, method)
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    if body is not None:
        headers |= {"content-type": "application/json", "idempotency-key": key.replace(" ", "-")}
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
