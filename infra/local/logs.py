"""The logs of the twin's processes: `<name>.log`, and `lambda-<function>.log` for the workers."""

import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

POLL_S = 0.3


class NoLogError(Exception):
    """There is no log of that name."""


def show(folder: Path, name: str | None, *, lines: int, follow: bool) -> Iterator[str]:
    """The last lines of one log or of all, then whatever is added to them.

    Raises
    ------
    NoLogError
        Naming the logs there are.
    """
    files = sorted(folder.glob(f"{name or '*'}.log"))
    if not files:
        there = ", ".join(sorted(file.stem for file in folder.glob("*.log"))) or "none"
        raise NoLogError(f"no log is named {name or '*'}; there are: {there}")
    ends = {}
    for file in files:
        with file.open(encoding="utf-8", errors="replace") as opened:
            last = deque(opened, maxlen=lines)
            ends[file] = opened.tell()
        yield from (_labelled(file, line, files) for line in last)
    while follow:
        time.sleep(POLL_S)
        for file in files:
            yield from _added(file, ends, files)


def error_lines(folder: Path) -> list[str]:
    """Every line of level ERROR or above, of every process, with its log's name."""
    found = []
    for file in sorted(folder.glob("*.log")):
        with file.open(encoding="utf-8", errors="replace") as opened:
            found += [f"{file.stem}: {line.rstrip()}" for line in opened if is_error(line)]
    return found


def is_error(line: str) -> bool:
    """Whether a line of a log reports an error: by its level, as JSON or as text."""
    levels = ("ERROR", "CRITICAL")
    as_json = any(f'"level":"{level}"' in line.replace(": ", ":") for level in levels)
    as_text = any(f" {level} " in f" {line[:60]} " or f"[{level}]" in line[:60] for level in levels)
    return as_json or as_text or line.startswith("Traceback (most recent call last)")


def _added(file: Path, ends: dict[Path, int], files: list[Path]) -> Iterator[str]:
    with file.open(encoding="utf-8", errors="replace") as opened:
        opened.seek(ends[file])
        yield from (_labelled(file, line, files) for line in opened.readlines())
        ends[file] = opened.tell()


def _labelled(file: Path, line: str, files: list[Path]) -> str:
    text = line.rstrip("\n")
    return text if len(files) == 1 else f"{file.stem} | {text}"
