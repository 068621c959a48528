"""The paper exchange in the test's own process: real TLS on loopback, unmodified clients."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import ccxt.pro
from tests.outside_client import led_session

from local.paper.core.books import Books
from local.paper.core.exchange import PaperExchange
from local.paper.core.journal import MemoryJournal
from local.paper.credentials import Credentials
from local.paper.market.instruments import by_symbol
from local.paper.market.quotes import Quotes
from local.paper.market.scripted import ScriptedMarket
from local.paper.opening import now_ms
from local.paper.server import Doors, serving
from local.paper.venues.binance.wire import BinanceWire
from local.paper.wire import VenueWire

KEY, SECRET, PASSPHRASE = "test-key", "test-secret", "test-passphrase"
MakeWire = Callable[[PaperExchange, Credentials], VenueWire]
_OPTIONS: dict[str, dict[str, Any]] = {
    "binanceusdm": {"defaultType": "swap", "fetchMarkets": {"types": ["linear"]}},
    "binance": {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}},
    "bybit": {"defaultType": "swap", "fetchMarkets": {"types": ["linear"]}},
    "okx": {"defaultType": "swap", "fetchMarkets": {"types": ["swap"]}},
}


@dataclass(slots=True)
class ServedVenue:
    """A venue behind its doors, and clients to it."""

    doors: Doors
    wire: VenueWire
    authority: Path
    _closing: list[Any] = field(default_factory=list)

    @property
    def exchange(self) -> PaperExchange:
        return self.wire.exchange

    def session(self) -> aiohttp.ClientSession:
        """A plain HTTP client for which every host is the venue."""
        made = led_session(self.doors.port, str(self.authority))
        self._closing.append(made)
        return made

    def client(self, name: str = "binanceusdm", **more: Any) -> Any:
        """An unmodified ccxt.pro client with its production addresses."""
        options = {"fetchCurrencies": False, "fetchMargins": False} | _OPTIONS[name]
        keys = {"apiKey": KEY, "secret": SECRET, "password": PASSPHRASE}
        rest = {"enableRateLimit": False, "timeout": 5_000, "options": options}
        made = getattr(ccxt.pro, name)(keys | rest | more)
        made.has["fetchCurrencies"] = False
        made.session, made.own_session = self.session(), False
        self._closing.append(made)
        return made

    async def control(self, method: str, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """Ask the control port; status and answer."""
        url = f"http://127.0.0.1:{self.doors.control_port}{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, json=body or None) as answer,
        ):
            return answer.status, await answer.json()

    async def rules(self, *rules: dict[str, Any], seed: int = 1) -> None:
        """Begin a fault plan."""
        status, told = await self.control("POST", "/faults", seed=seed, rules=list(rules))
        assert status == 200, told

    async def strikes(self) -> list[int]:
        """How often each rule has struck."""
        _, told = await self.control("GET", "/faults")
        return [one["strikes"] for one in told["rules"]]

    async def now(self, fault: str, *, topic: str = "", **parameters: Any) -> str:
        """A fault at once; what became of it."""
        body = {"fault": fault, "venue": self.wire.name, "with": parameters}
        body |= {"topic": topic} if topic else {}
        status, told = await self.control("POST", "/faults/now", **body)
        assert status == 200, told
        return str(told["done"][self.wire.name])

    async def close(self) -> None:
        """Close every client; ccxt's before the sessions they use."""
        for one in reversed(self._closing):
            await one.close()


def a_wire(make: MakeWire = BinanceWire, *, symbols: tuple[str, ...] = ("BTCUSDT",)) -> VenueWire:
    """A venue over books in memory and a quiet market at fixed levels, in real time."""
    market = ScriptedMarket(tuple(by_symbol(one) for one in symbols), 1, swing=0.0)
    books = Books(MemoryJournal(), Decimal(100_000))
    exchange = PaperExchange(books, Quotes(market), now_ms)
    credentials = Credentials(api_key=KEY, api_secret=SECRET, passphrase=PASSPHRASE)
    return make(exchange, credentials)


@asynccontextmanager
async def served_all(
    directory: Path, wires: Sequence[VenueWire]
) -> AsyncIterator[dict[str, ServedVenue]]:
    """The doors of several venues for the length of a block, each by its name."""
    async with serving(wires, directory) as doors:
        venues = {one.name: ServedVenue(doors, one, directory / "ca.pem") for one in wires}
        try:
            yield venues
        finally:
            for venue in venues.values():
                await venue.close()


@asynccontextmanager
async def served(directory: Path, wire: VenueWire | None = None) -> AsyncIterator[ServedVenue]:
    """A venue's doors for the length of a block; Binance's, unless another is given."""
    wire = wire or a_wire()
    async with served_all(directory, [wire]) as venues:
        yield venues[wire.name]
