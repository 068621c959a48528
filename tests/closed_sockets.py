"""What tests without a world run under: no socket opens, not even to this machine."""

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket


@pytest.fixture(autouse=True)
def closed_sockets() -> Iterator[None]:
    """Refuse every socket but the pair inside an event loop."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()
