"""The emergency stop over the API: latched at once, each connection answered for itself."""

from typing import Any

import pytest
from pynamodb.exceptions import GetError
from tests.api_world import ApiWorld

from adapters import accounts
from adapters.audited import audit_row
from adapters.engine_states import change_state, read_state
from adapters.tables import AuditRow, ConnectionRow, EngineStateRow, PositionRow
from adapters.tokens import Role, issue_token
from engine.errors import RetryableError
from engine.values import Loop

ROOT = "/api/trade-engine"
STOP, RESET = f"{ROOT}/emergency-stop", f"{ROOT}/reset-emergency"


def trading(api: ApiWorld) -> str:
    """A connection that trades: its engine runs, both live flags are on."""
    connection_id = api.tested()
    flags = {"is_live_trade": True, "is_preset_trade": True}
    assert api.post(f"/api/settings/connections/{connection_id}/toggle", flags).status == 200
    api.post(f"{ROOT}/start", {"connectionId": connection_id})
    state = EngineStateRow(connection_id)
    state.update([EngineStateRow.actual_state.set("running"), EngineStateRow.may_trade.set(True)])
    for loop in Loop:
        api.leases.request(connection_id, loop, wanted="run")
    return connection_id


def stopped(api: ApiWorld, connection_id: str, **more: Any) -> dict[str, Any]:
    """The outcome of an emergency stop of this connection."""
    asked = {"connectionId": connection_id, "reason": "a test", **more}
    answer = api.post(STOP, asked)
    assert answer.status == 200, answer.text
    (outcome,) = answer.body["results"]
    assert outcome["success"] is True
    return dict(outcome)


def told(api: ApiWorld, connection_id: str) -> dict[str, Any]:
    """What the status tells of the emergency stop."""
    answer = api.get(f"{ROOT}/status?connectionId={connection_id}")
    assert answer.status == 200, answer.text
    return dict(answer.body["connections"][0]["emergency"])


def prove(api: ApiWorld, connection_id: str, *, open_positions: int = 0) -> None:
    """As the machine's last round leaves the row."""
    end = {"verified_at_ms": api.clock.now_ms(), "open_positions": open_positions}
    EngineStateRow(connection_id).update([EngineStateRow.emergency_end.set(end)])


def reset(api: ApiWorld, connection_id: str, **more: Any) -> Any:
    admin = issue_token(Role.ADMIN, now_ms=api.clock.now_ms())
    body = {"connectionId": connection_id, "reason": "looked at it", **more}
    return api.post(RESET, body, token=admin)


def codes(answer: Any) -> list[str]:
    return [one["code"] for one in answer.body["reasons"]]


def test_an_emergency_stop_latches_halts_and_switches_off_in_one_write(api: ApiWorld) -> None:
    connection_id = trading(api)

    outcome = stopped(api, connection_id)

    state, row = read_state(connection_id), accounts.connection_row(connection_id)
    assert (state.desired_state, state.actual_state) == ("stopped", "emergency_stopped")
    assert (state.may_trade, row.is_live_trade, row.is_preset_trade) == (False, False, False)
    assert state.error_message == "Emergency stop activated: a test"
    for loop in Loop:
        lease = api.leases.read(connection_id, loop)
        assert (lease.halt, lease.flatten, lease.wanted) == (True, True, "stop")
    assert api.machines.emergencies == [(connection_id, outcome["emergency_id"], 1)]
    held = told(api, connection_id)
    assert (held["reason"], held["flatten"], held["verified"]) == ("a test", True, False)
    assert held["since_ms"] == api.clock.now_ms()


def test_without_flatten_the_loops_are_told_to_keep_positions(api: ApiWorld) -> None:
    connection_id = trading(api)

    outcome = stopped(api, connection_id, flatten=False)

    assert outcome["flatten"] is False
    lease = api.leases.read(connection_id, Loop.POSITION)
    assert (lease.halt, lease.flatten) == (True, False)


@pytest.mark.parametrize("reason", ["", " ", "x" * 500])
def test_no_wording_of_its_reason_stands_in_its_way(api: ApiWorld, reason: str) -> None:
    connection_id = trading(api)

    stopped(api, connection_id, reason=reason)

    assert told(api, connection_id)["reason"] == (reason.strip() or "emergency stop")


