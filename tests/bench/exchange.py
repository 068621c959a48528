"""The peer's process: its files, its lines, and the comparison of its trades with ours."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tests.bench.markets import Job
from tests.bench.replay import Orders

from engine.ticks import RATIO

VECTORBT = "1.2.0"
CHUNK = 50
PEER = Path(__file__).with_name("peer.py")


Start = Callable[[Path], list[str]]
"""The command that starts a peer on the job of a folder."""


class PeerError(Exception):
    """The peer cannot be installed or failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Seconds of one pass and the peer's peak memory so far."""

    seconds: float
    peak_mb: float


def write_job(job: Job, folder: Path) -> None:
    """The job as the peer reads it: prices in ticks as floats, which hold them exactly."""
    symbols = job.rows // 2
    for name in ("open", "high", "low", "close"):
        prices = getattr(job.candles, name)[:, symbols].T
        np.save(folder / f"{name}.npy", prices.astype(np.float64))
    entries = np.zeros((len(job.rows), len(job.candles)), np.bool_)
    for row, bars in enumerate(job.entries):
        entries[row, bars] = True
    np.save(folder / "entries.npy", entries)
    np.save(folder / "short.npy", job.rows % 2 == 1)
    np.save(folder / "stop.npy", job.stop / RATIO)
    np.save(folder / "target.npy", job.target / RATIO)


def read_orders(folder: Path, engine: str) -> Orders:
    """What the peer traded."""
    return Orders.sorted(np.load(folder / f"orders-{engine}.npy"))


def differing(ours: Orders, theirs: Orders, rows: int, configurations: int) -> int:
    """(Row, configuration) pairs whose trades differ, in number or in any bar."""
    total = rows * configurations
    own, their = (each.lines[:, 0] * configurations + each.lines[:, 1] for each in (ours, theirs))
    counts = np.bincount(own, minlength=total), np.bincount(their, minlength=total)
    wrong = counts[0] != counts[1]
    same = [~wrong[place] for place in (own, their)]
    bars = [each.lines[kept, 2] for each, kept in zip((ours, theirs), same, strict=True)]
    wrong[own[same[0]][bars[0] != bars[1]]] = True
    return int(wrong.sum())


def chunks(rows: Sequence[int], configurations: Sequence[int]) -> list[tuple[int, list[int]]]:
    """Columns the peer runs at once: `CHUNK` configurations of one row."""
    parts = [list(configurations[at : at + CHUNK]) for at in range(0, len(configurations), CHUNK)]
    return [(row, part) for row in rows for part in parts]


class Peer:
    """A running peer."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        hello = self._read()
        self.version = str(hello["version"])
        self.failed: dict[str, str] = hello["failed"]

    def run(
        self, engine: str, jobs: Sequence[tuple[int, list[int]]], *, keep: bool = False
    ) -> Answer:
        """One pass over these chunks."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"engine": engine, "jobs": jobs, "keep": keep}) + "\n")
        self._process.stdin.flush()
        return Answer(**self._read())

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise PeerError(f"vectorbt ended with code {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def running_peer(folder: Path, start: Start) -> Iterator[Peer]:
    """The peer that `start` starts, compiled; it ends with the block.

    Raises
    ------
    PeerError
        If uv is missing, or vectorbt cannot be installed or does not run.
    """
    process = subprocess.Popen(
        start(folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
    )
    try:
        yield Peer(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def vectorbt(folder: Path) -> list[str]:
    """How vectorbt is started: uv makes an environment for it alone.

    Raises
    ------
    PeerError
        If uv is not there.
    """
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise PeerError("uv is not on the path: `pip install uv`")
    packages = ("--with", f"vectorbt=={VECTORBT}", "--with", f"vectorbt-rust=={VECTORBT}")
    python = (sys.executable, str(PEER), str(folder))
    options = ("--quiet", "--no-project", "--python", python[0])
    return [uv, "run", *options, *packages, "python", *python[1:]]
