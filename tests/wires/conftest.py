"""What tests of the wires run under: words go in and out, and no socket opens."""

from tests.unit.conftest import closed_sockets

__all__ = ["closed_sockets"]
