"""Who may call: every route but the open ones needs a bearer token of the role in its contract.

A deployment may leave it to AWS's own signatures instead: the gateway then says who signed.
"""

from chalice.app import Request

from adapters.refusals import ForbiddenError
from adapters.tokens import Caller
from answers import HeadersTooLargeError, TooLargeError, UnauthorizedError
from operation import Contract
from services import services

OPEN = frozenset({"/api/system/health-check", "/api/docs", "/api/openapi.json"})
ALWAYS_DONE = frozenset({"/api/trade-engine/emergency-stop"})  # whatever was asked before
MAX_BODY_BYTES = 64 * 1024
MAX_HEADER_BYTES = 8 * 1024


def admit(request: Request, contract: Contract | None) -> None:
    """Let the request through and note its caller, or refuse it: always where nothing is promised.

    Raises
    ------
    TooLargeError, HeadersTooLargeError, UnauthorizedError, TokenOverError, ForbiddenError,
    TooOftenError
    """
    _refuse_what_is_too_large(request)
    if request.context.get("resourcePath") in OPEN:
        return
    caller = _caller(request)
    if contract is None:
        raise ForbiddenError("CTS serves no such route or method")
    if not caller.role.covers(contract.role):
        raise ForbiddenError(f"this needs the role {contract.role}, your token's is {caller.role}")
    if request.context.get("resourcePath") in ALWAYS_DONE:
        pass
    elif request.method == "GET":
        services().usage.read(caller.caller_id)
    else:
        services().usage.change(caller.caller_id, at_most=caller.changes_per_minute)
    request.context["caller"] = caller


def _refuse_what_is_too_large(request: Request) -> None:
    if len(request.raw_body or b"") > MAX_BODY_BYTES:
        raise TooLargeError(f"the body must be at most {MAX_BODY_BYTES} bytes")
    size = sum(len(name) + len(str(value)) for name, value in request.headers.items())
    if size > MAX_HEADER_BYTES:
        raise HeadersTooLargeError(f"the headers must be at most {MAX_HEADER_BYTES} bytes")


def _caller(request: Request) -> Caller:
    signed_by = services().iam_callers
    if signed_by is not None:
        return signed_by.caller(request.context.get("identity", {}))
    scheme, _, token = str(request.headers.get("authorization", "")).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthorizedError("send a token: Authorization: Bearer <token>")
    caller = services().tokens.caller(token.strip())
    if caller is None:
        services().usage.failed(str(request.context.get("identity", {}).get("sourceIp", "")))
        raise UnauthorizedError("this token is not known")
    return caller
