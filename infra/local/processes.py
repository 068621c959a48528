"""The twin's child processes: started, watched, restarted, and stopped to the last."""

import asyncio
import ctypes
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

READY_WITHIN_S = 60.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
LONG_RUN_S = 30.0
STOP_WITHIN_S = 20.0
GONE_WITHIN_S = 5.0
_PR_SET_PDEATHSIG = 1


class ChildError(Exception):
    """A child did not become ready; the message names its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run, and how to tell that it is ready."""

    name: str
    arguments: tuple[str, ...]
    log: Path
    is_ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


class Child:
    """One program, kept running until it is stopped."""

    def __init__(self, program: Program, *, say: Callable[[str], None]) -> None:
        self.program = program
        self.restarts = 0
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    async def start(self) -> None:
        """Start it and return when it is ready.

        Raises
        ------
        ChildError
            If it ended instead, or took longer than a minute.
        """
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """SIGTERM, SIGKILL if it takes too long, and the end of whatever it leaves behind."""
        if self._keeper is not None:
            self._keeper.cancel()
        process = self._process
        if process is None:
            return
        descendants = _descendants(process.pid)
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
            except TimeoutError:
                self._say(f"{self.program.name} did not end in time and was killed")
        _end_all(descendants)
        await end_session(process)
        await _until_gone(descendants)

    async def _spawn(self) -> None:
        program = self.program
        program.log.parent.mkdir(parents=True, exist_ok=True)
        with program.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *program.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **program.environment},
                cwd=program.folder,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        await self._become_ready(self._process)

    async def _become_ready(self, process: asyncio.subprocess.Process) -> None:
        name, log = self.program.name, self.program.log
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await self.program.is_ready():
                    if process.returncode is not None:
                        _end_group(process.pid)
                        raise ChildError(
                            f"{name} ended with {process.returncode} before it was ready: see {log}"
                        )
                    await asyncio.sleep(0.1)
        except TimeoutError:
            _end_group(process.pid)
            await process.wait()
            raise ChildError(
                f"{name} was not ready within {READY_WITHIN_S:.0f} s: see {log}"
            ) from None

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        pause = FIRST_PAUSE_S
        while self._process is not None:
            started = loop.time()
            code = await self._process.wait()
            _end_group(self._process.pid)
            pause = FIRST_PAUSE_S if loop.time() - started > LONG_RUN_S else pause
            self._say(f"{self.program.name} ended ({_cause(code)}); starting it again")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
            self.restarts += 1
            try:
                await self._spawn()
                self._say(f"{self.program.name} is back")
            except ChildError as error:
                self._say(str(error))


def lambda_workers(home: Path, function: str) -> list[psutil.Process]:
    """The running workers of one Lambda function of the twin in `home`."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if (line := " ".join(process.info["cmdline"] or [])).startswith(sys.executable)
        and str(home) in line
        and f"-{function}-" in line
    ]


async def end_session(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of the session a process leads, and return once all of it is gone."""
    left = _group(process.pid)
    _end_group(process.pid)
    await process.wait()
    await _until_gone(left)


def _cause(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit {code}"


def _end_with_parent() -> None:
    """Ask the kernel for SIGTERM when `cts up` itself is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _group(leader: int) -> list[psutil.Process]:
    """Every process of the session a child led, whoever its parent is by now."""
    return [process for process in psutil.process_iter() if _group_of(process.pid) == leader]


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def _end_group(leader: int) -> None:
    """Kill what is left of the session a child led."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return


def _end_all(processes: list[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


async def _until_gone(processes: list[psutil.Process]) -> None:
    """A killed process lives on for a moment, its port with it."""
    async with asyncio.timeout(GONE_WITHIN_S):
        while any(_runs(process) for process in processes):
            await asyncio.sleep(0.01)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
