"""Once a minute: what should run and does not is started again, within bounds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from adapters import accounts, commands
from adapters.audited import audit_row
from adapters.emergency_watch import EmergencyWatch, WatchedMachines
from adapters.engine_states import (
    Actual,
    Desired,
    actual,
    change_state,
    desired,
    is_latched,
    read_state,
)
from adapters.engine_stopping import Stopping
from adapters.leases import LIVE, DynamoLeases
from adapters.operations import Machines
from adapters.outcomes import UNREACHABLE
from adapters.refusals import ConflictError
from adapters.tables import ConnectionRow, EngineStateRow
from engine.errors import CtsError
from engine.ports import Clock, Starter
from engine.records import LeaseRow
from engine.settings import Settings, with_values
from engine.values import Loop

MAX_RESTARTS = 3
"""Of a start that fails. A running engine's loops are never given up, but after these many
restarts without a healthy while between they are started less often."""
BACKOFF_MS = 60_000
"""Before the second restart; it doubles with each further one."""
STARTING_GRACE_MS = 180_000
HEALTHY_AGAIN_MS = 120_000
"""A loop that ran this long after a restart is given all its restarts again."""


Action = dict[str, str]


class StartingMachines(Machines, WatchedMachines, Protocol):
    """Machines whose executions can be looked up."""

    def is_starting(self, connection_id: str, run_id: str) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """Looks after every engine; one that gives trouble does not keep it from the others."""

    leases: DynamoLeases
    starter: Starter
    machines: StartingMachines
    stopping: Stopping
    clock: Clock

    def run(self) -> list[Action]:
        """What was done, one entry for each act or trouble."""
        return [action for row in accounts.connection_rows() for action in self._guarded(row)]

    def _guarded(self, row: ConnectionRow) -> list[Action]:
        try:
            return self._look_after(row)
        except (CtsError, *UNREACHABLE) as error:
            return [_action(row.connection_id, "trouble", f"{type(error).__name__}: {error}")]

    def _look_after(self, row: ConnectionRow) -> list[Action]:
        state = read_state(row.connection_id)
        if is_latched(state):
            done = EmergencyWatch(machines=self.machines, clock=self.clock).look(state)
            return [_action(row.connection_id, "restarted", done)] if done else []
        if desired(state) is Desired.STOPPED:
            return self._stopping(state) if actual(state) is Actual.STOPPING else []
        if not (row.is_enabled and row.is_active):
            return self._switch_off(row)
        if state.restart_run_id:
            return self._stopping(state)
        if actual(state) is Actual.RUNNING:
            return self._loops(state)
        if self._start_is_dead(state):
            return self._restart(state, "engine", partial(self._start_again, state), bounded=True)
        return []

    def _switch_off(self, row: ConnectionRow) -> list[Action]:
        """Stop what was to stop with its connection, had the store not been in the way."""
        why = "the connection is switched off"
        self.stopping.operations.stop(
            row.connection_id, close_positions=False, by="supervisor", reason=why
        )
        return [_action(row.connection_id, "stopped", why)]

    def _stopping(self, state: EngineStateRow) -> list[Action]:
        """Finish a stop whose machine died, and wake a position loop that has to close."""
        found = self.stopping.stopped(state.connection_id)
        if found["stopped"]:
            return [_action(state.connection_id, "stopped", "both loops have ended")]
        if "position" in found["waiting_for"] and self._is_stale(state, Loop.POSITION):
            self.starter.start(state.connection_id, Loop.POSITION, reason="closing positions")
            return [_action(state.connection_id, "woken", "position loop: positions are to close")]
        return []

    def _loops(self, state: EngineStateRow) -> list[Action]:
        done: list[Action] = []
        for loop in Loop:
            if self._is_stale(state, loop) and self._is_needed(state, loop):
                start = partial(self._start_loop, state, loop)
                done += self._restart(state, f"{loop} loop", start, bounded=False)
        if not done and state.restarts:
            self._forgive(state)
        return done

    def _is_stale(self, state: EngineStateRow, loop: Loop) -> bool:
        """Nobody may act under the lease: it is free, or over by more than its margin."""
        lease = self.leases.read(state.connection_id, loop)
        return not lease.owner or _is_over(lease, state, self.clock.now_ms())

    def _is_needed(self, state: EngineStateRow, loop: Loop) -> bool:
        """The trade loop always; the position loop while it has something to look after."""
        if loop is Loop.TRADE:
            return True
        connection_id = state.connection_id
        return (
            self.leases.read(connection_id, loop).phase == LIVE
            or bool(commands.pending(connection_id))
            or accounts.holds_positions(connection_id)
        )

    def _start_is_dead(self, state: EngineStateRow) -> bool:
        """The start failed, or its machine ended without a word."""
        if actual(state) is Actual.ERROR:
            return True
        if self.clock.now_ms() - (state.updated_at_ms or 0) < STARTING_GRACE_MS:
            return False
        return not self.machines.is_starting(state.connection_id, state.run_id or "")

    def _restart(
        self, state: EngineStateRow, what: str, start: Callable[[], None], *, bounded: bool
    ) -> list[Action]:
        """Start it, with growing pauses between; `bounded` ends after three times."""
        connection_id, restarts = state.connection_id, state.restarts or 0
        if bounded and restarts >= MAX_RESTARTS:
            return [_action(connection_id, "given up", f"{what}: {restarts} restarts did not help")]
        pause_ms = _pause_ms(restarts if bounded else restarts - MAX_RESTARTS)
        waited_ms = self.clock.now_ms() - (state.restarted_at_ms or 0)
        if waited_ms < pause_ms:
            return [_action(connection_id, "waiting", f"{what}: {pause_ms - waited_ms} ms more")]
        start()
        return [_action(connection_id, "restarted", f"{what}, restart {restarts + 1}")]

    def _start_loop(self, state: EngineStateRow, loop: Loop) -> None:
        self._count(state, f"{loop} loop")
        self.starter.start(state.connection_id, loop, reason="supervisor: the lease is stale")

    def _start_again(self, state: EngineStateRow) -> None:
        """A new run, so that what is left of the old one can write nothing."""
        now_ms = self.clock.now_ms()
        run_id = f"{now_ms:013d}-r{(state.restarts or 0) + 1}"
        self._count(
            state,
            "engine",
            run_id=run_id,
            actual_state=Actual.STARTING.value,
            loading_stage="initializing",
            loading_progress=0,
            error_message=None,
        )
        self.machines.engine_start(state.connection_id, run_id)

    def _count(self, state: EngineStateRow, what: str, **values: Any) -> None:
        """Record the restart by compare-and-set before acting: two supervisors act once."""
        now_ms = self.clock.now_ms()
        restarts = (state.restarts or 0) + 1
        audit = audit_row(
            state.connection_id,
            "engine.restart",
            by="supervisor",
            now_ms=now_ms,
            details={"what": what, "restart": restarts},
        )
        changed = change_state(state, audit, restarts=restarts, restarted_at_ms=now_ms, **values)
        state.restarts, state.restarted_at_ms = changed.restarts, changed.restarted_at_ms
        state.version = changed.version

    def _forgive(self, state: EngineStateRow) -> None:
        now_ms = self.clock.now_ms()
        if now_ms - (state.restarted_at_ms or 0) < HEALTHY_AGAIN_MS:
            return
        audit = audit_row(state.connection_id, "engine.recovered", by="supervisor", now_ms=now_ms)
        try:
            change_state(state, audit, restarts=0)
        except ConflictError:
            return  # the operator was faster; the next minute looks again


def _pause_ms(restarts: int) -> int:
    """None before the first restart that counts, then doubling up to four times the first."""
    return BACKOFF_MS * 2 ** (min(restarts, MAX_RESTARTS) - 1) if restarts > 0 else 0


def _is_over(lease: LeaseRow, state: EngineStateRow, now_ms: int) -> bool:
    settings = with_values(Settings(), state.settings or {})
    return lease.expires_at_ms + settings.lease_margin_ms < now_ms


def _action(connection_id: str, act: str, text: str) -> Action:
    return {"connection_id": connection_id, "act": act, "text": text}
