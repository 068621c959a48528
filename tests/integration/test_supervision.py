"""The supervisor: what should run and does not is started again, within bounds."""

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from pynamodb.exceptions import GetError
from tests.api_world import ApiWorld, NotedMachines
from tests.grants import within

from adapters import commands
from adapters.engine_states import read_state
from adapters.engine_stopping import Stopping
from adapters.supervision import BACKOFF_MS, HEALTHY_AGAIN_MS, STARTING_GRACE_MS, Supervision
from adapters.tables import (
    CONNECTION_KIND,
    AuditRow,
    ConnectionRow,
    EngineStateRow,
    LeaseItem,
    PositionRow,
)
from engine.records import Command
from engine.values import Loop

LEASE_MS = 15_000


@pytest.fixture
def supervision(api: ApiWorld) -> Supervision:
    made = Supervision(
        leases=api.leases,
        starter=api.starter,
        machines=api.machines,
        stopping=Stopping(operations=api.operations, leases=api.leases, clock=api.clock),
        clock=api.clock,
    )
    return within(made, "SupervisorFunction")


def _hold(api: ApiWorld, connection_id: str, loop: Loop = Loop.TRADE) -> None:
    token = api.leases.read(connection_id, loop).token
    api.leases.take(connection_id, loop, token=token, owner=f"b{token}", lease_ms=LEASE_MS)


def _acts(supervision: Supervision) -> list[str]:
    return [action["act"] for action in supervision.run()]


def test_a_loop_with_a_live_lease_is_left_alone(api: ApiWorld, supervision: Supervision) -> None:
    _hold(api, api.running())

    assert supervision.run() == []
    assert api.starter.started == []


@pytest.mark.parametrize("after_ms", [LEASE_MS + 1_000, LEASE_MS + 1_999])
def test_a_lease_within_its_margin_is_not_stale(
    api: ApiWorld, supervision: Supervision, after_ms: int
) -> None:
    _hold(api, api.running())
    api.clock.advance(after_ms)

    assert supervision.run() == []


def test_a_stale_trade_loop_is_started_again_and_noted(
    api: ApiWorld, supervision: Supervision
) -> None:
    connection_id = api.running()
    _hold(api, connection_id)
    api.clock.advance(LEASE_MS + 2_001)

    (action,) = supervision.run()

    assert (action["connection_id"], action["act"]) == (connection_id, "restarted")
    assert api.starter.started == [(connection_id, Loop.TRADE)]
    assert read_state(connection_id).restarts == 1
    assert "engine.restart" in {row.action for row in AuditRow.query(connection_id)}


@pytest.mark.parametrize(
    "trouble",
    [
        ClientError({"Error": {"Code": "ThrottlingException"}}, "DescribeExecution"),
        ReadTimeoutError(endpoint_url="https://states.invalid"),
        GetError("the store did not answer"),
    ],
)
def test_trouble_with_one_engine_keeps_nobody_from_looking_after_the_next(
    api: ApiWorld,
    supervision: Supervision,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Exception,
) -> None:
    first, second = sorted([api.running(), api.running()])
    starting = EngineStateRow.actual_state.set("starting")
    EngineStateRow(first).update([starting])
    api.clock.advance(STARTING_GRACE_MS + 1)

    def ask(machines: NotedMachines, connection_id: str, run_id: str) -> bool:
        raise trouble

    monkeypatch.setattr(NotedMachines, "is_starting", ask)

    acts = {action["connection_id"]: action["act"] for action in supervision.run()}

    assert acts == {first: "trouble", second: "restarted"}


@pytest.mark.parametrize("why", ["position", "command", "live"])
def test_the_position_loop_is_started_again_while_it_has_work(
    api: ApiWorld, supervision: Supervision, why: str
) -> None:
    connection_id = api.running()
    _hold(api, connection_id)
    if why == "position":
        PositionRow(connection_id, "p1", live_since_ms=1).save()
    elif why == "command":
        command = Command(command_id="1|x", kind="close_all", created_at_ms=1)
        commands.submit(connection_id, command)
    else:
        key = f"{connection_id}#position"
        LeaseItem(key).update([LeaseItem.phase.set("live")])

    supervision.run()

    assert api.starter.started == [(connection_id, Loop.POSITION)]


def test_an_idle_position_loop_sleeps_on(api: ApiWorld, supervision: Supervision) -> None:
    _hold(api, api.running())

    assert supervision.run() == []


