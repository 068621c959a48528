"""Children of the twin: restarted when they die, and stopped with everything they started."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from local.processes import Child, ChildError, Program

# Writes its own and its grandchild's id, then waits.
PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open(sys.argv[1] + ".part", "w").write(f"{os.getpid()} {child.pid}")
os.replace(sys.argv[1] + ".part", sys.argv[1])
time.sleep(60)
"""


def a_program(
    folder: Path, script: str = PARENT, is_ready: Callable[[], Awaitable[bool]] | None = None
) -> Program:
    async def written() -> bool:
        return (folder / "ids").exists()

    return Program(
        name="the child",
        arguments=(sys.executable, "-c", script, str(folder / "ids")),
        log=folder / "child.log",
        is_ready=is_ready or written,
    )


def ids(folder: Path) -> tuple[psutil.Process, psutil.Process]:
    parent, child = (folder / "ids").read_text().split()
    return psutil.Process(int(parent)), psutil.Process(int(child))


def is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


async def test_a_stopped_child_leaves_nothing_behind(tmp_path: Path) -> None:
    child = Child(a_program(tmp_path), say=lambda text: None)
    await child.start()
    both = ids(tmp_path)

    await child.stop()

    assert child.pid is None
    await until(lambda: all(is_gone(process) for process in both))


async def test_a_killed_child_is_started_again_and_its_orphans_are_ended(tmp_path: Path) -> None:
    said: list[str] = []
    child = Child(a_program(tmp_path), say=said.append)
    await child.start()
    first, orphan = ids(tmp_path)
    (tmp_path / "ids").unlink()

    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: "the child is back" in said)

    assert said[0] == "the child ended (SIGKILL); starting it again"
    assert child.restarts == 1
    assert child.pid not in (None, first.pid)
    await until(lambda: is_gone(orphan))
    await child.stop()


async def test_a_child_that_ends_before_it_is_ready_names_its_log(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    child = Child(a_program(tmp_path, "raise SystemExit(3)", never), say=lambda text: None)

    with pytest.raises(ChildError, match=r"ended with 3 before it was ready: see .*child\.log"):
        await child.start()


async def test_a_child_that_ignores_its_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.processes.STOP_WITHIN_S", 0.3)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + PARENT
    said: list[str] = []
    child = Child(a_program(tmp_path, deaf), say=said.append)
    await child.start()
    both = ids(tmp_path)

    await child.stop()

    assert said == ["the child did not end in time and was killed"]
    await until(lambda: all(is_gone(process) for process in both))


def test_children_end_when_the_twin_itself_is_killed(tmp_path: Path) -> None:

    script = f"""
import asyncio, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from local.processes import Child
from tests.integration.test_processes import a_program
async def main():
    await Child(a_program(Path({str(tmp_path)!r})), say=print).start()
    print("started", flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    twin = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert twin.stdout is not None
    assert twin.stdout.readline() == b"started\n"
    parent, orphan = ids(tmp_path)

    twin.kill()
    twin.wait()
    twin.stdout.close()

    deadline = time.monotonic() + 10
    while not is_gone(parent):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    orphan.kill()  # an interpreter that ends by a signal does not end what it started
