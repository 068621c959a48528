"""The health check, and a connection test that hangs."""

import asyncio
from typing import Any

import pytest
from tests.api_world import ApiWorld

from adapters.account_test import AccountTest
from adapters.health import SUPERVISOR_MS
from adapters.monitoring.memory import Memory, keep
from adapters.tables import CONNECTION_KIND, ConnectionRow, EngineStateRow, PositionRow
from app import app
from engine.errors import CredentialsError
from engine.ports import Exchange
from engine.values import Loop
from models.trading import HealthAnswer
from reference.document import document


def _health(api: ApiWorld) -> dict[str, object]:
    answer = api.get("/api/system/health-check", token=None)
    assert answer.status == (503 if answer.body["overall"] == "critical" else 200)
    return answer.body


@pytest.mark.parametrize(
    ("silent_ms", "overall"),
    [(14_000, "healthy"), (16_000, "degraded"), (61_000, "critical")],
)
def test_health_follows_the_silence_of_a_running_loop(
    api: ApiWorld, silent_ms: int, overall: str
) -> None:
    api.running()
    api.clock.advance(silent_ms)

    assert _health(api)["overall"] == overall


def test_a_store_that_does_not_answer_is_told_in_the_words_that_are_described(
    api: ApiWorld,
) -> None:
    api.running()
    PositionRow.delete_table()
    positions_gone = _health(api)
    ConnectionRow.delete_table()

    for told in (positions_gone, _health(api)):
        assert told["issues"] == ["the database does not answer"]
        HealthAnswer.model_validate(told)
    described = document(app)["paths"]["/api/system/health-check"]["get"]["responses"]
    shape = described["503"]["content"]["application/json"]["schema"]
    assert shape == described["200"]["content"]["application/json"]["schema"]
    assert shape == {"$ref": "#/components/schemas/HealthAnswer"}


def test_an_engine_in_error_is_critical_and_a_stopped_one_is_not(api: ApiWorld) -> None:
    connection_id = api.running()
    EngineStateRow(connection_id).update([EngineStateRow.actual_state.set("error")])
    failed = _health(api)

    api.post("/api/trade-engine/stop", {"connectionId": connection_id})
    api.stopping.stopped(connection_id)

    assert (failed["overall"], _health(api)["overall"]) == ("critical", "healthy")


def test_an_emergency_stop_is_an_issue_until_the_exchange_has_proved_its_end(
    api: ApiWorld,
) -> None:
    connection_id = api.running()
    api.post("/api/trade-engine/emergency-stop", {"connectionId": connection_id})
    begun = _health(api)
    api.clock.advance(60_001)
    late = _health(api)
    proved = {"verified_at_ms": api.clock.now_ms(), "open_positions": 0}
    EngineStateRow(connection_id).update([EngineStateRow.emergency_end.set(proved)])

    assert [one["overall"] for one in (begun, late, _health(api))] == [
        "degraded",
        "critical",
        "healthy",
    ]
    assert "emergency stop" in str(begun["issues"])


def test_a_supervisor_that_stays_away_degrades_only_where_an_engine_needs_it(
    api: ApiWorld,
) -> None:
    connection_id = api.running()
    api.clock.advance(SUPERVISOR_MS + 1)
    api.leases.take(connection_id, Loop.TRADE, token=0, owner="b", lease_ms=15_000)
    beat = EngineStateRow.last_trade_heartbeat_ms.set(api.clock.now_ms())
    EngineStateRow(connection_id).update([beat])
    away = _health(api)
    keep(Memory(beat_ms=api.clock.now_ms()))
    back = _health(api)
    api.clock.advance(SUPERVISOR_MS + 1)
    api.post("/api/trade-engine/stop", {"connectionId": connection_id})
    api.stopping.stopped(connection_id)
    api.clock.advance(SUPERVISOR_MS + 1)

    assert away["overall"] == "degraded"
    assert away["issues"] == ["the supervisor is silent: loops that end now are not restarted"]
    assert (back["overall"], _health(api)["overall"]) == ("healthy", "healthy")


def test_a_failed_connection_test_degrades(api: ApiWorld) -> None:
    connection_id = api.created()
    api.venue_error = CredentialsError("-2015")
    api.post(f"/api/settings/connections/{connection_id}/test")

    told = _health(api)

    assert told["overall"] == "degraded"
    assert told["issues"] == ["1 connections failed their last test"]


def test_positions_without_a_living_position_loop_degrade(api: ApiWorld) -> None:
    connection_id = api.running()
    PositionRow(connection_id, "p1", live_since_ms=1).save()

    components = _health(api)["components"]

    assert isinstance(components, dict)
    assert components["positions"] == "degraded"


@pytest.mark.parametrize(
    ("counted", "part", "workflow"),
    [
        ("unprotected", "positions", "positionManagement"),
        ("unreconciled", "orders", "orderExecution"),
    ],
)
def test_what_the_position_loop_counts_as_wrong_degrades_its_part_alone(
    api: ApiWorld, counted: str, part: str, workflow: str
) -> None:
    counters = EngineStateRow.position_counters.set({"open_positions": 3, counted: 2})
    EngineStateRow(api.running()).update([counters])

    told: dict[str, Any] = dict(_health(api))

    assert [name for name, state in told["components"].items() if state != "healthy"] == [part]
    assert [one for one, state in told["workflows"].items() if state == "impaired"] == [workflow]
    assert told["issues"][0].startswith("2 ")


def test_the_open_check_names_no_connection(api: ApiWorld) -> None:
    connection_id = api.running()
    api.clock.advance(61_000)

    told = str(_health(api))

    assert connection_id not in told
    assert "Paper" not in told


def test_a_venue_that_does_not_answer_ends_the_test_in_time(api: ApiWorld) -> None:
    connection_id = api.created()

    async def never(row: ConnectionRow) -> Exchange:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    hanging = AccountTest(open_exchange=never, clock=api.clock, limit_s=0.01)
    found = asyncio.run(hanging.run(connection_id, by="operator"))

    assert found["success"] is False
    assert "did not answer within" in found["error"]
    assert ConnectionRow.get(CONNECTION_KIND, connection_id).last_test_result == "failed"
