"""Lambda `supervisor`: once a minute, start again what should run, and tell what is wrong."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clock import SystemClock
from adapters.control import StepMachines
from adapters.engine_stopping import Stopping
from adapters.leases import DynamoLeases
from adapters.monitoring.alerts import Alerts
from adapters.monitoring.cleaning import Cleaning
from adapters.monitoring.entries import Level
from adapters.monitoring.keeping import log_days
from adapters.monitoring.metering import publish
from adapters.monitoring.notifying import Notifying
from adapters.monitoring.rules import Rules, silent_loops
from adapters.monitoring.senders import live_senders
from adapters.monitoring.service_log import ServiceLog, live_log
from adapters.monitoring.watching import Watch
from adapters.operations import Operations
from adapters.starter import StepFunctionsStarter
from adapters.supervision import Supervision
from adapters.vault import KmsVault

SERVICE = "supervisor"
_BAD = frozenset({"given up", "trouble"})
_SEEN = _BAD | {"not sent", "cleaned"}
logger = Logger(service=SERVICE)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Look after every engine, report; trouble with one is told and does not stop the others."""
    log = live_log(SERVICE)
    with log.of("", context.aws_request_id):
        actions = supervision().run()
        _tell(log, actions)
        seen = watch().run()
        _tell(log, [action for action in seen if action["act"] in _SEEN])

    publish(SERVICE, {"SupervisorHeartbeat": 1, "SilentLoops": silent_loops()})
    logger.info("looked after the engines", actions=actions, seen=seen)
    return {"actions": [*actions, *seen]}


def _tell(log: ServiceLog, actions: Iterable[dict[str, str]]) -> None:
    """Keep what was done where an operator looks; waiting is no news."""
    for action in actions:
        act, connection_id = action["act"], action["connection_id"]
        if act == "waiting":
            continue
        bad = act in _BAD
        log.note(
            Level.ERROR if bad else Level.INFO if act == "cleaned" else Level.WARN,
            f"supervisor: {act}",
            {"what": action["text"]},
            connection_id=connection_id,
            needs_eyes=bad,
        )


@cache
def watch() -> Watch:
    """The parts as this deployment has them."""
    clock = SystemClock()
    return Watch(
        rules=Rules(leases=DynamoLeases(clock), clock=clock),
        alerts=Alerts(clock=clock),
        clock=clock,
        log_days=log_days(clock),
        chores=(
            Notifying(senders=live_senders(), vault=KmsVault(), clock=clock),
            Cleaning(clock=clock),
        ),
    )


@cache
def supervision() -> Supervision:
    """The parts as this deployment has them."""
    clock, machines, starter = SystemClock(), StepMachines(), StepFunctionsStarter()
    leases = DynamoLeases(clock)
    operations = Operations(machines=machines, leases=leases, starter=starter, clock=clock)
    return Supervision(
        leases=leases,
        starter=starter,
        machines=machines,
        stopping=Stopping(operations=operations, leases=leases, clock=clock),
        clock=clock,
    )
