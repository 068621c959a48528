"""What the log says of requests: a line each for CloudWatch, an entry where something happened."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from chalice.app import Request, Response

from adapters.clock import SystemClock
from adapters.monitoring.entries import Level
from adapters.monitoring.metering import RequestMeter
from guard import OPEN
from operation import caller_of
from services import services

logger = Logger(service="api")
_REFUSED = frozenset({401, 403, 413})
_FAILED = 500


def tell(request: Request, response: Response, *, took_us: int) -> None:
    """Note a request that changed something, was refused entry, or failed; reads are no news."""
    requests().add(took_us, failed=response.status_code >= _FAILED)
    values: dict[str, Any] = {
        "route": request.context.get("resourcePath"),
        "method": request.method,
        "status": response.status_code,
        "caller": caller_of(request),
    }
    request_id = str(request.context.get("requestId", ""))
    logger.info("answered", **values, request_id=request_id)
    if request.context.get("resourcePath") in OPEN:
        return  # a health check that finds something critical did not fail itself
    level, message = _news(request.method, response.status_code)
    if not message:
        return
    log = services().log
    log.note(level, message, values, correlation_id=request_id)
    if response.status_code >= _FAILED:
        log.flush()  # what waits in a container that is frozen now may never be stored


@cache
def requests() -> RequestMeter:
    """What this container measured of its requests."""
    return RequestMeter(service="api", clock=SystemClock())


def _news(method: str, status: int) -> tuple[Level, str]:
    if status >= _FAILED:
        return Level.ERROR, "request failed"
    if status in _REFUSED:
        return Level.WARN, "request refused"
    return (Level.INFO, "request done") if method != "GET" else (Level.INFO, "")
