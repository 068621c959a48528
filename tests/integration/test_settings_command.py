"""`cts settings` against the API, as an operator types it."""

import json
from pathlib import Path
from typing import Protocol

import pytest
from tests.api_deployment import deployed
from tests.api_world import ApiWorld
from typer.testing import CliRunner, Result

from adapters.stored_settings import SYSTEM, newest_layer
from local import settings_command


class Run(Protocol):
    """Types `cts settings` and the words."""

    def __call__(self, *words: str) -> Result: ...


@pytest.fixture
def cts(api: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(settings_command, "deployment", lambda *_: deployed(api, token=api.admin))

    def typed(*words: str) -> Result:
        return CliRunner().invoke(settings_command.settings, list(words))

    return typed


def words(result: Result) -> str:
    """What was printed, however its columns stand."""
    return " ".join(result.output.split())


def test_settings_are_set_and_listed(cts: Run) -> None:
    done = cts("set", "burstSeconds=20", "gridRanges=3, 5", "optimalEnabled=true", "--reason", "x")

    assert done.exit_code == 0, done.output
    assert "burstSeconds 50 20 next burst !" in words(done)
    assert newest_layer(SYSTEM).values == {
        "burstSeconds": 20,
        "gridRanges": [3, 5],
        "optimalEnabled": True,
    }
    listed = words(cts("list", "--changed", "--tab", "system"))
    assert "burstSeconds 20 5 .. 60 by 5 s system next burst" in listed
    told = json.loads(cts("get", "burstSeconds", "--json").output)
    assert (told["value"], told["source"]) == (20, "system")
    assert cts("get", "speed").exit_code == 1


def test_every_problem_is_told_and_nothing_is_stored(cts: Run) -> None:
    done, tried = (cts(word, "burstSeconds=61", "speed=1") for word in ("set", "diff"))

    for result in (done, tried):
        assert result.exit_code == 1
        assert "between 5 and 60 s, was '61'" in result.output
        assert "'speed' is unknown" in result.output
    assert cts("set", "burstSeconds").exit_code == 1
    assert newest_layer(SYSTEM).version == 0


def test_a_difference_is_shown_and_not_stored(cts: Run) -> None:
    shown = cts("diff", "databaseSizeBase=500")

    assert shown.exit_code == 0
    assert "databaseSizeBase 250 500 next engine start !" in words(shown)
    assert newest_layer(SYSTEM).version == 0


def test_a_version_is_rolled_back_and_the_history_tells_so(cts: Run) -> None:
    cts("set", "burstSeconds=20", "--reason", "slower")
    cts("set", "burstSeconds=")

    assert cts("rollback", "1", "--reason", "again").exit_code == 0
    assert newest_layer(SYSTEM).values == {"burstSeconds": 20}
    history = words(cts("history"))
    assert "again burstSeconds - -> 20" in history
    assert "slower burstSeconds - -> 20" in history


def test_what_one_connection_decides_moves_to_another_in_a_file(
    cts: Run, api: ApiWorld, tmp_path: Path
) -> None:
    one, other = api.created(), api.created(name="Other")
    file = tmp_path / "settings.json"
    cts("--connection", one, "set", "riskBudget=12.5")

    assert cts("--connection", one, "export", "--out", str(file)).exit_code == 0
    assert cts("--connection", other, "import", str(file), "--dry-run").exit_code == 0
    assert newest_layer(other).version == 0
    assert cts("--connection", other, "import", str(file)).exit_code == 0

    assert newest_layer(other).values == {"riskBudget": "12.5"}
    file.write_text("[]", encoding="utf-8")
    assert "is no export" in cts("import", str(file)).output
