"""What the API tells of an account's limits, and how an operator lets it trade again."""

from decimal import Decimal

from tests.api_world import ApiWorld

from adapters import commands
from adapters.risk_rows import read_risk, risk_json
from adapters.tables import AuditRow, EngineStateRow
from engine.risk_record import Restraint, RiskRecord, TradingState
from engine.values import Loop

RESUME, STATUS = "/api/trade-engine/resume-trading", "/api/trade-engine/status"
FALLEN = RiskRecord(
    day_ms=1,
    day_start_equity=Decimal(10_000),
    equity_peak=Decimal(12_000),
    realised_today=Decimal("-3.5"),
    consecutive_losses=2,
    state=TradingState.REDUCING,
    restraint=Restraint(
        reason="drawdown",
        numbers={"drawdown_pct": Decimal("20.1"), "limit_pct": Decimal(20)},
        since_ms=7,
        until_ms=None,
    ),
)


def told(api: ApiWorld, connection_id: str) -> object:
    (engine,) = api.get(f"{STATUS}?connectionId={connection_id}").body["connections"]
    return engine["risk"]


def test_the_status_shows_the_trading_state_its_reason_and_its_figures(api: ApiWorld) -> None:
    connection_id = api.running()
    assert told(api, connection_id) is None

    EngineStateRow(connection_id).update([EngineStateRow.risk.set(risk_json(FALLEN))])

    assert told(api, connection_id) == {
        "trading_state": "reducing",
        "reason": "drawdown",
        "numbers": {"drawdown_pct": "20.1", "limit_pct": "20"},
        "since_ms": 7,
        "until_ms": None,
        "day_start_equity": "10000",
        "equity_peak": "12000",
        "realised_today": "-3.5",
        "consecutive_losses": 2,
    }


def test_an_operator_lets_an_account_trade_again(api: ApiWorld) -> None:
    connection_id = api.running()

    answer = api.post(RESUME, {"connectionId": connection_id})

    (command,) = commands.pending(connection_id)
    (line,) = (
        row for row in AuditRow.query(connection_id) if row.action.endswith("resume_trading")
    )
    assert (answer.status, answer.body["success"]) == (200, True)
    assert (command.kind, command.created_at_ms) == ("resume_trading", api.clock.now_ms())
    assert (connection_id, Loop.POSITION) in api.starter.started
    assert line.actor
    assert api.leases.read(connection_id, Loop.POSITION).wish_seq == 1


def test_another_account_begins_without_the_losses_and_the_peak_of_the_former(
    api: ApiWorld,
) -> None:
    connection_id = api.tested()
    EngineStateRow(connection_id, risk=risk_json(FALLEN)).save()

    path = f"/api/settings/connections/{connection_id}"
    renamed = api.call("PATCH", path, {"name": "New"})
    kept = read_risk(connection_id)
    secrets = {"api_key": "key-of-another-1", "api_secret": "secret-of-another-1"}
    replaced = api.call("PATCH", path, secrets)

    now_ms = api.clock.now_ms()
    assert renamed.status == replaced.status == 200, replaced.text
    assert kept == FALLEN
    assert read_risk(connection_id) == RiskRecord(reset_ms=now_ms, streak_ms=now_ms)


def test_an_engine_that_never_started_has_nothing_to_resume(api: ApiWorld) -> None:
    connection_id = api.tested()

    answer = api.post(RESUME, {"connectionId": connection_id})

    assert answer.status == 409
    assert [one["code"] for one in answer.body["reasons"]] == ["never_started"]
    assert commands.pending(connection_id) == ()


def test_a_viewer_may_not_resume_and_an_unknown_connection_is_not_found(api: ApiWorld) -> None:
    assert api.post(RESUME, {"connectionId": "c-unknown"}).status == 404
    assert api.post(RESUME, {"connectionId": api.running()}, token=api.viewer).status == 403
