"""A client that does not read is cut off; nobody waits for it."""

import asyncio
from pathlib import Path

from aiohttp import web
from tests.wires.scripted import a_stage

from local.paper.credentials import Credentials
from local.paper.faults import FaultPlan
from local.paper.faults.lanes import Lane
from local.paper.sockets import Connection
from local.paper.venues.binance.sessions import BinanceSession
from local.paper.venues.binance.wire import BinanceWire


class _Line(asyncio.WriteTransport):
    """A transport of which only its end is of interest."""

    is_cut = False

    def abort(self) -> None:
        self.is_cut = True


async def test_a_client_that_falls_far_behind_is_cut_off(tmp_path: Path) -> None:
    wire = BinanceWire(
        a_stage(tmp_path, 100).exchange, Credentials(api_key="key", api_secret="secret")
    )
    session = wire.session("/ws", "")
    assert isinstance(session, BinanceSession)
    line = _Line()
    lane = Lane("binance", FaultPlan(1))
    connection = Connection(web.WebSocketResponse(), line, session, lane)

    connection.push(*["frame"] * connection.frames.maxsize)
    assert not line.is_cut

    connection.push("one too many")
    assert line.is_cut
