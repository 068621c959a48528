"""How the API starts machines and asks the function that may open credentials."""

import json
from collections.abc import Iterator
from io import BytesIO

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from adapters import control, environment
from adapters.aws import client
from adapters.control import ControlFailedError, LambdaControl, StepMachines
from engine.errors import RetryableError

ROLE = "arn:aws:iam::123456789012:role/machines"
WAITING = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 60, "End": True}}}


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Iterator[StepMachines]:
    """The machines, which only wait."""
    with mock_aws():
        client.cache_clear()
        states = boto3.client("stepfunctions", region_name="us-east-1")
        for name in ("ENGINE_START", "ENGINE_STOP", "EMERGENCY_STOP"):
            made = states.create_state_machine(
                name=name.lower(), definition=json.dumps(WAITING), roleArn=ROLE
            )
            monkeypatch.setenv(f"CTS_{name}_ARN", made["stateMachineArn"])
        yield StepMachines()
        client.cache_clear()


def _inputs(arn: str) -> list[dict[str, object]]:
    states = boto3.client("stepfunctions", region_name="us-east-1")
    found = states.list_executions(stateMachineArn=arn)["executions"]
    return [
        json.loads(states.describe_execution(executionArn=one["executionArn"])["input"])
        for one in found
    ]


def test_a_start_names_its_run_and_can_be_looked_up(
    machines: StepMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    machines.engine_start("c-1", "run-1")

    assert machines.is_starting("c-1", "run-1") is True
    assert machines.is_starting("c-1", "run-2") is False
    assert _inputs(environment.required("CTS_ENGINE_START_ARN")) == [
        {"connection_id": "c-1", "run_id": "run-1"}
    ]


@pytest.mark.parametrize("close", [True, False])
def test_a_stop_says_whether_to_close(machines: StepMachines, close: bool) -> None:
    machines.engine_stop("c-1", close_positions=close)

    assert _inputs(environment.required("CTS_ENGINE_STOP_ARN")) == [
        {"connection_id": "c-1", "close_positions": close}
    ]


def test_an_emergency_stop_is_carried_out_once_for_each_number_and_can_be_looked_up(
    machines: StepMachines,
) -> None:
    for number in (1, 1, 2):
        machines.emergency_stop("c-1", "e-1", number=number)

    assert (
        _inputs(environment.required("CTS_EMERGENCY_STOP_ARN"))
        == [{"connection_id": "c-1", "emergency_id": "e-1"}] * 2
    )
    assert machines.is_stopping_in_emergency("c-1", "e-1", number=2) is True
    assert machines.is_stopping_in_emergency("c-1", "e-1", number=3) is False


def test_a_machine_that_cannot_be_started_is_told_as_such(
    machines: StepMachines, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = environment.required("CTS_EMERGENCY_STOP_ARN")
    monkeypatch.setenv("CTS_EMERGENCY_STOP_ARN", arn + "-none")

    with pytest.raises(RetryableError, match="cannot start the emergency stop of c-1"):
        machines.emergency_stop("c-1", "e-1", number=1)


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    monkeypatch.setenv("CTS_ENGINE_CONTROL_FUNCTION", "engine-control")
    client.cache_clear()
    with Stubber(control._functions()) as stub:
        yield stub
    client.cache_clear()


def _answers(stub: Stubber, payload: object, **more: str) -> None:
    asked = {"action": "test", "connection_id": "c-1", "by": "operator-1"}
    stub.add_response(
        "invoke",
        {"StatusCode": 200, "Payload": BytesIO(json.dumps(payload).encode()), **more},
        {
            "FunctionName": "engine-control",
            "InvocationType": "RequestResponse",
            "Payload": json.dumps(asked).encode(),
        },
    )


def test_a_connection_test_is_asked_of_the_control_function(function: Stubber) -> None:
    _answers(function, {"success": True, "log": []})

    assert LambdaControl().test("c-1", by="operator-1") == {"success": True, "log": []}


@pytest.mark.parametrize(
    ("payload", "more"),
    [
        ({"errorType": "UnknownError", "errorMessage": "secret"}, {"FunctionError": "Unhandled"}),
        (None, {}),
    ],
)
def test_a_function_that_fails_is_told_by_its_kind_alone(
    function: Stubber, payload: object, more: dict[str, str]
) -> None:
    _answers(function, payload, **more)

    with pytest.raises(ControlFailedError) as failed:
        LambdaControl().test("c-1", by="operator-1")

    assert "secret" not in str(failed.value)
