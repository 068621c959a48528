"""Lambda `supervisor`: once a minute, start again what should run and does not."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.clock import SystemClock
from adapters.control import StepMachines
from adapters.engine_stopping import Stopping
from adapters.leases import DynamoLeases
from adapters.operations import Operations
from adapters.starter import StepFunctionsStarter
from adapters.supervision import Supervision

logger = Logger(service="supervisor")


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Look after every engine, report; trouble with one is told and does not stop the others."""
    actions = supervision().run()

    logger.info("looked after the engines", actions=actions)
    return {"actions": actions}


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
