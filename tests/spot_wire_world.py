"""The desk against Binance spot's own wire: real dialect, real ccxt, paper exchange, one process.

The network between is the test's: requests get lost or late, answers too, news are dropped, doubled
and delayed. Time is virtual; nothing waits.
"""

import asyncio
import json
import random
from collections.abc import Coroutine
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from tests.desk_world import DeskWorld
from tests.fake_venue import Faults
from tests.fakes import FakeClock

from adapters.access import Access, Network
from adapters.exchange import CcxtExchange
from adapters.limits import Limits
from adapters.venues.binance_spot import BinanceSpot
from adapters.wire import Wire
from engine.errors import VenueBusyError
from engine.events import (
    Account,
    CancelUnclear,
    Event,
    NotFound,
    OrderUpdate,
    SendUnclear,
    Snapshot,
    SnapshotFailed,
    Unclear,
)
from engine.ledger import Fill, Order
from engine.orders import is_ours
from engine.values import Instrument, Side
from local.paper.control import stop_quantity
from local.paper.core.books import Books
from local.paper.core.books import Event as BookEvent
from local.paper.core.exchange import PaperExchange
from local.paper.core.journal import MemoryJournal
from local.paper.core.records import PositionSide
from local.paper.core.spot_balances import FEE
from local.paper.credentials import Credentials
from local.paper.market.instruments import by_symbol
from local.paper.market.quotes import Quotes
from local.paper.market.scripted import ScriptedMarket
from local.paper.venues.binance_spot.sessions import ApiSession
from local.paper.venues.binance_spot.wire import BinanceSpotWire
from local.paper.wire import Request

KEYS = Credentials(api_key="key", api_secret="secret")
FUNDS = Decimal(100_000)
SWING = 8e-4


class InProcessWire(Wire):
    """Requests signed, worded and read by ccxt, carried straight to the paper exchange."""

    def __init__(self, clock: FakeClock, dialect: BinanceSpot, venue: BinanceSpotWire) -> None:
        access = Access(
            venue="binance", network=Network.LIVE, api_key=KEYS.api_key, api_secret=KEYS.api_secret
        )
        super().__init__(access, clock, dialect, limits=Limits(clock, per_minute=10**9))
        self._venue = venue

    def _build(self) -> Any:
        client = super()._build()
        client.fetch = self._fetch
        client.milliseconds = self.clock.now_ms
        return client

    async def _fetch(
        self, url: str, method: str = "GET", headers: Any = None, body: Any = None
    ) -> Any:
        parts = urlsplit(url)
        named = {name.lower(): value for name, value in (headers or {}).items()}
        request = Request(
            method=method, path=parts.path, query=parts.query, body=body or "", headers=named
        )
        answer = self._venue.answer(request)
        client = self.client()
        read = client.parse_json(answer.text)
        client.handle_errors(
            answer.status, "", url, method, dict(answer.headers), answer.text, read, headers, body
        )
        return read


@dataclass(slots=True)
class LiveRow:
    """A working order, as much as the desk's world asks of it."""

    order: Order


