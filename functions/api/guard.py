"""Who may call: every route but the open ones needs a bearer token; changes need an operator."""

from typing import Any

from chalice.app import Request

from adapters.refusals import ForbiddenError
from adapters.tokens import Caller, Role, caller_of_token
from answers import TooLargeError, UnauthorizedError

OPEN = frozenset({"/api/system/health-check"})
MAX_BODY_BYTES = 64 * 1024


def admit(request: Request) -> None:
    """Let the request through and note its caller, or refuse it.

    Raises
    ------
    TooLargeError, UnauthorizedError, ForbiddenError
    """
    if len(request.raw_body or b"") > MAX_BODY_BYTES:
        raise TooLargeError(f"the body must be at most {MAX_BODY_BYTES} bytes")
    if request.context.get("resourcePath") in OPEN:
        return
    caller = _caller(request)
    if request.method != "GET" and caller.role is Role.VIEWER:
        raise ForbiddenError("a viewer's token reads only; this needs an operator's")
    authorizer: dict[str, Any] = {"principalId": caller.name}
    request.context["authorizer"] = authorizer


def _caller(request: Request) -> Caller:
    scheme, _, token = str(request.headers.get("authorization", "")).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError("send a token: Authorization: Bearer <token>")
    caller = caller_of_token(token.strip())
    if caller is None:
        raise UnauthorizedError("this token is not known")
    return caller
