"""`cts up` as a user meets it: up, hurt, down, up again, with nothing left running."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from tests.ministack import free_port

pytestmark = [pytest.mark.twin, pytest.mark.timeout(420)]
CTS = (sys.executable, "-m", "local.cli")


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A twin's folder and ports, beside any other twin's."""

    folder: Path
    ports: tuple[str, ...]

    def cts(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*CTS, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "CTS_HOME": str(self.folder), "NO_COLOR": "1"}

    def leftovers(self) -> list[str]:
        """Whatever still runs of this twin."""
        lines = []
        for process in psutil.process_iter(["cmdline"]):
            line = " ".join(process.info["cmdline"] or [])
            if str(self.folder) in line:
                lines.append(line)
        return lines

    def processes(self) -> dict[str, int]:
        status: dict[str, dict[str, int]] = json.loads((self.folder / "status.json").read_text())
        return status["processes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A `cts up` in the background."""

    process: "subprocess.Popen[bytes]"
    output: Path

    def text(self) -> str:
        return self.output.read_text()

    def until(self, words: str, *, within_s: float = 240) -> None:
        deadline = time.monotonic() + within_s
        while words not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    paper = next(port for port in iter(free_port, 0) if is_free(port + 1))
    ports = (
        *("--aws-port", str(free_port())),
        *("--paper-port", str(paper)),
        *("--api-port", str(free_port())),
        *("--console-port", str(free_port())),
    )
    return Home(folder=tmp_path_factory.mktemp("twin"), ports=ports)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def up(home: Home, *options: str) -> Iterator[Up]:
    output = home.folder.parent / f"{home.folder.name}.out"
    with output.open("wb") as opened:
        process = subprocess.Popen(
            [*CTS, "up", *home.ports, *options],
            env=home.environment,
            stdout=opened,
            stderr=opened,
            start_new_session=True,
        )
    try:
        yield Up(process=process, output=output)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(90)


def test_the_twin_comes_up_heals_and_goes_down_with_nothing_left(home: Home) -> None:
    with up(home, "--symbols", "3") as first:
        first.until("up after")
        token = (home.folder / "token").read_text().strip()
        assert first.text().count(token) == 1
        assert (home.folder / "token").stat().st_mode & 0o777 == 0o600

        second = home.cts("up", *home.ports)
        assert second.returncode == 1
        assert second.stderr.strip().startswith("The twin is already up (process")

        before = home.processes()
        assert set(before) == {"the paper exchange", "AWS", "the API", "the console"}
        for name, sent in (
            ("the paper exchange", signal.SIGKILL),
            ("the API", signal.SIGKILL),
            ("the console", signal.SIGKILL),
            ("AWS", signal.SIGTERM),
        ):
            os.kill(before[name], sent)
            first.until(f"{name} is back")
        assert all(home.processes()[name] != pid for name, pid in before.items())

        shown = home.cts("status")
        assert shown.returncode == 0
        assert "engine: wanted running" in shown.stdout

        down = home.cts("down")
        assert down.returncode == 0
        assert first.process.wait(5) == 0
    settle(lambda: not home.leftovers())

    assert home.cts("status").returncode == 1


def test_the_twin_comes_up_again_with_the_connection_and_token_it_had(home: Home) -> None:
    token = (home.folder / "token").read_text()

    with up(home, "--symbols", "3", "--no-console") as again:
        again.until("up after")

        assert "the stack is deployed as it was" in again.text()
        assert token.strip() not in again.text()
        assert (home.folder / "token").read_text() == token
        assert "the console" not in home.processes()
    settle(lambda: not home.leftovers())


def test_a_taken_port_is_one_sentence_and_nothing_is_started(home: Home) -> None:
    with socket.create_server(("127.0.0.1", int(home.ports[1]))):
        refused = home.cts("up", *home.ports)

    assert refused.returncode == 1
    assert refused.stderr.strip() == (
        f"Port {home.ports[1]} on 127.0.0.1, which AWS needs, is taken by another program."
    )
    assert not home.leftovers()


def settle(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
