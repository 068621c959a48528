"""The supervisor's watch: what was told becomes counts, errors and alerts; each rule both ways."""

from dataclasses import replace
from typing import Any

import pytest
from tests.api_world import ApiWorld

from adapters.leases import DynamoLeases
from adapters.monitoring import memory, rollup
from adapters.monitoring.alerts import Alerts, Condition, Severity, open_alerts
from adapters.monitoring.entries import Category, Entry, Level
from adapters.monitoring.packets import write_packet
from adapters.monitoring.rules import QUIET_MS, SILENT_MS, Rules
from adapters.monitoring.watching import Watch
from adapters.tables import (
    CONNECTION_KIND,
    AlertRow,
    AuditRow,
    ConnectionRow,
    EngineStateRow,
    OrderRow,
    PositionRow,
    SiteLogRow,
)
from adapters.tokens import NewToken, Role
from engine.errors import StoreBusyError
from engine.records import LeaseRow
from engine.values import Loop

ALERTS, ERRORS = "/api/monitoring/alerts", "/api/monitoring/errors"


@pytest.fixture
def watch(api: ApiWorld) -> Watch:
    return Watch(
        rules=Rules(leases=api.leases, clock=api.clock),
        alerts=Alerts(clock=api.clock),
        clock=api.clock,
        log_days=lambda: 30,
    )


def told(api: ApiWorld, connection_id: str, message: str = "unprotected", **changes: Any) -> None:
    """Something needs eyes; the clock moves until the watch will read it."""
    now_ms = api.clock.now_ms()
    known: dict[str, Any] = {
        "level": Level.ERROR,
        "category": Category.TRADE_ENGINE,
        "values": {"position": "p1"},
        "needs_eyes": True,
    }
    entry = Entry(at_ms=now_ms, message=message, **(known | changes))
    write_packet(connection_id or "system", [entry], now_ms=now_ms, keep_days=30)
    api.clock.advance(rollup.SETTLED_MS + 1)


def beating(api: ApiWorld, connection_id: str) -> None:
    now_ms = api.clock.now_ms()
    EngineStateRow(connection_id).update(
        [
            EngineStateRow.last_trade_heartbeat_ms.set(now_ms),
            EngineStateRow.last_position_heartbeat_ms.set(now_ms),
        ]
    )


def rules_of(api: ApiWorld) -> list[str]:
    return sorted(one["rule"] for one in api.get(ALERTS).body["alerts"])


def test_an_alarm_is_raised_once_counted_while_it_lasts_and_ends_by_itself(
    api: ApiWorld, watch: Watch
) -> None:
    one = api.created()
    for _ in range(3):
        told(api, one)
        watch.run()
    watch.run()  # nothing new
    (alert,) = api.get(ALERTS).body["alerts"]
    api.clock.advance(QUIET_MS - 60_000)
    watch.run()
    still = rules_of(api)
    api.clock.advance(120_000)
    watch.run()

    assert (alert["rule"], alert["severity"], alert["count"]) == ("unprotected", "critical", 3)
    assert still == ["unprotected"]
    assert rules_of(api) == []
    (ended,) = api.get(f"{ALERTS}?status=resolved").body["alerts"]
    assert (ended["id"], ended["resolvedBy"]) == (alert["id"], "supervisor")


def test_a_running_engine_that_beats_raises_nothing_and_one_that_is_silent_does(
    api: ApiWorld, watch: Watch
) -> None:
    one = api.running()
    trades = ConnectionRow.is_live_trade.set(True)
    ConnectionRow(CONNECTION_KIND, one).update([trades])
    PositionRow(one, "p1", live_since_ms=1).save()
    beating(api, one)
    watch.run()
    fine = rules_of(api)
    api.clock.advance(SILENT_MS + 1)
    watch.run()
    silent = rules_of(api)
    beating(api, one)
    watch.run()

    assert fine == []
    assert silent == ["connection_silent", "position_loop_silent", "trade_loop_silent"]
    assert rules_of(api) == []


