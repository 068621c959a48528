"""Operators who act at the same moment, on a table that is atomic: one of them wins."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from tests.api_world import NEW, InProcessControl, NotedMachines, NotedStarter, PlainVault
from tests.fakes import FakeClock

from adapters.connections import Connections
from adapters.engine_states import read_state
from adapters.leases import DynamoLeases
from adapters.operations import Operations
from adapters.refusals import ConflictError
from adapters.tables import CONNECTION_KIND, AuditRow, ConnectionRow, EngineStateRow
from engine.values import Loop

pytestmark = pytest.mark.ministack
OPERATORS = 8


def _at_once(act: Callable[[int], Any]) -> list[Any]:
    """Results of `act` by operators who all begin together; a refusal is a result."""
    barrier = Barrier(OPERATORS)

    def one(number: int) -> Any:
        barrier.wait()
        try:
            return act(number)
        except ConflictError as error:
            return error

    with ThreadPoolExecutor(OPERATORS) as pool:
        return list(pool.map(one, range(OPERATORS)))


def _acted(act: Callable[..., Any], connection_id: str, number: int) -> Any:
    return act(connection_id, by=f"operator {number}")


def _parts() -> tuple[Connections, Operations, NotedMachines]:
    clock, machines = FakeClock(), NotedMachines()
    operations = Operations(
        machines=machines, leases=DynamoLeases(clock), starter=NotedStarter(), clock=clock
    )
    control = InProcessControl(None)  # type: ignore[arg-type]  # nothing is tested here
    connections = Connections(
        vault=PlainVault(), control=control, operations=operations, clock=clock
    )
    return connections, operations, machines


def _created(connections: Connections, **values: Any) -> str:
    fields = {
        "name": "Paper",
        "exchange": "binance",
        "api_type": "perpetual_futures",
        "connection_method": "rest",
        "margin_type": "cross",
        "position_mode": "hedge",
        "is_paper": True,
        "volume_factor": 1,
    }
    secrets = {name: NEW[name] for name in ("api_key", "api_secret")}
    made = connections.create(fields, secrets, by="test")  # type: ignore[arg-type]
    connection_id = str(made["id"])
    row = ConnectionRow.get(CONNECTION_KIND, connection_id)
    row.update([ConnectionRow.is_active.set(True), ConnectionRow.last_test_result.set("success")])
    return connection_id


@pytest.mark.usefixtures("ministack_tables")
def test_of_operators_who_start_at_once_one_starts_the_engine() -> None:
    connections, operations, machines = _parts()
    connection_id = _created(connections)

    results = _at_once(lambda number: operations.start(connection_id, by=f"operator {number}"))

    started = [one for one in results if isinstance(one, dict) and not one.get("already_running")]
    assert len(started) == len(machines.started) == 1
    assert machines.started[0][2] == read_state(connection_id).run_id
    lines = [row for row in AuditRow.query(connection_id) if row.action == "engine.start"]
    assert len(lines) == 1


@pytest.mark.usefixtures("ministack_tables")
def test_of_operators_who_change_one_version_one_wins_and_the_others_are_told() -> None:
    connections, _, _ = _parts()
    connection_id = _created(connections)

    results = _at_once(
        lambda number: connections.change(
            connection_id, {"name": f"Name {number}"}, {}, version=1, by=f"operator {number}"
        )
    )

    winners = [one for one in results if isinstance(one, dict)]
    assert len(winners) == 1
    assert all(one.reasons for one in results if isinstance(one, ConflictError))
    assert connections.one(connection_id)["name"] == winners[0]["name"]


@pytest.mark.usefixtures("ministack_tables")
def test_of_operators_who_race_for_a_transition_one_wins_and_the_others_get_a_conflict() -> None:
    connections, operations, _ = _parts()
    connection_id = _created(connections)
    operations.start(connection_id, by="test")
    EngineStateRow(connection_id).update([EngineStateRow.actual_state.set("running")])

    for act in (operations.pause, operations.resume, operations.restart):
        results = _at_once(partial(_acted, act, connection_id))
        winners = [one for one in results if isinstance(one, dict)]
        assert len(winners) == 1
        assert all(one.reasons for one in results if isinstance(one, ConflictError))

    lines = [row.action for row in AuditRow.query(connection_id)]
    assert [lines.count(f"engine.{one}") for one in ("pause", "resume", "restart")] == [1, 1, 1]
    wishes = [operations.leases.read(connection_id, loop).wanted_number for loop in Loop]
    assert wishes == [3, 3]
