"""A share of one core, as a small Lambda has it: enforced by the kernel where it lets us."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LAMBDA_SHARE = 512 / 1769
"""Of a core, for 512 MB: Lambda gives a whole one at 1,769 MB."""
_PERIOD_US = 20_000
_ROOT = Path("/sys/fs/cgroup")


@contextmanager
def limited(pid: int, share: float) -> Iterator[bool]:
    """Hold a process to a share of a core; False where this machine does not allow it.

    The quota is dealt out every 20 ms: what is used up before then waits, as on a Lambda.
    """
    group = _group(f"cts-bench-{os.getpid()}", share)
    if group is None:
        yield False
        return
    try:
        (group / "cgroup.procs").write_text(str(pid))
        yield True
    finally:
        with suppress(OSError):
            (group.parent / "cgroup.procs").write_text(str(pid))
        with suppress(OSError):
            group.rmdir()


def _group(name: str, share: float) -> Path | None:
    quota = str(int(_PERIOD_US * share))
    is_unified = (_ROOT / "cgroup.controllers").exists()
    group = (_ROOT if is_unified else _ROOT / "cpu") / name
    try:
        group.mkdir()
        if is_unified:
            (group / "cpu.max").write_text(f"{quota} {_PERIOD_US}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(quota)
    except OSError:
        with suppress(OSError):
            group.rmdir()
        return None
    return group