@pytest.mark.parametrize(("results", "rules"), [(80_000, []), (80_001, ["database_size"])])
def test_more_results_than_the_share_that_alerts_is_told(
    api: ApiWorld, watch: Watch, results: int, rules: list[str]
) -> None:
    one = api.running()
    beating(api, one)
    EngineStateRow(one).update(
        [
            EngineStateRow.trade_counters.set({"results": results}),
            EngineStateRow.settings.set({"maxResultsPerConnection": 100_000}),
        ]
    )

    watch.run()

    assert rules_of(api) == rules


def test_state_of_an_engine_raises_alerts_that_end_with_it(api: ApiWorld, watch: Watch) -> None:
    one = api.running()
    beating(api, one)
    row = EngineStateRow(one)
    row.update([EngineStateRow.position_counters.set({"unreconciled": 2, "external": 1})])
    watch.run()
    differing = rules_of(api)
    row.update(
        [
            EngineStateRow.position_counters.set({"unreconciled": 0}),
            EngineStateRow.actual_state.set("error"),
        ]
    )
    watch.run()
    failed = rules_of(api)
    row.update([EngineStateRow.actual_state.set("running")])
    watch.run()

    assert differing == ["books_external", "books_unreconciled"]
    assert failed == ["engine_error"]
    assert rules_of(api) == []


def test_six_failed_orders_within_an_hour_are_an_alert_and_five_are_not(
    api: ApiWorld, watch: Watch
) -> None:
    one = api.created()
    for number in range(6):
        _rejected(api, one, number)
        watch.run()
        if number == 4:
            five = rules_of(api)
    six = rules_of(api)
    api.clock.advance(3_600_001)
    watch.run()

    assert (five, six, rules_of(api)) == ([], ["orders_failed"], [])


class BusyLeases(DynamoLeases):
    """A table that does not answer."""

    def read(self, connection_id: str, loop: Loop) -> LeaseRow:
        raise StoreBusyError("read lease: the store answered ThrottlingException")


@pytest.mark.parametrize("busy_step", ["rollup.count_hours", "alerts.open_alerts"])
def test_an_alarm_is_raised_though_the_store_was_busy_when_it_was_first_read(
    api: ApiWorld, watch: Watch, monkeypatch: pytest.MonkeyPatch, busy_step: str
) -> None:
    def busy(*_: Any, **__: Any) -> None:
        raise StoreBusyError("alerts: the store answered ThrottlingException")

    told(api, api.created())
    with monkeypatch.context() as patched:
        patched.setattr(f"adapters.monitoring.{busy_step}", busy)
        found = [action["act"] for action in watch.run()]
    watch.run()

    assert "trouble" in found
    assert rules_of(api) == ["unprotected"]
    assert api.get(ALERTS).body["alerts"][0]["count"] == 1


def test_what_was_wrong_with_a_connection_is_over_when_it_is_deleted(
    api: ApiWorld, watch: Watch
) -> None:
    one, other = api.running(), api.running()
    for name in (one, other):
        EngineStateRow(name).update([EngineStateRow.actual_state.set("error")])
    watch.run()
    ConnectionRow(CONNECTION_KIND, one).delete()
    watch.run()

    assert [row.connection_id for row in open_alerts()] == [other]


def test_what_cannot_be_judged_is_not_taken_for_over(api: ApiWorld, watch: Watch) -> None:
    one = api.running()
    EngineStateRow(one).update([EngineStateRow.actual_state.set("error")])
    watch.run()
    EngineStateRow(one).update([EngineStateRow.actual_state.set("running")])
    blind = replace(watch, rules=Rules(leases=BusyLeases(api.clock), clock=api.clock))
    found = [action["act"] for action in blind.run()]
    unjudged = rules_of(api)
    watch.run()

    assert found == ["trouble"]
    assert unjudged == ["engine_error"]
    assert rules_of(api) == []


