"""Pausing, resuming and restarting engines over the API, by compare-and-set and on the record."""

from collections.abc import Callable

import pytest
from tests.api_world import ApiWorld
from tests.integration.test_supervision import supervision

from adapters.control import ControlFailedError
from adapters.engine_states import read_state
from adapters.supervision import Supervision
from adapters.tables import AuditRow, EngineStateRow
from engine.records import Obeyed
from engine.values import Loop

ROOT = "/api/trade-engine"
__all__ = ["supervision"]  # the fixture


def _post(api: ApiWorld, what: str, connection_id: str, **more: str) -> list[str]:
    """The codes of what refuses it; none if it was accepted."""
    answer = api.post(f"{ROOT}/{what}", {"connectionId": connection_id, **more})
    assert answer.status == (409 if "reasons" in answer.body else 200), answer.text
    return [one["code"] for one in answer.body.get("reasons", [])]


def _wanted(api: ApiWorld, connection_id: str) -> list[str]:
    return [api.leases.read(connection_id, loop).wanted for loop in Loop]


def _told(api: ApiWorld, connection_id: str) -> dict[str, object]:
    (told,) = api.get(f"{ROOT}/{connection_id}/status").body["connections"]
    return dict(told)


def _turn(api: ApiWorld, connection_id: str, loop: Loop) -> None:
    """A tick of a loop, as far as its wish goes."""
    row = api.leases.read(connection_id, loop)
    lease = api.leases.take(
        connection_id, loop, token=row.token, owner=f"burst {row.token}", lease_ms=15_000
    )
    obeyed = Obeyed(
        wanted=row.wanted,
        number=row.wanted_number,
        slot_ms=7_000,
        token=lease.token,
        at_ms=api.clock.now_ms(),
    )
    api.leases.acknowledge(lease, obeyed)


def test_a_pause_reaches_both_loops_and_says_who_and_why(api: ApiWorld) -> None:
    connection_id = api.running()

    assert _post(api, "pause", connection_id, reason="news at noon") == []

    state = read_state(connection_id)
    assert (state.desired_state, state.actual_state) == ("paused", "running")
    assert _wanted(api, connection_id) == ["pause", "pause"]
    (line,) = [row for row in AuditRow.query(connection_id) if row.action == "engine.pause"]
    assert line.actor.startswith("operator")
    assert line.details == {"reason": "news at noon"}


def test_an_engine_counts_as_paused_once_every_living_loop_said_so(api: ApiWorld) -> None:
    connection_id = api.running()
    for loop in Loop:
        _turn(api, connection_id, loop)
    _post(api, "pause", connection_id)
    states = [_told(api, connection_id)["actual_state"]]
    for loop in Loop:
        api.clock.advance(120)
        _turn(api, connection_id, loop)
        states.append(_told(api, connection_id)["actual_state"])
    _post(api, "resume", connection_id)
    states.append(_told(api, connection_id)["actual_state"])
    _turn(api, connection_id, Loop.TRADE)
    states.append(_told(api, connection_id)["actual_state"])

    assert states == ["running", "running", "paused", "paused", "running"]


def test_the_status_tells_what_each_loop_acknowledged_and_how_soon(api: ApiWorld) -> None:
    connection_id = api.running()
    _turn(api, connection_id, Loop.TRADE)
    api.clock.advance(1_000)
    _post(api, "pause", connection_id)
    before = _told(api, connection_id)["trade_loop"]
    api.clock.advance(250)
    _turn(api, connection_id, Loop.TRADE)
    after = _told(api, connection_id)["trade_loop"]

    assert isinstance(before, dict) and isinstance(after, dict)
    assert (before["wanted"], before["acknowledged"]) == ("pause", "stop")
    assert before["acknowledged_after_ms"] is None
    assert (after["acknowledged"], after["acknowledged_after_ms"]) == ("pause", 250)
    assert (after["acknowledged_slot_ms"], after["acknowledged_token"]) == (7_000, 2)


def _paused(api: ApiWorld) -> str:
    connection_id = api.running()
    assert _post(api, "pause", connection_id) == []
    return connection_id


def _stopping(api: ApiWorld) -> str:
    connection_id = api.running()
    assert _post(api, "stop", connection_id) == []
    return connection_id


def _starting(api: ApiWorld) -> str:
    connection_id = api.tested()
    assert _post(api, "start", connection_id) == []
    return connection_id


def _restarting(api: ApiWorld) -> str:
    connection_id = api.running()
    assert _post(api, "restart", connection_id) == []
    return connection_id


def _latched(api: ApiWorld) -> str:
    connection_id = api.running()
    EngineStateRow(connection_id).update(
        [
            EngineStateRow.actual_state.set("emergency_stopped"),
            EngineStateRow.desired_state.set("stopped"),
        ]
    )
    return connection_id


