"""One client of a venue under test: the Exchange port over TLS to the paper exchange."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from tests.fake_venue import FakeVenue
from tests.memory_venue import walking
from tests.paper_venue import PaperProcess
from tests.venue_cases import VenueCase

from adapters.clock import SystemClock
from adapters.exchange import CcxtExchange
from adapters.limits import Limits
from adapters.venues import Dialect
from adapters.wire import Wire
from engine.events import OrderUpdate, Snapshot
from engine.ledger import Fill, Order, OrderType, Purpose
from engine.orders import order_name
from engine.ports import Exchange
from engine.values import Instrument, Side

SYMBOL = "BTCUSDT"
VALID_MS = 2_000
TRIES = 20  # a market that walks passes a near trigger in some of them
BOTH_SIDES = pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
_numbers = count(1)
_TYPES = {Purpose.STOP: OrderType.STOP_MARKET, Purpose.TARGET: OrderType.TAKE_PROFIT_MARKET}


@dataclass(slots=True)
class Desk:
    """An exchange under test and shorthand for its orders."""

    exchange: Exchange
    wire: Wire
    dialect: Dialect
    instrument: Instrument
    sent: list[Order] = field(default_factory=list)

    async def price(self) -> Decimal:
        rows = await self.dialect.last_prices(self.wire)
        return next(row.price for row in rows if row.symbol == SYMBOL)

    def order(
        self,
        side: Side,
        purpose: Purpose = Purpose.ENTRY,
        *,
        quantity: str = "0.010",
        trigger: Decimal | None = None,
    ) -> Order:
        made = Order(
            client_order_id=order_name(f"{next(_numbers):025d}", purpose, 0),
            position_id="p",
            purpose=purpose,
            attempt=0,
            symbol=SYMBOL,
            side=side,
            order_type=_TYPES.get(purpose, OrderType.MARKET),
            quantity=Decimal(quantity),
            trigger_price=trigger,
        )
        self.sent.append(made)
        return made

    async def send(self, order: Order) -> OrderUpdate:
        answer = await self.exchange.send(order, valid_ms=VALID_MS)
        assert isinstance(answer, OrderUpdate), answer
        return answer

    async def settled(self, order: Order) -> OrderUpdate:
        """Send it; what the venue only acknowledges is looked up until it has ended."""
        answer = await self.send(order)
        if answer.state.is_terminal:
            return answer
        found = await eventually(
            lambda: self.exchange.look_up(order),
            lambda a: isinstance(a, OrderUpdate) and a.state.is_terminal,
        )
        assert isinstance(found, OrderUpdate)
        return found

    async def away(self, side: Side, share: str) -> Decimal:
        """A trigger price that far off, positive in the position's favour."""
        price = await self.price() * (1 + Decimal(share) * side.sign)
        return self.instrument.to_price(self.instrument.to_ticks(price))

    async def snapshot(self) -> Snapshot:
        answer = await self.exchange.snapshot()
        assert isinstance(answer, Snapshot), answer
        return answer

    async def fills_of(self, order: Order, *, since_ms: int) -> list[Fill]:
        fills = await self.exchange.fills(SYMBOL, since_ms=since_ms)
        return [fill for fill in fills if fill.client_order_id == order.client_order_id]

    async def clean(self) -> None:
        """Flat, and nothing working."""
        found = await self.snapshot()
        for order in self.sent:
            if any(o.client_order_id == order.client_order_id for o in found.orders):
                await self.exchange.cancel(order)
        for held in found.positions:
            await self.settled(self.order(held.side, Purpose.CLOSE, quantity=str(held.quantity)))


@dataclass(slots=True)
class MemoryDesk(Desk):
    """The same where there is no wire."""

    venue: FakeVenue = field(kw_only=True)

    async def price(self) -> Decimal:
        return self.venue.prices[SYMBOL]


@asynccontextmanager
async def opened(
    paper: PaperProcess, venue: VenueCase, *, port: int | None = None
) -> AsyncIterator[Desk]:
    if venue.is_in_memory:
        none: Any = None
        async with walking(SystemClock()) as (fake, _):
            instrument = fake.instruments_by_symbol[SYMBOL]
            yield MemoryDesk(fake, none, none, instrument, venue=fake)
        return
    clock, dialect = SystemClock(), venue.dialect()
    plenty = Limits(clock, per_minute=10**9)  # all these tests in one minute outweigh the venue's
    access = paper.access(venue.name, port=port)
    wire = Wire(access, clock, dialect, timeout_ms=3_000, limits=plenty)
    exchange = CcxtExchange(wire, dialect, clock)
    try:
        instruments = await exchange.instruments()
        instrument = next(i for i in instruments if i.symbol == SYMBOL)
        yield Desk(exchange, wire, dialect, instrument)
    finally:
        await exchange.close()


@pytest.fixture(params=[False, True], ids=["one-way", "hedge"])
async def desk(
    paper: PaperProcess, venue: VenueCase, request: pytest.FixtureRequest
) -> AsyncIterator[Desk]:
    async with opened(paper, venue) as made:
        await made.exchange.prepare(SYMBOL, leverage=10, hedge=request.param, cross=True)
        yield made
        await made.clean()


@pytest.fixture
async def simple(paper: PaperProcess, venue: VenueCase) -> AsyncIterator[Desk]:
    async with opened(paper, venue) as made:
        await made.exchange.prepare(SYMBOL, leverage=venue.leverage, hedge=False, cross=True)
        yield made
        await made.clean()


def now_ms() -> int:
    return SystemClock().now_ms()


async def eventually[T](ask: Callable[[], Awaitable[T]], good: Callable[[T], bool]) -> T:
    async with asyncio.timeout(60):
        while not good(answer := await ask()):
            await asyncio.sleep(0.2)
    return answer
