"""Starts executions of the loops' state machines."""

import json
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from adapters import environment
from engine.errors import RetryableError
from engine.values import Loop

_MACHINES = {
    Loop.TRADE: "CTS_TRADE_LOOP_ARN",
    Loop.POSITION: "CTS_POSITION_LOOP_ARN",
}


NOT_HANDED_OVER = -1
"""No fencing token: the execution must find the lease free or run out."""
NO_TOKEN = -1  # a start is handed no lease: it takes a free one or ends


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
            _client().start_execution(
                stateMachineArn=environment.required(_MACHINES[loop]), input=json.dumps(body)
            )
        except (BotoCoreError, ClientError) as e:
            raise RetryableError(f"cannot start the {loop} loop of {connection_id}: {e}") from e


@cache
def _client() -> Any:
    settings = Config(
        connect_timeout=environment.CONNECT_TIMEOUT_S,
        read_timeout=environment.READ_TIMEOUT_S,
        retries={"total_max_attempts": 1 + environment.MAX_RETRIES, "mode": "standard"},
    )
    return boto3.client("stepfunctions", region_name=environment.region(), config=settings)