@pytest.mark.parametrize(
    ("put", "what", "codes"),
    [
        (ApiWorld.tested, "pause", ["not_running"]),
        (_starting, "pause", ["not_running"]),
        (_paused, "pause", ["already_paused"]),
        (_stopping, "pause", ["not_running"]),
        (_latched, "pause", ["emergency_stopped"]),
        (ApiWorld.running, "resume", ["not_paused"]),
        (_latched, "resume", ["emergency_stopped"]),
        (_paused, "start", ["paused"]),
        (_restarting, "start", ["still_stopping"]),
        (ApiWorld.tested, "restart", ["not_running"]),
        (_stopping, "restart", ["still_stopping", "not_running"]),
        (_restarting, "restart", ["still_stopping"]),
        (_latched, "restart", ["emergency_stopped", "not_running"]),
    ],
)
def test_what_the_state_does_not_allow_is_refused_with_its_reasons(
    api: ApiWorld, put: Callable[[ApiWorld], str], what: str, codes: list[str]
) -> None:
    connection_id = put(api)
    before = read_state(connection_id).version

    assert _post(api, what, connection_id) == codes
    assert read_state(connection_id).version == before


@pytest.mark.parametrize("what", ["pause", "resume", "restart"])
def test_an_unknown_connection_is_not_found(api: ApiWorld, what: str) -> None:
    assert api.post(f"{ROOT}/{what}", {"connectionId": "c-unknown"}).status == 404


@pytest.mark.parametrize("what", ["pause", "resume", "restart"])
def test_without_a_connection_each_is_answered_for_itself(api: ApiWorld, what: str) -> None:
    ready = _paused(api) if what == "resume" else api.running()
    stopped = api.tested()

    answer = api.post(f"{ROOT}/{what}")

    results = {one["connectionId"]: one for one in answer.body["results"]}
    assert (answer.status, answer.body["success"]) == (200, True)
    assert results[ready]["success"]
    assert not results[stopped]["success"] and results[stopped]["reasons"]


def test_a_paused_engine_stops_and_its_pause_is_over(api: ApiWorld) -> None:
    connection_id = _paused(api)

    assert _post(api, "stop", connection_id) == []

    assert read_state(connection_id).desired_state == "stopped"
    assert _wanted(api, connection_id) == ["stop", "stop"]


def test_a_restart_stops_the_loops_and_starts_a_new_run_when_both_have_ended(
    api: ApiWorld,
) -> None:
    connection_id = _paused(api)
    first = read_state(connection_id).run_id
    lease = api.leases.take(connection_id, Loop.TRADE, token=0, owner="burst", lease_ms=15_000)
    api.clock.advance(1)

    assert _post(api, "restart", connection_id) == []
    held = api.stopping.stopped(connection_id)
    api.leases.release(lease)
    ended = api.stopping.stopped(connection_id)

    state = read_state(connection_id)
    assert (held["waiting_for"], ended["stopped"]) == (["trade"], True)
    assert (state.desired_state, state.actual_state) == ("running", "starting")
    assert state.run_id != first
    assert api.machines.started[-1] == ("start", connection_id, state.run_id)
    assert not state.restart_run_id
    assert api.machines.stopped == [(connection_id, False)]
    assert _wanted(api, connection_id) == ["stop", "stop"]  # until the run is loaded


@pytest.mark.parametrize("dies", ["before the stop", "before the start", "after the start"])
def test_a_restart_survives_a_death_in_its_middle(
    api: ApiWorld, supervision: Supervision, dies: str
) -> None:
    connection_id = _restarting(api)
    if dies == "before the start":
        api.machines.error = ControlFailedError("dead")
        with pytest.raises(ControlFailedError):
            api.stopping.stopped(connection_id)
        api.machines.error = None
    if dies == "after the start":
        run_id = read_state(connection_id).restart_run_id
        api.stopping.stopped(connection_id)
        EngineStateRow(connection_id).update([EngineStateRow.restart_run_id.set(run_id)])

    supervision.run()

    state = read_state(connection_id)
    assert state.actual_state == "starting" and not state.restart_run_id
    assert {run for _, _, run in api.machines.started[1:]} == {state.run_id}


def test_a_stop_amid_a_restart_ends_stopped(api: ApiWorld) -> None:
    connection_id = _restarting(api)

    assert _post(api, "stop", connection_id) == []
    api.stopping.stopped(connection_id)

    assert read_state(connection_id).actual_state == "stopped"
    assert len(api.machines.started) == 1


def test_engines_answer_under_their_further_paths_too(api: ApiWorld) -> None:
    connection_id = api.tested()

    started = api.post(f"{ROOT}/{connection_id}/start", {"reason": "morning"})
    every = api.get(f"{ROOT}/status-all").body["connections"]
    again = api.post(f"{ROOT}/start-all")
    stopped = api.post(f"{ROOT}/{connection_id}/stop", {"closePositions": True})

    assert (started.status, started.body["connectionId"]) == (200, connection_id)
    assert [one["actual_state"] for one in every] == ["starting"]
    assert again.body["results"][0]["already_running"]
    assert (stopped.status, read_state(connection_id).desired_state) == (200, "stopped")


def test_the_health_of_each_engine_tells_its_parts_and_its_state(api: ApiWorld) -> None:
    paused, stopped = _paused(api), api.tested()

    told = api.get(f"{ROOT}/health").body
    one = api.get(f"{ROOT}/health?connectionId={paused}").body

    engines = {engine["connectionId"]: engine for engine in told["connections"]}
    assert (engines[paused]["desired_state"], engines[paused]["overall"]) == ("paused", "degraded")
    assert set(engines[paused]["components"]) == {"indications", "strategies", "realtime"}
    assert engines[stopped]["overall"] == "stopped"
    assert told["overall"] == "degraded"
    assert [engine["connectionId"] for engine in one["connections"]] == [paused]
    assert api.get(f"{ROOT}/health?connectionId=c-unknown").status == 404
