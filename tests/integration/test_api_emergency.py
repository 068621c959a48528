"""The emergency stop over the API: latched at once, each connection answered for itself."""

import pytest
from tests.api_world import ApiWorld

from adapters.engine_states import read_state
from adapters.tables import EngineStateRow
from engine.values import Loop

ROOT = "/api/trade-engine"


def _latch(connection_id: str) -> None:
    """As an emergency stop leaves the row."""
    EngineStateRow(connection_id).update(
        [
            EngineStateRow.desired_state.set("stopped"),
            EngineStateRow.actual_state.set("emergency_stopped"),
        ]
    )


@pytest.mark.parametrize("act", ["start", "resume-trading"])
def test_nothing_goes_on_while_an_emergency_stop_holds(api: ApiWorld, act: str) -> None:
    connection_id = api.running()
    _latch(connection_id)

    answer = api.post(f"{ROOT}/{act}", {"connectionId": connection_id})

    assert answer.status == 409
    assert answer.body["reasons"][0]["code"] == "emergency_stopped"
    assert read_state(connection_id).actual_state == "emergency_stopped"


def test_an_ordinary_stop_does_not_lift_an_emergency_stop(api: ApiWorld) -> None:
    connection_id = api.running()
    _latch(connection_id)
    token = api.leases.read(connection_id, Loop.POSITION).token
    api.leases.take(connection_id, Loop.POSITION, token=token, owner="busy", lease_ms=15_000)

    answer = api.post(f"{ROOT}/stop", {"connectionId": connection_id, "closePositions": True})

    assert (answer.status, answer.body["already_stopped"]) == (200, True)
    assert read_state(connection_id).actual_state == "emergency_stopped"
