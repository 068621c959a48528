"""WebSocket streams: subscriptions, and the pump that pushes the market to them."""

import asyncio
import json
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from local.paper.core.books import Event
from local.paper.core.exchange import PaperExchange
from local.paper.venues.binance.listen_keys import ListenKeys
from local.paper.venues.binance.market_events import MarketEvents
from local.paper.venues.binance.user_events import UserEvents

PUMP_S = 0.025
HEARTBEAT_S = 60.0
_QUEUE = 20_000
_MOST_BEHIND_MS = 5_000


@dataclass(eq=False)
class _Connection:
    """One client socket and what it wants.

    Frames wait in a queue so that no client slows another.
    """

    socket: web.WebSocketResponse
    combined: bool
    user_data: bool = False
    streams: set[str] = field(default_factory=set)
    frames: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(_QUEUE))

    def push(self, text: str) -> None:
        """Queue a frame; a client that fell far behind is cut off."""
        try:
            self.frames.put_nowait(text)
        except asyncio.QueueFull:
            self.socket.get_extra_info("transport").abort()


class Streams:
    """All sockets of the venue."""

    def __init__(self, exchange: PaperExchange, keys: ListenKeys, *, refuse: bool) -> None:
        self._exchange = exchange
        self._keys = keys
        self._refuse = refuse
        self._market = MarketEvents(exchange.quotes)
        self._user = UserEvents(exchange.books, exchange.quotes)
        self._connections: set[_Connection] = set()
        self._pumped_ms = exchange.now_ms()
        exchange.books.listener = self.tell

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one socket until it closes; refused with 503 when streams are off."""
        if self._refuse:
            return web.Response(status=503, text="streams are off")
        listen_key = request.query.get("listenKey", "")
        name = request.path.rpartition("/")[2]
        by_path = self._keys.is_valid(name, self._exchange.now_ms())
        user_data = by_path or self._keys.is_valid(listen_key, self._exchange.now_ms())
        if listen_key and not user_data:
            return web.json_response(
                {"code": -1125, "msg": "This listenKey does not exist."}, status=400
            )
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, compress=False)
        await socket.prepare(request)
        connection = _Connection(socket, combined="/stream" in request.path, user_data=user_data)
        wanted = request.query.get("streams", "").split("/")
        connection.streams.update(one for one in [*wanted, name] if "@" in one or one[:1] == "!")
        await self._serve(connection)
        return socket

    async def _serve(self, connection: _Connection) -> None:
        writer = asyncio.create_task(_write(connection))
        self._connections.add(connection)
        try:
            async for message in connection.socket:
                if message.type is WSMsgType.TEXT:
                    connection.push(_answer(connection, message.data))
        finally:
            self._connections.discard(connection)
            writer.cancel()

    async def close(self) -> None:
        for connection in list(self._connections):
            await connection.socket.close(code=1001, message=b"going away")

    def tell(self, event: Event) -> None:
        """Push an event to the account's sockets; called after it was journalled."""
        listening = [one for one in self._connections if one.user_data]
        if not listening:
            return
        text = json.dumps(self._user.frame(event, self._exchange.now_ms()))
        for connection in listening:
            connection.push(text)

    async def pump(self) -> None:
        """Push the market and match it, for ever."""
        while True:
            self.pump_once()
            await asyncio.sleep(PUMP_S)

    def pump_once(self) -> None:
        now_ms = self._exchange.advance()
        start_ms = max(self._pumped_ms + 1, now_ms - _MOST_BEHIND_MS)
        if start_ms > now_ms:
            return
        readers: dict[str, list[_Connection]] = {}
        for connection in self._connections:
            for stream in connection.streams:
                readers.setdefault(stream, []).append(connection)
        for stream, connections in readers.items():
            for event in self._market.events(stream, start_ms, now_ms):
                _deliver(stream, json.dumps(event), connections)
        self._pumped_ms = now_ms


def _deliver(stream: str, text: str, connections: list[_Connection]) -> None:
    wrapped = f'{{"stream":"{stream}","data":{text}}}'
    for connection in connections:
        connection.push(wrapped if connection.combined else text)


async def _write(connection: _Connection) -> None:
    while True:
        text = await connection.frames.get()
        try:
            await connection.socket.send_str(text)
        except ConnectionError:
            return


def _answer(connection: _Connection, text: str) -> str:
    """Act on SUBSCRIBE, UNSUBSCRIBE or LIST_SUBSCRIPTIONS and acknowledge it."""
    try:
        request = json.loads(text)
        method, identity = request["method"], request.get("id")
        names = set(request.get("params") or [])
    except (ValueError, KeyError, TypeError, AttributeError):
        return json.dumps({"error": {"code": 2, "msg": "Invalid request: malformed JSON."}})
    result: list[str] | None = None
    if method == "SUBSCRIBE":
        connection.streams |= names
    elif method == "UNSUBSCRIBE":
        connection.streams -= names
    elif method == "LIST_SUBSCRIPTIONS":
        result = sorted(connection.streams)
    else:
        words = f"Invalid request: unknown variant {method}."
        return json.dumps({"error": {"code": 2, "msg": words}, "id": identity})
    return json.dumps({"result": result, "id": identity})
