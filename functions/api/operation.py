"""A route and its contract in one place: parse, one call, answer.

The contract (role, body, query, answer, failures) is kept on the view, where the guard and the
OpenAPI writer find it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from chalice.app import Blueprint, Chalice, MultiDict, Request, Response
from pydantic import BaseModel, ValidationError

from adapters.refusals import ForbiddenError
from adapters.tokens import Caller, Role
from answers import ANSWERED, InvalidError, invalid, refusal, success
from engine.errors import RefusedError

View = Callable[..., BaseModel | Response]


class Reach(StrEnum):
    """What a caller who reaches some connections alone may ask of a route."""

    NAMED = "named"  # the request must name connections, all of them the caller's
    LISTED = "listed"  # without a name the view leaves out what is not in `within`
    ANY = "any"  # nothing of a connection is in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """What a route takes and answers; `failures` are its own beside 400, 401, 403 and 503.

    `answer` comes with `status` or one of `also`, which say how it went. `role` is the least that a
    caller needs. What `once` names is told once: an answer repeated under its Idempotency-Key has
    null in its place. Without an `answer` the view makes the response itself, of the kind `media`.
    `owner` tells of which connection the one id in the path is.
    """

    role: Role
    reach: Reach
    owner: Callable[[str], str] | None
    once: tuple[str, ...]
    answer: type[BaseModel] | None
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    status: int
    also: tuple[int, ...]
    failures: tuple[int, ...]
    media: str


def operation(
    routes: Blueprint,
    methods: tuple[str, ...],
    path: str,
    *,
    answer: type[BaseModel] | None,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    status: int = 200,
    failures: tuple[int, ...] = (),
    role: Role | None = None,
    reach: Reach = Reach.NAMED,
    owner: Callable[[str], str] | None = None,
    once: tuple[str, ...] = (),
    media: str = "application/json",
    also: tuple[int, ...] = (),
    status_of: Callable[[Any], int] | None = None,
) -> Callable[[View], View]:
    """Register `view` under its path and methods.

    The view is called with the path's parameters, `body` and `query` where it has such models,
    `caller`, the name the audit log shows, and for `Reach.LISTED` `within`, the connections that
    may be told of, or None for all. Without a `role`, viewers may read and operators
    do the rest. `status_of` tells from the answer whether it comes with `status` or one of `also`.
    """
    contract = Contract(
        role=role or (Role.VIEWER if methods == ("GET",) else Role.OPERATOR),
        reach=reach,
        owner=owner,
        once=once,
        answer=answer,
        body=body,
        query=query,
        status=status,
        also=also,
        failures=failures,
        media=media,
    )

    def register(view: View) -> View:
        def handled(**parameters: str) -> Response:
            try:
                asked = _arguments(contract, routes.current_request, parameters)
                made = view(**parameters, **asked)
                if isinstance(made, Response):
                    return made
                told = contract.status if status_of is None else status_of(made)
                return success(_body(made, routes.current_request), told)
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
    bearer = bearer_of(request)
    return bearer.name if bearer is not None else ""


def bearer_of(request: Request) -> Caller | None:
    """The caller with all that the guard knows; None on the open route."""
    bearer: Caller | None = request.context.get("caller")
    return bearer


def _arguments(
    contract: Contract, request: Request, parameters: Mapping[str, str]
) -> Mapping[str, Any]:
    asked: dict[str, Any] = {"caller": caller_of(request)}
    if contract.body is not None:
        asked["body"] = _valid("body", contract.body, _sent(request))
    if contract.query is not None:
        asked["query"] = _valid("query", contract.query, _parameters(request))
    bearer = bearer_of(request)
    if bearer is not None and bearer.connections is not None:
        owner = contract.owner
        owned = {} if owner is None else {"connection_id": owner(*parameters.values())}
        _refuse_out_of_reach(contract, bearer, (owned, parameters, *map(vars, _models(asked))))
    if contract.reach is Reach.LISTED:
        asked["within"] = bearer.connections if bearer is not None else None
    return asked


def _body(made: BaseModel, request: Request) -> dict[str, Any] | str:
    """Text for a read; a change may be remembered, and told again without what is told once."""
    if request.method == "GET":
        return made.model_dump_json(by_alias=True)
    return made.model_dump(mode="json", by_alias=True)


def _models(asked: Mapping[str, Any]) -> list[BaseModel]:
    return [asked[name] for name in ("body", "query") if name in asked]


def _refuse_out_of_reach(
    contract: Contract, bearer: Caller, places: Sequence[Mapping[str, Any]]
) -> None:
    """A token for some connections names its own, or asks what tells of none.

    Whether a connection it does not reach exists is not told.
    """
    named = [place["connection_id"] for place in places if place.get("connection_id")]
    if not bearer.reaches(named):
        raise ForbiddenError("your token does not reach this connection")
    if not named and contract.reach is Reach.NAMED:
        raise ForbiddenError("your token reaches some connections alone: name one of them")


def _valid(place: str, model: type[BaseModel], sent: object) -> BaseModel:
    try:
        return model.model_validate(sent)
    except ValidationError as error:
        raise invalid(place, error) from error


def _parameters(request: Request) -> dict[str, str]:
    """The query; refuses a parameter given twice, of which a reader would pick one."""
    sent = request.query_params or MultiDict({})
    twice = [name for name in sent if len(sent.getlist(name)) > 1]
    if twice:
        problems = [{"field": name, "message": "is given more than once"} for name in twice]
        raise InvalidError("query", problems)
    return dict(sent)


def _sent(request: Request) -> Any:
    try:
        return request.json_body if request.raw_body else {}
    except RecursionError as error:
        raise RefusedError("the body is nested too deeply") from error
