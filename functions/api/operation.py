"""A route and its contract in one place: parse, one call, answer.

The contract (role, body, query, answer, failures) is kept on the view, where the guard and the
OpenAPI writer find it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chalice.app import Blueprint, Chalice, Request, Response
from pydantic import BaseModel

from adapters.tokens import Role
from answers import ANSWERED, refusal, success
from engine.errors import RefusedError

View = Callable[..., BaseModel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a route takes and answers; `failures` are its own beside 400, 401, 403 and 503.

    `role` is the least that a caller needs.
    """

    role: Role
    answer: type[BaseModel]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    status: int
    failures: tuple[int, ...]


def operation(
    routes: Blueprint,
    methods: tuple[str, ...],
    path: str,
    *,
    answer: type[BaseModel],
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    status: int = 200,
    failures: tuple[int, ...] = (),
    role: Role | None = None,
) -> Callable[[View], View]:
    """Register `view` under its path and methods.

    The view is called with the path's parameters, `body` and `query` where it has such models,
    and `caller`, the name the audit log shows. Without a `role`, viewers may read and operators
    do the rest.
    """
    contract = Contract(
        role=role or (Role.VIEWER if methods == ("GET",) else Role.OPERATOR),
        answer=answer,
        body=body,
        query=query,
        status=status,
        failures=failures,
    )

    def register(view: View) -> View:
        def handled(**parameters: str) -> Response:
            try:
                asked = _arguments(contract, routes.current_request)
                made = view(**parameters, **asked)
                return success(made.model_dump(mode="json", by_alias=True), contract.status)
            except ANSWERED as error:
                return refusal(error)

        handled.__name__ = view.__name__
        handled.__doc__ = view.__doc__
        handled.contract = contract  # type: ignore[attr-defined]  # for guard, openapi
        routes.route(path, methods=list(methods), name=view.__name__)(handled)
        return view

    return register


def contract_of(app: Chalice, request: Request) -> Contract | None:
    """What the app promises of the asked route and method, or None if it does not serve them."""
    entry = app.routes.get(str(request.context.get("resourcePath")), {}).get(request.method)
    return getattr(entry.view_function, "contract", None) if entry is not None else None


def caller_of(request: Request) -> str:
    """Who asks, as the access check wrote it; empty on the open route."""
    return str(request.context.get("authorizer", {}).get("principalId", ""))


def _arguments(contract: Contract, request: Request) -> Mapping[str, Any]:
    asked: dict[str, Any] = {"caller": caller_of(request)}
    if contract.body is not None:
        asked["body"] = contract.body.model_validate(_sent(request))
    if contract.query is not None:
        asked["query"] = contract.query.model_validate(dict(request.query_params or {}))
    return asked


def _sent(request: Request) -> Any:
    try:
        return request.json_body if request.raw_body else {}
    except RecursionError as error:
        raise RefusedError("the body is nested too deeply") from error
