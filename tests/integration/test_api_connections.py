"""Connections over the API: create, read, change, test, switch, delete."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.api_world import NEW, SECRETS, ApiWorld

from adapters import audited
from adapters.engine_rows import read_engine
from adapters.engine_states import read_state
from adapters.tables import (
    CONNECTION_KIND,
    AuditRow,
    ConnectionRow,
    EngineStateRow,
    PositionRow,
)
from engine.errors import CredentialsError, VenueBusyError

ALL = "/api/settings/connections"


def test_a_created_connection_is_enabled_but_neither_active_nor_trading(api: ApiWorld) -> None:
    answer = api.post(ALL, {**NEW, "connection_method": "rest", "connection_library": "ccxt"})

    made = answer.body["connection"]
    assert answer.status == 201
    assert (made["connection_method"], made["connection_library"]) == ("rest", "ccxt")
    assert (made["is_enabled"], made["is_active"]) == (True, False)
    assert (made["is_live_trade"], made["is_preset_trade"]) == (False, False)
    assert made["volume_factor"] == "1"
    assert made["api_key_last4"] == SECRETS["api_key"][-4:]


@pytest.mark.parametrize("missing", ["name", "exchange", "api_key", "api_secret"])
def test_a_connection_without_a_needed_field_is_refused_naming_it(
    api: ApiWorld, missing: str
) -> None:
    body = {name: value for name, value in NEW.items() if name != missing}

    answer = api.post(ALL, body)

    assert answer.status == 400
    assert [one["field"] for one in answer.body["details"]] == [missing]


@pytest.mark.parametrize(
    "change",
    [
        {"exchange": "nowhere"},
        {"volume_factor": "0.01"},
        {"position_mode": "sideways"},
        {"connection_library": "native"},
        {"api_key": "your_api_key_here"},
        {"api_secret": "xxxxxxxxxx"},
        {"is_live_trade": True},
    ],
)
def test_a_connection_with_a_wrong_field_is_refused_and_nothing_is_stored(
    api: ApiWorld, change: dict[str, object]
) -> None:
    answer = api.post(ALL, {**NEW, **change})

    assert answer.status == 400
    assert answer.body["success"] is False
    assert api.get(ALL).body["count"] == 0


def test_connections_are_listed_by_filter(api: ApiWorld) -> None:
    tested, untested = api.tested(name="Tested"), api.created(name="New")

    def ids(query: str) -> set[str]:
        return {one["id"] for one in api.get(f"{ALL}{query}").body["connections"]}

    assert ids("") == {tested, untested}
    assert ids("?active=true") == {tested}
    assert ids("?exchange=binance&active=false") == {untested}
    assert ids("?apiType=spot") == set()


def test_an_unknown_filter_is_refused(api: ApiWorld) -> None:
    assert api.get(f"{ALL}?colour=red").status == 400


@pytest.mark.parametrize("path", ["", "/test", "/toggle"])
def test_an_unknown_connection_is_not_found(api: ApiWorld, path: str) -> None:
    method = "POST" if path else "GET"
    body = {"is_active": True} if path == "/toggle" else None

    answer = api.call(method, f"{ALL}/c-unknown{path}", body)

    assert (answer.status, answer.body["success"]) == (404, False)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_changed_name_keeps_the_test(api: ApiWorld, method: str) -> None:
    connection_id = api.tested()

    answer = api.call(method, f"{ALL}/{connection_id}", {"name": "Renamed"})

    changed = answer.body["connection"]
    assert answer.status == 200
    assert (changed["name"], changed["last_test_result"]) == ("Renamed", "success")


@pytest.mark.parametrize(
    "change",
    [
        {"api_key": "another-key-0000", "api_secret": "another-secret-0000"},
        {"is_paper": False, "is_testnet": True},
        {"is_paper": False},
    ],
)
def test_another_account_must_be_tested_anew_and_no_longer_trades(
    api: ApiWorld, change: dict[str, object]
) -> None:
    connection_id = api.tested()
    api.post(f"{ALL}/{connection_id}/toggle", {"is_live_trade": True})

    changed = api.call("PUT", f"{ALL}/{connection_id}", change).body["connection"]

    assert (changed["last_test_result"], changed["last_test_at"]) == ("", None)
    assert (changed["is_active"], changed["is_live_trade"]) == (False, False)


def test_a_key_without_its_secret_is_refused(api: ApiWorld) -> None:
    connection_id = api.created()

    assert api.call("PUT", f"{ALL}/{connection_id}", {"api_key": "only-a-key"}).status == 400


def test_an_account_in_use_is_not_changed(api: ApiWorld) -> None:
    connection_id = api.running()

    answer = api.call("PUT", f"{ALL}/{connection_id}", {"is_testnet": True})

    assert answer.status == 409
    assert [one["code"] for one in answer.body["reasons"]] == ["engine_running"]


def test_a_connection_stays_on_its_network_while_positions_are_open_there(api: ApiWorld) -> None:
    connection_id = api.tested()
    path = f"{ALL}/{connection_id}"
    PositionRow(connection_id, "p1", live_since_ms=1).save()

    moved = api.call("PATCH", path, {"is_paper": False, "is_testnet": True})
    other_key = api.call("PATCH", path, {"is_paper": True, **SECRETS})

    assert moved.status == 409
    assert [one["code"] for one in moved.body["reasons"]] == ["positions_open"]
    assert other_key.status == 200
    assert other_key.body["connection"]["is_paper"] is True


def test_an_emergency_stop_is_proved_on_the_network_it_began_on(api: ApiWorld) -> None:
    connection_id = api.tested()
    path = f"{ALL}/{connection_id}"
    api.post("/api/trade-engine/start", {"connectionId": connection_id})
    api.post("/api/trade-engine/emergency-stop", {"connectionId": connection_id})

    moved = api.call("PATCH", path, {"is_paper": False, "is_testnet": True})

    assert moved.status == 409
    assert [one["code"] for one in moved.body["reasons"]] == ["emergency_stopped"]


def test_of_two_changes_of_one_version_the_second_is_refused(api: ApiWorld) -> None:
    connection_id = api.created()
    version = api.get(f"{ALL}/{connection_id}").body["connection"]["version"]

    first = api.call("PATCH", f"{ALL}/{connection_id}", {"name": "One", "version": version})
    second = api.call("PATCH", f"{ALL}/{connection_id}", {"name": "Two", "version": version})

    assert (first.status, second.status) == (200, 409)
    assert api.get(f"{ALL}/{connection_id}").body["connection"]["name"] == "One"


def test_a_successful_test_is_stored_and_activates(api: ApiWorld) -> None:
    connection_id = api.created()

    answer = api.post(f"{ALL}/{connection_id}/test")

    connection = answer.body["connection"]
    assert (answer.status, answer.body["success"]) == (200, True)
    assert connection["is_active"] is True
    assert connection["last_test_result"] == "success"
    assert connection["last_test_at"] == api.clock.now_ms()
    assert connection["last_test_balance"] == answer.body["balance"] != ""
    assert [line["text"] for line in answer.body["log"]][-1] == "test succeeded"


@pytest.mark.parametrize(
    ("error", "word"),
    [(CredentialsError("-2015"), "key"), (VenueBusyError("banned"), "later")],
)
def test_a_failed_test_is_an_answer_with_a_cause_and_a_log(
    api: ApiWorld, error: CredentialsError | VenueBusyError, word: str
) -> None:
    connection_id = api.created()
    api.venue_error = error

    answer = api.post(f"{ALL}/{connection_id}/test")

    assert (answer.status, answer.body["success"]) == (200, False)
    assert word in answer.body["error"]
    assert answer.body["log"]
    assert answer.body["connection"]["is_active"] is False
    assert answer.body["connection"]["last_test_result"] == "failed"


@pytest.mark.parametrize("flag", ["is_live_trade", "is_preset_trade"])
def test_real_money_is_not_traded_in_this_version(api: ApiWorld, flag: str) -> None:
    connection_id = api.tested(is_paper=False)

    answer = api.post(f"{ALL}/{connection_id}/toggle", {flag: True})

    assert answer.status == 403
    assert "testnet and paper" in answer.body["error"]
    assert api.get(f"{ALL}/{connection_id}").body["connection"][flag] is False


@pytest.mark.parametrize("network", ["is_testnet", "is_paper"])
def test_trading_is_switched_on_for_a_tested_connection(api: ApiWorld, network: str) -> None:
    connection_id = api.tested(**{"is_paper": False, network: True})

    answer = api.post(f"{ALL}/{connection_id}/toggle", {"is_live_trade": True})

    assert answer.status == 200
    assert answer.body["connection"]["is_live_trade"] is True


def test_an_untested_connection_does_not_trade(api: ApiWorld) -> None:
    connection_id = api.created()

    answer = api.post(f"{ALL}/{connection_id}/toggle", {"is_live_trade": True})

    assert answer.status == 409
    assert {one["code"] for one in answer.body["reasons"]} == {"not_tested", "not_active"}


@pytest.mark.parametrize("flag", ["is_active", "is_enabled"])
def test_switching_off_stops_the_engine_and_ends_trading(api: ApiWorld, flag: str) -> None:
    connection_id = api.tested()
    api.post(f"{ALL}/{connection_id}/toggle", {"is_live_trade": True})
    api.post("/api/trade-engine/start", {"connectionId": connection_id})

    answer = api.post(f"{ALL}/{connection_id}/toggle", {flag: False})

    connection = answer.body["connection"]
    assert answer.status == 200
    assert (connection[flag], connection["is_live_trade"]) == (False, False)
    assert api.machines.stopped == [(connection_id, False)]


def _amid(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let somebody else act after the next change was decided on, before it is written."""
    commit = audited.commit

    def late(*given: Any) -> None:
        monkeypatch.setattr(audited, "commit", commit)
        act()
        commit(*given)

    monkeypatch.setattr(audited, "commit", late)


