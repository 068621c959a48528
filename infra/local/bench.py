"""What `cts bench` runs: the measurements of `tests/bench`, in a process of their own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from local.checks import search_path
from local.places import ROOT

PARTS = ("j1", "j2", "j3", "growth", "feed", "orders", "api", "load")


class NoBenchError(Exception):
    """There is nothing to measure with."""


def run(parts: Sequence[str], *, as_json: bool, tiny: bool = False, root: Path = ROOT) -> int:
    """Measure these parts, or all; 0 if every target is met, 2 if a part does not exist.

    Raises
    ------
    NoBenchError
        If this is no checkout of the repository: the measurements are part of its tests.
    """
    if not (root / "tests" / "bench" / "__main__.py").exists():
        raise NoBenchError(f"no measurements in {root / 'tests' / 'bench'}: run it in a checkout")
    flags = [flag for flag, wanted in (("--json", as_json), ("--tiny", tiny)) if wanted]
    command = (sys.executable, "-m", "tests.bench", *parts, *flags)
    api = str(root / "functions" / "api")
    quiet = {"POWERTOOLS_LOG_LEVEL": "CRITICAL"}  # lines of a log are no figures
    environment = {**os.environ, "PATH": search_path(), "PYTHONPATH": api, **quiet}
    return subprocess.run(command, cwd=root, env=environment, check=False).returncode
