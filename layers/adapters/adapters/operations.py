"""Starting and stopping engines: prerequisites, compare-and-set, audit, then the machine."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from adapters import accounts, commands
from adapters.audited import audit_row, note
from adapters.engine_states import (
    Actual,
    Desired,
    actual,
    change_state,
    is_active,
    is_latched,
    is_running,
    read_state,
)
from adapters.leases import STOP, DynamoLeases
from adapters.refusals import ConflictError, Reason
from adapters.tables import ConnectionRow, EngineStateRow
from engine.errors import CtsError
from engine.ports import Clock, Starter
from engine.records import Command
from engine.values import Loop

Outcome = dict[str, Any]
LATCHED = Reason(
    code="emergency_stopped", message="an emergency stop holds the engine; an admin resets it"
)
CLOSE_ALL = "close_all"
RESUME = "resume_trading"


class Machines(Protocol):
    """Starts the state machines of the engine's life."""

    def engine_start(self, connection_id: str, run_id: str) -> None: ...

    def engine_stop(self, connection_id: str, *, close_positions: bool) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """What an operator does to engines."""

    machines: Machines
    leases: DynamoLeases
    starter: Starter
    clock: Clock

    def start(self, connection_id: str, *, by: str) -> Outcome:
        """Start one engine; a running one is left alone.

        Raises
        ------
        UnknownError, ConflictError
            The latter with every prerequisite that is not met.
        """
        return _single(self._start(accounts.connection_row(connection_id), by=by))

    def start_all(self, *, by: str) -> Outcome:
        """Start every engine that may run, each answered for itself."""
        rows = accounts.connection_rows()
        return _many(rows, lambda row: self._start(row, by=by))

    def stop(self, connection_id: str, *, close_positions: bool, by: str) -> Outcome:
        """Stop one engine; open positions stay, guarded on the venue, unless they are to close."""
        row = accounts.connection_row(connection_id)
        return _single(self._stop(row, close_positions=close_positions, by=by))

    def stop_all(self, *, close_positions: bool, by: str) -> Outcome:
        """Stop every engine, each answered for itself."""
        rows = accounts.connection_rows()
        return _many(rows, lambda row: self._stop(row, close_positions=close_positions, by=by))

    def _start(self, row: ConnectionRow, *, by: str) -> Outcome:
        state = read_state(row.connection_id)
        if is_running(state) and actual(state) is not Actual.STOPPING:
            return _outcome(row, "the engine already runs", already_running=True)
        reasons = unmet(row, state)
        if reasons:
            raise ConflictError(f"the engine of {row.name} cannot start", *reasons)
        now_ms = self.clock.now_ms()
        run_id = f"{now_ms:013d}-{secrets.token_hex(3)}"
        audit = audit_row(
            row.connection_id, "engine.start", by=by, now_ms=now_ms, details={"run_id": run_id}
        )
        change_state(state, audit, **_starting(run_id, now_ms))
        self.machines.engine_start(row.connection_id, run_id)
        return _outcome(row, "the engine starts", run_id=run_id)

    def _stop(self, row: ConnectionRow, *, close_positions: bool, by: str) -> Outcome:
        state = read_state(row.connection_id)
        if is_latched(state):
            return _outcome(row, f"the engine is stopped: {LATCHED.message}", already_stopped=True)
        closing = close_positions and self.has_to_close(row.connection_id)
        if not is_active(state) and not closing:
            return _outcome(row, "the engine is stopped", already_stopped=True)
        audit = audit_row(
            row.connection_id,
            "engine.stop",
            by=by,
            now_ms=self.clock.now_ms(),
            details={"close_positions": close_positions},
        )
        change_state(
            state,
            audit,
            desired_state=Desired.STOPPED.value,
            actual_state=Actual.STOPPING.value,
            may_trade=False,
            may_trade_preset=False,
        )
        self.release_loops(row.connection_id, closing=closing, reason=f"stop by {by}")
        self.machines.engine_stop(row.connection_id, close_positions=close_positions)
        return _outcome(row, "the engine stops")

    def resume_trading(self, connection_id: str, *, by: str) -> Outcome:
        """Let an account trade again that a loss restrains: what it lost until now counts no more.

        Raises
        ------
        UnknownError, ConflictError
            The latter for an engine that never started.
        """
        row = accounts.connection_row(connection_id)
        state = read_state(connection_id)
        if is_latched(state):
            raise ConflictError(f"{row.name} cannot trade", LATCHED)
        if not state.run_id:
            never = Reason(code="never_started", message="the engine was never started")
            raise ConflictError(f"nothing restrains {row.name}", never)
        now_ms = self.clock.now_ms()
        note(audit_row(connection_id, "engine.resume_trading", by=by, now_ms=now_ms))
        self._submit(connection_id, RESUME, f"resumed by {by}")
        self.starter.start(connection_id, Loop.POSITION, reason=f"resumed by {by}")
        return _single(_outcome(row, "trading resumes"))

    def has_to_close(self, connection_id: str) -> bool:
        """Positions are held, or the position loop lives and may be opening one right now."""
        lease = self.leases.read(connection_id, Loop.POSITION)
        is_alive = bool(lease.owner) and lease.expires_at_ms > self.clock.now_ms()
        return is_alive or accounts.holds_positions(connection_id)

    def release_loops(self, connection_id: str, *, closing: bool, reason: str) -> None:
        """Tell the loops to end, the position loop only when flat if `closing`. Idempotent."""
        if closing:
            self._queue_close_all(connection_id, reason)
        for loop in Loop:
            self.leases.request(connection_id, loop, wanted=STOP)
        if closing:
            self.starter.start(connection_id, Loop.POSITION, reason=reason)

    def _queue_close_all(self, connection_id: str, reason: str) -> None:
        if any(command.kind == CLOSE_ALL for command in commands.pending(connection_id)):
            return
        self._submit(connection_id, CLOSE_ALL, reason, stops=True)

    def _submit(self, connection_id: str, kind: str, reason: str, *, stops: bool = False) -> None:
        now_ms = self.clock.now_ms()
        command = Command(
            command_id=f"{now_ms:013d}|{kind}", kind=kind, created_at_ms=now_ms, reason=reason
        )
        commands.submit(connection_id, command, stops=stops)


