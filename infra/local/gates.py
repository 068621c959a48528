"""What `cts test` runs: the static checks, then the ladder of tests, fast ones first."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from local.checks import search_path
from local.places import ROOT
from local.stack import SAM

# Pure computing, which shares nothing: these rungs use every core.
PURE = ("unit", "tools", "wires", "simulation")
# Venues on ports of their own, for whose answers is mostly waited: as many as there are cores.
WAITING = ("contracts",)
# Tables, gateways and processes of their own; a file's tests share what they start.
SHARING = ("integration",)
# What runs the whole twin and keeps times has the machine to itself.
ALONE = ("e2e",)
LADDER = (*PURE, *WAITING, *SHARING, *ALONE)
PARTS = ("checks", *LADDER)

Command = tuple[str, ...]
EVERY_CORE: Command = ("-n", "logical")
FILE_BY_FILE: Command = (*EVERY_CORE, "--dist", "loadfile")


class UnknownPartError(Exception):
    """A part of the tests that does not exist."""


def run(parts: list[str], *, say: Callable[[str], None], root: Path = ROOT) -> int:
    """Run the named parts in the ladder's order and return 0 if all of them hold.

    Everything runs even after a failure; pytest runs last, before a line for each part.

    Raises
    ------
    UnknownPartError
        Naming the parts there are.
    """
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise UnknownPartError(f"no part is named {unknown[0]}; there are: {', '.join(PARTS)}")
    results: list[tuple[str, bool, float]] = []
    for name, command in _commands(parts, root):
        say(f"== {name}")
        begun = time.monotonic()
        code = _call(command, root)
        results.append((name, code == 0, time.monotonic() - begun))
    say("== summary")
    for name, holds, took in results:
        say(f"{'holds ' if holds else 'FAILED'} {name} ({took:.1f} s)")
    return 0 if all(holds for _, holds, _ in results) else 1


def _commands(parts: list[str], root: Path) -> Iterator[tuple[str, Command]]:
    if "checks" in parts:
        yield from _checks(root)
    ways = ((PURE, EVERY_CORE), (WAITING, EVERY_CORE), (SHARING, FILE_BY_FILE), (ALONE, ()))
    for kind, options in ways:
        rungs = [
            rung
            for rung in kind
            if rung in parts and any((root / "tests" / rung).rglob("test_*.py"))
        ]
        if rungs:
            yield f"pytest {' '.join(rungs)}", _pytest(root, rungs, options)


def _checks(root: Path) -> Iterator[tuple[str, Command]]:
    python = (sys.executable, "-m")
    yield "ruff check", (*python, "ruff", "check", ".")
    yield "ruff format", (*python, "ruff", "format", "--check", ".")
    yield "mypy", (*python, "mypy")
    for app in sorted((root / "functions").glob("*/app.py")):
        # Every function's module is named `app`: each is checked by itself.
        yield f"mypy {app.parent.name}", (*python, "mypy", str(app.relative_to(root).parent))
    yield "sam validate", (*SAM, "validate", "--lint", "--config-env", "local")


def _pytest(root: Path, rungs: list[str], options: Command) -> Command:
    # pytest keeps the order of the folders it is given.
    folders = [f"tests/{rung}" for rung in rungs]
    # What lies beside the rungs looks at the house as it is written, as the tests of its tools do.
    beside = [str(file.relative_to(root)) for file in sorted((root / "tests").glob("test_*.py"))]
    alongside = beside if "tools" in rungs else []
    return (sys.executable, "-m", "pytest", *options, *alongside, *folders)


def _call(command: Command, root: Path) -> int:
    import os

    environment = {
        **os.environ,
        "PATH": search_path(),
        "SAM_CLI_TELEMETRY": "0",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    # Hundreds of processes begin: each would compile its libraries again.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode
