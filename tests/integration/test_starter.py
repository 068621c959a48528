"""Loops are started by the machines that the environment names."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from adapters.aws import client
from adapters.starter import StepFunctionsStarter
from engine.errors import RetryableError
from engine.values import Loop

DEFINITION = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Pass", "End": True}}})
ROLE = "arn:aws:iam::123456789012:role/loops"


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[Loop, str]]:
    client.cache_clear()
    with mock_aws():
        states = boto3.client("stepfunctions", region_name="us-east-1")
        found = {
            loop: states.create_state_machine(
                name=f"{loop}-loop", definition=DEFINITION, roleArn=ROLE
            )["stateMachineArn"]
            for loop in Loop
        }
        monkeypatch.setenv("CTS_TRADE_LOOP_ARN", found[Loop.TRADE])
        monkeypatch.setenv("CTS_POSITION_LOOP_ARN", found[Loop.POSITION])
        yield found
    client.cache_clear()


@pytest.mark.parametrize("loop", Loop)
def test_a_started_loop_is_told_its_connection_and_handed_no_lease(
    machines: dict[Loop, str], loop: Loop
) -> None:
    StepFunctionsStarter().start("c1", loop, reason="wish")

    states = boto3.client("stepfunctions", region_name="us-east-1")
    (execution,) = states.list_executions(stateMachineArn=machines[loop])["executions"]
    told = states.describe_execution(executionArn=execution["executionArn"])["input"]
    assert json.loads(told) == {"connection_id": "c1", "token": -1, "reason": "wish"}


def test_a_machine_that_is_not_there_is_an_error_that_names_the_loop(
    machines: dict[Loop, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTS_TRADE_LOOP_ARN", machines[Loop.TRADE] + "-gone")

    with pytest.raises(RetryableError, match="trade loop of c1"):
        StepFunctionsStarter().start("c1", Loop.TRADE, reason="start")


def test_a_missing_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CTS_TRADE_LOOP_ARN", raising=False)

    with pytest.raises(KeyError, match="CTS_TRADE_LOOP_ARN"):
        StepFunctionsStarter().start("c1", Loop.TRADE, reason="start")
