"""What a killed twin left running is ended by the next; nobody else's process is touched."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.orphans import born, end_orphans

SLEEPER = "import time; time.sleep(60)"
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True);" + SLEEPER
)


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    yield from running(SLEEPER)


@pytest.fixture
def deaf() -> Iterator["subprocess.Popen[bytes]"]:
    yield from running(DEAF)


def running(script: str) -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        if script is DEAF:
            assert process.stdout is not None
            process.stdout.readline()
        yield process
        process.kill()


def a_status(folder: Path, pid: int, born_s: float) -> Path:
    status = folder / "status.json"
    noted = {"processes": {"AWS": pid, "the API": None}, "born": {"AWS": born_s, "the API": 0.0}}
    status.write_text(json.dumps(noted))
    return status


def test_a_process_of_a_killed_twin_is_ended(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    status = a_status(tmp_path, sleeper.pid, born(sleeper.pid))

    assert end_orphans(status) == 1

    assert not psutil.pid_exists(sleeper.pid)
    assert not status.exists()


def test_one_that_does_not_end_is_killed(
    tmp_path: Path, deaf: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.orphans.END_WITHIN_S", 0.3)

    assert end_orphans(a_status(tmp_path, deaf.pid, born(deaf.pid))) == 1

    assert deaf.wait(5) == -9


def test_another_process_under_the_same_id_is_left_alone(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    status = a_status(tmp_path, sleeper.pid, born(sleeper.pid) - 100)

    assert end_orphans(status) == 0
    assert sleeper.poll() is None


def test_processes_that_have_ended_and_a_status_that_never_was_are_no_orphans(
    tmp_path: Path,
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        born_s = born(ended.pid)

    assert end_orphans(a_status(tmp_path, ended.pid, born_s)) == 0
    assert end_orphans(tmp_path / "none.json") == 0
    assert born(None) == 0
