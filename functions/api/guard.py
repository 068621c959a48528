"""Who may call: every route but the open ones needs a bearer token of the role in its contract."""

from typing import Any

from chalice.app import Request

from adapters.refusals import ForbiddenError
from adapters.tokens import Caller, caller_of_token
from answers import TooLargeError, UnauthorizedError
from operation import Contract

OPEN = frozenset({"/api/system/health-check"})
MAX_BODY_BYTES = 64 * 1024


def admit(request: Request, contract: Contract | None) -> None:
    """Let the request through and note its caller, or refuse it: always where nothing is promised.

    Raises
    ------
    TooLargeError, UnauthorizedError, ForbiddenError
    """
    if len(request.raw_body or b"") > MAX_BODY_BYTES:
        raise TooLargeError(f"the body must be at most {MAX_BODY_BYTES} bytes")
    if request.context.get("resourcePath") in OPEN:
        return
    caller = _caller(request)
    if contract is None:
        raise ForbiddenError("CTS serves no such route or method")
    if not caller.role.covers(contract.role):
        raise ForbiddenError(f"this needs the role {contract.role}, your token's is {caller.role}")
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
