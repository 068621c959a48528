"""Starting and stopping engines over the API, and what is told of them."""

import pytest
from tests.api_world import ApiWorld

from adapters import commands
from adapters.audited import audit_row
from adapters.control import ControlFailedError
from adapters.engine_states import change_state, read_state
from adapters.refusals import ConflictError
from adapters.tables import AuditRow, EngineStateRow, PositionRow
from adapters.transactions import Transaction
from engine.values import Loop

START, STOP, STATUS = (f"/api/trade-engine/{one}" for one in ("start", "stop", "status"))


def _start(api: ApiWorld, connection_id: str) -> str:
    answer = api.post(START, {"connectionId": connection_id})
    assert answer.status == 200, answer.text
    return str(answer.body["results"][0]["run_id"])


def test_a_tested_connection_starts_once(api: ApiWorld) -> None:
    connection_id = api.tested()

    answer = api.post(START, {"connectionId": connection_id})

    state = read_state(connection_id)
    assert answer.status == 200
    assert (answer.body["connectionId"], answer.body["connectionName"]) == (connection_id, "Paper")
    assert answer.body["already_running"] is False
    assert (state.desired_state, state.actual_state) == ("running", "starting")
    assert api.machines.started == [("start", connection_id, state.run_id)]


def test_a_running_engine_is_left_alone(api: ApiWorld) -> None:
    connection_id = api.running()

    answer = api.post(START, {"connectionId": connection_id})

    assert (answer.status, answer.body["already_running"]) == (200, True)
    assert len(api.machines.started) == 1


def test_every_unmet_prerequisite_is_told(api: ApiWorld) -> None:
    connection_id = api.created()
    api.post(f"/api/settings/connections/{connection_id}/toggle", {"is_enabled": False})

    answer = api.post(START, {"connectionId": connection_id})

    assert answer.status == 409
    codes = [one["code"] for one in answer.body["reasons"]]
    assert codes == ["not_enabled", "not_tested", "not_active"]
    assert api.machines.started == []


def test_an_engine_that_is_stopping_is_not_started(api: ApiWorld) -> None:
    connection_id = api.running()
    api.post(STOP, {"connectionId": connection_id})

    answer = api.post(START, {"connectionId": connection_id})

    assert [one["code"] for one in answer.body["reasons"]] == ["still_stopping"]


def test_an_engine_that_failed_is_started_again(api: ApiWorld) -> None:
    connection_id = api.running()
    first = read_state(connection_id).run_id
    EngineStateRow(connection_id).update([EngineStateRow.actual_state.set("error")])
    api.clock.advance(1)

    second = _start(api, connection_id)

    assert second != first
    assert read_state(connection_id).error_message is None


@pytest.mark.parametrize("path", [START, STOP])
def test_an_unknown_connection_is_not_found(api: ApiWorld, path: str) -> None:
    assert api.post(path, {"connectionId": "c-unknown"}).status == 404


@pytest.mark.parametrize("path", [START, STOP])
def test_an_unknown_field_is_refused(api: ApiWorld, path: str) -> None:
    assert api.post(path, {"connection": "c-1"}).status == 400


def test_without_a_connection_each_is_answered_for_itself(api: ApiWorld) -> None:
    ready, running, untested = api.tested(), api.running(), api.created()

    answer = api.post(START)

    results = {one["connectionId"]: one for one in answer.body["results"]}
    assert answer.status == 200
    assert results[ready]["success"] and not results[ready]["already_running"]
    assert results[running]["already_running"]
    assert not results[untested]["success"]
    assert results[untested]["reasons"][0]["code"] == "not_tested"


def test_a_machine_that_does_not_answer_leaves_the_wish_for_the_supervisor(api: ApiWorld) -> None:
    connection_id = api.tested()
    api.machines.error = ControlFailedError("no answer")

    answer = api.post(START, {"connectionId": connection_id})

    assert (answer.status, answer.body["success"]) == (503, False)
    assert read_state(connection_id).desired_state == "running"


def test_stopping_tells_both_loops_and_keeps_positions(api: ApiWorld) -> None:
    connection_id = api.running()
    PositionRow(connection_id, "p1", live_since_ms=1).save()

    answer = api.post(STOP, {"connectionId": connection_id})

    state = read_state(connection_id)
    assert answer.status == 200
    assert (state.desired_state, state.actual_state) == ("stopped", "stopping")
    assert [api.leases.read(connection_id, loop).wanted for loop in Loop] == ["stop", "stop"]
    assert commands.pending(connection_id) == ()
    assert api.machines.stopped == [(connection_id, False)]


def test_stopping_with_close_queues_it_once_and_wakes_the_position_loop(api: ApiWorld) -> None:
    connection_id = api.running()
    PositionRow(connection_id, "p1", live_since_ms=1).save()

    api.post(STOP, {"connectionId": connection_id, "closePositions": True})
    api.post(STOP, {"connectionId": connection_id, "closePositions": True})

    waiting = commands.pending(connection_id)
    assert [one.kind for one in waiting] == ["close_all"]
    assert api.leases.read(connection_id, Loop.POSITION).wish_seq == 1
    assert (connection_id, Loop.POSITION) in api.starter.started


