"""Settings changed while the loops run: taken over between two ticks, each key when it says so."""

from dataclasses import replace

import pytest
from tests.fakes import FakeStore
from tests.market import START_MS
from tests.position_world import Desk, a_position_loop
from tests.trade_world import BTC, SETTINGS, Engine, an_engine
from tests.unit.engine.trading import books_of

from engine.cycles.burst import Outcome
from engine.errors import InvalidSettingError, StoreBusyError
from engine.market import Candles
from engine.records import Lease, StoredSettings, TradeTick
from engine.settings import Settings, with_values
from engine.trade import TradeState, plan_trade
from engine.values import Loop, Side, Turn, Wish

AT_A_TICK, AT_A_BURST, AT_A_START = "validationTimeout", "burstSeconds", "databaseSizeBase"


@pytest.fixture
def engine() -> Engine:
    return an_engine()


@pytest.fixture
def desk() -> Desk:
    return a_position_loop()


def changed(settings: Settings, version: int, **values: object) -> StoredSettings:
    return StoredSettings(settings=with_values(settings, values), version=version)


def tell(world: Engine | Desk, wanted: StoredSettings) -> None:
    """What an operator's change does: the version is stored, then both loops are told."""
    world.store.wanted = wanted
    for loop in Loop:
        world.leases.change("c1", loop, settings_version=wanted.version)


def after_ticks(
    monkeypatch: pytest.MonkeyPatch, engine: Engine, count: int, wanted: StoredSettings
) -> None:
    """The operator changes settings while the tick number `count` of the next burst is written."""
    write, begun = FakeStore.write_tick, len(engine.store.ticks)

    def written(
        store: FakeStore,
        lease: Lease,
        tick: TradeTick,
        wishes: tuple[Wish, ...],
        turns: tuple[Turn, ...],
    ) -> Lease:
        longer = write(store, lease, tick, wishes, turns)
        if len(store.ticks) == begun + count:
            tell(engine, wanted)
        return longer

    monkeypatch.setattr(FakeStore, "write_tick", written)


