"""The supervisor's part of an emergency stop: its machine is started again until it has ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from adapters.audited import audit_row
from adapters.emergency import EmergencyMachines, emergency_of
from adapters.engine_states import change_state
from adapters.tables import EngineStateRow
from engine.ports import Clock

SILENT_MS = 180_000
"""The machine says a word after each burst; silent for longer it is thought dead."""


class WatchedMachines(EmergencyMachines, Protocol):
    """Machines whose executions can be looked up."""

    def is_stopping_in_emergency(
        self, connection_id: str, emergency_id: str, *, number: int
    ) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyWatch:
    """Looks after what is latched, and after nothing else of it."""

    machines: WatchedMachines
    clock: Clock

    def look(self, state: EngineStateRow) -> str:
        """Start the machine anew if it died before the venue proved the end; what was done.

        A second machine beside a living one does no harm: both take the lease under new tokens.
        """
        connection_id, held = state.connection_id, emergency_of(state)
        if held is None or held["verified"] or self._is_carried_out(connection_id, held):
            return ""
        number, now_ms = held.get("number", 1) + 1, self.clock.now_ms()
        audit = audit_row(
            connection_id,
            "engine.emergency_restart",
            by="supervisor",
            now_ms=now_ms,
            details={"emergency_id": held["emergency_id"], "number": number},
        )
        emergency = {**(state.emergency or {}), "number": number, "started_ms": now_ms}
        change_state(state, audit, emergency=emergency)
        self.machines.emergency_stop(connection_id, held["emergency_id"], number=number)
        return f"emergency stop, machine {number}"

    def _is_carried_out(self, connection_id: str, held: Mapping[str, Any]) -> bool:
        """Its machine runs and was heard of lately: what is told of it may outlive it."""
        known = (held.get("seen_ms"), held.get("started_ms"), held["since_ms"])
        heard_ms = max(ms or 0 for ms in known)
        is_heard: bool = self.clock.now_ms() - heard_ms < SILENT_MS
        return is_heard and self.machines.is_stopping_in_emergency(
            connection_id, held["emergency_id"], number=held.get("number", 1)
        )