def test_the_command_to_close_and_the_stop_reach_the_position_loop_in_one_write(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id = api.running()
    PositionRow(connection_id, "p1", live_since_ms=1).save()
    seen: list[tuple[str, int]] = []
    commit = Transaction.commit

    def looked(transaction: Transaction) -> None:
        commit(transaction)
        row = api.leases.read(connection_id, Loop.POSITION)
        seen.append((row.wanted, row.wish_seq))

    api.leases.request(connection_id, Loop.POSITION, wanted="run")
    monkeypatch.setattr(Transaction, "commit", looked)
    api.post(STOP, {"connectionId": connection_id, "closePositions": True})

    assert seen == [("stop", 1)]


def test_an_entry_on_its_way_while_the_operator_closes_is_closed_too(api: ApiWorld) -> None:
    connection_id = api.running()
    api.leases.take(connection_id, Loop.POSITION, token=0, owner="burst", lease_ms=15_000)

    api.post(STOP, {"connectionId": connection_id, "closePositions": True})

    assert [one.kind for one in commands.pending(connection_id)] == ["close_all"]


def test_a_flat_engine_stops_without_a_command(api: ApiWorld) -> None:
    connection_id = api.running()

    api.post(STOP, {"connectionId": connection_id, "closePositions": True})

    assert commands.pending(connection_id) == ()


def test_a_stopped_engine_is_left_alone(api: ApiWorld) -> None:
    connection_id = api.tested()

    answer = api.post(STOP, {"connectionId": connection_id})

    assert (answer.status, answer.body["already_stopped"]) == (200, True)
    assert api.machines.stopped == []


def test_an_engine_is_stopped_once_both_loops_gave_up_their_leases(api: ApiWorld) -> None:
    connection_id = api.running()
    lease = api.leases.take(connection_id, Loop.TRADE, token=0, owner="burst", lease_ms=15_000)
    api.post(STOP, {"connectionId": connection_id})

    held = api.stopping.stopped(connection_id)
    api.leases.release(lease)
    freed = api.stopping.stopped(connection_id)

    assert held == {"stopped": False, "waiting_for": ["trade"]}
    assert freed == {"stopped": True, "waiting_for": []}
    assert read_state(connection_id).actual_state == "stopped"


def test_an_engine_that_has_to_close_is_not_stopped_before(api: ApiWorld) -> None:
    connection_id = api.running()
    PositionRow(connection_id, "p1", live_since_ms=1).save()
    api.post(STOP, {"connectionId": connection_id, "closePositions": True})

    closing = api.stopping.stopped(connection_id)
    PositionRow(connection_id, "p1").update([PositionRow.live_since_ms.remove()])
    flat = api.stopping.stopped(connection_id)

    assert closing["waiting_for"] == ["position"]
    assert flat["stopped"] is True


def test_a_lease_that_ran_out_holds_no_stop_up(api: ApiWorld) -> None:
    connection_id = api.running()
    api.leases.take(connection_id, Loop.TRADE, token=0, owner="dead", lease_ms=15_000)
    api.post(STOP, {"connectionId": connection_id})

    api.clock.advance(17_001)

    assert api.stopping.stopped(connection_id)["stopped"] is True


def test_starts_and_stops_are_audited_with_who(api: ApiWorld) -> None:
    connection_id = api.running()
    api.post(STOP, {"connectionId": connection_id})

    actors = {row.action: row.actor for row in AuditRow.query(connection_id)}

    assert actors["engine.start"] == actors["engine.stop"]
    assert actors["engine.start"].startswith("operator-")


def test_status_tells_what_is_wanted_and_what_is_proven(api: ApiWorld) -> None:
    connection_id = api.running()
    api.leases.take(connection_id, Loop.TRADE, token=0, owner="burst", lease_ms=15_000)

    told = api.get(f"{STATUS}?connectionId={connection_id}").body

    (engine,) = told["connections"]
    assert (told["running"], told["totalConnections"]) == (True, 1)
    assert (engine["desired_state"], engine["actual_state"]) == ("running", "running")
    assert (engine["trade_loop"]["alive"], engine["trade_loop"]["token"]) == (True, 1)
    assert engine["position_loop"]["alive"] is False
    assert engine["warming"] is True


def test_a_loop_whose_lease_ran_out_is_not_alive(api: ApiWorld) -> None:
    connection_id = api.running()
    api.leases.take(connection_id, Loop.TRADE, token=0, owner="burst", lease_ms=15_000)
    api.clock.advance(15_001)

    (engine,) = api.get(STATUS).body["connections"]

    assert engine["trade_loop"]["alive"] is False


@pytest.mark.parametrize("route", ["status", "progression", "performance"])
def test_an_engine_never_started_can_be_read(api: ApiWorld, route: str) -> None:
    api.created()

    answer = api.get(f"/api/trade-engine/{route}")

    assert answer.status == 200
    assert len(answer.body["connections"]) == 1


@pytest.mark.parametrize("route", ["status", "progression", "performance"])
def test_an_unknown_engine_is_not_found(api: ApiWorld, route: str) -> None:
    assert api.get(f"/api/trade-engine/{route}?connectionId=c-unknown").status == 404


def test_who_read_an_older_state_does_not_overwrite_a_newer_one(api: ApiWorld) -> None:
    connection_id = api.running()
    stale = read_state(connection_id)
    api.post(STOP, {"connectionId": connection_id})

    with pytest.raises(ConflictError):
        change_state(stale, audit_row(connection_id, "x", by="b", now_ms=1), may_trade=True)

    assert read_state(connection_id).may_trade is False
