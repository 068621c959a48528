"""Nothing here reaches a socket."""

from tests.closed_sockets import closed_sockets

__all__ = ["closed_sockets"]  # a fixture that every test of this folder gets
