"""The steps of the machine that stops an engine: tell the loops, then wait for both."""

from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from adapters import accounts, commands
from adapters.audited import audit_row, note
from adapters.engine_states import Actual, Desired, actual, change_state, desired, read_state
from adapters.leases import DynamoLeases
from adapters.operations import CLOSE_ALL, Operations
from adapters.refusals import ConflictError
from adapters.tables import EngineStateRow
from adapters.transactions import is_refused
from adapters.transitions import starting
from engine.ports import Clock
from engine.settings import Settings, with_values
from engine.values import Loop


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """What the machine asks of EngineControlFunction while an engine stops."""

    operations: Operations
    leases: DynamoLeases
    clock: Clock

    def stop(self, connection_id: str, *, close_positions: bool) -> dict[str, Any]:
        """Tell the loops to end; done again here in case the API died in between."""
        state = read_state(connection_id)
        if desired(state) is Desired.STOPPED or state.restart_run_id:
            closing = close_positions and self.operations.has_to_close(connection_id)
            self.operations.release_loops(connection_id, closing=closing, reason="engine stop")
        return self.stopped(connection_id)

    def stopped(self, connection_id: str) -> dict[str, Any]:
        """Whether both loops have ended, which is then written as the actual state.

        An engine that restarts begins its new run then.
        """
        waiting = [str(loop) for loop in Loop if self._still_runs(connection_id, loop)]
        state = read_state(connection_id)
        if not waiting and state.restart_run_id:
            self._start_anew(state, state.restart_run_id)
        elif not waiting:
            self._write_stopped(connection_id)
        return {"stopped": not waiting, "waiting_for": waiting}

    def _start_anew(self, state: EngineStateRow, run_id: str) -> None:
        """The second half of a restart; the row forgets it last, so a death between repeats it."""
        connection_id = state.connection_id
        if actual(state) is Actual.STOPPING:
            now_ms, details = self.clock.now_ms(), {"run_id": run_id}
            audit = audit_row(
                connection_id, "engine.start", by="engine", now_ms=now_ms, details=details
            )
            try:
                change_state(state, audit, **starting(run_id, now_ms))
            except ConflictError:
                return  # a stop, or another worker, was faster
        self.operations.machines.engine_start(connection_id, run_id)
        forget: list[Action] = [EngineStateRow.restart_run_id.remove()]
        try:
            EngineStateRow(connection_id).update(
                forget, condition=EngineStateRow.restart_run_id == run_id
            )
        except UpdateError as error:
            if not is_refused(error):
                raise

    def _still_runs(self, connection_id: str, loop: Loop) -> bool:
        if loop is Loop.POSITION and _is_closing(connection_id):
            return True
        margin_ms = with_values(
            Settings(), read_state(connection_id).settings or {}
        ).lease_margin_ms
        lease = self.leases.read(connection_id, loop)
        return bool(lease.owner) and lease.expires_at_ms + margin_ms >= self.clock.now_ms()

    def _write_stopped(self, connection_id: str) -> None:
        """Conditional on the operator still wanting it: a new start is not undone."""
        now_ms = self.clock.now_ms()
        stopping = (EngineStateRow.desired_state == Desired.STOPPED.value) & (
            EngineStateRow.actual_state == Actual.STOPPING.value
        )
        actions: list[Action] = [
            EngineStateRow.actual_state.set(Actual.STOPPED.value),
            EngineStateRow.loading_stage.set(""),
            EngineStateRow.may_trade.set(False),
            EngineStateRow.may_trade_preset.set(False),
            EngineStateRow.updated_at_ms.set(now_ms),
        ]
        try:
            EngineStateRow(connection_id).update(actions, condition=stopping)
        except UpdateError as error:
            if is_refused(error):
                return
            raise
        note(audit_row(connection_id, "engine.stopped", by="engine", now_ms=now_ms))


def _is_closing(connection_id: str) -> bool:
    """Whether a command to close everything waits, and there is something to close."""
    waiting = any(command.kind == CLOSE_ALL for command in commands.pending(connection_id))
    return waiting and accounts.holds_positions(connection_id)
