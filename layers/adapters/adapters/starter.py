"""Starts executions of the loops' state machines."""

import json

from botocore.exceptions import BotoCoreError, ClientError

from adapters import environment
from adapters.aws import client
from engine.errors import RetryableError
from engine.values import Loop

_MACHINES = {
    Loop.TRADE: "CTS_TRADE_LOOP_ARN",
    Loop.POSITION: "CTS_POSITION_LOOP_ARN",
}


NOT_HANDED_OVER = -1
"""No fencing token: the execution must find the lease free or run out."""


class StepFunctionsStarter:
    """`engine.ports.Starter`; an execution of a loop that already runs ends quietly."""

    def start(self, connection_id: str, loop: Loop, *, reason: str) -> None:
        """Start one execution.

        Raises
        ------
        RetryableError
            If Step Functions did not take it; whoever else wakes loops tries again.
        """
        body = {"connection_id": connection_id, "token": NOT_HANDED_OVER, "reason": reason}
        try:
            client("stepfunctions").start_execution(
                stateMachineArn=environment.required(_MACHINES[loop]), input=json.dumps(body)
            )
        except (BotoCoreError, ClientError) as e:
            raise RetryableError(f"cannot start the {loop} loop of {connection_id}: {e}") from e
