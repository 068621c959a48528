"""Lambda `api`: the HTTPS API, routed by Chalice behind a REST gateway."""

import gc
import time
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from chalice.app import Chalice, Request, Response

from answers import ANSWERED, enveloped, failure, refusal
from guard import admit
from operation import contract_of
from origins import origins
from remembered import done_once
from routes.alerts import alerts
from routes.analytics import analytics
from routes.audit import audit
from routes.connections import connections
from routes.docs import docs
from routes.emergency import emergency
from routes.engine import engine
from routes.engine_aliases import engine_aliases
from routes.exchanges import exchanges
from routes.monitoring import monitoring
from routes.notifications import notifications
from routes.nowhere import answer_elsewhere
from routes.position_commands import position_commands
from routes.reasons import reasons
from routes.settings import settings
from routes.snapshot import snapshot
from routes.system import system
from routes.tokens import tokens
from routes.trading import trading
from routes.volume import volume
from telling import tell

logger = Logger(service="api")

app = Chalice(app_name="cts", configure_logs=False)
BLUEPRINTS = (
    connections,
    exchanges,
    engine,
    engine_aliases,
    emergency,
    trading,
    analytics,
    snapshot,
    position_commands,
    volume,
    reasons,
    settings,
    monitoring,
    alerts,
    notifications,
    system,
    tokens,
    audit,
    docs,
)
for blueprint in BLUEPRINTS:
    app.register_blueprint(blueprint)
gc.freeze()  # what was imported stays: no collection during a request walks through it


@app.middleware("http")
def guarded(request: Request | None, get_response: Callable[[Any], Response]) -> Response:
    """Refuse whoever has no token before any route runs; answer in one envelope."""
    if request is None:
        return failure(400, "this is not a request of the REST gateway")
    elsewhere = answer_elsewhere(app, request)
    if elsewhere is not None:  # no news: anybody may ask, and the log is not theirs to fill
        return origins().tell(request, elsewhere)
    began_ns = time.perf_counter_ns()
    response = _admitted(request, get_response)
    tell(request, response, took_us=(time.perf_counter_ns() - began_ns) // 1000)
    return origins().tell(request, response)


def _admitted(request: Request, get_response: Callable[[Any], Response]) -> Response:
    contract = contract_of(app, request)
    try:
        admit(request, contract)
        if contract is None:
            return enveloped(get_response(request))
        return done_once(request, contract, lambda: enveloped(get_response(request)))
    except ANSWERED as error:
        return refusal(error)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Parse, call one route, answer."""
    answer: dict[str, Any] = app(event, context)
    return answer