def test_alike_errors_are_one_kind_that_opens_again_when_it_happens_again(
    api: ApiWorld, watch: Watch
) -> None:
    one = api.created()
    told(api, one, "tick not written", count=4)
    told(api, one, "tick not written")
    watch.run()
    (kind,) = api.get(ERRORS).body["errors"]
    path = f"{ERRORS}/{kind['id']}"
    late = api.call("PATCH", path, {"version": kind["version"] + 1})
    done = api.call("PATCH", path, {"version": kind["version"], "reason": "disk changed"})
    twice = api.call("PATCH", path, {"version": kind["version"]})
    nobody = api.call("PATCH", f"{ERRORS}/{'0' * 16}", {})
    resolved = api.get(ERRORS).body["total"]
    told(api, one, "tick not written")
    watch.run()
    (again,) = api.get(ERRORS).body["errors"]

    assert (kind["count"], kind["level"], kind["connectionId"]) == (5, "error", one)
    assert [each.status for each in (late, done, twice, nobody)] == [409, 200, 409, 404]
    assert done.body["error_kind"]["resolved"] is True
    assert resolved == 0
    assert again["count"] == 6
    assert "error.resolve" in {row.action for row in AuditRow.query(one)}


def test_an_operator_acknowledges_and_resolves_and_the_second_one_is_told(
    api: ApiWorld, watch: Watch
) -> None:
    one = api.created()
    told(api, one)
    watch.run()
    (alert,) = api.get(ALERTS).body["alerts"]
    path = f"{ALERTS}/{alert['id']}"
    viewer = api.post(f"{path}/acknowledge", {}, token="viewer")
    first = api.post(f"{path}/acknowledge", {"reason": "I look"})
    second = api.post(f"{path}/acknowledge", {})
    ended = api.post(f"{path}/resolve", {"reason": "closed by hand"})
    twice = api.post(f"{path}/resolve", {})
    nobody = api.post(f"{ALERTS}/1700000000000-0123456789ab/resolve", {})
    lines = {row.action: row.details for row in AuditRow.query(one)}

    assert [each.status for each in (viewer, first, second)] == [403, 200, 409]
    assert [each.status for each in (ended, twice, nobody)] == [200, 409, 404]
    assert first.body["alert"]["status"] == "acknowledged"
    assert ended.body["alert"]["note"] == "closed by hand"
    assert lines["alert.acknowledge"]["reason"] == "I look"
    assert lines["alert.resolve"]["alert"] == alert["id"]
    (row,) = AlertRow.query("resolved")
    assert row.expires_at == api.clock.now_ms() // 1000 + 30 * 86_400


def test_a_token_of_some_connections_sees_and_ends_their_alerts_alone(
    api: ApiWorld, watch: Watch
) -> None:
    mine, other = api.running(), api.running()
    for name in (mine, other):
        EngineStateRow(name).update([EngineStateRow.actual_state.set("error")])
    watch.run()
    asked = NewToken(name="Desk", role=Role.OPERATOR, connections=(mine,))
    token, _ = api.tokens.create(asked, by="test")
    ids = {row.connection_id: row.alert_id for row in open_alerts()}

    def ended(alert_id: str) -> int:
        return api.post(f"{ALERTS}/{alert_id}/resolve", {}, token=token).status

    told = api.get(f"{ALERTS}?connectionId={mine}", token=token).body["alerts"]

    assert [one["id"] for one in told] == [ids[mine]]
    assert api.get(f"{ALERTS}?connectionId={other}", token=token).status == 403
    assert api.get(ALERTS, token=token).status == 403
    nobodys = f"{api.clock.now_ms():013d}-{'0' * 12}"
    assert [ended(one) for one in (ids[other], nobodys, ids[mine])] == [403, 403, 200]
    assert [row.connection_id for row in open_alerts()] == [other]


