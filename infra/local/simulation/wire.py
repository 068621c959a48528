"""A worker's own wire: the real one, with the simulated network where its sockets would be."""

import asyncio
import json
import random
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from adapters.access import Access, Network
from adapters.venues import Dialect, Socket
from adapters.wire import Wire
from local.paper.wire import Answer
from local.simulation.hazards import Mortal
from local.simulation.network import Network as Way
from local.simulation.network import Session
from local.simulation.venue import CREDENTIALS, Line, decoded
from local.simulation.weather import News

_HASTE_MS = (3, 40)
_DELAY_MS = (100, 1_500)


class SimulatedWire(Wire):
    """`adapters.wire.Wire` whose HTTP session and sockets are the stage's."""

    def __init__(self, worker: Mortal, dialect: Dialect, way: Way) -> None:
        access = Access(
            venue=way.venue.name,
            network=Network.LIVE,
            api_key=CREDENTIALS.api_key,
            api_secret=CREDENTIALS.api_secret,
            api_passphrase=CREDENTIALS.passphrase,
        )
        super().__init__(access, worker.clock, dialect)
        self._worker = worker
        self._way = way
        self._open: dict[str, _Heard] = {}

    async def dial(self, socket: Socket) -> None:
        """Open a socket of the simulated venue and stay until it breaks."""
        heard = _Heard(self, self._worker, self._way, socket.url)
        self._open[socket.url] = heard
        await heard.stay(socket.request)

    async def say(self, url: str, message: Mapping[str, Any]) -> None:
        if url in self._open:
            self._open[url].say(message)

    async def hang_up(self, url: str) -> None:
        self.listen(url, None)
        heard = self._open.pop(url, None)
        if heard is not None:
            heard.leave()

    def take(self, url: str, message: Any) -> None:
        """A frame came in, or (None) the socket has connected."""
        if message is not None and self._dialect.is_pong(message):
            return
        listener = self._listeners.get(url)
        if listener is not None:
            listener(url, message)

    def _build(self) -> Any:
        client = super()._build()
        client.session, client.own_session = Session(self._way, self._worker), False
        client.ssl_context = False
        type(client).__del__ = lambda client: None  # nothing is open that could be left open
        client.milliseconds = self.clock.now_ms
        client.seconds = lambda: self.clock.now_ms() // 1000
        return client


class _Heard:
    """One socket as its worker sees it; frames keep their order unless a fault swaps them."""

    def __init__(self, wire: SimulatedWire, worker: Mortal, way: Way, url: str) -> None:
        self._wire = wire
        self._worker = worker
        self._way = way
        self._url = url
        self._last_s = 0.0
        self._line: Line | None = None
        self._broken: asyncio.Future[None] = worker.loop.create_future()

    async def stay(self, request: Mapping[str, Any] | None) -> None:
        """Connect, subscribe, and wait for the end."""
        await asyncio.sleep(self._dice.randrange(*_HASTE_MS) / 1000)
        parts = urlsplit(self._url)
        session = self._way.venue.connect(parts.path, parts.query)
        if isinstance(session, Answer):
            raise ConnectionError(f"the venue answered {session.status} to a socket")
        self._line = Line(self._worker.name, session, self._private, self._market, self._close)
        self._way.venue.lines.append(self._line)
        self._wire.take(self._url, None)
        if request is not None:
            self.say(request)
        await self._broken

    def say(self, message: Mapping[str, Any]) -> None:
        if self._line is not None:
            for text in self._line.session.heard(json.dumps(message)):
                self._bring(text, self._dice.randrange(*_HASTE_MS))

    def leave(self) -> None:
        if self._line in self._way.venue.lines:
            self._way.venue.lines.remove(self._line)
        if not self._broken.done():
            self._broken.cancel()

    @property
    def _dice(self) -> random.Random:
        return self._way.dice

    def _market(self, text: str) -> None:
        if self._line is not None and not self._line.is_muted:
            self._bring(text, self._dice.randrange(*_HASTE_MS))

    def _private(self, text: str) -> None:
        """A frame of the user-data stream, which may be lost, doubled or late."""
        if self._line is None or self._line.is_muted:
            return
        news = self._way.weather.news()
        if news is not News.FINE:
            self._way.history.strike(self._worker.name, str(news), "user stream")
        haste_ms = self._dice.randrange(*_HASTE_MS)
        if news is News.DELAYED:
            self._later(text, self._dice.randrange(*_DELAY_MS) / 1000)
        elif news is not News.DROPPED:
            self._bring(text, haste_ms)
            if news is News.DOUBLED:
                self._bring(text, haste_ms)

    def _bring(self, text: str, haste_ms: int) -> None:
        """In order behind what came before."""
        at_s = max(self._worker.loop.time() + haste_ms / 1000, self._last_s)
        self._last_s = at_s
        self._worker.loop.call_at(at_s, self._hear, text)

    def _later(self, text: str, delay_s: float) -> None:
        self._worker.loop.call_later(delay_s, self._hear, text)

    def _hear(self, text: str) -> None:
        if not self._broken.done():
            self._wire.take(self._url, decoded(text))

    def _close(self, why: str) -> None:
        """The venue, or the way to it, ends the socket."""
        if self._line in self._way.venue.lines:
            self._way.venue.lines.remove(self._line)
        self._worker.loop.call_soon(self._break, why)

    def _break(self, why: str) -> None:
        if not self._broken.done():
            self._broken.set_exception(ConnectionError(why))