def test_a_failing_start_pauses_longer_each_time(api: ApiWorld, supervision: Supervision) -> None:
    connection_id = api.tested()
    api.post("/api/trade-engine/start", {"connectionId": connection_id})
    acts = []
    for wait_ms in (0, 0, BACKOFF_MS, BACKOFF_MS, BACKOFF_MS):
        api.clock.advance(wait_ms)
        EngineStateRow(connection_id).update([EngineStateRow.actual_state.set("error")])
        acts += _acts(supervision)

    assert acts == ["restarted", "waiting", "restarted", "waiting", "restarted"]


def test_a_loop_is_started_less_often_after_three_restarts_until_a_healthy_while(
    api: ApiWorld, supervision: Supervision
) -> None:
    connection_id = api.running()

    at_once = [act for _ in range(5) for act in _acts(supervision)]
    api.clock.advance(BACKOFF_MS)
    later = [act for _ in range(2) for act in _acts(supervision)]
    api.clock.advance(HEALTHY_AGAIN_MS)
    _hold(api, connection_id)
    supervision.run()

    assert at_once == ["restarted"] * 4 + ["waiting"]
    assert later == ["restarted", "waiting"]
    assert read_state(connection_id).restarts == 0


def test_a_loop_is_never_given_up(api: ApiWorld, supervision: Supervision) -> None:
    api.running()

    acts = []
    for _ in range(8):
        acts += _acts(supervision)
        api.clock.advance(4 * BACKOFF_MS)

    assert acts == ["restarted"] * 8


def test_a_start_that_fails_is_tried_three_times(api: ApiWorld, supervision: Supervision) -> None:
    connection_id = api.tested()
    api.post("/api/trade-engine/start", {"connectionId": connection_id})

    acts = []
    for _ in range(5):
        EngineStateRow(connection_id).update([EngineStateRow.actual_state.set("error")])
        acts += _acts(supervision)
        api.clock.advance(4 * BACKOFF_MS)

    runs = [run for _, _, run in api.machines.started]
    assert acts == ["restarted"] * 3 + ["given up"] * 2
    assert len(runs) == len(set(runs)) == 4


def test_a_start_whose_machine_died_is_begun_anew(api: ApiWorld, supervision: Supervision) -> None:
    connection_id = api.tested()
    api.post("/api/trade-engine/start", {"connectionId": connection_id})
    run_id = read_state(connection_id).run_id or ""
    api.machines.running.add(run_id)

    early = _acts(supervision)
    api.clock.advance(STARTING_GRACE_MS)
    alive = _acts(supervision)
    api.machines.running.clear()
    dead = _acts(supervision)

    assert (early, alive, dead) == ([], [], ["restarted"])
    assert read_state(connection_id).run_id != run_id


def test_trouble_with_one_connection_does_not_keep_it_from_the_others(
    api: ApiWorld, supervision: Supervision
) -> None:
    broken, fine = api.running(), api.running()
    _hold(api, broken)
    EngineStateRow(broken).update([EngineStateRow.settings.set({"no such setting": 1})])

    acts = {action["connection_id"]: action["act"] for action in supervision.run()}

    assert acts == {broken: "trouble", fine: "restarted"}


def test_a_stop_whose_machine_died_is_finished(api: ApiWorld, supervision: Supervision) -> None:
    connection_id = api.running()
    api.post("/api/trade-engine/stop", {"connectionId": connection_id})

    assert _acts(supervision) == ["stopped"]
    assert read_state(connection_id).actual_state == "stopped"
    assert supervision.run() == []


def test_a_position_loop_that_died_while_closing_is_woken(
    api: ApiWorld, supervision: Supervision
) -> None:
    connection_id = api.running()
    PositionRow(connection_id, "p1", live_since_ms=1).save()
    api.post("/api/trade-engine/stop", {"connectionId": connection_id, "closePositions": True})
    api.starter.started.clear()

    assert _acts(supervision) == ["woken"]
    assert api.starter.started == [(connection_id, Loop.POSITION)]


def test_a_stopped_engine_is_left_alone(api: ApiWorld, supervision: Supervision) -> None:
    api.tested()

    assert supervision.run() == []


@pytest.mark.parametrize("flag", ["is_enabled", "is_active"])
def test_an_engine_left_running_on_a_connection_that_is_off_is_stopped(
    api: ApiWorld, supervision: Supervision, flag: str
) -> None:
    connection_id = api.running()
    off = getattr(ConnectionRow, flag).set(False)
    ConnectionRow(CONNECTION_KIND, connection_id).update([off])

    assert _acts(supervision) == ["stopped"]
    assert api.machines.stopped == [(connection_id, False)]
    assert read_state(connection_id).desired_state == "stopped"
