"""The trade loop turned through its ports: no candle lost, memory never trusted blindly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from tests.builders import an_instrument
from tests.fakes import FakeClock, FakeLeases, FakeStore
from tests.market import START_MS, candles_of
from tests.unit.engine.trading import books_of, lenient

from engine.cycles.burst import BurstReport, BurstRequest, Outcome
from engine.cycles.memory import TradeMemory
from engine.cycles.trade import trade_burst
from engine.errors import StoreBusyError
from engine.events import Event, Quote
from engine.market import Candles, Kind
from engine.ports import World
from engine.records import EngineRow, Lease, TradeTick
from engine.settings import Settings
from engine.trade import TradeState, plan_trade
from engine.values import Instrument, Loop, Wish

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

    async def burst(self) -> BurstReport:
        self.serial += 1
        opener: Any = type("Opener", (), {"feed": staticmethod(self.opened_feed)})()
        world = World(
            clock=self.clock,
            leases=self.leases,
            store=self.store,
            starter=self,
            opener=opener,
            log=self,
        )
        request = BurstRequest(
            connection_id="c1",
            owner=f"nonce-{self.serial}",
            token=self.leases.read("c1", Loop.TRADE).token,
            execution_started_ms=self.clock.now_ms(),
        )
        return await trade_burst(world, request, self.memories)

    def closes(self) -> list[int]:
        return [int(ms) for tick in self.store.ticks for ms in tick.candles.close_ms]


@pytest.fixture
def engine() -> Engine:
    clock = FakeClock(time_ms=START_MS + 20_000)
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
        prehistory_end_ms=START_MS,
        may_trade=True,
        hedge=True,
        cross=True,
    )
    history = candles_of([1_000_000], span_ms=60_000, start_ms=START_MS - 60_000)
    store.write_history("c1", history)
    return Engine(clock, leases, store)


def learned(settings: Settings, *pieces: Candles) -> TradeState:
    state = TradeState.fresh((BTC,), settings)
    for piece in pieces:
        state, _ = plan_trade(state, piece, settings)
    return state


async def test_bursts_fold_every_candle_exactly_once(engine: Engine) -> None:
    reports = [await engine.burst() for _ in range(3)]

    assert [report.outcome for report in reports] == [Outcome.AGAIN] * 3
    closes = engine.closes()
    assert closes == list(range(closes[0], closes[-1] + 1000, 1000))
    backfilled = [int(ms) for piece in engine.store.minutes for ms in piece.close_ms]
    assert set(range(START_MS + 1000, closes[0], 1000)) <= set(backfilled)


async def test_a_cold_worker_rebuilds_what_a_warm_one_remembers(engine: Engine) -> None:
    for _ in range(4):
        await engine.burst()
    warm = books_of(engine.memories["c1"].state)
    last_close = engine.memories["c1"].last_close_ms

    engine.memories.clear()
    engine.feed.backfills.clear()
    await engine.burst()

    whole = learned(
        SETTINGS,
        engine.store.history("c1", "BTCUSDT", START_MS - 60_000, START_MS),
        engine.feed.market.between(START_MS, engine.memories["c1"].last_close_ms),
    )
    assert books_of(engine.memories["c1"].state) == books_of(whole)
    assert warm != books_of(whole)
    assert engine.feed.backfills[0][0] >= last_close


async def test_a_memory_the_store_does_not_confirm_is_rebuilt(engine: Engine) -> None:
    await engine.burst()
    forgotten = engine.memories["c1"]
    row = engine.leases.read("c1", Loop.TRADE)
    engine.leases.change("c1", Loop.TRADE, last_slot_ms=row.last_slot_ms + 1000)

    await engine.burst()

    assert engine.memories["c1"] is not forgotten


async def test_skipped_ticks_lose_no_candle_and_are_counted(engine: Engine) -> None:
    await engine.burst()
    engine.clock.advance(3_100)

    await engine.burst()

    closes = engine.closes()
    assert closes == list(range(closes[0], closes[-1] + 1000, 1000))
    assert sum(sum(tick.skipped.values()) for tick in engine.store.ticks) == 3


async def test_a_tick_the_store_was_too_busy_for_travels_with_the_next(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, failures = FakeStore.write_tick, [StoreBusyError("busy")]

    def sometimes(store: FakeStore, lease: Lease, tick: TradeTick, wishes: Sequence[Wish]) -> Lease:
        if len(store.ticks) == 3 and failures:
            raise failures.pop()
        return write(store, lease, tick, wishes)

    monkeypatch.setattr(FakeStore, "write_tick", sometimes)
    await engine.burst()

    assert "tick not written" in engine.facts
    closes = engine.closes()
    assert closes == list(range(closes[0], closes[-1] + 1000, 1000))


async def test_a_lost_lease_ends_the_burst_and_writes_nothing_more(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engine.burst()
    ticks = len(engine.store.ticks)
    write = FakeStore.write_tick

    def stolen_after(
        store: FakeStore, lease: Lease, tick: TradeTick, wishes: Sequence[Wish]
    ) -> Lease:
        longer = write(store, lease, tick, wishes)
        engine.leases.change("c1", Loop.TRADE, owner="successor")
        return longer

    monkeypatch.setattr(FakeStore, "write_tick", stolen_after)
    report = await engine.burst()

    assert report.outcome is Outcome.LOST
    assert len(engine.store.ticks) == ticks + 1


async def test_a_wanted_stop_saves_the_books_and_frees_the_lease(engine: Engine) -> None:
    await engine.burst()
    engine.leases.change("c1", Loop.TRADE, wanted="stop")

    report = await engine.burst()

    assert report.outcome is Outcome.STOPPED
    assert engine.leases.read("c1", Loop.TRADE).owner == ""
    assert engine.store.books["BTCUSDT"][1] == engine.memories["c1"].last_close_ms


async def test_proven_sets_wish_and_wake_the_position_loop(engine: Engine) -> None:
    for _ in range(20):
        await engine.burst()

    wishes = [command for command in engine.store.commands.values() if command.wish]
    assert wishes
    assert {"warm", "wish"} <= set(engine.started)
    slots = {tick.slot_ms for tick in engine.store.ticks}
    assert all(command.wish.entry_close_ms in slots for command in wishes if command.wish)


@pytest.mark.parametrize("preset", [False, True])
async def test_an_engine_that_may_not_trade_in_a_mode_wishes_nothing_in_it(
    engine: Engine, preset: bool
) -> None:
    assert engine.store.engine_row is not None
    engine.store.engine_row = replace(
        engine.store.engine_row, may_trade=False, may_trade_preset=preset
    )
    for _ in range(20):
        await engine.burst()

    assert engine.store.commands == {}
    assert "wish" not in engine.started


async def test_after_a_pause_longer_than_a_lease_the_missed_candles_are_fetched_again(
    engine: Engine,
) -> None:
    await engine.burst()
    paused_ms = engine.clock.now_ms()
    engine.feed.backfills.clear()

    engine.clock.advance(60_000)
    await engine.burst()

    ((start_ms, end_ms),) = engine.feed.backfills
    assert start_ms <= paused_ms
    assert end_ms >= paused_ms + 60_000


async def test_a_candle_with_a_price_no_market_makes_is_a_gap_and_fails_no_tick(
    engine: Engine,
) -> None:
    low = engine.feed.market.low.copy()
    low[24, 0] = 0
    engine.feed.market = replace(engine.feed.market, low=low)

    report = await engine.burst()

    stored = {int(t.candles.close_ms[-1]): t for t in engine.store.ticks}
    tick = stored[int(engine.feed.market.close_ms[24])]
    assert report.outcome is Outcome.AGAIN
    assert tick.candles.kind[-1, 0] == Kind.GAP
    assert tick.counts["invalid_candles"] == 1
    assert "candles refused" in engine.facts
