"""What SAM built is whole: each function answers with only its artifact and layers on the path."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.ministack import MiniStack, a_ministack

from local import stack
from local.places import ROOT

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


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    with a_ministack(tmp_path_factory.mktemp("twin")) as running:
        asyncio.run(stack.build(running.places))
        asyncio.run(stack.deploy(running.places))
        yield running


def answer_of(aws: MiniStack, function: str) -> dict[str, Any]:
    artifacts = aws.places.build / "artifacts"
    template = yaml.load((artifacts / "template.yaml").read_text(), Loader=yaml.BaseLoader)
    deployed = aws.client("lambda").get_function_configuration(
        FunctionName=f"{stack.STACK}-{FUNCTIONS[function].replace('_', '-')}"
    )
    properties = template["Resources"][function]["Properties"]
    told = {
        "path": [
            str(artifacts / properties["CodeUri"]),
            *(str(artifacts / layer / "python") for layer in LAYERS),
        ],
        "environment": {
            **deployed["Environment"]["Variables"],
            **stack.credentials(aws.places),
            "CTS_PAPER_ADDRESS": "",
        },
        "handler": deployed["Handler"],
        "event": json.loads((EVENTS / f"{FUNCTIONS[function]}.json").read_text()),
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


def test_the_built_api_answers(aws: MiniStack) -> None:
    answer = answer_of(aws, "ApiFunction")

    assert answer["statusCode"] == 200
    assert json.loads(answer["body"])["success"] is True


@pytest.mark.parametrize("function", ["TradeTickFunction", "PositionTickFunction"])
def test_a_built_tick_without_the_lease_answers_that_it_lost(aws: MiniStack, function: str) -> None:
    assert answer_of(aws, function)["outcome"] == "lost"


def test_the_built_prehistory_has_nothing_to_fold_without_symbols(aws: MiniStack) -> None:
    assert answer_of(aws, "PrehistoryFunction")["done"] is True


def test_the_built_engine_control_says_that_an_engine_nobody_started_has_stopped(
    aws: MiniStack,
) -> None:
    assert answer_of(aws, "EngineControlFunction")["stopped"] is True


def test_the_built_supervisor_finds_nothing_to_do(aws: MiniStack) -> None:
    assert answer_of(aws, "SupervisorFunction") == {"actions": []}


def test_every_table_of_the_models_is_in_the_template_with_its_keys_and_indexes(
    aws: MiniStack,
) -> None:
    from adapters.tables import ALL

    tables = aws.client("dynamodb")
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