def unmet(row: ConnectionRow, state: EngineStateRow) -> list[Reason]:
    """Every prerequisite of a start that does not hold, in the order to cure them."""
    tested = row.last_test_result == "success"
    stopping = actual(state) is Actual.STOPPING
    checks = (
        (row.is_enabled, "not_enabled", "the connection is not enabled; toggle is_enabled"),
        (tested, "not_tested", "the last connection test did not succeed; test it"),
        (row.is_active, "not_active", "the connection is not active; toggle is_active"),
        (not stopping, "still_stopping", "the engine is stopping; start it when it has stopped"),
    )
    reasons = [Reason(code=code, message=text) for holds, code, text in checks if not holds]
    return [LATCHED, *reasons] if is_latched(state) else reasons


def _starting(run_id: str, now_ms: int) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "desired_state": Desired.RUNNING.value,
        "actual_state": Actual.STARTING.value,
        "loading_stage": "initializing",
        "loading_progress": 0,
        "prehistoric_data_loaded": False,
        "prehistory_coverage_pct": None,
        "may_trade": False,
        "may_trade_preset": False,
        "error_message": None,
        "engine_started_at_ms": now_ms,
        "restarts": 0,
        "restarted_at_ms": None,
    }


def _outcome(row: ConnectionRow, message: str, **more: Any) -> Outcome:
    return {
        "success": True,
        "connection_id": row.connection_id,
        "connection_name": row.name,
        "message": f"{row.name}: {message}",
        **more,
    }


def _single(outcome: Outcome) -> Outcome:
    upper = {name: value for name, value in outcome.items() if name != "run_id"}
    return {**upper, "results": [outcome]}


def _many(rows: list[ConnectionRow], act: Callable[[ConnectionRow], Outcome]) -> Outcome:
    results = [_answered(row, act) for row in rows]
    done = sum(1 for result in results if result["success"])
    return {
        "success": done > 0 or not results,
        "message": f"{done} of {len(results)} connections",
        "results": results,
    }


def _answered(row: ConnectionRow, act: Callable[[ConnectionRow], Outcome]) -> Outcome:
    """The outcome for one connection: its trouble is told and does not stop the others."""
    try:
        return act(row)
    except ConflictError as error:
        reasons = [{"code": one.code, "message": one.message} for one in error.reasons]
        return _outcome(row, str(error)) | {"success": False, "reasons": reasons}
    except CtsError as error:
        return _outcome(row, str(error)) | {"success": False}
