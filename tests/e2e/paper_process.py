"""The paper exchange as a process of its own, for wire tests."""

import contextlib
import hashlib
import hmac
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

READY_S = 20


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


@dataclass
class PaperProcess:
    """A running paper exchange and how to reach it."""

    directory: Path
    port: int
    control_port: int
    process: subprocess.Popen[str]

    @property
    def authority(self) -> Path:
        return self.directory / "ca.pem"

    def books(self) -> dict[str, Any]:
        answer = httpx.get(f"http://127.0.0.1:{self.control_port}/books").json()
        return dict(answer)

    def public(self, path: str, **parameters: object) -> httpx.Response:
        return self._send("GET", f"{path}?{urlencode(parameters)}", "", {})

    def upgrade(self, path: str) -> httpx.Response:
        """Ask for a WebSocket; the answer if the exchange will not open one."""
        wanted = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        return self._send("GET", path, "", wanted | key)

    def signed(
        self, method: str, path: str, *, secret: str = "paper-secret", key: str = "paper",
        **parameters: object,
    ) -> httpx.Response:  # fmt: skip
        """A signed request as a client of the venue makes it; ``timestamp`` may be overridden."""
        query = urlencode({"timestamp": time.time_ns() // 1_000_000} | parameters)
        signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
        text, headers = f"{query}&signature={signature}", {"X-MBX-APIKEY": key}
        if method in ("GET", "DELETE"):
            return self._send(method, f"{path}?{text}", "", headers)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._send(method, path, text, headers | form)

    def _send(self, method: str, path: str, body: str, headers: dict[str, str]) -> httpx.Response:
        context = ssl.create_default_context(cafile=str(self.authority))
        url = f"https://localhost:{self.port}{path}"
        with httpx.Client(verify=context) as client:
            return client.request(method, url, content=body, headers=headers)


def start(directory: Path, *options: str, ports: list[int] | None = None) -> PaperProcess:
    """Start a paper exchange and wait for its ready line."""
    port, control_port = ports or free_ports(2)
    process = subprocess.Popen(
        [sys.executable, "-m", "local.paper", "--port", str(port), "--control-port",
         str(control_port), "--dir", str(directory), *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ),
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    if "ready" not in line:
        _, error = process.communicate(timeout=READY_S)
        raise RuntimeError(f"paper exchange did not start: {error.strip()}")
    return PaperProcess(directory, port, control_port, process)


def finish(paper: PaperProcess) -> int:
    """Stop a paper exchange the clean way; its exit code."""
    paper.process.terminate()
    paper.process.communicate(timeout=READY_S)
    return paper.process.returncode


@contextlib.contextmanager
def running(directory: Path, *options: str) -> Iterator[PaperProcess]:
    """A paper exchange for the length of a block."""
    paper = start(directory, *options)
    try:
        yield paper
    finally:
        finish(paper)
