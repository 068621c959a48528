"""One envelope for every answer: `{success: true, ...}` or `{success: false, error, details}`."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import BotoCoreError, ClientError
from chalice.app import BadRequestError, Response
from pydantic import ValidationError
from pynamodb.exceptions import PynamoDBException

from adapters.refusals import ConflictError, ForbiddenError, UnknownError
from adapters.tokens import TokenOverError
from adapters.usage import TooOftenError
from engine.errors import CtsError, InvalidSettingError, RefusedError, RetryableError

logger = Logger(service="api")

# What Chalice itself refuses, in our words.
_CHALICE = {
    400: "the body is not JSON",
    403: "this route does not exist",
    405: "this route does not know the method",
    415: "the body must be application/json",
    500: "the request failed inside CTS; the log holds the cause",
}


_MAX_VALUE = 100
_HEADERS: dict[str, str | list[str]] = {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
}


class TooLargeError(RefusedError):
    """The body is larger than the API reads."""


class HeadersTooLargeError(RefusedError):
    """The headers together are larger than the API reads."""


class KeyReusedError(RefusedError):
    """An Idempotency-Key stands for another request already."""


class InvalidError(RefusedError):
    """What was sent does not fit the model of the route; `place` is "query" or "body"."""

    def __init__(self, place: str, problems: Sequence[Mapping[str, str]]) -> None:
        super().__init__(f"the {place} is not valid")
        self.problems = problems


class UnauthorizedError(RefusedError):
    """No token, or one that CTS does not know."""


# The first class that fits decides; every error of the tree ends somewhere.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (UnauthorizedError, 401),
    (TokenOverError, 401),
    (ForbiddenError, 403),
    (UnknownError, 404),
    (ConflictError, 409),
    (TooLargeError, 413),
    (KeyReusedError, 422),
    (TooOftenError, 429),
    (HeadersTooLargeError, 431),
    (RefusedError, 400),
    (RetryableError, 503),
    (PynamoDBException, 503),
    (ClientError, 503),
    (BotoCoreError, 503),
    (CtsError, 500),
)
ANSWERED: tuple[type[Exception], ...] = (
    BadRequestError,
    *(kind for kind, _ in _STATUS),
)


def success(body: dict[str, Any] | str, status: int = 200) -> Response:
    """`body`, or its JSON text, must hold `success` already.

    It is false for a test that ran and failed.
    """
    return Response(body=body, status_code=status, headers=dict(_HEADERS))


def failure(status: int, error: str, details: Sequence[Any] = (), **fields: Any) -> Response:
    """The error envelope; `fields` are added for clients that look for them by name."""
    body = {"success": False, "error": error, "details": list(details), **fields}
    headers = dict(_HEADERS)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body=body, status_code=status, headers=headers)


def refusal(error: Exception) -> Response:
    """The answer to an error of `ANSWERED`; values of the request are never repeated."""
    if isinstance(error, InvalidError):
        return failure(400, str(error), error.problems)
    if isinstance(error, BadRequestError):
        return failure(400, "the body is not JSON")
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    if status == 503:
        logger.warning("not available", exc_info=error)
        return failure(503, "CTS cannot reach a part it needs; try again", [type(error).__name__])
    if status == 500:
        logger.error("stored state is not usable", exc_info=error)
        return failure(500, _CHALICE[500])
    if isinstance(error, ConflictError):
        reasons = [{"code": reason.code, "message": reason.message} for reason in error.reasons]
        return failure(409, str(error), reasons, reasons=reasons)
    if isinstance(error, InvalidSettingError):
        told = [{"field": key, "message": text} for key, text in error.problems]
        return failure(status, "settings are not valid", told)
    answer = failure(status, str(error))
    if isinstance(error, TooOftenError):
        answer.headers["Retry-After"] = str(error.after_s)
    return answer


def enveloped(response: Response) -> Response:
    """Turn what Chalice answers by itself (405, 415, an unexpected error) into the envelope."""
    body = response.body
    if not isinstance(body, dict) or "Code" not in body:
        return response
    made = failure(response.status_code, _CHALICE.get(response.status_code, "the request failed"))
    made.headers.update({k: v for k, v in response.headers.items() if k == "Allow"})
    return made


def invalid(place: str, error: ValidationError) -> InvalidError:
    """What is wrong with what was sent: field, why, and the value where it cannot be a secret."""
    found = error.errors(include_url=False, include_context=False)
    return InvalidError(
        place,
        [
            {"field": ".".join(str(part) for part in one["loc"]), "message": one["msg"]}
            | _value(place, one["type"], one["input"])
            for one in found
        ],
    )


def _value(place: str, kind: str, value: object) -> dict[str, str]:
    """A number or a switch, or a text of a known parameter; a text in a body may be a key."""
    known_parameter = place == "query" and kind != "extra_forbidden"
    if isinstance(value, bool | int | float) or (known_parameter and isinstance(value, str)):
        return {"value": str(value)[:_MAX_VALUE]}
    return {}