class SpotWireVenue:
    """What a `DeskWorld` asks of its venue, asked of the wire."""

    def __init__(
        self, clock: FakeClock, symbols: tuple[str, ...], *, seed: int, faults: Faults
    ) -> None:
        self.clock, self.faults = clock, faults
        self.script: list[Any] = []
        self._dice = random.Random(seed)
        market = ScriptedMarket(tuple(map(by_symbol, symbols)), seed, swing=SWING)
        self.books = Books(MemoryJournal(), FUNDS)
        self.books.account.processed_ms = clock.now_ms()
        plain = PaperExchange(self.books, Quotes(market), clock.now_ms)
        self._wire = BinanceSpotWire(plain, KEYS)
        self._paper = self._wire.exchange
        self._loop = asyncio.new_event_loop()
        self._dialect = BinanceSpot()
        self._client = InProcessWire(clock, self._dialect, self._wire)
        self._exchange = CcxtExchange(self._client, self._dialect, clock)
        self._late: list[tuple[int, Order, int]] = []
        self._news: list[tuple[int, int, Event]] = []
        self._serial = 0
        found = self._do(self._exchange.instruments())
        self.instruments_by_symbol: dict[str, Instrument] = {one.symbol: one for one in found}
        self._session = self._subscribed()
        self.books.listener = self._tell

    def close(self) -> None:
        """Let go of client and loop."""
        self._do(self._exchange.close())
        self._loop.close()

    # --- what the world asks

    @property
    def prices(self) -> dict[str, Decimal]:
        return {symbol: self._paper.last_price(symbol) for symbol in self.instruments_by_symbol}

    @property
    def positions(self) -> dict[tuple[str, Side], Decimal]:
        return {
            (symbol, Side.LONG): self.quantity(symbol, Side.LONG)
            for symbol in self.instruments_by_symbol
        }

    @property
    def trades(self) -> list[Fill]:
        """The venue's own list of executions."""
        fills = [
            self._do(self._exchange.fills(symbol, since_ms=self.clock.now_ms() - 3_600_000))
            for symbol in self.instruments_by_symbol
        ]
        return [fill for each in fills for fill in each]

    @property
    def arrived(self) -> list[str]:
        return [
            one.client_id for one in self.books.client_ids.values() for _ in range(one.accepted)
        ]

    @property
    def duplicates(self) -> int:
        return sum(one.accepted - 1 for one in self.books.client_ids.values())

    def quantity(self, symbol: str, side: Side) -> Decimal:
        if side is Side.SHORT:
            return Decimal(0)
        return self.books.position(symbol, PositionSide.BOTH).quantity

    def stop_cover(self, symbol: str, side: Side) -> Decimal:
        position = self.books.position(symbol, PositionSide.BOTH)
        return stop_quantity(self.books, position) if side is Side.LONG else Decimal(0)

    def live(self) -> list[Any]:
        """Working orders by their names."""
        names = [one.client_order_id for one in self.books.open_orders.values()]
        return [LiveRow(order=_named(name)) for name in names if is_ours(name)]

    def advance(self) -> None:
        """Let the market move the books, and late requests arrive."""
        self._paper.advance()
        now_ms = self.clock.now_ms()
        due = [entry for entry in self._late if entry[0] <= now_ms]
        self._late = [entry for entry in self._late if entry[0] > now_ms]
        for _, order, valid_ms in due:
            self._do(self._exchange.send(order, valid_ms=valid_ms))

    def events(self) -> tuple[Event, ...]:
        now_ms = self.clock.now_ms()
        due = sorted(entry[:2] for entry in self._news if entry[0] <= now_ms)
        by_key = {entry[:2]: entry[2] for entry in self._news}
        self._news = [entry for entry in self._news if entry[0] > now_ms]
        return tuple(by_key[key] for key in due)

    def prepare_now(self, symbol: str, leverage: int) -> None:
        self._do(self._exchange.prepare(symbol, leverage=leverage, hedge=False, cross=True))

    def send_now(self, order: Order, *, valid_ms: int) -> OrderUpdate | SendUnclear:
        if self._strikes(self.faults.send_lost):
            return self._unclear(order, Unclear.CONNECTION)
        if self._strikes(self.faults.send_late):
            delay_ms = self._dice.randrange(1, valid_ms)
            self._late.append((self.clock.now_ms() + delay_ms, order, valid_ms))
            return self._unclear(order, Unclear.TIMEOUT)
        answer = self._do(self._exchange.send(order, valid_ms=valid_ms))
        lost = self._strikes(self.faults.answer_lost)
        return self._unclear(order, Unclear.TIMEOUT) if lost else answer

    def cancel_now(self, order: Order) -> OrderUpdate | NotFound | CancelUnclear:
        unclear = self._strikes(self.faults.cancel_unclear)
        if unclear and self._dice.random() < 0.5:
            return self._cancel_unclear(order)
        answer = self._do(self._exchange.cancel(order))
        return self._cancel_unclear(order) if unclear else answer

    def look_up_now(self, order: Order) -> OrderUpdate | NotFound | SendUnclear:
        if self._strikes(self.faults.look_up_failed):
            return self._unclear(order, Unclear.TIMEOUT)
        return self._do(self._exchange.look_up(order))

    def snapshot_now(self, symbols: frozenset[str] | None = None) -> Snapshot | SnapshotFailed:
        if self._strikes(self.faults.snapshot_failed):
            return SnapshotFailed(text="timeout", at_ms=self.clock.now_ms())
        return self._do(self._exchange.snapshot(symbols))

    def fills_now(self, symbol: str, *, since_ms: int) -> tuple[Fill, ...]:
        if self._strikes(self.faults.fills_failed):
            raise VenueBusyError("fills: timeout")
        return self._do(self._exchange.fills(symbol, since_ms=since_ms))

    def funding_now(self, *, since_ms: int) -> tuple[Any, ...]:
        return self._do(self._exchange.funding(since_ms=since_ms))

    def account_now(self) -> Account:
        return self._do(self._exchange.account())

    # --- the way between

    def _do[T](self, work: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(work)

    def _subscribed(self) -> ApiSession:
        """The account's news, asked for in the dialect's own words."""

        async def request() -> Any:
            return (await self._dialect.private_socket(self._client)).request

        session = self._wire.session("/ws-api/v3", "")
        assert isinstance(session, ApiSession)
        session.heard(json.dumps(self._do(request())))
        assert session.is_private
        return session

    def _tell(self, event: BookEvent) -> None:
        """News as the stream brings them, unless it loses, doubles or holds them up."""
        for text in self._session.told(event):
            news = self._dialect.read_private(json.loads(text), self._client.names, patient=True)
            told: tuple[Event, ...] = (*news.updates, *news.fills)
            for each in told:
                if self._strikes(self.faults.event_dropped):
                    continue
                for _ in range(2 if self._strikes(self.faults.event_doubled) else 1):
                    self._serial += 1
                    at_ms = self.clock.now_ms() + self._dice.randrange(
                        self.faults.event_delay_ms + 1
                    )
                    self._news.append((at_ms, self._serial, each))

    def _strikes(self, probability: float) -> bool:
        return probability > 0 and self._dice.random() < probability

    def _unclear(self, order: Order, why: Unclear) -> SendUnclear:
        name, now_ms = order.client_order_id, self.clock.now_ms()
        return SendUnclear(client_order_id=name, why=why, text=why, at_ms=now_ms)

    def _cancel_unclear(self, order: Order) -> CancelUnclear:
        name, now_ms = order.client_order_id, self.clock.now_ms()
        return CancelUnclear(client_order_id=name, text="timeout", at_ms=now_ms)


class SpotWireWorld(DeskWorld):
    """The desk's world with the wire in the place of the fake venue."""

    def __post_init__(self) -> None:
        DeskWorld.__post_init__(self)
        venue: Any = SpotWireVenue(self.clock, self.symbols, seed=self.seed, faults=self.faults)
        self.venue = venue

    def purchase_fee(self) -> Decimal:
        return FEE

    def close(self) -> None:
        """Let go of the venue's client."""
        venue: Any = self.venue
        venue.close()

    def price(self, price: str, symbol: str = "BTCUSDT") -> None:
        """Prices are the market's own."""
        del price, symbol


def _named(client_order_id: str) -> Order:
    """An order of which nothing but the name is known."""
    made: Order = Order.__new__(Order)
    object.__setattr__(made, "client_order_id", client_order_id)
    return made
