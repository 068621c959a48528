"""The API's way to the engine's machines and to the function that may open credentials."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

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

    def emergency_stop(self, connection_id: str, emergency_id: str, *, number: int) -> None:
        """Start carrying an emergency stop out, unless this execution was started before."""
        body = {"connection_id": connection_id, "emergency_id": emergency_id}
        name = _emergency_name(connection_id, emergency_id, number)
        try:
            _start("CTS_EMERGENCY_STOP_ARN", name, body)
        except _states().exceptions.ExecutionAlreadyExists:
            return
        except (BotoCoreError, ClientError) as e:
            what = f"cannot start the emergency stop of {connection_id}"
            raise RetryableError(f"{what}: {type(e).__name__}") from e

    def is_stopping_in_emergency(
        self, connection_id: str, emergency_id: str, *, number: int
    ) -> bool:
        """Whether the execution that carries an emergency stop out still runs."""
        name = _emergency_name(connection_id, emergency_id, number)
        return _is_running("CTS_EMERGENCY_STOP_ARN", name)

    def is_starting(self, connection_id: str, run_id: str) -> bool:
        """Whether the execution that loads the engine still runs."""
        return _is_running("CTS_ENGINE_START_ARN", execution_name(connection_id, run_id))


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


def _emergency_name(connection_id: str, emergency_id: str, number: int) -> str:
    return f"{connection_id}-{emergency_id}-{number}"


def _is_running(machine: str, name: str) -> bool:
    arn = environment.required(machine).replace(":stateMachine:", ":execution:")
    try:
        found = _states().describe_execution(executionArn=f"{arn}:{name}")
    except _states().exceptions.ExecutionDoesNotExist:
        return False
    return bool(found["status"] == "RUNNING")


def _start(machine: str, name: str | None, body: Mapping[str, Any]) -> None:
    named = {"name": name} if name else {}
    arn = environment.required(machine)
    _states().start_execution(stateMachineArn=arn, input=json.dumps(body), **named)


def _states() -> Any:
    return client("stepfunctions", connect_s=2, read_s=10)


def _functions() -> Any:
    return client("lambda", connect_s=2, read_s=TEST_TIMEOUT_S, attempts=1)
