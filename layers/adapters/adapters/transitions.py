"""Which changes of an engine's state are allowed, why others are not, and what each one writes."""

from typing import Any

from adapters.engine_states import Actual, Desired, actual, desired, is_latched, is_wanted
from adapters.refusals import ConflictError, Reason
from adapters.tables import ConnectionRow, EngineStateRow

LATCHED = Reason(
    code="emergency_stopped", message="an emergency stop holds the engine; an admin resets it"
)
NO_TRADING = {"may_trade": False, "may_trade_preset": False}


def unmet(row: ConnectionRow, state: EngineStateRow) -> list[Reason]:
    """Every prerequisite of a start that does not hold, in the order to cure them."""
    tested = row.last_test_result == "success"
    stopping = actual(state) is Actual.STOPPING
    paused = desired(state) is Desired.PAUSED
    checks = (
        (row.is_enabled, "not_enabled", "the connection is not enabled; toggle is_enabled"),
        (tested, "not_tested", "the last connection test did not succeed; test it"),
        (row.is_active, "not_active", "the connection is not active; toggle is_active"),
        (not stopping, "still_stopping", "the engine is stopping; start it when it has stopped"),
        (not paused, "paused", "the engine is paused; resume it"),
    )
    reasons = [Reason(code=code, message=text) for holds, code, text in checks if not holds]
    return [LATCHED, *reasons] if is_latched(state) else reasons


def refuse_start(row: ConnectionRow, state: EngineStateRow) -> None:
    """Raise ConflictError with every reason against a start."""
    _refuse(row, "start", unmet(row, state))


def refuse_pause(row: ConnectionRow, state: EngineStateRow) -> None:
    """Raise ConflictError unless the engine runs and is wanted so."""
    now = actual(state)
    if is_latched(state):
        _refuse(row, "be paused", [LATCHED])
    if desired(state) is Desired.PAUSED:
        _refuse(row, "be paused", [Reason(code="already_paused", message="it is paused already")])
    if not is_wanted(state) or now is not Actual.RUNNING:
        text = f"only a running engine can be paused, and this one is {now}"
        _refuse(row, "be paused", [Reason(code="not_running", message=text)])


def refuse_resume(row: ConnectionRow, state: EngineStateRow) -> None:
    """Raise ConflictError unless the engine is paused."""
    if is_latched(state):
        _refuse(row, "resume", [LATCHED])
    if desired(state) is not Desired.PAUSED:
        state_now = f"the engine is wanted {desired(state)} and not paused"
        _refuse(row, "resume", [Reason(code="not_paused", message=state_now)])


def refuse_restart(row: ConnectionRow, state: EngineStateRow) -> None:
    """Raise ConflictError unless the engine is wanted and may start again when it has stopped."""
    reasons = [reason for reason in unmet(row, state) if reason.code != "paused"]
    if not is_wanted(state):
        reasons.append(Reason(code="not_running", message="the engine is stopped; start it"))
    _refuse(row, "restart", reasons)


def starting(run_id: str, now_ms: int) -> dict[str, Any]:
    """What a start writes."""
    return {
        **NO_TRADING,
        "run_id": run_id,
        "desired_state": Desired.RUNNING.value,
        "actual_state": Actual.STARTING.value,
        "loading_stage": "initializing",
        "loading_progress": 0,
        "prehistoric_data_loaded": False,
        "prehistory_coverage_pct": None,
        "error_message": None,
        "engine_started_at_ms": now_ms,
        "restarts": 0,
        "restarted_at_ms": None,
    }


def stopping(wanted: Desired, restart_run_id: str | None = None) -> dict[str, Any]:
    """What a stop writes; with a run's id that run is started once both loops have ended."""
    return {
        **NO_TRADING,
        "desired_state": wanted.value,
        "actual_state": Actual.STOPPING.value,
        "restart_run_id": restart_run_id,
    }


def _refuse(row: ConnectionRow, what: str, reasons: list[Reason]) -> None:
    if reasons:
        raise ConflictError(f"the engine of {row.name} cannot {what}", *reasons)
