"""A REST gateway in this process: it routes by infra/gateway.yaml, as the deployed one does."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote

from chalice.local import LambdaContext
from tests.documents import gateway_paths

from app import app

GREEDY = "/{proxy+}"


@dataclass(frozen=True, slots=True)
class Told:
    """An HTTP answer as its bytes."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


@dataclass(slots=True)
class Gateway:
    """Turns requests into the events Lambda gets, and its answers back."""

    token: str | None = None
    sent: int = field(default=0)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Told:
        """Send one request; `token` is added unless `headers` hold an Authorization."""
        self.sent += 1
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        if self.token is not None:
            lower.setdefault("authorization", f"Bearer {self.token}")
        answer = app(_event(method, path, body, lower), LambdaContext("api", 512))
        return Told(
            status=answer["statusCode"],
            headers={name.lower(): value for name, value in answer["headers"].items()},
            text=answer["body"],
        )


def _event(
    method: str, path: str, body: bytes | None, headers: Mapping[str, str]
) -> dict[str, Any]:
    place, _, asked = path.partition("?")
    resource, parameters = _resource(method, place)
    query = parse_qs(asked, keep_blank_values=True, errors="replace")
    return {
        "resource": resource,
        "path": place,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": method,
            "path": f"/v1{place}",
            "stage": "v1",
            "requestId": "r-1",
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": body.decode("utf-8", errors="replace") if body else None,
        "isBase64Encoded": False,
    }


def _resource(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The most literal resource that serves the method; else whatever catches the rest."""
    parts = [unquote(part, errors="replace") for part in path.strip("/").split("/") if part]
    fitting = [
        (names, template)
        for template, methods, wanted in _resources().get(len(parts), ())
        if method.lower() in methods and (names := _names(wanted, parts)) is not None
    ]
    if fitting:
        names, template = min(fitting, key=lambda one: len(one[0]))
        return template, names
    return GREEDY, {"proxy": "/".join(parts)}


def _names(wanted: Sequence[str], parts: Sequence[str]) -> dict[str, str] | None:
    found = {}
    for name, part in zip(wanted, parts, strict=True):
        if name.startswith("{"):
            found[name[1:-1]] = part
        elif name != part:
            return None
    return found


@cache
def _resources() -> Mapping[int, Sequence[tuple[str, frozenset[str], Sequence[str]]]]:
    """Template, methods and parts of every resource but the last resort, by the number of parts."""
    made: dict[int, list[tuple[str, frozenset[str], Sequence[str]]]] = {}
    for path, methods in gateway_paths().items():
        parts = [part for part in path.strip("/").split("/") if part]
        if path != GREEDY:
            made.setdefault(len(parts), []).append((path, frozenset(methods), parts))
    return made
