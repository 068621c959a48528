"""`cts up` as a process of its own, in a folder and on ports of its own."""

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
from tests.ministack import free_port

from local.places import ROOT, Places, Ports
from local.processes import lambda_workers

CTS = (sys.executable, "-m", "local.cli")


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """A twin's folder and ports, beside any other twin's."""

    places: Places

    @property
    def folder(self) -> Path:
        return self.places.home

    @property
    def ports(self) -> tuple[str, ...]:
        ports = self.places.ports
        named = {
            "--aws-port": ports.aws,
            "--paper-port": ports.paper,
            "--api-port": ports.api,
            "--console-port": ports.console,
        }
        return tuple(word for name, port in named.items() for word in (name, str(port)))

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "CTS_HOME": str(self.folder), "NO_COLOR": "1"}

    def cts(self, *arguments: str, within_s: float = 120) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*CTS, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=within_s,
        )

    def processes(self) -> dict[str, int]:
        """Ids of the twin's processes by name, as `cts status` knows them."""
        status: dict[str, dict[str, int]] = json.loads(self.places.status.read_text())
        return status["processes"]

    def workers(self, function: str) -> list[psutil.Process]:
        """The running Lambda workers of one function."""
        return lambda_workers(self.folder, function)

    def leftovers(self) -> list[str]:
        """Whatever still runs of this twin."""
        lines = []
        for process in psutil.process_iter(["cmdline"]):
            line = " ".join(process.info["cmdline"] or [])
            if str(self.folder) in line:
                lines.append(line)
        return lines

    def bound(self) -> list[str]:
        """The twin's ports on which somebody listens."""
        return [name for name, port in self.places.ports.named().items() if not is_free(port)]


def a_home(folder: Path) -> Home:
    """A home in `folder` on free ports; the build is shared, it depends on the sources alone."""
    folder.mkdir(parents=True, exist_ok=True)
    shared = ROOT / ".cts" / "build"
    shared.mkdir(parents=True, exist_ok=True)
    (folder / "build").symlink_to(shared)
    paper = next(port for port in iter(free_port, 0) if is_free(port + 1))
    ports = Ports(
        aws=free_port(),
        paper=paper,
        paper_control=paper + 1,
        api=free_port(),
        console=free_port(),
    )
    return Home(places=Places(home=folder, ports=ports))


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """A `cts up` in the background."""

    process: "subprocess.Popen[bytes]"
    output: Path

    def text(self) -> str:
        return self.output.read_text()

    def until(self, words: str, *, times: int = 1, within_s: float = 240) -> None:
        deadline = time.monotonic() + within_s
        while self.text().count(words) < times:
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < deadline, self.text()
            time.sleep(0.1)


@contextmanager
def up(home: Home, *options: str) -> Iterator[Up]:
    """Start `cts up` and leave it to the block; it is ended after it unless it has ended."""
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


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def settle(holds: Callable[[], bool], *, within_s: float = 10, told: str = "") -> float:
    """Wait until it holds; answers the seconds it took."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < within_s, f"not within {within_s} s: {told}"
        time.sleep(0.1)
    return time.monotonic() - begun
