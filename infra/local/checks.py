"""What must be so before anything is started; each failure is one sentence."""

import fcntl
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from local.places import ROOT, Places


class NotReadyError(Exception):
    """The twin cannot start; the message says why and what to do."""


def check_machine(places: Places, *, console: bool) -> None:
    """Refuse a wrong Python, a missing tool, or a taken port.

    Raises
    ------
    NotReadyError
        With the first of them.
    """
    if sys.version_info[:2] != (3, 12):
        found = ".".join(map(str, sys.version_info[:2]))
        raise NotReadyError(f"CTS needs Python 3.12, this is {found}: run it with `uv run cts up`.")
    for tool, advice in (("uv", "`pip install uv`"), ("make", "`apt install make`")):
        if not shutil.which(tool, path=search_path()):
            raise NotReadyError(f"{tool} is not on the PATH: install it with {advice}.")
    if not (ROOT / "template.yaml").is_file():
        raise NotReadyError(f"{ROOT} holds no template.yaml: run cts in the project's checkout.")
    for name, port in places.ports.named().items():
        if port == places.ports.console and not console:
            continue
        if is_taken(port):
            raise NotReadyError(
                f"Port {port} on 127.0.0.1, which {name} needs, is taken by another program."
            )


def is_taken(port: int) -> bool:
    """Whether somebody listens on this port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def search_path() -> str:
    """PATH with the folders of this Python and of the uv that runs it in front."""
    uv = os.environ.get("UV", "")
    first = [os.path.dirname(sys.executable)] + ([os.path.dirname(uv)] if uv else [])  # noqa: PTH120
    return os.pathsep.join([*first, os.environ.get("PATH", os.defpath)])


@contextmanager
def only_one(places: Places) -> Iterator[None]:
    """Hold the twin's lock, with our process id in it, for as long as the block runs.

    Raises
    ------
    NotReadyError
        If another `cts up` holds it.
    """
    places.home.mkdir(parents=True, exist_ok=True)
    with places.lock.open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NotReadyError(
                f"The twin is already up (process {_holder(places)}): end it with `cts down`."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
        lock.truncate(0)


def running_twin(places: Places) -> int | None:
    """The process id of the `cts up` that holds the lock, or None."""
    if not places.lock.exists():
        return None
    with places.lock.open("r", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(_holder(places) or 0) or None
    return None


def _holder(places: Places) -> str:
    return places.lock.read_text(encoding="ascii").strip()
