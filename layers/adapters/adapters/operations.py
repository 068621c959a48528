"""What an operator does to engines: prerequisites, compare-and-set, audit, then the machine."""

import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from adapters import accounts, commands, transitions
from adapters.audited import Changes, audit_row
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
from adapters.leases import PAUSE, RUN, STOP, DynamoLeases
from adapters.outcomes import Outcome, of_one, of_one_or_all, told
from adapters.refusals import ConflictError, Reason
from adapters.tables import AuditRow, ConnectionRow
from adapters.transactions import Transaction
from engine.ports import Clock, Starter
from engine.records import Command, CommandKind
from engine.values import Loop

CLOSE_ALL = CommandKind.CLOSE_ALL


class Machines(Protocol):
    """Starts the state machines of the engine's life."""

    def engine_start(self, connection_id: str, run_id: str) -> None: ...

    def engine_stop(self, connection_id: str, *, close_positions: bool) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """What an operator does to engines; `reason` is his own why, for the audit log.

    Without a connection each of them is meant, and answered for itself. Every transition raises
    ConflictError where the state does not allow it, or where somebody else was faster.
    """

    machines: Machines
    leases: DynamoLeases
    starter: Starter
    clock: Clock

    def start(self, connection_id: str | None, *, by: str, reason: str = "") -> Outcome:
        """Start; a running engine is left alone. The refusal names every unmet prerequisite."""
        return of_one_or_all(connection_id, lambda row: self._start(row, by=by, reason=reason))

    def stop(
        self, connection_id: str | None, *, close_positions: bool, by: str, reason: str = ""
    ) -> Outcome:
        """Stop; open positions stay, guarded on the venue, unless they are to close."""
        return of_one_or_all(
            connection_id,
            lambda row: self._stop(row, close_positions=close_positions, by=by, reason=reason),
        )

    def pause(self, connection_id: str | None, *, by: str, reason: str = "") -> Outcome:
        """Open nothing more; candles are folded and positions protected as before."""
        return of_one_or_all(connection_id, lambda row: self._pause(row, by=by, reason=reason))

    def resume(self, connection_id: str | None, *, by: str, reason: str = "") -> Outcome:
        """End a pause."""
        return of_one_or_all(connection_id, lambda row: self._resume(row, by=by, reason=reason))

    def restart(self, connection_id: str | None, *, by: str, reason: str = "") -> Outcome:
        """Stop both loops, keeping positions, then start anew; a pause ends with it.

        The run to come stands in the state row: whoever sees both loops ended starts it.
        """
        return of_one_or_all(connection_id, lambda row: self._restart(row, by=by, reason=reason))

    def _start(self, row: ConnectionRow, *, by: str, reason: str) -> Outcome:
        state = read_state(row.connection_id)
        runs = state.desired_state == Desired.RUNNING.value and is_running(state)
        if runs and actual(state) is not Actual.STOPPING:
            return told(row, "the engine already runs", already_running=True)
        transitions.refuse_start(row, state)
        run_id = self._new_run()
        audit = self._audit(row, "start", by, reason, run_id=run_id)
        begun = transitions.starting(run_id, audit.at_ms)
        stands = partial(accounts.require_unchanged, row=row)
        change_state(state, audit, together=stands, restart_run_id=None, **begun)
        self.machines.engine_start(row.connection_id, run_id)
        return told(row, "the engine starts", run_id=run_id)

    def _stop(self, row: ConnectionRow, *, close_positions: bool, by: str, reason: str) -> Outcome:
        connection_id, state = row.connection_id, read_state(row.connection_id)
        if is_latched(state):
            text = f"the engine is stopped: {transitions.LATCHED.message}"
            return told(row, text, already_stopped=True)
        closing = close_positions and self.has_to_close(connection_id)
        if not is_active(state) and not closing:
            return told(row, "the engine is stopped", already_stopped=True)
        audit = self._audit(row, "stop", by, reason, close_positions=close_positions)
        close_all = self._close_all(connection_id, f"stop by {by}") if closing else None
        wish = self._wish(connection_id, STOP, close_all)
        change_state(state, audit, together=wish, **transitions.stopping(Desired.STOPPED))
        if closing:
            self.starter.start(connection_id, Loop.POSITION, reason=f"stop by {by}")
        self.machines.engine_stop(connection_id, close_positions=close_positions)
        return told(row, "the engine stops")

    def _pause(self, row: ConnectionRow, *, by: str, reason: str) -> Outcome:
        state = read_state(row.connection_id)
        transitions.refuse_pause(row, state)
        audit = self._audit(row, "pause", by, reason)
        wish = self._wish(row.connection_id, PAUSE)
        change_state(state, audit, together=wish, desired_state=Desired.PAUSED.value)
        return told(row, "the engine pauses")

    def _resume(self, row: ConnectionRow, *, by: str, reason: str) -> Outcome:
        state = read_state(row.connection_id)
        transitions.refuse_resume(row, state)
        audit = self._audit(row, "resume", by, reason)
        wish = self._wish(row.connection_id, RUN)
        change_state(state, audit, together=wish, desired_state=Desired.RUNNING.value)
        return told(row, "the engine resumes")

    def _restart(self, row: ConnectionRow, *, by: str, reason: str) -> Outcome:
        state = read_state(row.connection_id)
        transitions.refuse_restart(row, state)
        run_id = self._new_run()
        audit = self._audit(row, "restart", by, reason, run_id=run_id)
        wish = self._wish(row.connection_id, STOP)
        change_state(state, audit, together=wish, **transitions.stopping(Desired.RUNNING, run_id))
        self.machines.engine_stop(row.connection_id, close_positions=False)
        return told(row, "the engine restarts", run_id=run_id)

    def resume_trading(self, connection_id: str, *, by: str, reason: str = "") -> Outcome:
        """Let an account trade again that a loss restrains: what it lost until now counts no more.

        Raises
        ------
        UnknownError, ConflictError
            The latter for an engine that never started.
        """
        row = accounts.connection_row(connection_id)
        state = read_state(connection_id)
        if is_latched(state):
            raise ConflictError(f"{row.name} cannot trade", transitions.LATCHED)
        if not state.run_id:
            never = Reason(code="never_started", message="the engine was never started")
            raise ConflictError(f"nothing restrains {row.name}", never)
        audit = self._audit(row, "resume_trading", by, reason)
        commands.submit(
            connection_id, self._command(CommandKind.RESUME_TRADING, f"resumed by {by}"), audit
        )
        self.starter.start(connection_id, Loop.POSITION, reason=f"resumed by {by}")
        return of_one(told(row, "trading resumes"))

    def has_to_close(self, connection_id: str) -> bool:
        """Positions are held, or the position loop lives and may be opening one right now."""
        lease = self.leases.read(connection_id, Loop.POSITION)
        is_alive = bool(lease.owner) and lease.expires_at_ms > self.clock.now_ms()
        return is_alive or accounts.holds_positions(connection_id)

    def release_loops(self, connection_id: str, *, closing: bool, reason: str) -> None:
        """Tell the loops to end, the position loop only when flat if `closing`. Idempotent."""
        close_all = self._close_all(connection_id, reason) if closing else None
        wanted = [self.leases.read(connection_id, loop).wanted for loop in Loop]
        if close_all is not None or wanted != [STOP, STOP]:
            transaction = Transaction()
            self._wish(connection_id, STOP, close_all)(transaction)
            transaction.commit()
        if closing:
            self.starter.start(connection_id, Loop.POSITION, reason=reason)

    def _wish(self, connection_id: str, wanted: str, command: Command | None = None) -> Changes:
        """What both loops are to do from their next tick on."""
        now_ms = self.clock.now_ms()
        return partial(
            commands.add_wish,
            connection_id=connection_id,
            wanted=wanted,
            now_ms=now_ms,
            command=command,
        )

    def _close_all(self, connection_id: str, reason: str) -> Command | None:
        """The command to close everything, unless one waits already."""
        if any(command.kind == CLOSE_ALL for command in commands.pending(connection_id)):
            return None
        return self._command(CLOSE_ALL, reason)

    def _command(self, kind: str, reason: str) -> Command:
        now_ms = self.clock.now_ms()
        name = f"{now_ms:013d}|{kind}"
        return Command(command_id=name, kind=kind, created_at_ms=now_ms, reason=reason)

    def _new_run(self) -> str:
        return f"{self.clock.now_ms():013d}-{secrets.token_hex(3)}"

    def _audit(
        self, row: ConnectionRow, what: str, by: str, reason: str, **details: Any
    ) -> AuditRow:
        told_why = {"reason": reason} if reason else {}
        return audit_row(
            row.connection_id,
            f"engine.{what}",
            by=by,
            now_ms=self.clock.now_ms(),
            details=details | told_why,
        )
