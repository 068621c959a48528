"""The position loop on fakes that keep the real ports' conditions, one connection of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tests.fake_venue import FakeVenue
from tests.fakes import FakeClock, FakeLeases, FakeStore

from engine.cycles.burst import BurstReport, BurstRequest
from engine.cycles.position import PositionMemory, position_burst
from engine.events import Event, Quote
from engine.market import Candles
from engine.ports import World
from engine.records import EngineRow
from engine.settings import Settings
from engine.values import Exits, IndicationType, Instrument, Loop, SetKey, Side, Wish

BTC = Instrument(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    price_tick=Decimal("0.1"),
    quantity_step=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    max_quantity=Decimal(100),
    min_notional=Decimal(5),
    max_leverage=100,
)
START = Decimal(50_000)
SETTINGS = Settings(burst_s=5)


@dataclass
class VenueFeed:
    """Prices and events straight from the fake venue."""

    venue: FakeVenue
    path: list[Decimal] = field(default_factory=list)

    async def follow(self, instruments: Sequence[Instrument], *, private: bool) -> None:
        self.followed = [each.symbol for each in instruments]

    async def candles(self, close_ms: int) -> Candles:
        raise AssertionError("the position loop asks for no candles")

    async def backfill(self, start_ms: int, end_ms: int) -> tuple[Candles, ...]:
        raise AssertionError("the position loop asks for no candles")

    def quotes(self) -> Mapping[str, Quote]:
        if self.path:
            self.venue.set_price("BTCUSDT", self.path.pop(0))
        now_ms = self.venue.clock.now_ms()
        price = self.venue.prices["BTCUSDT"]
        return {"BTCUSDT": Quote(symbol="BTCUSDT", price=price, event_ms=now_ms, seen_ms=now_ms)}

    def events(self) -> tuple[Event, ...]:
        self.venue.advance()
        return self.venue.events()

    def sources(self) -> Mapping[str, int]:
        return {}

    async def close(self) -> None:
        pass


@dataclass
class Opened:
    """Opens the one venue there is."""

    opened_feed: VenueFeed
    opened_exchange: FakeVenue

    async def feed(self, connection_id: str, *, private: bool) -> VenueFeed:
        return self.opened_feed

    async def exchange(self, connection_id: str, *, private: bool) -> FakeVenue:
        return self.opened_exchange


class Lines:
    """Keeps what was logged."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def fact(self, name: str, values: Mapping[str, object]) -> None:
        pass

    def problem(self, name: str, values: Mapping[str, object]) -> None:
        self.problems.append(name)


class Starts:
    """Remembers which loops were started."""

    def start(self, connection_id: str, loop: Loop, *, reason: str) -> None:
        raise AssertionError("the position loop starts nothing")


@dataclass
class Desk:
    """One connection's position loop on fakes."""

    clock: FakeClock
    venue: FakeVenue
    feed: VenueFeed
    store: FakeStore
    leases: FakeLeases
    world: World
    memories: dict[str, PositionMemory] = field(default_factory=dict)
    serial: int = 0

    def wish(self, side: Side, *, trailing: bool = False) -> Wish:
        exits = Exits(
            take_profit_pct=Decimal("0.4"),
            stop_loss_pct=Decimal("0.2"),
            trail_start_pct=Decimal("0.2") if trailing else Decimal(0),
            trail_stop_pct=Decimal("0.1") if trailing else Decimal(0),
        )
        key = SetKey(
            symbol="BTCUSDT", indication=IndicationType.MOVE, parameter=3, side=side, exits=exits
        )
        made = Wish(key=key, entry_close_ms=self.clock.now_ms(), price=self.price)
        self.store.put_command("c1", self.store.wish_command(made))
        return made

    @property
    def price(self) -> Decimal:
        return self.venue.prices["BTCUSDT"]

    async def burst(self, *, execution_id: str = "") -> BurstReport:
        self.serial += 1
        return await position_burst(
            self.world,
            BurstRequest(
                connection_id="c1",
                owner=f"nonce-{self.serial}",
                execution_id=execution_id,
                token=self.leases.read("c1", Loop.POSITION).token,
                execution_started_ms=self.clock.now_ms(),
            ),
            self.memories,
        )


def a_position_loop() -> Desk:
    """One connection whose engine trades BTCUSDT, flat and idle."""
    clock = FakeClock()
    leases = FakeLeases(clock)
    store = FakeStore(clock, leases)
    store.engine_row = EngineRow(
        connection_id="c1",
        run_id="r1",
        symbols=("BTCUSDT",),
        instruments=(BTC,),
        settings=SETTINGS,
        settings_version=1,
        prehistoric_data_loaded=True,
        prehistory_end_ms=0,
        may_trade=True,
        hedge=True,
        cross=True,
    )
    venue = FakeVenue(clock, {"BTCUSDT": BTC}, prices={"BTCUSDT": START})
    feed = VenueFeed(venue)
    world = World(
        clock=clock,
        leases=leases,
        store=store,
        starter=Starts(),
        opener=Opened(feed, venue),
        log=Lines(),
    )
    return Desk(clock, venue, feed, store, leases, world)


def moved(side: Side, *percents: str) -> list[Decimal]:
    """Prices that many percent to the good of `side`."""
    return [START * (1 + Decimal(p) * side.sign / 100) for p in percents]