def test_no_engine_is_started_of_a_connection_deleted_meanwhile(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id = api.tested()
    _amid(monkeypatch, lambda: api.call("DELETE", f"{ALL}/{connection_id}"))

    answer = api.post("/api/trade-engine/start", {"connectionId": connection_id})

    assert answer.status == 409
    assert api.get(f"{ALL}/{connection_id}").status == 404
    assert read_state(connection_id).desired_state is None
    assert api.machines.started == []


def test_a_connection_whose_engine_was_started_meanwhile_is_not_deleted(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id = api.tested()
    started = {"connectionId": connection_id}
    _amid(monkeypatch, lambda: api.post("/api/trade-engine/start", started))

    assert api.call("DELETE", f"{ALL}/{connection_id}").status == 409
    assert api.get(f"{ALL}/{connection_id}").status == 200


def test_switching_off_too_late_leaves_the_engine_as_it_was(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id = api.running()
    _amid(monkeypatch, lambda: api.call("PATCH", f"{ALL}/{connection_id}", {"name": "Renamed"}))

    answer = api.post(f"{ALL}/{connection_id}/toggle", {"is_active": False})

    assert answer.status == 409
    assert api.machines.stopped == []
    assert api.get(f"{ALL}/{connection_id}").body["connection"]["is_active"] is True


@pytest.mark.parametrize(
    ("flag", "left"), [("is_live_trade", (False, True)), ("is_preset_trade", (True, False))]
)
def test_a_mode_switched_off_under_a_running_engine_ends_at_once(
    api: ApiWorld, flag: str, left: tuple[bool, bool]
) -> None:
    connection_id = api.tested()
    both = {"is_live_trade": True, "is_preset_trade": True}
    api.post(f"{ALL}/{connection_id}/toggle", both)
    api.post("/api/trade-engine/start", {"connectionId": connection_id})
    trading = (EngineStateRow.may_trade.set(True), EngineStateRow.may_trade_preset.set(True))
    EngineStateRow(connection_id).update([*trading, EngineStateRow.actual_state.set("running")])

    answer = api.post(f"{ALL}/{connection_id}/toggle", {flag: False})

    assert answer.status == 200
    engine = read_engine(connection_id)
    assert (engine.may_trade, engine.may_trade_preset) == left
    assert api.machines.stopped == []


def test_a_mode_and_its_flag_are_switched_off_together_or_not_at_all(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id = api.tested()
    api.post(f"{ALL}/{connection_id}/toggle", {"is_live_trade": True})
    api.post("/api/trade-engine/start", {"connectionId": connection_id})
    running = (EngineStateRow.may_trade.set(True), EngineStateRow.actual_state.set("running"))
    EngineStateRow(connection_id).update([*running])
    paused = {"connectionId": connection_id}
    _amid(monkeypatch, lambda: api.post("/api/trade-engine/pause", paused))

    answer = api.post(f"{ALL}/{connection_id}/toggle", {"is_live_trade": False})

    flag = api.get(f"{ALL}/{connection_id}").body["connection"]["is_live_trade"]
    assert (answer.status, flag, read_engine(connection_id).may_trade) == (409, True, True)


def test_trading_is_not_switched_on_under_a_running_engine(api: ApiWorld) -> None:
    connection_id = api.running()

    answer = api.post(f"{ALL}/{connection_id}/toggle", {"is_live_trade": True})

    assert answer.status == 409
    assert [one["code"] for one in answer.body["reasons"]] == ["engine_running"]


def test_an_idle_connection_is_deleted(api: ApiWorld) -> None:
    connection_id = api.created()

    assert api.call("DELETE", f"{ALL}/{connection_id}").status == 200
    assert api.get(f"{ALL}/{connection_id}").status == 404


def test_a_connection_in_use_is_not_deleted(api: ApiWorld) -> None:
    running, holding = api.running(), api.created()
    PositionRow(holding, "p1", live_since_ms=1).save()

    refused = [api.call("DELETE", f"{ALL}/{one}") for one in (running, holding)]

    assert [one.status for one in refused] == [409, 409]
    codes = [one.body["reasons"][0]["code"] for one in refused]
    assert codes == ["engine_running", "positions_open"]


def test_every_act_leaves_a_line_in_the_audit_log(api: ApiWorld) -> None:
    connection_id = api.tested()
    api.clock.advance(1)
    api.post(f"{ALL}/{connection_id}/toggle", {"is_live_trade": True})
    api.clock.advance(1)
    api.call("PUT", f"{ALL}/{connection_id}", {"name": "Renamed"})

    rows = list(AuditRow.query(connection_id))

    assert {row.action for row in rows} == {
        "connection.create",
        "connection.test",
        "connection.toggle",
        "connection.change",
    }
    assert all(row.actor.startswith("operator-") for row in rows)


def test_a_test_of_credentials_replaced_meanwhile_does_not_count(api: ApiWorld) -> None:
    connection_id = api.created()
    row = ConnectionRow.get(CONNECTION_KIND, connection_id)
    changed = ConnectionRow.version.set(row.version + 1)

    def change() -> None:
        row.update([changed])

    api.meanwhile = change

    answer = api.post(f"{ALL}/{connection_id}/test")

    assert answer.body["success"] is False
    assert answer.body["connection"]["last_test_result"] == ""
