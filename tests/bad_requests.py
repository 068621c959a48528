"""Requests no caller should send, any number of them from one seed, over every route there is.

Each is bad by construction: what the route's own model would accept is not used.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from app import app
from guard import MAX_BODY_BYTES, MAX_HEADER_BYTES, OPEN
from operation import Contract
from reference.document import contract_of_view, document, routes_of

JSON = {"Content-Type": "application/json"}
NOBODY = "cts_nobody-9f8e7d6c5b4a39281706f5e4d3c2b1a0"
ID = "no-such-id"
_WRONG: tuple[Any, ...] = (
    None, True, -1, 0, 10**30, 1.5e308, float("nan"), float("inf"), "", " ", "x" * 2000, "\ud800",
    "\x00", "💥" * 40, "' OR 1=1 --", "../../etc/passwd", "${jndi:ldap://x}", "<script>", "NaN",
    "-1", "1e999", [], [[]], {}, {"$ne": None}, {"a": {"b": {"c": [1, 2, {"d": None}]}}},
)  # fmt: skip
_TRICKS = (
    "..", "%2e%2e%2f", "%00", "%ff%fe", "%F0%9F%92%A9", "x" * 3000, "a%2fb", "%20", "';drop", "*",
    "{connection_id}", "__proto__", "-0",
)  # fmt: skip
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """One request; `role` is whose token it carries, None for none of ours."""

    kind: str
    method: str
    path: str
    role: str | None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    method: str
    path: str
    contract: Contract
    example: Mapping[str, Any]

    @property
    def asked(self) -> str:
        """Its path with an id nothing has."""
        return "/".join(ID if part.startswith("{") else part for part in self.path.split("/"))


def bad_requests(seed: int) -> Iterator[Bad]:
    """Without end; the same seed gives the same ones."""
    random = Random(seed)
    routes = _routes()
    while True:
        made = random.choice(_KINDS)(random.choice(routes), random)
        if made is not None:
            yield made


def _routes() -> list[_Route]:
    paths = document(app)["paths"]
    return [
        _Route(
            method=method,
            path=path,
            contract=contract_of_view(view),
            example=_example(paths[path][method.lower()]),
        )
        for path, method, view in routes_of(app)
    ]


def _example(told: Mapping[str, Any]) -> Mapping[str, Any]:
    content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    body: Mapping[str, Any] = content.get("examples", {}).get("one", {}).get("value", {})
    return body


def _stranger(route: _Route, random: Random) -> Bad | None:
    if route.path in OPEN:
        return None
    tokens = (
        "",
        NOBODY,
        "cts_",
        "x" * 4000,
        "null",
        "Bearer",
        "\t",
        "é",
        "' OR ''='",
        f"{NOBODY} x",
    )
    scheme = random.choice(("Bearer ", "bearer ", "Basic ", "", "Token ", "Digest "))
    headers = {**JSON, "Authorization": scheme + random.choice(tokens)}
    return _bad("stranger", route, json.dumps(route.example).encode(), headers)


def _viewer(route: _Route, random: Random) -> Bad | None:
    if route.contract.role.value == "viewer" or route.path in OPEN:
        return None
    return _bad("viewer", route, json.dumps(route.example).encode(), JSON, role="viewer")


def _body(route: _Route, random: Random) -> Bad | None:
    """A field of a wrong kind, left out, or that nobody knows."""
    model = route.contract.body
    if model is None:
        return None
    sent = dict(route.example)
    names = [*model.model_json_schema(by_alias=True).get("properties", {}), "is_admin", "__class__"]
    for name in random.sample(names, random.randint(1, min(3, len(names)))):
        if random.random() < 0.2:
            sent.pop(name, None)
        else:
            sent[name] = random.choice(_WRONG)
    raw = json.dumps(sent).encode()
    return None if _accepts(model, json.loads(raw)) else _bad("body", route, raw, JSON)


def _no_object(route: _Route, random: Random) -> Bad | None:
    if route.contract.body is None:
        return None
    raw: bytes = random.choice(
        (b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b"{'a': 1}", b'{"a": 1,}', b"[" * 9000,
         b'{"a":' * 2000, b"<x/>", b"a=b&c=d", b'{"a": 1}{"b": 2}', b"\x00", b"NaN", b"[{}]")
    )  # fmt: skip
    return _bad("no object", route, raw, JSON)


def _too_large(route: _Route, random: Random) -> Bad | None:
    if route.method != "GET" and random.random() < 0.5:
        raw = b'{"name": "' + b"x" * (MAX_BODY_BYTES + random.randint(1, 99)) + b'"}'
        return _bad("too large", route, raw, JSON)
    headers = {**JSON, "X-Padding": "x" * (MAX_HEADER_BYTES + random.randint(1, 99))}
    return _bad("too large", route, None, headers)


def _other_kind(route: _Route, random: Random) -> Bad | None:
    if route.contract.body is None:
        return None
    kinds = (
        "text/plain",
        "text/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "x",
    )
    raw = json.dumps(route.example).encode()
    return _bad("other kind", route, raw, {"Content-Type": random.choice(kinds)})


def _query(route: _Route, random: Random) -> Bad | None:
    model = route.contract.query
    if model is None:
        return None
    names = [*model.model_json_schema(by_alias=True).get("properties", {}), "__proto__", "limit[]"]
    chosen = random.sample(names, random.randint(1, min(3, len(names))))
    asked = [(name, str(random.choice(_WRONG))) for name in chosen]
    twice = random.random() < 0.2
    if not twice and _accepts(model, dict(asked)):
        return None
    pairs = [*asked, asked[0]] if twice else asked
    text = "&".join(f"{quote(name)}={quote(value, errors='replace')}" for name, value in pairs)
    return _bad("query", route, None, {}, path=f"{route.asked}?{text}")


def _unknown(route: _Route, random: Random) -> Bad | None:
    """Right in itself, of something that does not exist."""
    if 404 not in route.contract.failures or "{" not in route.path:
        return None
    parts = [random.choice(_TRICKS) if p.startswith("{") else p for p in route.path.split("/")]
    raw = json.dumps(route.example).encode() if route.contract.body is not None else None
    return _bad("unknown", route, raw, JSON if raw else {}, path="/".join(parts))


def _no_route(route: _Route, random: Random) -> Bad | None:
    ends = ("/", "/nothing", "//", "/..", "/%2e%2e/admin", ".php", "/nothing/at/all", "%00", "~")
    made = route.asked + random.choice(ends)
    method = random.choice(_METHODS)
    return (
        None if _serves(method, made) else _bad("no route", route, None, {}, path=made, how=method)
    )


def _wrong_method(route: _Route, random: Random) -> Bad | None:
    method = random.choice(_METHODS)
    if _serves(method, route.asked):
        return None
    return _bad("wrong method", route, json.dumps(route.example).encode(), JSON, how=method)


def _wrong_key(route: _Route, random: Random) -> Bad | None:
    if route.method == "GET":
        return None
    key = random.choice(("", " ", "x" * 256, "a b", "é", '"', "\t", "\x7f"))
    raw = json.dumps(route.example).encode() if route.contract.body is not None else None
    return _bad("wrong key", route, raw, {**(JSON if raw else {}), "Idempotency-Key": key})


_KINDS: tuple[Callable[[_Route, Random], Bad | None], ...] = (
    _stranger, _viewer, _body, _body, _body, _no_object, _too_large, _other_kind, _query, _query,
    _unknown, _no_route, _wrong_method, _wrong_key,
)  # fmt: skip


def _bad(
    kind: str,
    route: _Route,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    path: str | None = None,
    how: str | None = None,
    role: str = "admin",
) -> Bad:
    return Bad(
        kind=kind,
        method=how or route.method,
        path=path or route.asked,
        role=None if kind == "stranger" else role,
        body=None if (how or route.method) in ("GET", "HEAD") else body,
        headers=headers,
    )


def _accepts(model: type[BaseModel], sent: object) -> bool:
    try:
        model.model_validate(sent)
    except (ValidationError, RecursionError):
        return False
    return True


def _serves(method: str, path: str) -> bool:
    """Whether a gateway finds a route there."""
    parts = [part for part in path.split("/") if part]
    return any(
        how == method and len(wanted := template.strip("/").split("/")) == len(parts)
        and all(w.startswith("{") or w == p for w, p in zip(wanted, parts, strict=True))
        for template, how, _ in routes_of(app)
    )  # fmt: skip
