"""What each failing status means, with an answer made by the very code that refuses."""

from typing import Any

from pydantic import BaseModel

from adapters.refusals import ConflictError, ForbiddenError, Reason, UnknownError
from adapters.usage import TooOftenError
from answers import (
    HeadersTooLargeError,
    InvalidError,
    KeyReusedError,
    TooLargeError,
    UnauthorizedError,
    failure,
    refusal,
)
from models.base import Conflict, Problem
from operation import Contract

MEANINGS = {
    400: "The request is not valid; `details` names each field with what is allowed.",
    401: "The token is missing or not known.",
    403: "The caller, or this version, may not do that.",
    404: "Nothing of that name is stored.",
    409: "Right in itself, wrong in the present state; `reasons` says what must change.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The Idempotency-Key stands for another request.",
    429: "Too often; Retry-After says in how many seconds to come again.",
    431: "The headers are too large.",
    503: "CTS cannot reach a part it needs; try again.",
}


def statuses(contract: Contract, method: str, *, is_open: bool) -> list[int]:
    """Every status with which this route may fail in place of its answer, in order."""
    found = {400, 431, 503, *contract.failures}
    if not is_open:
        found |= {401, 403, 429}
    if method != "GET":
        found |= {409, 422}
    if contract.body is not None:
        found |= {413, 415}
    return sorted(found - {*contract.also})


def model_of(status: int) -> type[BaseModel]:
    """The model of the answer."""
    return Conflict if status == 409 else Problem


def example_of_failure(status: int) -> dict[str, Any]:
    """An answer with this status, as a caller would read it."""
    body: dict[str, Any] = _EXAMPLES[status]
    return body


def _read(error: Exception) -> Any:
    return refusal(error).body


_EXAMPLES: dict[int, Any] = {
    400: _read(
        InvalidError(
            "query",
            [
                {
                    "field": "limit",
                    "message": "Input should be less than or equal to 500",
                    "value": "501",
                }
            ],
        )
    ),
    401: _read(UnauthorizedError("send a token: Authorization: Bearer <token>")),
    403: _read(ForbiddenError("this needs the role operator, your token's is viewer")),
    404: _read(UnknownError("no connection has the id c-1")),
    409: _read(
        ConflictError(
            "the engine cannot start",
            Reason(code="not_tested", message="the connection was not tested"),
        )
    ),
    413: _read(TooLargeError("the body must be at most 65536 bytes")),
    415: failure(415, "the body must be application/json").body,
    422: _read(KeyReusedError("this Idempotency-Key stands for another request")),
    429: _read(TooOftenError("more than 60 changes in a minute", after_s=17)),
    431: _read(HeadersTooLargeError("the headers must be at most 8192 bytes")),
    503: failure(
        503, "CTS cannot reach a part it needs; try again", ["EndpointConnectionError"]
    ).body,
}
