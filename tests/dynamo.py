"""DynamoDB for tests: in this process where one thread writes, MiniStack where several do."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from adapters import dynamo
from adapters.tables import ALL

START_S = 30


def point_tables_at(url: str | None) -> None:
    """Make every model and transaction talk to `url`, or to AWS (which moto catches)."""
    if os.environ.get("AWS_ENDPOINT_URL") == url:
        return
    if url is None:
        del os.environ["AWS_ENDPOINT_URL"]
    else:
        os.environ["AWS_ENDPOINT_URL"] = url
    dynamo.connection.cache_clear()


def create_tables() -> None:
    for model in ALL:
        if not model.exists():
            model.create_table(wait=False)


@pytest.fixture
def moto_tables() -> Iterator[None]:
    """Empty tables of this test alone."""
    with tables_of_moto():
        yield


@contextmanager
def tables_of_moto() -> Iterator[None]:
    """Empty tables in this process."""
    from moto import mock_aws  # most tests need no AWS, and none should wait for its fake

    with mock_aws():
        point_tables_at(None)
        create_tables()
        yield


@pytest.fixture(scope="session")
def ministack() -> Iterator[str]:
    """The address of a MiniStack of this session."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="cts-ministack-") as folder:
        command = [sys.executable, "-m", "local.aws", "--port", str(port)]
        process = subprocess.Popen(
            [*command, "--state", f"{folder}/state", "--logs", f"{folder}/logs"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _await(url, process)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=10)


@pytest.fixture
def ministack_tables(ministack: str) -> Iterator[None]:
    """Tables on MiniStack, shared by the session: a test uses a connection of its own."""
    point_tables_at(ministack)
    create_tables()
    yield
    point_tables_at(None)


def _await(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"MiniStack ended with {process.returncode} while starting")
        try:
            urllib.request.urlopen(f"{url}/_ministack/health", timeout=1).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.05)
    raise RuntimeError(f"MiniStack did not answer at {url} within {START_S} s")
