"""A paper exchange of the tests' own: a real process, real TLS, a line that can be cut."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from adapters.access import Access, Network, PaperAddress

KEY, SECRET, PASSPHRASE = "test-key", "test-secret", "test-passphrase"


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


@dataclass(slots=True)
class PaperProcess:
    """`python -m local.paper` on ports of its own."""

    directory: Path
    port: int = field(default_factory=free_port)
    control_port: int = field(default_factory=free_port)
    options: tuple[str, ...] = ("--symbols", "4")
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            sys.executable, "-m", "local.paper", "--port", str(self.port), "--control-port",
            str(self.control_port), "--dir", str(self.directory), "--seed", "7", *self.options,
        ]  # fmt: skip
        environ = os.environ | {
            "CTS_PAPER_API_KEY": KEY,
            "CTS_PAPER_API_SECRET": SECRET,
            "CTS_PAPER_PASSPHRASE": PASSPHRASE,
        }
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "paper.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        self._until_healthy()

    def kill(self) -> None:
        """As a crash does: no goodbye."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def books(self, venue: str = "binance") -> dict[str, Any]:
        """What the exchange itself says of its orders, fills and positions."""
        url = f"http://127.0.0.1:{self.control_port}/books?venue={venue}"
        with urllib.request.urlopen(url) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    @property
    def environment(self) -> dict[str, str]:
        """What a process must be told to trade here."""
        return {
            "CTS_PAPER_ADDRESS": f"127.0.0.1:{self.port}",
            "CTS_PAPER_CA": str(self.directory / "ca.pem"),
        }

    def address(self, port: int | None = None) -> PaperAddress:
        return PaperAddress(
            host="127.0.0.1", port=port or self.port, ca_file=self.directory / "ca.pem"
        )

    def access(
        self, venue: str = "binance", *, port: int | None = None, secret: str = SECRET
    ) -> Access:
        return Access(
            venue=venue,
            network=Network.PAPER,
            api_key=KEY,
            api_secret=secret,
            api_passphrase=PASSPHRASE,
            paper=self.address(port),
        )

    def _until_healthy(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process is None or self.process.poll() is not None:
                break
            health = f"http://127.0.0.1:{self.control_port}/health"
            with contextlib.suppress(OSError), urllib.request.urlopen(health):
                return
            time.sleep(0.1)
        log = (self.directory / "paper.log").read_text()[-2000:]
        raise AssertionError(f"the paper exchange did not start: {log}")

    def _end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.send_signal(how)
            process.wait(timeout=20)


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperProcess]:
    """A running paper exchange for the tests of one module."""
    made = PaperProcess(tmp_path_factory.mktemp("paper"))
    made.start()
    yield made
    made.stop()


@dataclass(slots=True, eq=False)
class _Pipe:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    asked: int = 0
    answered: int = 0
    is_muted: bool = False


@dataclass(slots=True)
class Line:
    """A TCP line to the paper exchange that can lose answers, fall silent, and be cut.

    `answers` is `pass`, `drop` (the far side does the work, its answer never comes) or `abort`
    (it does the work, then the connection is torn down).
    """

    target_port: int
    answers: str = "pass"
    port: int = 0
    _server: asyncio.Server | None = None
    _pipes: set[_Pipe] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> "Line":
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Tear down every connection."""
        for pipe in list(self._pipes):
            self._abort(pipe)

    def mute_streams(self) -> int:
        """Let the connections that speak unasked fall silent for ever; how many they are."""
        talking = [pipe for pipe in self._pipes if pipe.answered > 2 * pipe.asked + 10]
        for pipe in talking:
            pipe.is_muted = True
        return len(talking)

    async def _accepted(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            back, server = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            client.transport.abort()
            return
        pipe = _Pipe(client, server)
        self._pipes.add(pipe)
        for work in (self._forth(reader, pipe), self._back(back, pipe)):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _forth(self, reader: asyncio.StreamReader, pipe: _Pipe) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                pipe.asked += 1
                pipe.server.write(data)
        self._abort(pipe)

    async def _back(self, reader: asyncio.StreamReader, pipe: _Pipe) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                pipe.answered += 1
                if self.answers == "abort":
                    break
                if self.answers == "pass" and not pipe.is_muted:
                    pipe.client.write(data)
        self._abort(pipe)

    def _abort(self, pipe: _Pipe) -> None:
        self._pipes.discard(pipe)
        pipe.client.transport.abort()
        pipe.server.transport.abort()