def test_it_is_audited_with_who_and_why_and_what_was_running(api: ApiWorld) -> None:
    connection_id = trading(api)
    stopped(api, connection_id)

    (line,) = [row for row in AuditRow.query(connection_id) if "emergency" in row.action]

    assert line.action == "engine.emergency_stop"
    assert line.actor == told(api, connection_id)["by"] != ""
    assert line.details["reason"] == "a test"
    assert line.details["actual_state"] == "running"
    assert line.details["is_live_trade"] is True


def test_pressed_again_it_is_one_emergency_stop(api: ApiWorld) -> None:
    connection_id = trading(api)
    first = stopped(api, connection_id)
    api.clock.advance(500)

    again = stopped(api, connection_id, flatten=False)

    assert again["already_emergency_stopped"] is True
    assert (again["emergency_id"], again["flatten"]) == (first["emergency_id"], True)
    assert told(api, connection_id)["since_ms"] == api.clock.now_ms() - 500
    assert len(set(api.machines.emergencies)) == 1


def test_pressed_again_to_close_everything_it_closes_everything(api: ApiWorld) -> None:
    connection_id = trading(api)
    first = stopped(api, connection_id, flatten=False)

    again = stopped(api, connection_id)

    assert again["emergency_id"] != first["emergency_id"]
    assert api.leases.read(connection_id, Loop.POSITION).flatten is True
    assert api.machines.emergencies[-1] == (connection_id, again["emergency_id"], 1)


def test_pressed_again_once_verified_the_venue_is_read_again(api: ApiWorld) -> None:
    connection_id = trading(api)
    stopped(api, connection_id)
    prove(api, connection_id)

    stopped(api, connection_id)

    assert told(api, connection_id)["verified"] is False
    assert len(api.machines.emergencies) == 2


def test_without_a_connection_each_is_answered_for_itself(api: ApiWorld) -> None:
    one, other = trading(api), api.tested()

    answer = api.post(STOP)

    assert (answer.status, answer.body["success"]) == (200, True)
    assert {r["connectionId"] for r in answer.body["results"]} == {one, other}
    assert told(api, one)["verified"] is False
    assert {read_state(c).actual_state for c in (one, other)} == {"emergency_stopped"}


