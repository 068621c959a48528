"""WebSockets of a venue: who is connected, and what of the market and the books reaches them."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from aiohttp import WSMsgType, web

from local.paper.core.books import Event
from local.paper.faults.kinds import CONNECT, Where
from local.paper.faults.lanes import PRIVATE_TOPICS, REPLY, Lane, is_ping, private_topic
from local.paper.faults.plan import Fault, FaultPlan
from local.paper.wire import Answer, Session, VenueWire

HEARTBEAT_S = 60.0
_QUEUE = 20_000
_MOST_BEHIND_MS = 5_000
_REMEMBERED = 64


@dataclass(eq=False)
class Connection:
    """One client's socket; frames wait in a queue, so that no client slows another.

    A number in the queue closes the socket with it as its code.

    Attributes
    ----------
    replays : int
        How many old frames it hears again once it may hear the account's news.
    """

    socket: web.WebSocketResponse
    transport: asyncio.BaseTransport | None
    session: Session
    lane: Lane
    replays: int = 0
    frames: asyncio.Queue[str | int] = field(default_factory=lambda: asyncio.Queue(_QUEUE))

    def push(self, *frames: str | int) -> None:
        """Queue frames; a client that fell far behind is cut off."""
        try:
            for frame in frames:
                self.frames.put_nowait(frame)
        except asyncio.QueueFull:
            self.abort()

    def send(self, topic: str, text: str, now_ms: int) -> None:
        """Queue a frame under the fault plan."""
        passed = self.lane.take(topic, text, now_ms)
        self.push(*passed.frames)
        if passed.code:
            self.push(passed.code)
        if passed.is_cut:
            self.abort()

    def abort(self) -> None:
        """Cut the line without a goodbye."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    def follows(self, pattern: str) -> bool:
        """Whether it gets frames of such a topic."""
        private = PRIVATE_TOPICS if self.session.is_private else ()
        return any(fnmatchcase(one, pattern) for one in (*self.session.topics, *private))

    async def write(self) -> None:
        """Send what is queued, for as long as the client is there."""
        while True:
            frame = await self.frames.get()
            try:
                if isinstance(frame, int):
                    await self.socket.close(code=frame)
                    return
                await self.socket.send_str(frame)
            except ConnectionError:
                return


class Sockets:
    """All sockets of one venue."""

    def __init__(self, wire: VenueWire, plan: FaultPlan) -> None:
        self._wire = wire
        self._plan = plan
        self._connections: set[Connection] = set()
        self._told: deque[str] = deque(maxlen=_REMEMBERED)
        self._pumped_ms = wire.exchange.now_ms()
        wire.exchange.books.listener = self.tell

    async def connect(self, request: web.Request) -> web.WebSocketResponse | Answer:
        """Serve one socket until it closes; or the venue's reason not to open it."""
        faults = self._plan.on_frame(self._wire.name, CONNECT, self._wire.exchange.now_ms())
        if any(one.kind == "refuse_connect" for one in faults):
            return Answer(status=503, raw="no more connections")
        session = self._wire.session(request.path, request.rel_url.raw_query_string)
        if isinstance(session, Answer):
            return session
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, compress=False, autoping=False)
        await socket.prepare(request)
        connection = Connection(
            socket, request.transport, session, Lane(self._wire.name, self._plan),
            replays=max((one.parameters.get("frames", 0) for one in faults), default=0),
        )  # fmt: skip
        await self._serve(connection)
        return socket

    async def close(self) -> None:
        for connection in list(self._connections):
            await connection.socket.close(code=1001, message=b"going away")

    def tell(self, event: Event) -> None:
        """Push an event to the account's sockets; called after it was journalled."""
        topic, now_ms = private_topic(event), self._wire.exchange.now_ms()
        told: tuple[str, ...] = ()
        for connection in self._connections:
            frames = connection.session.told(event)
            for text in frames:
                connection.send(topic, text, now_ms)
            told = told or tuple(frames)
        self._told.extend(told)

    def expire(self) -> None:
        """End logins and listen keys: a private socket gets its last word, or is hung up."""
        private = [one for one in self._connections if one.session.is_private]
        for connection in private:
            connection.push(*connection.session.expired() or (1000,))
        self._wire.expire()

    def act(self, fault: Fault) -> int:
        """Close, cut or mute the sockets that a fault's topic means; how many they are."""
        meant = [one for one in self._connections if one.follows(fault.rule.topic)]
        for connection in meant:
            if fault.kind == "close":
                connection.push(int(fault.parameters["code"]))
            elif fault.kind == "abort_socket":
                connection.abort()
            else:
                connection.lane.mute(fault, self._wire.exchange.now_ms())
        return len(meant)

    def pump(self) -> None:
        """Match the market up to now and push what it said since the last time."""
        now_ms = self._wire.exchange.advance()
        start_ms = max(self._pumped_ms + 1, now_ms - _MOST_BEHIND_MS)
        if start_ms > now_ms:
            return
        for topic, connections in self._readers().items():
            self._deliver(topic, self._wire.market_events(topic, start_ms, now_ms), connections)
        for connection in self._connections:
            connection.push(*connection.lane.due(now_ms))
        self._pumped_ms = now_ms

    def _deliver(self, topic: str, texts: Iterable[str], connections: Iterable[Connection]) -> None:
        """Straight to the queues, unless a rule wants to see the frames."""
        is_watched, now_ms = self._plan.strikes_at(Where.SOCKET), self._wire.exchange.now_ms()
        for text in texts:
            for connection in connections:
                framed = connection.session.framed(topic, text)
                if is_watched or connection.lane.is_busy:
                    connection.send(topic, framed, now_ms)
                else:
                    connection.push(framed)

    def _readers(self) -> dict[str, list[Connection]]:
        readers: dict[str, list[Connection]] = {}
        for connection in self._connections:
            for topic in connection.session.topics:
                readers.setdefault(topic, []).append(connection)
        return readers

    async def _serve(self, connection: Connection) -> None:
        writer = asyncio.create_task(connection.write())
        self._connections.add(connection)
        try:
            self._replay(connection)
            async for message in connection.socket:
                if message.type is WSMsgType.TEXT:
                    self._hear(connection, message.data)
                    self._replay(connection)
                elif message.type is WSMsgType.PING and self._pongs(connection):
                    await connection.socket.pong(message.data)
        finally:
            self._connections.discard(connection)
            writer.cancel()

    def _hear(self, connection: Connection, text: str) -> None:
        replies, now_ms = connection.session.heard(text), self._wire.exchange.now_ms()
        if is_ping(text):
            connection.push(*replies if self._pongs(connection) else ())
            return
        for reply in replies:
            connection.send(REPLY, reply, now_ms)

    def _pongs(self, connection: Connection) -> bool:
        return connection.lane.answers_ping(self._wire.exchange.now_ms())

    def _replay(self, connection: Connection) -> None:
        """Old news again, once the socket may hear any."""
        if connection.replays and connection.session.is_private:
            connection.push(*[*self._told][-connection.replays :])
            connection.replays = 0
