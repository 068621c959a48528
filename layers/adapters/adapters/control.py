"""The API's way to the engine's machines and to the function that may open credentials."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from adapters import environment
from adapters.aws import client
from engine.errors import RetryableError

TEST_TIMEOUT_S = 28  # a gateway waits 29 s, the test itself gives up after 25


class ControlFailedError(RetryableError):
    """The engine's control function did not answer as it should."""


class StepMachines:
    """`operations.Machines` on Step Functions."""

    def engine_start(self, connection_id: str, run_id: str) -> None:
        """Start loading an engine; the run's id names the execution, so twice is once."""
        body = {"connection_id": connection_id, "run_id": run_id}
        with suppress(_states().exceptions.ExecutionAlreadyExists):
            _start("CTS_ENGINE_START_ARN", execution_name(connection_id, run_id), body)

    def engine_stop(self, connection_id: str, *, close_positions: bool) -> None:
        """Start waiting for the loops to end; a second execution beside it does no harm."""
        body = {"connection_id": connection_id, "close_positions": close_positions}
        _start("CTS_ENGINE_STOP_ARN", None, body)

    def is_starting(self, connection_id: str, run_id: str) -> bool:
        """Whether the execution that loads the engine still runs."""
        machine = environment.required("CTS_ENGINE_START_ARN")
        arn = machine.replace(":stateMachine:", ":execution:")
        try:
            found = _states().describe_execution(
                executionArn=f"{arn}:{execution_name(connection_id, run_id)}"
            )
        except _states().exceptions.ExecutionDoesNotExist:
            return False
        return bool(found["status"] == "RUNNING")


class LambdaControl:
    """`connections.Control` by a synchronous invocation of EngineControlFunction."""

    def test(self, connection_id: str, *, by: str) -> Mapping[str, Any]:
        """Test a connection; raises ControlFailedError if the function itself fails."""
        asked = {"action": "test", "connection_id": connection_id, "by": by}
        answer = _functions().invoke(
            FunctionName=environment.required("CTS_ENGINE_CONTROL_FUNCTION"),
            InvocationType="RequestResponse",
            Payload=json.dumps(asked).encode(),
        )
        found = json.loads(answer["Payload"].read() or b"null")
        if answer.get("FunctionError") or not isinstance(found, dict):
            kind = found.get("errorType", "") if isinstance(found, dict) else "no answer"
            raise ControlFailedError(f"the connection test did not finish: {kind}")
        return found


def execution_name(connection_id: str, run_id: str) -> str:
    """The name of the execution that loads an engine; a run has one at most."""
    return f"{connection_id}-{run_id}"


def _start(machine: str, name: str | None, body: Mapping[str, Any]) -> None:
    named = {"name": name} if name else {}
    arn = environment.required(machine)
    _states().start_execution(stateMachineArn=arn, input=json.dumps(body), **named)


def _states() -> Any:
    return client("stepfunctions", connect_s=2, read_s=10)


def _functions() -> Any:
    return client("lambda", connect_s=2, read_s=TEST_TIMEOUT_S, attempts=1)