def test_one_that_cannot_be_stopped_spares_no_other_and_is_told(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = sorted([trading(api), trading(api)])

    def read(connection_id: str) -> EngineStateRow:
        if connection_id == one:
            raise RetryableError("its row cannot be read")
        return read_state(connection_id)

    monkeypatch.setattr("adapters.emergency.read_state", read)

    answer = api.post(STOP)

    assert answer.body["success"] is False
    assert [r["success"] for r in answer.body["results"]] == [False, True]
    assert "NOT stopped" in answer.body["results"][0]["message"]
    assert read_state(other).actual_state == "emergency_stopped"


def test_a_table_that_does_not_answer_for_one_spares_no_other_either(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = sorted([trading(api), trading(api)])

    def read(connection_id: str) -> EngineStateRow:
        if connection_id == one:
            raise GetError("throttled: the key of its row")
        return read_state(connection_id)

    monkeypatch.setattr("adapters.emergency.read_state", read)

    answer = api.post(STOP)

    assert (answer.status, answer.body["success"]) == (200, False)
    assert [r["success"] for r in answer.body["results"]] == [False, True]
    assert "NOT known to be stopped" in answer.body["results"][0]["message"]
    assert "key of its row" not in answer.text
    assert read_state(other).actual_state == "emergency_stopped"


def test_an_engine_that_never_ran_has_nothing_to_prove(api: ApiWorld) -> None:
    connection_id = api.tested()

    stopped(api, connection_id)

    held = told(api, connection_id)
    assert (held["verified"], held["time_to_flat_ms"]) == (True, 0)
    assert api.machines.emergencies == []


def test_a_machine_that_cannot_be_started_leaves_the_latch_and_says_so(api: ApiWorld) -> None:
    connection_id = trading(api)
    api.machines.error = RetryableError("no Step Functions")

    outcome = stopped(api, connection_id)

    assert "the supervisor will" in outcome["actions"][-1]
    assert read_state(connection_id).actual_state == "emergency_stopped"


def test_it_wins_over_whoever_changes_the_engine_meanwhile(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection_id = trading(api)
    others = [3]

    def overtaken(name: str) -> EngineStateRow:
        """Another operator writes right after each of the first three reads."""
        state = read_state(name)
        if others[0]:
            others[0] -= 1
            audit = audit_row(name, "engine.start", by="other", now_ms=api.clock.now_ms())
            change_state(read_state(name), audit, desired_state="running")
        return state

    monkeypatch.setattr("adapters.emergency.read_state", overtaken)

    stopped(api, connection_id)

    assert others == [0]
    assert read_state(connection_id).actual_state == "emergency_stopped"


def test_a_start_that_was_decided_before_it_is_refused(api: ApiWorld) -> None:
    connection_id = trading(api)
    before = read_state(connection_id)
    stopped(api, connection_id)

    audit = audit_row(connection_id, "engine.start", by="other", now_ms=api.clock.now_ms())
    with pytest.raises(Exception, match="too late"):
        change_state(before, audit, desired_state="running", actual_state="starting")

    assert read_state(connection_id).actual_state == "emergency_stopped"


@pytest.mark.parametrize("act", ["start", "resume-trading"])
def test_nothing_goes_on_while_it_holds(api: ApiWorld, act: str) -> None:
    connection_id = trading(api)
    stopped(api, connection_id)

    answer = api.post(f"{ROOT}/{act}", {"connectionId": connection_id})

    assert answer.status == 409
    assert codes(answer)[0] == "emergency_stopped"
    assert read_state(connection_id).actual_state == "emergency_stopped"


def test_an_ordinary_stop_does_not_lift_it(api: ApiWorld) -> None:
    connection_id = trading(api)
    stopped(api, connection_id)
    token = api.leases.read(connection_id, Loop.POSITION).token
    api.leases.take(connection_id, Loop.POSITION, token=token, owner="busy", lease_ms=15_000)

    answer = api.post(f"{ROOT}/stop", {"connectionId": connection_id, "closePositions": True})

    assert (answer.status, answer.body["already_stopped"]) == (200, True)
    assert read_state(connection_id).actual_state == "emergency_stopped"


def test_trading_is_not_switched_on_and_the_connection_not_deleted_while_it_holds(
    api: ApiWorld,
) -> None:
    connection_id = trading(api)
    stopped(api, connection_id)
    path = f"/api/settings/connections/{connection_id}"

    switched = api.post(f"{path}/toggle", {"is_live_trade": True})
    deleted = api.call("DELETE", path)

    assert (switched.status, deleted.status) == (409, 409)
    assert codes(switched) == codes(deleted) == ["emergency_stopped"]


def test_a_reset_waits_for_the_proof(api: ApiWorld) -> None:
    connection_id = trading(api)
    stopped(api, connection_id)

    answer = reset(api, connection_id)

    assert answer.status == 409
    assert codes(answer) == ["not_verified"]
    assert api.leases.read(connection_id, Loop.POSITION).halt is True


@pytest.mark.parametrize("how", ["proof", "row"])
def test_a_reset_beside_open_positions_must_say_so(api: ApiWorld, how: str) -> None:
    connection_id = trading(api)
    stopped(api, connection_id, flatten=False)
    prove(api, connection_id, open_positions=int(how == "proof"))
    if how == "row":
        PositionRow(connection_id, "p1", live_since_ms=1).save()

    refused = reset(api, connection_id)
    accepted = reset(api, connection_id, acceptOpenPositions=True)

    assert codes(refused) == ["positions_open"]
    assert accepted.status == 200


def test_a_reset_lifts_the_latch_and_leaves_trading_off(api: ApiWorld) -> None:
    connection_id = trading(api)
    stopped(api, connection_id)
    prove(api, connection_id)

    assert reset(api, connection_id).status == 200

    state, row = read_state(connection_id), accounts.connection_row(connection_id)
    assert (state.desired_state, state.actual_state) == ("stopped", "stopped")
    assert (row.is_live_trade, row.is_preset_trade) == (False, False)
    assert not any(api.leases.read(connection_id, loop).halt for loop in Loop)
    status = api.get(f"{ROOT}/status?connectionId={connection_id}").body["connections"][0]
    assert (status["emergency"], status["error"]) == (None, "")
    lines = [row for row in AuditRow.query(connection_id) if row.action == "engine.emergency_reset"]
    assert [line.details["reason"] for line in lines] == ["looked at it"]
    assert api.post(f"{ROOT}/start", {"connectionId": connection_id}).status == 200


def test_only_an_admin_resets_and_only_what_is_latched(api: ApiWorld) -> None:
    connection_id = trading(api)
    body = {"connectionId": connection_id, "reason": "no"}

    assert api.post(RESET, body).status == 403
    assert api.post(STOP, body, token="viewer").status == 403
    assert codes(reset(api, connection_id)) == ["not_emergency_stopped"]
    assert api.post(STOP, {"connectionId": "c-none"}).status == 404
    assert next(iter(ConnectionRow.query("connection"))).is_live_trade is True
