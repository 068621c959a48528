"""The operator's workflows over HTTPS on one running twin, each with what it refuses.

Every test begins with the engine running, and leaves it so.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest
from tests.e2e.twin_probe import Probe, probing
from tests.e2e.workflow_world import (
    CONNECTIONS,
    ENGINE,
    Workflows,
    refused,
    until,
    workflows,
)

from local.backups.drill import shape_of
from local.stack import STACK, client

pytestmark = [pytest.mark.twin, pytest.mark.timeout(420)]
NOBODY = "c-000000000000"
WRONG_KEYS = {"api_key": "9f4c21d07ab3e658", "api_secret": "51b7e09c3fa84d62"}


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workflows]:
    with workflows(tmp_path_factory.mktemp("workflows") / "home") as running:
        yield running


@pytest.fixture(scope="module")
def probe(twin: Workflows) -> Iterator[Probe]:
    with probing(twin.home.places, twin.connection_id) as found:
        yield found


def test_connection_testing_workflow(twin: Workflows) -> None:
    made = twin.created("Tested")
    path = f"{CONNECTIONS}/{made}"
    before = twin.done("GET", path)["connection"]
    assert (before["last_test_result"], before["is_active"]) == ("", False)
    assert before["api_key_last4"]
    assert not {"api_key", "api_secret", "credentials"} & before.keys()

    tested = twin.done("POST", f"{path}/test")

    assert tested["success"] is True
    assert tested["balance"]
    after = twin.done("GET", path)["connection"]
    assert (after["last_test_result"], after["is_active"]) == ("success", True)
    assert after["last_test_at"] >= before["created_at_ms"]
    assert made in {one["id"] for one in twin.done("GET", CONNECTIONS)["connections"]}

    changed = twin.done("PATCH", path, WRONG_KEYS)["connection"]
    failed = twin.done("POST", f"{path}/test")
    assert changed["last_test_result"] == ""
    assert failed["success"] is False
    assert failed["error"]
    twin.done("DELETE", path)

    missing = refused(twin.ask("POST", CONNECTIONS, {"exchange": "binance"}), 400)
    assert {"name", "api_key", "api_secret"} <= {
        one["field"].rpartition(".")[2] for one in missing["details"]
    }
    refused(twin.ask("POST", f"{CONNECTIONS}/{NOBODY}/test"), 404)
    refused(twin.ask("GET", path), 404)


def test_connection_activation_workflow(twin: Workflows) -> None:
    made = twin.created("Activated")
    path = f"{CONNECTIONS}/{made}"
    twin.done("POST", f"{path}/test")

    for wanted in (False, True):
        switched = twin.done("POST", f"{path}/toggle", {"is_active": wanted})["connection"]
        assert switched["is_active"] is wanted
    for method, name in (("PUT", "Renamed"), ("PATCH", "Renamed again")):
        assert twin.done(method, path, {"name": name})["connection"]["name"] == name

    version = twin.done("GET", path)["connection"]["version"]
    refused(twin.ask("PATCH", path, {"name": "Too late", "version": version - 1}), 409)
    refused(twin.ask("POST", f"{CONNECTIONS}/{NOBODY}/toggle", {"is_active": True}), 404)
    refused(twin.ask("POST", f"{path}/toggle", {"is_active": "perhaps"}), 400)
    in_use = refused(twin.ask("DELETE", f"{CONNECTIONS}/{twin.connection_id}"), 409)
    assert in_use["reasons"][0]["code"] == "engine_running"
    twin.done("DELETE", path)


def test_trade_engine_start_workflow(twin: Workflows) -> None:
    again = twin.done("POST", f"{ENGINE}/start", {"connectionId": twin.connection_id})

    assert (again["success"], again["already_running"]) == (True, True)
    status = twin.done("GET", f"{ENGINE}/status")
    assert status["running"] is True
    engine = twin.engine()
    assert (engine["desired_state"], engine["actual_state"]) == ("running", "running")
    assert engine["prehistoric_data_loaded"]
    assert engine["engine_started_at"]

    untested = twin.created("Untested")
    reasons = refused(twin.ask("POST", f"{ENGINE}/start", {"connectionId": untested}), 409)
    assert {"not_tested", "not_active"} <= {one["code"] for one in reasons["reasons"]}
    refused(twin.ask("POST", f"{ENGINE}/start", {"connectionId": NOBODY}), 404)
    refused(twin.ask("POST", f"{ENGINE}/start", {"connectionId": 7}), 400)
    twin.done("DELETE", f"{CONNECTIONS}/{untested}")


def test_trade_engine_progression_workflow(twin: Workflows) -> None:
    def newest() -> dict[str, Any]:
        path = f"{ENGINE}/progression?connectionId={twin.connection_id}&limit=5"
        told: dict[str, Any] = twin.done("GET", path)["connections"][0]
        return told

    first = newest()
    last_ms = first["tradeCycles"][0]["slot_ms"]
    second = until(
        lambda: (now := newest())["tradeCycles"][0]["slot_ms"] > last_ms and now,
        within_s=20,
        told="a newer tick of the trade loop",
    )

    assert second["isEngineRunning"] is True
    assert len(second["tradeCycles"]) <= 5
    performance = twin.done("GET", f"{ENGINE}/performance")
    assert performance["health"] in {"healthy", "degraded", "unhealthy"}
    screen = twin.done("GET", f"/api/snapshot?connectionId={twin.connection_id}")
    assert screen["engine"]["trade_loop"]["last_slot_ms"] > last_ms
    refused(twin.ask("GET", f"/api/snapshot?connectionId={NOBODY}"), 404)
    refused(twin.ask("GET", f"{ENGINE}/progression?connectionId={NOBODY}"), 404)
    refused(twin.ask("GET", f"{ENGINE}/progression?limit=0"), 400)
    refused(twin.ask("GET", f"{ENGINE}/progression", token=None), 401)


def test_position_management_workflow(twin: Workflows, probe: Probe) -> None:
    opened = an_open_position(twin, probe)

    shown = position(twin, opened, status="open")
    assert shown["entryPrice"]
    assert shown["stopPrice"]
    assert shown["targetPrice"]
    listed = twin.done("GET", f"/api/positions?connectionId={twin.connection_id}")["data"]
    assert opened in {one["id"] for one in listed}
    stats = twin.done("GET", f"/api/positions/{twin.connection_id}/stats")["stats"]
    assert stats["active_positions"] >= 1

    def orders() -> dict[str, str]:
        path = f"/api/orders?connectionId={twin.connection_id}&limit=500"
        found = twin.done("GET", path)["data"]
        return {one["purpose"]: one["status"] for one in found if one["positionId"] == opened}

    assert orders()["entry"] == "filled"
    until(lambda: orders().get("stop") == "open", within_s=5, told="the stop is on the venue")

    closing = f"/api/positions/{quote(opened, safe='')}/close"
    assert twin.ask("POST", closing, {"reason": "manual"}).status_code == 202
    until(
        lambda: probe.ask("fate", position=opened).startswith("closed"),
        within_s=30,
        told="the position is closed",
    )
    closed = position(twin, opened, status="closed")
    assert closed["closedAtMs"] >= shown["openedAtMs"]
    assert closed["exitPrice"]
    refused(twin.ask("POST", "/api/positions/no-such/close", {}), 404)

    refused(twin.ask("GET", f"/api/positions/{NOBODY}"), 404)
    refused(twin.ask("GET", f"/api/positions/{NOBODY}/stats"), 404)
    refused(twin.ask("GET", "/api/positions?limit=501"), 400)
    refused(twin.ask("GET", "/api/positions?cursor=made-up&connectionId=x"), 404)


def test_a_paused_engine_opens_nothing_and_goes_on_when_it_is_resumed(
    twin: Workflows, probe: Probe
) -> None:
    asked = {"connectionId": twin.connection_id, "reason": "the test of the workflow"}
    twin.done("POST", f"{ENGINE}/pause", asked)
    until(lambda: twin.engine()["actual_state"] == "paused", within_s=30, told="paused")
    wished = probe.ask("wish", symbol=twin.engine()["symbols"][0], side="LONG")
    outcome = _outcome(probe, wished["command"])
    twin.done("POST", f"{ENGINE}/resume", asked)
    until(lambda: twin.engine()["running"], within_s=30, told="running again")

    assert outcome == "refused paused"
    refused(twin.ask("POST", f"{ENGINE}/pause", {"connectionId": NOBODY}), 404)
    refused(twin.ask("POST", f"{ENGINE}/resume", {"reason": 7}), 400)


def test_monitoring_and_logging_workflow(twin: Workflows) -> None:
    health = twin.ask("GET", "/api/system/health-check", token=None)
    assert health.status_code == 200
    assert health.json()["overall"] in {"healthy", "degraded"}
    assert health.json()["workflows"]["connectionTesting"] == "operational"

    logs = until(
        lambda: twin.done("GET", "/api/monitoring/logs?limit=500")["logs"],
        within_s=90,
        told="a line of the log",
    )
    assert {one["level"] for one in logs} <= {"debug", "info", "warn", "error"}
    states = twin.done("GET", "/api/monitoring/system")["states"]
    assert {"connections", "trading", "strategy", "database", "errors"} <= states.keys()
    assert states["connections"]["total"] >= 1
    refused(twin.ask("GET", "/api/monitoring/logs?level=loud"), 400)
    refused(twin.ask("GET", "/api/monitoring/logs", token=None), 401)

    checked = twin.home.cts("health-check", "--json")
    assert checked.returncode == 0, checked.stderr
    engines = {one["connection_id"]: one["is"] for one in json.loads(checked.stdout)["engines"]}
    assert engines[twin.connection_id] == "running"


def test_whoever_may_not_is_told_so_in_the_same_envelope(twin: Workflows) -> None:
    start, body = f"{ENGINE}/start", {"connectionId": twin.connection_id}
    viewer = issued(twin, "looks", role="viewer")
    slow = issued(twin, "slow", role="operator", changesPerMinute=1)

    refused(twin.ask("POST", start, body, token=None), 401)
    refused(twin.ask("POST", start, body, token="cts_nobody"), 401)
    refused(twin.ask("POST", start, body, token=viewer), 403)
    assert twin.ask("GET", f"{ENGINE}/status", token=viewer).status_code == 200
    assert twin.ask("POST", start, body, token=slow).status_code == 200
    too_often = twin.ask("POST", start, body, token=slow)
    refused(too_often, 429)
    assert int(too_often.headers["Retry-After"]) >= 1


def test_what_cannot_be_read_is_told_so_in_the_same_envelope(twin: Workflows) -> None:
    start = f"{ENGINE}/start"

    refused(twin.ask("POST", start, b"{"), 400)
    refused(twin.ask("GET", "/api/nothing"), 404)
    refused(twin.ask("PUT", start, {}), 405)
    refused(twin.ask("POST", start, b'{"a": "' + b"x" * 70_000 + b'"}'), 413)
    refused(twin.ask("POST", start, b"a", headers={"Content-Type": "text/plain"}), 415)


def test_the_whole_checklist_holds(twin: Workflows) -> None:
    checked = twin.home.cts("verify", "--wait", "60", "--json")

    found = json.loads(checked.stdout)
    assert [one for one in found["items"] if not one["holds"]] == []
    assert checked.returncode == 0


def test_trade_engine_stop_workflow_and_the_way_back_with_every_table_lost(
    twin: Workflows, probe: Probe
) -> None:
    opened = an_open_position(twin, probe)
    stop = {"connectionId": twin.connection_id, "closePositions": False}
    assert twin.done("POST", f"{ENGINE}/stop", stop)["success"] is True
    until(lambda: twin.engine()["actual_state"] == "stopped", within_s=60, told="stopped")
    assert twin.done("POST", f"{ENGINE}/stop", stop)["already_stopped"] is True
    refused(twin.ask("POST", f"{ENGINE}/stop", {"connectionId": NOBODY}), 404)
    kept = made(twin, "create")["name"]
    drilled = made(twin, "drill")
    assert drilled["backup"] == kept

    shapes = tables_lost(twin)
    refused(twin.ask("GET", f"{ENGINE}/status"), 503)
    tables_again(twin, shapes)
    refused(twin.ask("GET", f"{ENGINE}/status"), 401)
    made(twin, "restore", kept, "--yes")

    assert twin.engine()["actual_state"] == "stopped"
    position(twin, opened, status="open")
    twin.done("POST", f"{ENGINE}/start", {"connectionId": twin.connection_id})
    until(lambda: twin.engine()["running"], within_s=180, told="running after the restore")
    assert probe.ask("books")["drift"] == []
    assert probe.ask("books")["unprotected"] == []


def an_open_position(twin: Workflows, probe: Probe) -> str:
    """Wish for positions in turn until one is open; its id."""
    symbols = twin.engine()["symbols"]
    wishes = [(symbol, side) for symbol in symbols for side in ("LONG", "SHORT")]
    for symbol, side in wishes * 2:
        wished = probe.ask("wish", symbol=symbol, side=side)
        if _outcome(probe, wished["command"]) == "done" and _opens(probe, wished["position"]):
            return str(wished["position"])
    raise AssertionError("no wish opened a position")


def _outcome(probe: Probe, command: str) -> str:
    return str(
        until(
            lambda: probe.ask("outcome", command_id=command),
            within_s=30,
            told="an outcome of a wish",
        )
    )


def _opens(probe: Probe, name: str) -> bool:
    fate = until(
        lambda: (now := probe.ask("fate", position=name)) != "opening" and (now or "none"),
        within_s=30,
        told=f"{name} is open or refused",
    )
    return bool(fate == "open")


def position(twin: Workflows, name: str, *, status: str) -> Mapping[str, Any]:
    path = f"/api/positions/{twin.connection_id}?status={status}&limit=500"
    found = [one for one in twin.done("GET", path)["data"] if one["id"] == name]
    assert found, f"{name} is not {status}"
    told: Mapping[str, Any] = found[0]
    return told


def issued(twin: Workflows, name: str, **asked: Any) -> str:
    return str(twin.done("POST", "/api/tokens", {"name": name, **asked})["token"])


def made(twin: Workflows, *words: str) -> dict[str, Any]:
    """What a `cts backup` command says on its last line."""
    done = twin.home.cts("backup", *words, "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def tables_lost(twin: Workflows) -> list[dict[str, Any]]:
    """Delete every table of the stack; their shapes."""
    tables = client(twin.home.places, "dynamodb")
    names = [one for one in tables.list_tables()["TableNames"] if one.startswith(f"{STACK}-")]
    shapes = []
    for name in names:
        described = tables.describe_table(TableName=name)["Table"]
        shapes.append({"TableName": name, "BillingMode": "PAY_PER_REQUEST", **shape_of(described)})
        tables.delete_table(TableName=name)
    return shapes


def tables_again(twin: Workflows, shapes: list[dict[str, Any]]) -> None:
    for shape in shapes:
        client(twin.home.places, "dynamodb").create_table(**shape)
