"""`cts health-check` before the real API: what it prints, and which exit code means what."""

import json
from pathlib import Path

import httpx
import pytest
from tests.api_deployment import URL, deployed
from tests.api_world import ApiWorld
from typer.testing import CliRunner

from adapters.tables import EngineStateRow
from local import health_command
from local.cli import app
from local.deployment import Deployment, UnreachableError
from local.health_command import asked, show


@pytest.fixture
def said(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command asks this API whatever its options say."""
    monkeypatch.setattr(health_command, "deployment", lambda *_: deployed(api))


def test_every_part_and_engine_is_told_in_words(api: ApiWorld) -> None:
    api.running()
    lines: list[str] = []

    show(asked(deployed(api)), tell=lines.append)

    assert lines[0] == f"{URL} is healthy"
    assert "  database             healthy" in lines
    assert "  connectionTesting    operational" in lines
    assert "engine Paper (binance): wanted running, is running" in lines
    assert lines[-1] == "no issues"


def test_json_is_one_object_on_the_last_line_and_healthy_is_0(api: ApiWorld, said: None) -> None:
    connection_id = api.running()

    done = CliRunner().invoke(app, ["health-check", "--json"])

    found = json.loads(done.stdout)
    assert done.exit_code == 0
    assert found["overall"] == "healthy"
    assert [engine["connection_id"] for engine in found["engines"]] == [connection_id]


def test_a_critical_part_is_exit_code_1_with_its_issue(api: ApiWorld, said: None) -> None:
    connection_id = api.running()
    EngineStateRow(connection_id).update(
        [EngineStateRow.actual_state.set("error"), EngineStateRow.error_message.set("no history")]
    )

    done = CliRunner().invoke(app, ["health-check"])

    assert done.exit_code == 1
    assert "  an engine stopped with an error" in done.stdout
    assert "is error: no history" in done.stdout


def test_a_refused_token_is_told_as_the_api_says_it(api: ApiWorld) -> None:
    with pytest.raises(UnreachableError, match="answered 401: this token is not known"):
        asked(deployed(api, token="cts_nobody"))


def test_no_answer_is_exit_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    away = Deployment(url=URL, token="cts_any", transport=httpx.MockTransport(refuse))
    monkeypatch.setattr(health_command, "deployment", lambda *_: away)

    done = CliRunner().invoke(app, ["health-check", "--json"])

    assert done.exit_code == 3
    assert json.loads(done.stdout)["overall"] == "unreachable"


def test_without_a_twin_and_a_url_the_cure_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CTS_HOME", str(tmp_path))

    done = CliRunner().invoke(app, ["health-check"])

    assert done.exit_code == 3
    assert "start it with `cts up`" in done.stdout
