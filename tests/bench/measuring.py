"""Seconds, memory, and text for the eye."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROUNDS = 7
_BAR = 24


def best_of(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Seconds of the fastest of some rounds: what the machine can do when left alone."""
    return min(seconds(work) for _ in range(rounds))


def seconds(work: Callable[[], object]) -> float:
    """Seconds of one call, by the clock or by the processor, whichever is less.

    Time in which others had the processor is nobody's; on a quiet machine both are equal.
    """
    begun, worked = time.perf_counter(), time.process_time()
    work()
    return min(time.perf_counter() - begun, time.process_time() - worked)


def peak_mb() -> float:
    """Largest resident memory of this process so far.

    What `getrusage` tells on Linux is the parent's where that is larger.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return float(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peak_mb_alone(module: str, *arguments: str) -> float:
    """Largest resident memory of a process that runs one module and prints that figure last."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env=dict(os.environ),
    )
    return float(done.stdout.split()[-1])


def table(head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    """Columns under their heads; a first or last column of words stands to the left."""
    cells = [[_cell(each) for each in line] for line in lines]
    widths = [max(len(text) for text in column) for column in zip(head, *cells, strict=True)]
    ends = (0, len(head) - 1)
    to_left = [
        number in ends and all(isinstance(line[number], str) for line in lines)
        for number in range(len(head))
    ]
    written = [
        "  ".join(
            text.ljust(width) if left else text.rjust(width)
            for text, width, left in zip(line, widths, to_left, strict=True)
        ).rstrip()
        for line in [list(head), ["-" * width for width in widths], *cells]
    ]
    return "\n".join(written)


def bars(values: Sequence[float]) -> list[str]:
    """Each value as a bar, the largest the full width."""
    most = max(values, default=0.0)
    return ["#" * round(_BAR * value / most) if most else "" for value in values]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
