"""A build that is broken off ends with every process it had started."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from local import stack
from local.places import Places

# As SAM does: starts another process, which does the work.
A_SAM = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open(sys.argv[1] + ".part", "w").write(f"{os.getpid()} {child.pid}")
os.replace(sys.argv[1] + ".part", sys.argv[1])
time.sleep(60)
"""


async def test_a_cancelled_build_leaves_no_process_and_no_stamp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = tmp_path / "ids"
    monkeypatch.setattr(stack, "SAM", (sys.executable, "-c", A_SAM, str(ids)))
    places = Places(home=tmp_path / "home")
    building = asyncio.create_task(stack.build(places))
    async with asyncio.timeout(20):
        while not ids.exists():
            await asyncio.sleep(0.02)
    both = [psutil.Process(int(pid)) for pid in ids.read_text().split()]

    building.cancel()
    with suppress(asyncio.CancelledError):
        await building

    assert not any(runs(process) for process in both)
    assert not (places.build / "digest").exists()


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