async def test_the_next_tick_uses_a_changed_value_and_says_its_version(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_ticks(monkeypatch, engine, 3, changed(SETTINGS, 2, **{AT_A_TICK: 77}))

    await engine.burst()

    assert [tick.settings_version for tick in engine.store.ticks[:5]] == [1, 1, 1, 2, 2]
    row = engine.store.engine("c1")
    assert (row.settings.validation_timeout_s, row.settings_version) == (77, 2)


async def test_each_key_counts_from_the_moment_its_effect_names(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {AT_A_TICK: 77, AT_A_BURST: 5, AT_A_START: 500}
    after_ticks(monkeypatch, engine, 1, changed(SETTINGS, 2, **values))

    first = await engine.burst()
    in_the_burst = engine.store.engine("c1").settings
    second = await engine.burst()
    later = engine.store.engine("c1").settings

    assert (in_the_burst.validation_timeout_s, in_the_burst.burst_s) == (77, SETTINGS.burst_s)
    assert (later.validation_timeout_s, later.burst_s) == (77, 5)
    assert later.database_size == SETTINGS.database_size
    assert (first.ticks, second.ticks) == (9, 4)


async def test_a_change_that_needs_a_start_alone_leaves_all_values_and_is_told(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_ticks(monkeypatch, engine, 1, changed(SETTINGS, 2, gridProfile="full"))

    await engine.burst()

    row = engine.store.engine("c1")
    assert (row.settings, row.settings_version) == (SETTINGS, 2)


async def test_a_rebuild_after_a_change_folds_each_candle_with_the_settings_of_its_tick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = with_values(SETTINGS, {"snapshotIntervalSeconds": 3600})
    engine = an_engine(begun)
    wanted = changed(begun, 2, positionCooldown=60, validationTimeout=30, lastPartRatioFactor=1)
    for _ in range(6):
        await engine.burst()
    after_ticks(monkeypatch, engine, 5, wanted)
    await engine.burst()

    engine.memories.clear()  # its worker died; books, candles and the row are what is left
    for _ in range(5):
        await engine.burst()

    before = [tick for tick in engine.store.ticks if tick.settings_version == 1]
    switched_ms = int(before[-1].candles.close_ms[-1])
    last_ms = engine.memories["c1"].last_close_ms
    history = engine.store.history("c1", "BTCUSDT", START_MS - 60_000, START_MS)
    old = (history, engine.feed.market.between(START_MS, switched_ms))
    new = engine.feed.market.between(switched_ms, last_ms)
    as_lived, _ = plan_trade(learned(begun, *old), new, wanted.settings)
    assert books_of(engine.memories["c1"].state) == books_of(as_lived)
    assert books_of(as_lived) != books_of(learned(wanted.settings, *old, new))
    assert books_of(as_lived) != books_of(learned(begun, *old, new))


def learned(settings: Settings, *pieces: Candles) -> TradeState:
    state = TradeState.fresh((BTC,), settings)
    for piece in pieces:
        state, _ = plan_trade(state, piece, settings)
    return state


async def test_a_worker_that_dies_while_it_takes_settings_over_leaves_the_old_ones(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engine.burst()
    after_ticks(monkeypatch, engine, 2, changed(SETTINGS, 2, **{AT_A_TICK: 77}))
    monkeypatch.setattr(FakeStore, "take_over", _dies)

    with pytest.raises(KeyboardInterrupt):
        await engine.burst()

    row = engine.store.engine("c1")
    assert (row.settings, row.settings_version) == (SETTINGS, 1)
    assert engine.store.books["BTCUSDT"][1] == engine.closes()[-1]


def _dies(store: FakeStore, lease: Lease, taken: StoredSettings) -> None:
    raise KeyboardInterrupt


async def test_a_loop_that_another_outran_begins_again_with_what_that_took_over(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    await engine.burst()
    wanted = changed(SETTINGS, 2, **{AT_A_TICK: 77})
    take = engine.leases.take

    def taken(*arguments: object, **more: object) -> Lease:
        assert engine.store.engine_row is not None
        engine.store.engine_row = replace(
            engine.store.engine_row, settings=wanted.settings, settings_version=2
        )
        return take(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(type(engine.leases), "take", lambda _, *a, **k: taken(*a, **k))
    report = await engine.burst()

    assert (report.outcome, report.ticks) == (Outcome.AGAIN, 0)
    assert "c1" not in engine.memories


@pytest.mark.parametrize("error", [StoreBusyError("no answer"), InvalidSettingError("of old")])
async def test_settings_that_cannot_be_read_leave_the_last_ones(
    engine: Engine, error: StoreBusyError | InvalidSettingError
) -> None:
    tell(engine, changed(SETTINGS, 2, **{AT_A_TICK: 77}))
    await engine.burst()
    engine.store.settings_error = error
    tell(engine, changed(SETTINGS, 3, **{AT_A_TICK: 88}))

    report = await engine.burst()
    kept = engine.store.engine("c1").settings
    engine.store.settings_error = None
    await engine.burst()

    assert report.ticks == 9
    assert kept.validation_timeout_s == 77
    assert engine.facts.count("settings not read") == 2  # at the burst, and five seconds later
    assert engine.store.engine("c1").settings.validation_timeout_s == 88


async def test_the_position_loop_takes_settings_over_and_journals_which_it_used(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = desk.store.engine("c1")
    moves = desk.feed.quotes
    turns = 0

    def quotes() -> object:
        nonlocal turns
        turns += 1
        if turns == 4:
            tell(desk, changed(engine.settings, 2, stalePriceMs=700, burstSeconds=10))
        return moves()

    monkeypatch.setattr(desk.feed, "quotes", quotes)
    desk.wish(Side.LONG)
    await desk.burst()

    own = desk.store.engine("c1").of_position_loop()
    assert (own.settings.stale_price_ms, own.settings.burst_s) == (700, engine.settings.burst_s)
    journal = [(len(each.ticks), each.settings_version) for each in desk.store.position_ticks]
    assert journal[0] == (4, 1)
    assert {version for _, version in journal[1:]} == {2}
    assert desk.store.engine("c1").settings == engine.settings  # the trade loop's are its own


async def test_the_position_loop_takes_the_rest_over_at_its_next_burst(desk: Desk) -> None:
    engine = desk.store.engine("c1")
    tell(desk, changed(engine.settings, 2, stalePriceMs=700, burstSeconds=10, gridProfile="full"))

    await desk.burst()

    own = desk.store.engine("c1").of_position_loop()
    assert (own.settings.stale_price_ms, own.settings.burst_s) == (700, 10)
    assert (own.settings.grid_profile, own.settings_version) == ("compact", 2)


async def test_settings_are_read_once_a_burst_while_nothing_changes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, asked = FakeStore.settings, []

    def noted(store: FakeStore, connection_id: str) -> StoredSettings:
        asked.append(connection_id)
        return read(store, connection_id)

    monkeypatch.setattr(FakeStore, "settings", noted)
    report = await engine.burst()

    assert report.ticks == 9
    assert asked == ["c1"]
