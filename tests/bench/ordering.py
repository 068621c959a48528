"""Orders of the real position loop on a paper exchange in a process of its own, over loopback TLS.

The loop, the client, the streams and the wire are the live ones; only the store is in memory, so
that what is measured is the way to the venue. Every order counts, the entries and what protects
them; a signal's time runs from the moment its wish is written to the venue's acceptance.
"""

import asyncio
import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from tests.paper_venue import PaperProcess

from adapters.clock import SystemClock
from adapters.exchange import CcxtExchange
from adapters.feed import CcxtFeed
from adapters.venues.binance import BinanceUsdm
from adapters.wire import Wire
from engine.cycles.burst import BurstRequest, Outcome
from engine.cycles.position import PositionMemory, position_burst
from engine.events import OrderUpdate, SendUnclear
from engine.ledger import Order, OrderState, Purpose
from engine.ports import World
from engine.records import EngineRow
from engine.settings import Settings
from engine.values import Exits, IndicationType, Instrument, Loop, SetKey, Side, Wish
from local.simulation.leases import MemoryLeases
from local.simulation.store import MemoryStore

NAME = "bench"
_ACCEPTED = {OrderState.OPEN, OrderState.PARTIALLY_FILLED, OrderState.FILLED}
_SETTLE_MS = 4_000
_KINDS = [
    (indication, side)
    for indication in (IndicationType.MOVE, IndicationType.DIRECTION, IndicationType.ACTIVE)
    for side in Side
]


class TimedExchange(CcxtExchange):
    """Notes when each order was answered, and how."""

    answered_us: dict[str, int]
    refused: list[str]

    async def send(self, order: Order, *, valid_ms: int) -> OrderUpdate | SendUnclear:
        answer = await super().send(order, valid_ms=valid_ms)
        if isinstance(answer, OrderUpdate) and answer.state in _ACCEPTED:
            self.answered_us.setdefault(order.client_order_id, self._clock.now_us())
        else:
            why = answer.reason if isinstance(answer, OrderUpdate) else answer.text
            self.refused.append(why)
        return answer


@dataclass(slots=True)
class _Opened:
    opened_feed: CcxtFeed
    opened_exchange: TimedExchange

    async def feed(self, connection_id: str, *, private: bool) -> CcxtFeed:
        return self.opened_feed

    async def exchange(self, connection_id: str, *, private: bool) -> TimedExchange:
        return self.opened_exchange


