"""What becomes of an emergency stop after each burst, and when its machine dies."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.api_world import ApiWorld
from tests.grants import within
from tests.integration.test_api_emergency import reset, stopped, told, trading
from tests.samples import a_position, an_order

from adapters.emergency_rounds import EmergencyRounds
from adapters.emergency_watch import SILENT_MS
from adapters.engine_states import read_state
from adapters.engine_stopping import Stopping
from adapters.position_rows import position_row
from adapters.supervision import Supervision
from adapters.tables import AuditRow
from adapters.trade_rows import order_row
from engine.ledger import OrderState, PositionStatus, Purpose
from engine.values import Loop

PROOF = {
    "halted_ms": 1,
    "reads_ms": (5_000, 6_000),
    "open_positions": 0,
    "left": ("ETHUSDT LONG 2",),
}


@dataclass(slots=True)
class NotedLog:
    facts: list[str] = field(default_factory=list)
    problems: list[dict[str, object]] = field(default_factory=list)

    def fact(self, name: str, values: Mapping[str, object]) -> None:
        self.facts.append(name)

    def problem(self, name: str, values: Mapping[str, object]) -> None:
        self.problems.append({"name": name, **values})


@pytest.fixture
def log() -> NotedLog:
    return NotedLog()


@pytest.fixture
def rounds(api: ApiWorld, log: NotedLog) -> EmergencyRounds:
    return within(EmergencyRounds(clock=api.clock, log=log), "EngineControlFunction")


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


def a_report(outcome: str = "again", *, ticks: int = 0, **more: Any) -> dict[str, Any]:
    return {"outcome": outcome, "token": 7, "ticks": ticks, "halt_proof": None, **more}


def over(rounds: EmergencyRounds, connection_id: str, emergency_id: str, **more: Any) -> Any:
    asked = {"report": None, "error": "", "failures": 0} | more
    return rounds.over(connection_id, emergency_id, **asked)


def test_the_proof_is_recorded_with_what_was_done_and_how_long_it_took(
    api: ApiWorld, rounds: EmergencyRounds, log: NotedLog
) -> None:
    connection_id = trading(api)
    since_ms = api.clock.now_ms()
    emergency_id = stopped(api, connection_id)["emergency_id"]
    closed = a_position(status=PositionStatus.CLOSED, closed_at_ms=since_ms + 900, at_ms=since_ms)
    old = a_position("p0", status=PositionStatus.CLOSED, closed_at_ms=since_ms - 1)
    for position in (closed, old):
        position_row(connection_id, position).save()
    entry = replace(
        an_order("e1"),
        purpose=Purpose.ENTRY,
        state=OrderState.CANCELLED,
        created_at_ms=since_ms - 100,
        updated_at_ms=since_ms + 1,
    )
    order_row(connection_id, entry).save()
    over(rounds, connection_id, emergency_id, error="the worker was killed")
    api.clock.advance(6_000)

    answer = over(
        rounds, connection_id, emergency_id, report=a_report("stopped", ticks=20, halt_proof=PROOF)
    )

    assert answer["end"] == "verified"
    held = told(api, connection_id)
    assert held["verified"] is True
    assert (held["flat_at_ms"], held["time_to_flat_ms"]) == (since_ms + 900, 900)
    assert (held["verified_at_ms"], held["rounds"]) == (since_ms + 6_000, 2)
    assert (held["closed"], held["cancelled"]) == (["p1"], ["e1"])
    assert (held["reads_ms"], held["left"]) == ([5_000, 6_000], ["ETHUSDT LONG 2"])
    line = list(AuditRow.query(connection_id))[-1]
    assert (line.action, line.actor) == ("engine.emergency_verified", "engine")
    assert line.details["time_to_flat_ms"] == 900
    assert log.facts == ["emergency stop verified"]


def test_without_the_proof_it_goes_on_with_growing_pauses_and_says_so_each_time(
    api: ApiWorld, rounds: EmergencyRounds, log: NotedLog
) -> None:
    connection_id = trading(api)
    emergency_id = stopped(api, connection_id)["emergency_id"]
    failures, pauses = 0, []

    for _ in range(8):
        answer = over(
            rounds, connection_id, emergency_id, error="VenueBusyError: away", failures=failures
        )
        failures = answer["failures"]
        pauses.append(answer["pause_s"])
        assert answer["end"] == ""

    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert [one["name"] for one in log.problems] == ["emergency stop not verified yet"] * 8
    held = told(api, connection_id)
    assert (held["error"], held["rounds"], held["verified"]) == ("VenueBusyError: away", 8, False)


def test_a_burst_that_ticked_is_followed_by_the_next_at_once(
    api: ApiWorld, rounds: EmergencyRounds
) -> None:
    connection_id = trading(api)
    emergency_id = stopped(api, connection_id)["emergency_id"]

    answer = over(rounds, connection_id, emergency_id, report=a_report(ticks=50), failures=5)

    assert (answer["end"], answer["pause_s"], answer["failures"]) == ("", 1, 0)


def test_a_proof_that_positions_are_protected_does_not_end_what_is_to_close_them(
    api: ApiWorld, rounds: EmergencyRounds
) -> None:
    connection_id = trading(api)
    emergency_id = stopped(api, connection_id)["emergency_id"]
    report = a_report("stopped", ticks=9, halt_proof=PROOF | {"open_positions": 1})

    assert over(rounds, connection_id, emergency_id, report=report)["end"] == ""


def test_without_flatten_protected_positions_are_the_end_and_it_is_not_called_flat(
    api: ApiWorld, rounds: EmergencyRounds
) -> None:
    connection_id = trading(api)
    emergency_id = stopped(api, connection_id, flatten=False)["emergency_id"]
    report = a_report("stopped", ticks=9, halt_proof=PROOF | {"open_positions": 1})

    assert over(rounds, connection_id, emergency_id, report=report)["end"] == "verified"

    held = told(api, connection_id)
    assert (held["open_positions"], held["flat_at_ms"], held["time_to_flat_ms"]) == (1, None, None)


@pytest.mark.parametrize("how", ["reset", "another"])
def test_a_machine_whose_emergency_is_over_records_nothing(
    api: ApiWorld, rounds: EmergencyRounds, how: str
) -> None:
    connection_id = trading(api)
    emergency_id = stopped(api, connection_id, flatten=False)["emergency_id"]
    if how == "reset":
        assert reset(api, connection_id, acceptOpenPositions=True).status == 200
    else:
        stopped(api, connection_id)

    answer = over(rounds, connection_id, emergency_id, report=a_report("stopped", halt_proof=PROOF))

    assert answer["end"] == "superseded"
    assert read_state(connection_id).emergency_end is None


def test_a_living_machine_is_left_alone_and_nothing_else_is_started(
    api: ApiWorld, supervision: Supervision
) -> None:
    connection_id = trading(api)
    stopped(api, connection_id)
    api.clock.advance(60_000)

    assert supervision.run() == []
    assert api.starter.started == []


def test_a_machine_that_died_is_started_again_under_the_next_number(
    api: ApiWorld, supervision: Supervision
) -> None:
    connection_id = trading(api)
    emergency_id = stopped(api, connection_id)["emergency_id"]
    api.machines.running.clear()

    (action,) = supervision.run()
    again = supervision.run()

    assert (action["act"], again) == ("restarted", [])
    assert api.machines.emergencies[-1] == (connection_id, emergency_id, 2)
    assert told(api, connection_id)["verified"] is False


def test_a_machine_that_is_told_to_run_but_says_nothing_is_started_again(
    api: ApiWorld, rounds: EmergencyRounds, supervision: Supervision
) -> None:
    connection_id = trading(api)
    emergency_id = stopped(api, connection_id)["emergency_id"]
    api.clock.advance(SILENT_MS - 1)
    over(rounds, connection_id, emergency_id, report=a_report(ticks=9))
    api.clock.advance(SILENT_MS - 1)
    assert supervision.run() == []

    api.clock.advance(1)

    assert [one["act"] for one in supervision.run()] == ["restarted"]


def test_once_verified_nothing_is_started_whatever_the_leases_say(
    api: ApiWorld, rounds: EmergencyRounds, supervision: Supervision
) -> None:
    connection_id = trading(api)
    emergency_id = stopped(api, connection_id)["emergency_id"]
    over(rounds, connection_id, emergency_id, report=a_report("stopped", halt_proof=PROOF))
    api.machines.running.clear()
    for loop in Loop:
        token = api.leases.read(connection_id, loop).token
        api.leases.take(connection_id, loop, token=token, owner="dead", lease_ms=1)
    api.clock.advance(600_000)

    assert supervision.run() == []
    assert api.starter.started == []
