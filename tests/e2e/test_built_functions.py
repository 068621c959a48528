"""What SAM built is whole: each function answers with only its artifact and layers on the path."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import yaml
from tests.ministack import MiniStack, a_ministack

from local import operator, programs, stack
from local.places import ROOT
from local.programs import Market

pytestmark = [pytest.mark.ministack, pytest.mark.timeout(300)]
EVENTS = ROOT / "tests" / "events"
LAYERS = ("EngineLayer", "AdaptersLayer", "WheelsCoreLayer", "WheelsMarketLayer")
FUNCTIONS = {
    "ApiFunction": "api",
    "TradeTickFunction": "trade_tick",
    "PositionTickFunction": "position_tick",
    "PrehistoryFunction": "prehistory",
    "EngineControlFunction": "engine_control",
    "SupervisorFunction": "supervisor",
}
ISOLATED = """
import importlib, json, os, sys
told = json.load(sys.stdin)
standard = [path for path in sys.path if "site-packages" not in path]
sys.path[:] = [*told["path"], *standard]
os.environ.update(told["environment"])
module, _, name = told["handler"].rpartition(".")
class Context:
    function_name = "sample"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:sample"
    aws_request_id = "11111111-2222-3333-4444-555555555555"
    def get_remaining_time_in_millis(self):
        return 30000
handler = getattr(importlib.import_module(module), name)
answer = handler(told["event"], Context())
foreign = sorted(
    name for name, module in sys.modules.items()
    if (file := getattr(module, "__file__", None)) and not file.startswith(tuple(sys.path))
)
print(json.dumps({"answer": answer, "foreign": foreign}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A deployed stack, the paper exchange beside it, and one connection."""

    aws: MiniStack
    connection_id: str


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    with a_ministack(tmp_path_factory.mktemp("twin")) as aws:
        program = programs.paper_exchange(aws.places, Market(symbols=2))
        with program.log.open("wb") as log:
            paper = subprocess.Popen(
                program.arguments,
                env={**os.environ, **program.environment},
                stdout=log,
                stderr=log,
            )
        try:
            asyncio.run(stack.build(aws.places))
            deployed = asyncio.run(stack.deploy(aws.places))
            upstream = deployed.upstream(aws.places)
            yield Built(aws=aws, connection_id=store_an_engine(aws, upstream))
        finally:
            paper.terminate()
            paper.wait(20)


def store_an_engine(aws: MiniStack, upstream: str) -> str:
    """A paper connection whose loops have moved on past the token of the events; its id."""
    token, _ = operator.ensure_token(aws.places, now_ms=1_750_000_000_000)
    keys = operator.ensure_paper_keys(aws.places)
    with httpx.Client(
        headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False
    ) as api:
        body = {"name": "Sample", "exchange": "binance", "is_paper": True}
        path = f"{upstream}/api/settings/connections"
        made = api.post(path, json={**body, "api_key": keys.key, "api_secret": keys.secret}).json()
        assert api.post(f"{path}/{made['id']}/test").json()["success"] is True
        assert api.post(f"{path}/{made['id']}/toggle", json={"is_live_trade": True}).is_success
    tables = aws.client("dynamodb")
    connection = str(made["id"])
    tables.put_item(
        TableName=f"{stack.STACK}-trade_engine_state",
        Item={
            "connection_id": {"S": connection},
            "run_id": {"S": "r1"},
            "desired_state": {"S": "running"},
            "actual_state": {"S": "starting"},
        },
    )
    prepared, error = aws.invoke(
        f"{stack.STACK}-engine-control",
        {"action": "prepare", "connection_id": connection, "run_id": "r1"},
    )
    assert error is None, prepared
    tables.update_item(
        TableName=f"{stack.STACK}-trade_engine_state",
        Key={"connection_id": {"S": connection}},
        UpdateExpression="SET desired_state = :s, actual_state = :s",
        ExpressionAttributeValues={":s": {"S": "stopped"}},
    )
    for loop in ("trade", "position"):
        tables.put_item(
            TableName=f"{stack.STACK}-leases",
            Item={"lease_key": {"S": f"{connection}#{loop}"}, "fencing_token": {"N": "9"}},
        )
    return connection


def answer_of(built: Built, function: str) -> dict[str, Any]:
    aws = built.aws
    artifacts = aws.places.build / "artifacts"
    template = yaml.load((artifacts / "template.yaml").read_text(), Loader=yaml.BaseLoader)
    deployed = aws.client("lambda").get_function_configuration(
        FunctionName=f"{stack.STACK}-{FUNCTIONS[function].replace('_', '-')}"
    )
    properties = template["Resources"][function]["Properties"]
    sample = (EVENTS / f"{FUNCTIONS[function]}.json").read_text()
    told = {
        "path": [
            str(artifacts / properties["CodeUri"]),
            *(str(artifacts / layer / "python") for layer in LAYERS),
        ],
        "environment": {
            **deployed["Environment"]["Variables"],
            **stack.credentials(aws.places),
        },
        "handler": deployed["Handler"],
        "event": json.loads(sample.replace("c-000000000001", built.connection_id)),
    }
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", ISOLATED],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    assert not found["foreign"], "came from elsewhere than the artifact, its layers and Python"
    answer: dict[str, Any] = found["answer"]
    return answer


def test_the_built_api_answers(built: Built) -> None:
    answer = answer_of(built, "ApiFunction")

    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["success"] is True


@pytest.mark.parametrize("function", ["TradeTickFunction", "PositionTickFunction"])
def test_a_built_tick_without_the_lease_answers_that_it_lost(built: Built, function: str) -> None:
    assert answer_of(built, function)["outcome"] == "lost"


def test_the_built_prehistory_loads_all_of_a_symbols_history(built: Built) -> None:
    answer = answer_of(built, "PrehistoryFunction")

    assert answer["candles"] == answer["wanted"] > 0


def test_the_built_engine_control_says_that_an_engine_nobody_started_has_stopped(
    built: Built,
) -> None:
    assert answer_of(built, "EngineControlFunction")["stopped"] is True


def test_the_built_supervisor_finds_nothing_to_do(built: Built) -> None:
    assert answer_of(built, "SupervisorFunction") == {"actions": []}


def test_every_table_of_the_models_is_in_the_template_with_its_keys_and_indexes(
    built: Built,
) -> None:
    from adapters.tables import ALL

    tables = built.aws.client("dynamodb")
    for model in ALL:
        name = model.Meta.table_name.replace("cts-test-", f"{stack.STACK}-")
        found = tables.describe_table(TableName=name)["Table"]
        keys = {key["KeyType"]: key["AttributeName"] for key in found["KeySchema"]}
        indexes = {index["IndexName"] for index in found.get("LocalSecondaryIndexes", [])}
        range_key = model._range_keyname
        assert keys == {"HASH": model._hash_keyname} | ({"RANGE": range_key} if range_key else {})
        assert indexes == {index.Meta.index_name for index in model._indexes.values()}
        expires = tables.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        is_short_lived = "expires_at" in model.get_attributes()
        assert (expires["TimeToLiveStatus"] == "ENABLED") is is_short_lived
