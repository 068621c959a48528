"""The process that runs the loops: what it uses of what it was given."""

import os
from pathlib import Path

_STATM = Path("/proc/self/statm")
_MB = 1024 * 1024


def memory_mb() -> int | None:
    """Resident memory in MB; None where the system does not tell it as Linux does."""
    try:
        pages = int(_STATM.read_bytes().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGESIZE") // _MB
