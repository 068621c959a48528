"""What a killed `cts up` left running: ended before the next one starts its own."""

import json
from pathlib import Path
from typing import Any

import psutil

END_WITHIN_S = 20.0
_SAME_S = 1.0  # a process id is used again, but not with the same time of birth


def end_orphans(status: Path) -> int:
    """End every process that the status of a killed twin names; tells how many still ran."""
    if not status.exists():
        return 0
    noted = json.loads(status.read_text(encoding="utf-8"))
    left = [
        process
        for name, pid in noted["processes"].items()
        if pid and (process := _the_one(pid, noted.get("born", {}).get(name, 0.0)))
    ]
    workers = [worker for process in left for worker in _children(process)]
    for process in left:
        _tell(process, psutil.Process.terminate)
    _, deaf = psutil.wait_procs([*left, *workers], timeout=END_WITHIN_S)
    for process in deaf:
        _tell(process, psutil.Process.kill)
    status.unlink()
    return len(left)


def born(pid: int | None) -> float:
    """When a process began, in seconds since the epoch; 0 if it does not run."""
    try:
        return psutil.Process(pid).create_time() if pid else 0.0
    except psutil.NoSuchProcess:
        return 0.0


def _the_one(pid: int, born_s: float) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        same = abs(process.create_time() - born_s) < _SAME_S
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _tell(process: psutil.Process, message: Any) -> None:
    try:
        message(process)
    except psutil.NoSuchProcess:
        return
