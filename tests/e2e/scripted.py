"""A scripted market and the paper exchange that plays it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

START_S = 30.0
API_KEY, API_SECRET = "test-key", "test-secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A running paper exchange."""

    port: int
    control_port: int
    directory: Path

    def books(self) -> dict[str, Any]:
        answer = httpx.get(f"http://127.0.0.1:{self.control_port}/books", timeout=5)
        found: dict[str, Any] = answer.json()
        return found

    @property
    def environment(self) -> dict[str, str]:
        return {
            "CTS_PAPER_ADDRESS": f"127.0.0.1:{self.port}",
            "CTS_PAPER_CA": str(self.directory / "ca.pem"),
        }


def write_tape(path: Path, paths: Mapping[str, Sequence[Decimal]]) -> None:
    """One candle a second and symbol; each opens where the one before closed."""
    lines = ["symbol,ts_ms,open,high,low,close,volume"]
    for symbol, prices in paths.items():
        before = prices[0]
        for second, price in enumerate(prices):
            high, low = max(before, price), min(before, price)
            lines.append(f"{symbol},{second * 1000},{before},{high},{low},{price},100")
            before = price
    path.write_text("\n".join(lines) + "\n")


def leg(start: Decimal, *moves: tuple[int, str]) -> list[Decimal]:
    """Prices a second that walk `(seconds, percent of start)` legs one after the other."""
    prices, at = [start], Decimal(0)
    for seconds, percent in moves:
        for step in range(1, seconds + 1):
            change = at + (Decimal(percent) - at) * step / seconds
            prices.append((start * (1 + change / 100)).quantize(start))
        at = Decimal(percent)
    return prices


@contextmanager
def paper_exchange(directory: Path, *arguments: str) -> Iterator[Paper]:
    """The real process on ports of its own; stopped at the end."""
    paper = Paper(port=free_port(), control_port=free_port(), directory=directory)
    command = [sys.executable, "-m", "local.paper", "--dir", str(directory)]
    command += ["--port", str(paper.port), "--control-port", str(paper.control_port), *arguments]
    keys = {"CTS_PAPER_API_KEY": API_KEY, "CTS_PAPER_API_SECRET": API_SECRET}
    process = subprocess.Popen(command, env=os.environ | keys)
    try:
        _await(paper, process)
        yield paper
    finally:
        process.terminate()
        process.wait(timeout=10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await(paper: Paper, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the paper exchange ended with {process.returncode}")
        try:
            httpx.get(f"http://127.0.0.1:{paper.control_port}/health", timeout=1)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise RuntimeError(f"the paper exchange did not answer within {START_S} s")
