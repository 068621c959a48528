"""Lambda `engine_control`: connection tests, and the steps of the machines of an engine's life."""

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from adapters.account_test import AccountTest
from adapters.clock import SystemClock
from adapters.control import StepMachines
from adapters.emergency_rounds import EmergencyRounds
from adapters.engine_loading import Loading
from adapters.engine_stopping import Stopping
from adapters.leases import DynamoLeases
from adapters.monitoring.entries import Level
from adapters.monitoring.service_log import live_log
from adapters.opener import VenueOpener
from adapters.operations import Operations
from adapters.runner import run
from adapters.starter import StepFunctionsStarter
from adapters.store import DynamoStore
from adapters.vault import KmsVault

SERVICE = "engine_control"
_TOLD = {
    "test": "connection tested",
    "prepare": "engine loading",
    "finish": "engine running",
    "stop": "engine stopping",
    "stopped": "engine stopped",
}
logger = Logger(service=SERVICE)


class Request(BaseModel):
    """`run_id` names the start that asks; an older one is refused.

    `report` is what a burst of an emergency stop answered, `failures` how many before it did not.
    """

    action: Literal["test", "prepare", "finish", "fail", "stop", "stopped?", "stopped", "emergency"]
    connection_id: str
    run_id: str | None = None
    close_positions: bool = False
    error: str = ""
    cause: str = ""
    by: str = "engine"
    emergency_id: str = ""
    report: dict[str, Any] | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the actions are done with."""

    account_test: AccountTest
    loading: Loading
    stopping: Stopping
    emergency: EmergencyRounds


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Parse, do one action, report; errors go up to the state machine by their names."""
    request = Request.model_validate(event)
    logger.append_keys(connection_id=request.connection_id, run_id=request.run_id)

    with live_log(SERVICE).of(request.connection_id, request.run_id or ""):
        answer = act(request, parts())
        _tell(request)

    logger.info("done", action=request.action)
    return answer


def _tell(request: Request) -> None:
    """Keep what changed the engine's state where an operator looks; polls are no news."""
    log = live_log(SERVICE)
    if request.action == "fail":
        log.note(Level.ERROR, "engine failed", {"error": request.error, "cause": request.cause})
    elif request.action in _TOLD:
        log.note(Level.INFO, _TOLD[request.action], {"by": request.by})


def act(request: Request, parts: Parts) -> dict[str, Any]:
    """One action's answer, as the state machines and the API read it."""
    connection_id, run_id = request.connection_id, request.run_id or ""
    match request.action:
        case "test":
            return run(parts.account_test.run(connection_id, by=request.by))
        case "prepare":
            return run(parts.loading.prepare(connection_id, run_id))
        case "finish":
            return parts.loading.finish(connection_id, run_id)
        case "fail":
            parts.loading.fail(
                connection_id, request.run_id, error=request.error, cause=request.cause
            )
            return {"actual_state": "error"}
        case "stop":
            return parts.stopping.stop(connection_id, close_positions=request.close_positions)
        case "stopped?" | "stopped":
            return parts.stopping.stopped(connection_id)
        case "emergency":
            return parts.emergency.over(
                connection_id,
                request.emergency_id,
                report=request.report,
                error=request.error,
                failures=request.failures,
            )


@cache
def parts() -> Parts:
    """The parts as this deployment has them."""
    clock, starter = SystemClock(), StepFunctionsStarter()
    leases = DynamoLeases(clock)
    opener = VenueOpener(clock, KmsVault())
    operations = Operations(machines=StepMachines(), leases=leases, starter=starter, clock=clock)
    return Parts(
        account_test=AccountTest(
            open_exchange=lambda row: opener.exchange(row.connection_id, private=True), clock=clock
        ),
        loading=Loading(
            opener=opener,
            store=DynamoStore(clock),
            leases=leases,
            clock=clock,
            log=live_log(SERVICE),
        ),
        stopping=Stopping(operations=operations, leases=leases, clock=clock),
        emergency=EmergencyRounds(clock=clock, log=live_log(SERVICE)),
    )
