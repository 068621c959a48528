"""The steps that start an engine: prepare, finish, fail."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest
from functions.engine_control.app import Parts, Request, act
from pynamodb.exceptions import QueryError
from tests.api_world import ApiWorld
from tests.builders import an_instrument
from tests.grants import within
from tests.samples import some_candles

from adapters.emergency_rounds import EmergencyRounds
from adapters.engine_loading import Loading
from adapters.engine_rows import read_engine
from adapters.engine_states import read_state
from adapters.leases import DynamoLeases
from adapters.store import DynamoStore
from adapters.stored_settings import SYSTEM, save_settings, settings_of
from adapters.tables import AuditRow, PositionRow, SettingsRow
from engine.errors import InvalidSettingError, LeaseLostError, RefusedError
from engine.ports import Exchange, Feed
from engine.values import Loop, TradeMode

MINUTE_MS = 60_000
MINUTES_A_DAY = 1440


@dataclass(slots=True)
class OneVenue:
    """`engine.ports.Opener` that always opens the same exchange."""

    venue: Exchange
    asked: list[bool] = field(default_factory=list)

    async def exchange(self, connection_id: str, *, private: bool) -> Exchange:
        self.asked.append(private)
        return self.venue

    async def feed(self, connection_id: str, *, private: bool) -> Feed:
        raise RefusedError("loading needs no feed")


@dataclass(slots=True)
class Noted:
    """`engine.ports.Log` that keeps what was said."""

    facts: list[tuple[str, object]] = field(default_factory=list)

    def fact(self, name: str, values: object) -> None:
        self.facts.append((name, values))

    def problem(self, name: str, values: object) -> None:
        self.facts.append((name, values))


@pytest.fixture
def opener(api: ApiWorld) -> OneVenue:
    api.venue.instruments_by_symbol.update(
        {
            symbol: an_instrument(symbol, volume_24h_quote=Decimal(volume), max_leverage=7)
            for symbol, volume in {"BTCUSDT": 9, "ETHUSDT": 8, "XRPUSDT": 1}.items()
        }
    )
    return OneVenue(api.venue)


@pytest.fixture
def loading(api: ApiWorld, opener: OneVenue) -> Loading:
    made = Loading(
        opener=opener,
        store=DynamoStore(api.clock),
        leases=api.leases,
        clock=api.clock,
        log=Noted(),
    )
    return within(made, "EngineControlFunction")


def _started(api: ApiWorld, *, trading: bool = False, preset: bool = False) -> tuple[str, str]:
    connection_id = api.tested()
    toggle = f"/api/settings/connections/{connection_id}/toggle"
    for flag, is_on in (("is_live_trade", trading), ("is_preset_trade", preset)):
        if is_on:
            assert api.post(toggle, {flag: True}).status == 200
    api.post("/api/trade-engine/start", {"connectionId": connection_id})
    return connection_id, read_state(connection_id).run_id or ""


def _prepared(loading: Loading, connection_id: str, run_id: str) -> dict[str, Any]:
    return asyncio.run(loading.prepare(connection_id, run_id))


def _store_history(
    api: ApiWorld, connection_id: str, symbols: Sequence[str], *, minutes: int
) -> None:
    end = (read_state(connection_id).prehistory_end_ms or 0) // MINUTE_MS * MINUTE_MS
    store = DynamoStore(api.clock)
    for symbol in symbols:
        candles = some_candles(
            first_close_ms=end - (minutes - 1) * MINUTE_MS,
            length=minutes,
            symbols=(symbol,),
            span_ms=MINUTE_MS,
        )
        for first in range(0, minutes, MINUTES_A_DAY):
            store.write_history(
                connection_id, candles.rows(first, min(first + MINUTES_A_DAY, minutes))
            )


def test_preparing_chooses_symbols_and_writes_what_the_loops_run_with(
    api: ApiWorld, loading: Loading, opener: OneVenue
) -> None:
    save_settings(SYSTEM, {"batch_size": 2, "burstSeconds": 20}, author="t", now_ms=1)
    connection_id, run_id = _started(api)

    answer = _prepared(loading, connection_id, run_id)

    engine = loading.store.engine(connection_id)
    assert answer["symbols"] == ["XRPUSDT", "BTCUSDT", "ETHUSDT"]
    assert answer["groups"] == [["XRPUSDT", "BTCUSDT"], ["ETHUSDT"]]
    assert engine.symbols == tuple(answer["symbols"])
    assert [one.symbol for one in engine.instruments] == answer["symbols"]
    assert (engine.settings.burst_s, engine.settings_version) == (20, 1)
    assert engine.prehistory_end_ms == api.clock.now_ms()
    assert (engine.hedge, engine.cross) == (True, True)
    assert (api.venue.leverages, opener.asked) == ({}, [True])


def test_the_status_tells_the_version_of_the_settings_in_force(
    api: ApiWorld, loading: Loading
) -> None:
    save_settings(SYSTEM, {"burstSeconds": 20}, author="t", now_ms=1)
    save_settings(SYSTEM, {"burstSeconds": 25}, author="t", now_ms=2)
    connection_id, run_id = _started(api)
    _prepared(loading, connection_id, run_id)
    save_settings(SYSTEM, {"burstSeconds": 30}, author="t", now_ms=3)

    (told,) = api.get("/api/trade-engine/status").body["connections"]
    engine = loading.store.engine(connection_id)

    assert (engine.settings.burst_s, engine.settings_version) == (25, 2)
    assert told["settings_version"] == engine.settings_version
    assert settings_of(connection_id).version == 3  # counts from the next start on


def test_an_account_that_trades_is_set_up_before_loading(
    api: ApiWorld, loading: Loading, opener: OneVenue
) -> None:
    connection_id, run_id = _started(api, trading=True)

    _prepared(loading, connection_id, run_id)

    assert opener.asked == [True]
    assert api.venue.leverages == {"XRPUSDT": 7}


def test_the_volume_factor_of_the_connection_reaches_the_loops(
    api: ApiWorld, loading: Loading
) -> None:
    connection_id = api.tested(volume_factor="0.5")
    api.post("/api/trade-engine/start", {"connectionId": connection_id})

    _prepared(loading, connection_id, read_state(connection_id).run_id or "")

    assert loading.store.engine(connection_id).volume_factor == Decimal("0.5")
    assert loading.store.engine(connection_id).exchange == "binance"


def test_a_symbol_in_a_position_stays_though_it_is_chosen_no_more(
    api: ApiWorld, loading: Loading
) -> None:
    save_settings(SYSTEM, {"useMainSymbols": True, "mainSymbols": ["ETH"]}, author="t", now_ms=1)
    connection_id, run_id = _started(api)
    PositionRow(connection_id, "p1", live_since_ms=1, symbol="BTCUSDT").save()

    _prepared(loading, connection_id, run_id)

    engine = loading.store.engine(connection_id)
    assert "BTCUSDT" in [one.symbol for one in engine.instruments]


def test_a_replaced_run_writes_nothing(api: ApiWorld, loading: Loading) -> None:
    connection_id, _ = _started(api)

    with pytest.raises(LeaseLostError):
        _prepared(loading, connection_id, "an older run")

    assert read_state(connection_id).symbols is None


def test_a_run_stopped_meanwhile_does_not_finish(api: ApiWorld, loading: Loading) -> None:
    connection_id, run_id = _started(api)
    _prepared(loading, connection_id, run_id)
    api.post("/api/trade-engine/stop", {"connectionId": connection_id})

    with pytest.raises(LeaseLostError):
        loading.finish(connection_id, run_id)

    assert api.leases.read(connection_id, Loop.TRADE).wanted == "stop"


def test_a_stop_amid_the_last_step_of_a_start_is_not_overwritten(
    api: ApiWorld, loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id, run_id = _started(api)
    _prepared(loading, connection_id, run_id)
    request = DynamoLeases.request

    def stopped_first(leases: DynamoLeases, connection_id: str, loop: Loop, *, wanted: str) -> None:
        monkeypatch.setattr(DynamoLeases, "request", request)
        api.post("/api/trade-engine/stop", {"connectionId": connection_id})
        request(leases, connection_id, loop, wanted=wanted)

    monkeypatch.setattr(DynamoLeases, "request", stopped_first)
    with pytest.raises(LeaseLostError):
        loading.finish(connection_id, run_id)

    assert [api.leases.read(connection_id, loop).wanted for loop in Loop] == ["stop", "stop"]


def test_a_pause_amid_the_last_step_of_a_start_is_a_pause_and_no_stop(
    api: ApiWorld, loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id, run_id = _started(api)
    _prepared(loading, connection_id, run_id)
    request = DynamoLeases.request

    def paused_first(leases: DynamoLeases, connection_id: str, loop: Loop, *, wanted: str) -> None:
        monkeypatch.setattr(DynamoLeases, "request", request)
        api.post("/api/trade-engine/pause", {"connectionId": connection_id})
        request(leases, connection_id, loop, wanted=wanted)

    monkeypatch.setattr(DynamoLeases, "request", paused_first)
    loading.finish(connection_id, run_id)

    assert [api.leases.read(connection_id, loop).wanted for loop in Loop] == ["pause", "pause"]
    assert read_state(connection_id).desired_state == "paused"


@pytest.mark.parametrize(("minutes", "loaded"), [(1440, True), (1412, True), (1411, False)])
def test_only_98_percent_of_the_history_counts_as_loaded(
    api: ApiWorld, loading: Loading, minutes: int, loaded: bool
) -> None:
    save_settings(SYSTEM, {"prehistoricDataDays": 1}, author="t", now_ms=1)
    connection_id, run_id = _started(api, trading=True)
    answer = _prepared(loading, connection_id, run_id)
    _store_history(api, connection_id, answer["symbols"], minutes=minutes)

    finished = loading.finish(connection_id, run_id)

    state = read_state(connection_id)
    assert finished["loaded"] is finished["may_trade"] is state.may_trade is loaded
    assert state.prehistoric_data_loaded is loaded
    assert state.actual_state == "running"
    assert state.prehistory_coverage_pct == (Decimal(100 * minutes) / 1440).quantize(
        Decimal("0.01")
    )
    assert [api.leases.read(connection_id, loop).wanted for loop in Loop] == ["run", "run"]
    (told,) = api.get("/api/trade-engine/status").body["connections"]
    assert told["warming"] is not loaded


def test_the_symbol_with_the_least_history_decides(api: ApiWorld, loading: Loading) -> None:
    save_settings(SYSTEM, {"prehistoricDataDays": 1}, author="t", now_ms=1)
    connection_id, run_id = _started(api)
    answer = _prepared(loading, connection_id, run_id)
    _store_history(api, connection_id, answer["symbols"][1:], minutes=1440)

    assert loading.finish(connection_id, run_id)["coverage"] == "0.00"


def test_a_connection_that_does_not_trade_may_not(api: ApiWorld, loading: Loading) -> None:
    save_settings(SYSTEM, {"prehistoricDataDays": 1}, author="t", now_ms=1)
    connection_id, run_id = _started(api)
    answer = _prepared(loading, connection_id, run_id)
    _store_history(api, connection_id, answer["symbols"], minutes=1440)

    finished = loading.finish(connection_id, run_id)

    assert (finished["loaded"], finished["may_trade"]) == (True, False)
    assert finished["may_trade_preset"] is False


@pytest.mark.parametrize(("mode", "may"), [("both", True), ("preset", True), ("main", False)])
def test_presets_are_traded_under_their_own_switch_if_their_engine_runs(
    api: ApiWorld, loading: Loading, mode: str, may: bool
) -> None:
    wanted = {"prehistoricDataDays": 1, "tradeMode": mode}
    save_settings(SYSTEM, wanted, author="t", now_ms=1)
    connection_id, run_id = _started(api, preset=True)
    answer = _prepared(loading, connection_id, run_id)
    _store_history(api, connection_id, answer["symbols"], minutes=1440)

    loading.finish(connection_id, run_id)

    engine = read_engine(connection_id)
    assert (engine.may_trade, engine.may_trade_preset) == (False, may)
    assert (engine.may_open(TradeMode.MAIN), engine.may_open(TradeMode.PRESET)) == (False, may)
    (told,) = api.get("/api/trade-engine/status").body["connections"]
    assert (told["may_trade"], told["may_trade_preset"]) == (False, may)


def test_a_failed_start_tells_why_and_may_be_tried_again(api: ApiWorld, loading: Loading) -> None:
    connection_id, run_id = _started(api)

    loading.fail(connection_id, run_id, error="VenueRefusedError", cause="-4059 " + "x" * 900)

    (told,) = api.get("/api/trade-engine/status").body["connections"]
    assert told["actual_state"] == "error"
    assert told["error"].startswith("VenueRefusedError: -4059")
    assert len(told["error"]) == 500
    assert "engine.failed" in {row.action for row in AuditRow.query(connection_id)}
    assert api.post("/api/trade-engine/start", {"connectionId": connection_id}).status == 200


def test_the_failure_of_a_replaced_run_is_not_told(api: ApiWorld, loading: Loading) -> None:
    connection_id, _ = _started(api)

    loading.fail(connection_id, "an older run", error="X", cause="y")

    assert read_state(connection_id).actual_state == "starting"


def test_actions_are_called_by_the_names_the_machines_use(api: ApiWorld, loading: Loading) -> None:
    connection_id = api.running()
    parts = Parts(
        account_test=None,  # type: ignore[arg-type]
        loading=loading,
        stopping=api.stopping,
        emergency=EmergencyRounds(clock=api.clock, log=Noted()),
    )
    api.post("/api/trade-engine/stop", {"connectionId": connection_id})

    stop = act(Request(action="stop", connection_id=connection_id), parts)
    asked = act(Request(action="stopped?", connection_id=connection_id), parts)

    assert (stop["stopped"], asked["stopped"]) == (True, True)
    round_over = Request(action="emergency", connection_id=connection_id, emergency_id="e-0")
    assert act(round_over, parts)["end"] == "superseded"


def test_settings_of_a_connection_stand_over_those_of_the_system(moto_tables: None) -> None:
    save_settings(SYSTEM, {"burstSeconds": 20, "batch_size": 3}, author="t", now_ms=1)
    save_settings("c-1", {"burstSeconds": 30}, author="t", now_ms=2)
    save_settings("c-1", {"burstSeconds": 40}, author="t", now_ms=3)

    stored = settings_of("c-1")

    assert (stored.settings.burst_s, stored.settings.batch_size, stored.version) == (40, 3, 3)
    assert settings_of("c-2").settings.burst_s == 20


def test_a_setting_out_of_range_is_not_stored(moto_tables: None) -> None:
    with pytest.raises(InvalidSettingError, match="burstSeconds"):
        save_settings(SYSTEM, {"burstSeconds": 61}, author="t", now_ms=1)

    assert settings_of("c-1").version == 0


def test_an_engine_that_ran_starts_with_its_last_settings_while_the_table_does_not_answer(
    api: ApiWorld, loading: Loading, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_settings(SYSTEM, {"burstSeconds": 20}, author="t", now_ms=1)
    connection_id, run_id = _started(api)
    _prepared(loading, connection_id, run_id)
    save_settings(SYSTEM, {"burstSeconds": 30}, author="t", now_ms=2)

    def query(*_: object, **__: object) -> None:
        raise QueryError("no answer")

    monkeypatch.setattr(SettingsRow, "query", query)
    _prepared(loading, connection_id, run_id)

    engine = DynamoStore(api.clock).engine(connection_id)
    assert (engine.settings.burst_s, engine.settings_version) == (20, 1)
    assert engine.position_settings is None
