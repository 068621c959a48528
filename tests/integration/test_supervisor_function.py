"""The supervisor's handler: each run proves that it came, in its metrics and in its memory."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from tests.api_world import ApiWorld

from adapters.monitoring.alerts import open_alerts
from adapters.monitoring.memory import recall
from adapters.tables import EngineStateRow

SOURCE = Path(__file__).parents[2] / "functions" / "supervisor" / "app.py"
CONTEXT = SimpleNamespace(
    function_name="supervisor",
    memory_limit_in_mb=512,
    invoked_function_arn="arn",
    aws_request_id="request-1",
)


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    spec = importlib.util.spec_from_file_location("supervisor_app", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_run_beats_raises_what_is_wrong_and_remembers(
    api: ApiWorld, function: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    connection_id = api.created()
    counters = EngineStateRow.position_counters.set({"unreconciled": 1})
    EngineStateRow(connection_id).update([counters])

    answer = function.handler({}, CONTEXT)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (beat,) = [line for line in lines if "SupervisorHeartbeat" in line]
    assert (beat["SupervisorHeartbeat"], beat["SilentLoops"]) == ([1], [0])
    assert [action["text"] for action in answer["actions"]] == ["books_unreconciled"]
    assert [row.rule for row in open_alerts()] == ["books_unreconciled"]
    assert recall().beat_ms > 0
