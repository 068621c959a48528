"""One connection's trade loop on fakes, over a trend that proves Sets within minutes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tests.builders import an_instrument
from tests.fakes import FakeClock, FakeLeases, FakeStore
from tests.market import START_MS, candles_of
from tests.unit.engine.trading import lenient

from engine.cycles.burst import BurstReport, BurstRequest
from engine.cycles.memory import TradeMemory
from engine.cycles.trade import trade_burst
from engine.events import Event, Quote
from engine.market import Candles
from engine.ports import World
from engine.records import EngineRow
from engine.settings import Settings
from engine.values import Instrument, Loop

SETTINGS = lenient(
    burstSeconds=10, snapshotIntervalSeconds=10, positionCooldown=1, validationTimeout=1
)
BTC = an_instrument("BTCUSDT")
SECONDS = 500


def trend() -> Candles:
    """Quick steps up: Sets prove themselves within minutes."""
    rates = np.where(np.arange(SECONDS) % 3 == 2, 1.0016, 1.0009)
    return candles_of(np.rint(1_000_000 * np.cumprod(rates)).astype(np.int64).tolist())


@dataclass
class MarketFeed:
    """The trend, a second at a time."""

    market: Candles = field(default_factory=trend)
    backfills: list[tuple[int, int]] = field(default_factory=list)

    async def follow(self, instruments: Sequence[Instrument], *, private: bool) -> None:
        assert not private

    async def candles(self, close_ms: int) -> Candles:
        return self.market.between(close_ms - 1000, close_ms)

    async def backfill(self, start_ms: int, end_ms: int) -> tuple[Candles, ...]:
        self.backfills.append((start_ms, end_ms))
        piece = self.market.between(start_ms, end_ms)
        return (piece,) if len(piece) else ()

    def quotes(self) -> Mapping[str, Quote]:
        return {}

    def events(self) -> tuple[Event, ...]:
        return ()

    def sources(self) -> Mapping[str, int]:
        return {"stream": 0, "polling": 0}

    async def close(self) -> None:
        pass


@dataclass
class Engine:
    """One connection's trade loop on fakes."""

    clock: FakeClock
    leases: FakeLeases
    store: FakeStore
    feed: MarketFeed = field(default_factory=MarketFeed)
    memories: dict[str, TradeMemory] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    serial: int = 0

    # what the world needs of a starter, an opener and a log
    def start(self, connection_id: str, loop: Loop, *, reason: str) -> None:
        self.started.append(reason)

    async def opened_feed(self, connection_id: str, *, private: bool) -> MarketFeed:
        return self.feed

    def fact(self, name: str, values: Mapping[str, object]) -> None:
        self.facts.append(name)

    problem = fact

    @property
    def world(self) -> World:
        opener: Any = type("Opener", (), {"feed": staticmethod(self.opened_feed)})()
        return World(
            clock=self.clock,
            leases=self.leases,
            store=self.store,
            starter=self,
            opener=opener,
            log=self,
        )

    async def burst(self) -> BurstReport:
        self.serial += 1
        request = BurstRequest(
            connection_id="c1",
            owner=f"nonce-{self.serial}",
            token=self.leases.read("c1", Loop.TRADE).token,
            execution_started_ms=self.clock.now_ms(),
        )
        return await trade_burst(self.world, request, self.memories)

    def closes(self) -> list[int]:
        return [int(ms) for tick in self.store.ticks for ms in tick.candles.close_ms]


def an_engine(settings: Settings = SETTINGS) -> Engine:
    clock = FakeClock(time_ms=START_MS + 20_000)
    leases = FakeLeases(clock)
    store = FakeStore(clock, leases)
    store.engine_row = EngineRow(
        connection_id="c1",
        run_id="r1",
        symbols=("BTCUSDT",),
        instruments=(BTC,),
        settings=settings,
        settings_version=1,
        prehistoric_data_loaded=True,
        prehistory_end_ms=START_MS,
        may_trade=True,
        hedge=True,
        cross=True,
    )
    history = candles_of([1_000_000], span_ms=60_000, start_ms=START_MS - 60_000)
    store.write_history("c1", history)
    return Engine(clock, leases, store)