@dataclass(slots=True)
class _Quiet:
    """What was logged as a problem."""

    problems: list[str] = field(default_factory=list)

    def fact(self, name: str, values: Mapping[str, object]) -> None:
        pass

    def problem(self, name: str, values: Mapping[str, object]) -> None:
        self.problems.append(f"{name} {dict(values)}")

    def start(self, connection_id: str, loop: Loop, *, reason: str) -> None:
        raise AssertionError("the position loop starts nothing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """Milliseconds from signal to accepted entry, and how fast orders went out at once."""

    first_ms: Sequence[float]
    next_ms: Sequence[float]
    orders: int
    orders_a_second: float
    refused: Sequence[str]
    problems: Sequence[str]

    @property
    def lines(self) -> list[tuple[object, ...]]:
        """For a table."""
        named = (("first in its symbol", self.first_ms), ("next in it", self.next_ms))
        return [(name, len(each), share(each, 50), share(each, 99)) for name, each in named]


def share(values: Sequence[float], percent: int) -> float:
    """The value that so many percent do not pass; 0 without values."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) * percent // 100] if ordered else 0.0


@dataclass(slots=True)
class _Trader:
    """One connection's position loop, and whoever wishes."""

    clock: SystemClock
    world: World
    store: MemoryStore
    leases: MemoryLeases
    feed: CcxtFeed
    exchange: TimedExchange
    instruments: tuple[Instrument, ...]
    last: dict[str, Decimal]
    wished_us: dict[SetKey, int] = field(default_factory=dict)

    def wish(self, instrument: Instrument) -> None:
        """One that no open position forbids: of another kind or side than those before."""
        wished = sum(key.symbol == instrument.symbol for key in self.wished_us)
        indication, side = _KINDS[wished % len(_KINDS)]
        key = SetKey(
            symbol=instrument.symbol,
            indication=indication,
            parameter=3,
            side=side,
            exits=Exits(take_profit_pct=Decimal(2), stop_loss_pct=Decimal(2)),
        )
        price = self.last[instrument.symbol]
        wish = Wish(key=key, entry_close_ms=self.clock.now_ms(), price=price)
        self.wished_us[key] = self.clock.now_us()
        self.store.put_command(NAME, self.store.wish_command(wish))

    async def trade(self, stop: asyncio.Event) -> None:
        """Bursts, one after the other, as the state machine chains them."""
        memories: dict[str, PositionMemory] = {}
        token, number = 0, 0
        while not stop.is_set():
            number += 1
            request = BurstRequest(
                connection_id=NAME,
                owner=f"nonce-{number}",
                token=token,
                execution_started_ms=self.clock.now_ms(),
            )
            report = await position_burst(self.world, request, memories)
            token = report.token
            if report.outcome is Outcome.LOST:
                raise AssertionError("nobody else takes this lease")

    def entries_ms(self, keys: Sequence[SetKey]) -> list[float]:
        """From wish to acceptance, of those wishes that became orders."""
        entries = {
            self.store.positions[order.position_id].key: name
            for name, order in self.store.orders.items()
            if order.purpose is Purpose.ENTRY and order.position_id in self.store.positions
        }
        answered = self.exchange.answered_us
        return [
            (answered[entries[key]] - self.wished_us[key]) / 1000
            for key in keys
            if key in entries and entries[key] in answered
        ]


async def _trader(paper: PaperProcess) -> _Trader:
    clock, dialect, quiet = SystemClock(), BinanceUsdm(), _Quiet()
    wire = Wire(paper.access(), clock, dialect)
    exchange = TimedExchange(wire, dialect, clock)
    exchange.answered_us, exchange.refused = {}, []
    feed = CcxtFeed(wire, dialect, clock)
    instruments = await exchange.instruments()
    await exchange.prepare(instruments[0].symbol, leverage=1, hedge=True, cross=True)
    leases = MemoryLeases(clock)
    store = MemoryStore(clock, leases)
    store.engine_row = EngineRow(
        connection_id=NAME,
        run_id="r1",
        symbols=tuple(each.symbol for each in instruments),
        instruments=instruments,
        settings=Settings(burst_s=5, positions_average=200),
        settings_version=1,
        prehistoric_data_loaded=True,
        prehistory_end_ms=0,
        may_trade=True,
        hedge=True,
        cross=True,
    )
    world = World(
        clock=clock,
        leases=leases,
        store=store,
        starter=quiet,
        opener=_Opened(feed, exchange),
        log=quiet,
    )
    last = {each.symbol: each.price for each in await dialect.last_prices(wire)}
    return _Trader(clock, world, store, leases, feed, exchange, instruments, last)


async def order_all(paper: PaperProcess, *, rounds: int, at_once: int) -> Ordered:
    """One wish for each symbol, then more at moments of their own, then many in one instant."""
    trader = await _trader(paper)
    stop = asyncio.Event()
    trading = asyncio.create_task(trader.trade(stop))
    draw = random.Random(1)
    try:
        await _settled(trader, trading)
        first = await _wished(trader, trader.instruments, draw, trading)
        following = await _wished(trader, trader.instruments * rounds, draw, trading)
        begun_us, before = trader.clock.now_us(), set(trader.exchange.answered_us)
        for number in range(at_once):
            trader.wish(trader.instruments[number % len(trader.instruments)])
        await _settled(trader, trading)
        after = {n: us for n, us in trader.exchange.answered_us.items() if n not in before}
    finally:
        stop.set()
        await asyncio.gather(trading, return_exceptions=True)
        await trader.feed.close()
    took_s = (max(after.values(), default=begun_us) - begun_us) / 1e6
    log = trader.world.log
    return Ordered(
        first_ms=trader.entries_ms(first),
        next_ms=trader.entries_ms(following),
        orders=len(after),
        orders_a_second=len(after) / took_s if took_s else 0.0,
        refused=trader.exchange.refused,
        problems=log.problems if isinstance(log, _Quiet) else (),
    )


async def _wished(
    trader: _Trader,
    instruments: Sequence[Instrument],
    draw: random.Random,
    trading: "asyncio.Task[None]",
) -> list[SetKey]:
    known = len(trader.wished_us)
    for instrument in instruments:
        trader.wish(instrument)
        pause_ms = draw.randrange(150, 450)
        await trader.clock.sleep_until_ms(trader.clock.now_ms() + pause_ms)
    await _settled(trader, trading)
    return list(trader.wished_us)[known:]


async def _settled(trader: _Trader, trading: "asyncio.Task[None]") -> None:
    """Until nothing is sent any more."""
    sent = -1
    while sent != len(trader.exchange.answered_us) and not trading.done():
        sent = len(trader.exchange.answered_us)
        await trader.clock.sleep_until_ms(trader.clock.now_ms() + _SETTLE_MS)
    if trading.done():
        trading.result()


def measure_orders(*, symbols: int, rounds: int, at_once: int) -> Ordered:
    """On a paper exchange of its own."""
    with tempfile.TemporaryDirectory(prefix="cts-bench-") as folder:
        paper = PaperProcess(Path(folder), options=("--symbols", str(symbols)))
        paper.start()
        try:
            return asyncio.run(order_all(paper, rounds=rounds, at_once=at_once))
        finally:
            paper.stop()
