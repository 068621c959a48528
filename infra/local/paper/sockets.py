"""WebSockets of every venue: who is connected, and the pump that pushes the market to them."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from local.paper.core.books import Event
from local.paper.wire import Answer, Session, VenueWire

PUMP_S = 0.025
HEARTBEAT_S = 60.0
_QUEUE = 20_000
_MOST_BEHIND_MS = 5_000


@dataclass(eq=False)
class _Connection:
    """One client's socket; frames wait in a queue, so that no client slows another."""

    socket: web.WebSocketResponse
    transport: asyncio.BaseTransport | None
    session: Session
    frames: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(_QUEUE))

    def push(self, texts: Iterable[str]) -> None:
        """Queue frames; a client that fell far behind is cut off."""
        try:
            for text in texts:
                self.frames.put_nowait(text)
        except asyncio.QueueFull:
            self.abort()

    def abort(self) -> None:
        """Cut the line without a goodbye."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    async def write(self) -> None:
        """Send what is queued, for as long as the client is there."""
        while True:
            text = await self.frames.get()
            try:
                await self.socket.send_str(text)
            except ConnectionError:
                return


class Sockets:
    """All sockets of one venue."""

    def __init__(self, wire: VenueWire) -> None:
        self._wire = wire
        self._connections: set[_Connection] = set()
        self._pumped_ms = wire.exchange.now_ms()
        wire.exchange.books.listener = self.tell

    async def connect(self, request: web.Request) -> web.WebSocketResponse | Answer:
        """Serve one socket until it closes; or the venue's reason not to open it."""
        session = self._wire.session(request.path, request.rel_url.raw_query_string)
        if isinstance(session, Answer):
            return session
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, compress=False)
        await socket.prepare(request)
        await self._serve(_Connection(socket, request.transport, session))
        return socket

    async def close(self) -> None:
        for connection in list(self._connections):
            await connection.socket.close(code=1001, message=b"going away")

    def tell(self, event: Event) -> None:
        """Push an event to the account's sockets; called after it was journalled."""
        for connection in self._connections:
            connection.push(connection.session.told(event))

    def pump(self) -> None:
        """Match the market up to now and push what it said since the last time."""
        now_ms = self._wire.exchange.advance()
        start_ms = max(self._pumped_ms + 1, now_ms - _MOST_BEHIND_MS)
        if start_ms > now_ms:
            return
        for topic, connections in self._readers().items():
            for text in self._wire.market_events(topic, start_ms, now_ms):
                for connection in connections:
                    connection.push((connection.session.framed(topic, text),))
        self._pumped_ms = now_ms

    def _readers(self) -> dict[str, list[_Connection]]:
        readers: dict[str, list[_Connection]] = {}
        for connection in self._connections:
            for topic in connection.session.topics:
                readers.setdefault(topic, []).append(connection)
        return readers

    async def _serve(self, connection: _Connection) -> None:
        writer = asyncio.create_task(connection.write())
        self._connections.add(connection)
        try:
            async for message in connection.socket:
                if message.type is WSMsgType.TEXT:
                    connection.push(connection.session.heard(message.data))
        finally:
            self._connections.discard(connection)
            writer.cancel()


async def pump(venues: Sequence[Sockets]) -> None:
    """Push the market to every venue's sockets, for ever."""
    while True:
        for sockets in venues:
            sockets.pump()
        await asyncio.sleep(PUMP_S)
