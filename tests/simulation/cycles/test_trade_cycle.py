"""The trade loop turned through its ports: no candle lost, memory never trusted blindly."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.fakes import FakeStore
from tests.market import START_MS
from tests.trade_world import BTC, SETTINGS, Engine, an_engine
from tests.unit.engine.trading import books_of

from engine.cycles import memory
from engine.cycles.burst import Outcome
from engine.errors import StoreBusyError
from engine.market import Candles, Kind
from engine.records import Lease, TradeTick
from engine.settings import Settings
from engine.trade import TradeState, plan_trade
from engine.trade_plan import TradePlan
from engine.values import Loop, Turn, Wish


@pytest.fixture
def engine() -> Engine:
    return an_engine()


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

    def sometimes(
        store: FakeStore,
        lease: Lease,
        tick: TradeTick,
        wishes: Sequence[Wish],
        turns: Sequence[Turn],
    ) -> Lease:
        if len(store.ticks) == 3 and failures:
            raise failures.pop()
        return write(store, lease, tick, wishes, turns)

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
        store: FakeStore,
        lease: Lease,
        tick: TradeTick,
        wishes: Sequence[Wish],
        turns: Sequence[Turn],
    ) -> Lease:
        longer = write(store, lease, tick, wishes, turns)
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


async def test_an_engine_that_may_trade_presets_alone_wishes_nothing_in_main_mode(
    engine: Engine,
) -> None:
    assert engine.store.engine_row is not None
    engine.store.engine_row = replace(
        engine.store.engine_row, may_trade=False, may_trade_preset=True
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


async def test_a_rebuild_asks_the_venue_for_what_passed_while_it_folded_what_is_stored(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engine.burst()
    engine.memories.clear()
    engine.store.books.clear()
    engine.feed.backfills.clear()
    begun_ms = engine.clock.now_ms()

    def slowly(
        state: TradeState, candles: Candles, settings: Settings
    ) -> tuple[TradeState, TradePlan]:
        if not engine.feed.backfills and candles.span_ms == 1_000:
            engine.clock.advance(7_000)  # nobody samples prices meanwhile
        return plan_trade(state, candles, settings)

    monkeypatch.setattr(memory, "plan_trade", slowly)
    await engine.burst()

    ((_, end_ms),) = engine.feed.backfills
    assert end_ms >= begun_ms + 7_000


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
