"""Lambda `api`: the HTTPS API, routed by Chalice behind a REST gateway."""

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from chalice.app import Chalice, Request, Response

from answers import ANSWERED, enveloped, failure, refusal
from guard import admit
from operation import contract_of
from routes.connections import connections
from routes.engine import engine
from routes.engine_aliases import engine_aliases
from routes.exchanges import exchanges
from routes.monitoring import monitoring
from routes.reasons import reasons
from routes.system import system
from routes.trading import trading
from telling import tell

logger = Logger(service="api")

app = Chalice(app_name="cts", configure_logs=False)
for blueprint in (
    connections,
    exchanges,
    engine,
    engine_aliases,
    trading,
    reasons,
    monitoring,
    system,
):
    app.register_blueprint(blueprint)


@app.middleware("http")
def guarded(request: Request | None, get_response: Callable[[Any], Response]) -> Response:
    """Refuse whoever has no token before any route runs; answer in one envelope."""
    if request is None:
        return failure(400, "this is not a request of the REST gateway")
    try:
        admit(request, contract_of(app, request))
        response = enveloped(get_response(request))
    except ANSWERED as error:
        response = refusal(error)
    tell(request, response)
    return response


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Parse, call one route, answer."""
    answer: dict[str, Any] = app(event, context)
    return answer
