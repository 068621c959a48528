"""A socket that closed between a ping and its answer breaks quietly, once."""

import aiohttp
import pytest
from tests.fakes import FakeClock

from adapters.access import Access, Network
from adapters.venues.binance import BinanceUsdm
from adapters.wire import Wire


class Connection:
    """A WebSocket's sending side; `error` is what its transport raises."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.answered: list[bytes] = []

    async def pong(self, message: bytes = b"") -> None:
        if self.error is not None:
            raise self.error
        self.answered.append(message)


class Socket:
    url = "wss://venue/stream"

    def __init__(self, connection: Connection) -> None:
        self.connection = connection


def connected(error: Exception | None) -> Connection:
    """A connection as the wire leaves it once it is open."""
    socket = Socket(Connection(error))
    wire = Wire(Access(venue="binance", network=Network.LIVE), FakeClock(), BinanceUsdm())
    wire._on_connected(socket)
    return socket.connection


async def test_a_ping_is_answered_with_what_it_carried() -> None:
    connection = connected(None)

    await connection.pong(b"17")

    assert connection.answered == [b"17"]


async def test_a_pong_for_a_closing_socket_is_dropped_without_an_error() -> None:
    connection = connected(aiohttp.ClientConnectionResetError("Cannot write to closing transport"))

    await connection.pong(b"17")

    assert connection.answered == []


async def test_any_other_failure_of_a_pong_is_told() -> None:
    with pytest.raises(ValueError, match="too long"):
        await connected(ValueError("too long")).pong(b"17" * 100)
