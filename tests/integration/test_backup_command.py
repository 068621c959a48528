"""`cts backup` as it is typed: words, exit codes, and Ctrl-C."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api_world import ApiWorld
from typer.testing import CliRunner

from adapters.tables import CONNECTION_KIND, ConnectionRow
from local.backup_command import stop_on_ctrl_c
from local.cli import app


@pytest.fixture
def options(api: ApiWorld, tmp_path: Path) -> list[str]:
    """This test's tables, which hold one connection, and a folder of its own."""
    api.tested()
    return ["--stack", "cts-test", "--at", str(tmp_path)]


def cts_backup(*words: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and what the last line says."""
    done = CliRunner().invoke(app, ["backup", *words, "--json"])
    return done.exit_code, json.loads(done.stdout.splitlines()[-1])


def test_a_backup_is_made_listed_drilled_and_restored(options: list[str]) -> None:
    _, made = cts_backup("create", *options)
    (row,) = ConnectionRow.query(CONNECTION_KIND)
    row.update([ConnectionRow.name.set("Renamed")])

    code, listed = cts_backup("list", *options)
    _, drilled = cts_backup("drill", *options)
    restored, told = cts_backup("restore", made["name"], "--yes", *options)

    assert (code, listed["backups"][0]["problems"]) == (0, [])
    assert listed["backups"][0]["tables"]["exchange_connections"] == 1
    assert drilled["rows"] == made["rows"]
    assert (restored, told["audit_faults"]) == (0, [])
    assert [one.name for one in ConnectionRow.query(CONNECTION_KIND)] == ["Paper"]


def test_a_damaged_backup_is_listed_as_such_with_exit_code_1(
    options: list[str], tmp_path: Path
) -> None:
    _, made = cts_backup("create", *options)
    part = tmp_path / made["name"] / "exchange_connections" / "00001.jsonl.gz"
    part.write_bytes(part.read_bytes()[:-1])

    code, listed = cts_backup("list", *options)

    assert code == 1
    assert "exchange_connections/00001.jsonl.gz is damaged" in listed["backups"][0]["problems"][0]


def test_a_restore_that_is_not_confirmed_changes_nothing(options: list[str]) -> None:
    _, made = cts_backup("create", *options)
    (row,) = ConnectionRow.query(CONNECTION_KIND)
    row.update([ConnectionRow.name.set("Renamed")])

    words = ["backup", "restore", made["name"], *options]
    done = CliRunner().invoke(app, words, input="n\n")

    assert done.exit_code == 1
    assert [one.name for one in ConnectionRow.query(CONNECTION_KIND)] == ["Renamed"]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (["create"], 3, "start it with `cts up`"),
        (["create", "--stack", "cts-test"], 1, "--stack needs --at"),
        (["restore", "no-such", "--yes", "--stack", "cts-test"], 1, "there is no backup 'no-such'"),
        (["list", "--stack", "cts-test", "--at", "s3://"], 1, "was 's3://'"),
    ],
)
def test_what_cannot_be_done_is_told_with_its_exit_code(
    api: ApiWorld,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    code: int,
    error: str,
) -> None:
    monkeypatch.setenv("CTS_HOME", str(tmp_path))
    at = ["--at", str(tmp_path)] if "restore" in words else []

    done, told = cts_backup(*words, *at)

    assert done == code
    assert error in told["error"]


@pytest.fixture
def hears_ctrl_c() -> Iterator[None]:
    """As at a terminal; a worker of the test run ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_ctrl_c")
def test_the_first_ctrl_c_is_heard_and_only_the_second_ends_the_process() -> None:
    with stop_on_ctrl_c() as asked:
        assert not asked.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert asked.is_set()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