def test_alerts_come_page_by_page_and_by_severity(api: ApiWorld) -> None:
    alerts = Alerts(clock=api.clock)
    severities = [Severity.LOW, Severity.HIGH, Severity.CRITICAL, Severity.HIGH]
    conditions = [
        Condition(rule=f"r{number}", severity=severity, text="t")
        for number, severity in enumerate(severities)
    ]
    for number, condition in enumerate(conditions):
        api.clock.advance(1)
        alerts.keep(conditions[: number + 1], judged={""}, keep_days=30)
        assert condition.place in {row.place for row in open_alerts()}
    alerts.keep(conditions[2:], judged={""}, keep_days=30)

    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        answer = api.get(f"{ALERTS}?status=all&limit=1{more}").body
        found += [one["rule"] for one in answer["alerts"]]
        cursor = answer["cursor"]

    assert found == ["r3", "r2", "r1", "r0"]
    high = api.get(f"{ALERTS}?status=all&severity=high").body["alerts"]
    assert [one["rule"] for one in high] == ["r3", "r1"]
    assert api.get(f"{ALERTS}?cursor=nonsense").status == 400


def test_the_day_is_counted_and_scored(api: ApiWorld, watch: Watch) -> None:
    one = api.created()
    before = api.get("/api/monitoring/stats").body
    told(api, one, "tick not written", count=3)
    told(api, "", "request refused", level=Level.WARN, needs_eyes=False, count=5)
    watch.run()
    watch.run()

    stats = api.get("/api/monitoring/stats").body
    system = api.get("/api/monitoring/system").body["states"]
    whole = api.get("/api/monitoring/comprehensive").body

    assert (before["total"], before["healthScore"]) == (0, "100")
    assert stats["byLevel"] == {"error": 3, "warn": 5}
    assert stats["healthScore"] == "91.5"
    assert [one["message"] for one in stats["topErrors"]] == ["request refused", "tick not written"]
    assert stats["errorRate"][-1]["errors"] == 3
    assert system["errors"] == {"count": 3, "status": "healthy"}
    assert system["connections"]["total"] == 1
    assert whole["supervisor"]["ageMs"] == 0
    assert whole["alerts"]["medium"] == 1


def test_a_file_is_the_same_entries(api: ApiWorld, watch: Watch) -> None:
    one = api.created()
    for number in range(3):
        told(api, one, "tick not written", values={"slot_ms": str(number)})
    watch.run()

    first = api.get("/api/monitoring/export?limit=2").body
    as_csv = api.get("/api/monitoring/export?format=csv").body
    errors = api.get("/api/monitoring/export?kind=errors").body

    assert (first["count"], first["cursor"] is None) == (2, False)
    assert as_csv["content"].splitlines()[0].startswith("timestamp,level,category,message")
    assert len(as_csv["content"].splitlines()) == 4
    assert errors["count"] == 1


def test_a_thousand_rows_are_read_in_bounded_runs(
    api: ApiWorld, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollup, "ROWS_A_RUN", 3)
    one = api.created()
    for _ in range(7):
        told(api, one)

    counts = []
    for _ in range(4):
        watch.run()
        counts.append(open_alerts()[0].times)

    assert counts == [3, 6, 7, 7]
    assert memory.recall().beat_ms == api.clock.now_ms()
    assert next(iter(SiteLogRow.query("#hours"))).expires_at is not None


def _rejected(api: ApiWorld, connection_id: str, number: int) -> None:
    now_ms = api.clock.now_ms()
    OrderRow(
        connection_id,
        f"o{number}",
        position_id="p",
        purpose="entry",
        attempt=0,
        symbol="BTCUSDT",
        side="long",
        order_type="market",
        quantity=1,
        state="rejected",
        filled_quantity=0,
        booked_quantity=0,
        created_at_ms=now_ms,
        submitting_at_ms=now_ms,
        updated_at_ms=now_ms,
    ).save()
