"""The rounds of the machine that carries an emergency stop out: each burst's end is judged here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import UpdateError

from adapters import audited
from adapters.audited import audit_row
from adapters.emergency import emergency_of
from adapters.engine_states import read_state
from adapters.refusals import ConflictError
from adapters.tables import EngineStateRow, OrderRow, PositionRow
from adapters.transactions import is_refused
from engine.ledger import OrderState, Purpose
from engine.ports import Clock, Log

LONGEST_PAUSE_S = 30
TOLD = 50
"""Positions and orders that the record names; there may be more, which are counted."""
ENTRIES_SINCE_MS = 600_000
ERROR_CHARACTERS = 500

Answer = dict[str, Any]
_VERIFIED, _SUPERSEDED = "verified", "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyRounds:
    """What the machine asks of EngineControlFunction after each burst."""

    clock: Clock
    log: Log

    def over(
        self,
        connection_id: str,
        emergency_id: str,
        *,
        report: Mapping[str, Any] | None,
        error: str,
        failures: int,
    ) -> Answer:
        """`end` is how the machine ends, empty to go on after `pause_s` seconds.

        It goes on until the venue has proved what is left, however long that takes, and says each
        time that it has not. `failures` counts rounds in a row without a tick.
        """
        state = read_state(connection_id)
        held = emergency_of(state)
        if held is None or held["emergency_id"] != emergency_id:
            return _ended(_SUPERSEDED)
        if held["verified"]:
            return _ended(_VERIFIED)
        proof = (report or {}).get("halt_proof")
        if proof and not (held["flatten"] and proof["open_positions"]):
            return self._verified(state, held, proof)
        is_acting = bool((report or {}).get("ticks"))
        failures = 0 if is_acting else failures + 1
        pause_s = 1 if is_acting else min(LONGEST_PAUSE_S, 2 ** min(failures - 1, 5))
        self._note_round(state, held, report, error, failures)
        return {"end": "", "failures": failures, "pause_s": pause_s}

    def _verified(
        self, state: EngineStateRow, held: Mapping[str, Any], proof: Mapping[str, Any]
    ) -> Answer:
        connection_id, now_ms = state.connection_id, self.clock.now_ms()
        end = _outcome(connection_id, held["since_ms"], proof)
        end |= {"verified_at_ms": now_ms, "rounds": int(held.get("rounds", 0)) + 1}
        audit = audit_row(
            connection_id,
            "engine.emergency_verified",
            by="engine",
            now_ms=now_ms,
            details={"emergency_id": held["emergency_id"], **end},
        )
        still_mine = EngineStateRow.emergency_id == held["emergency_id"]
        try:
            audited.update(audit, EngineStateRow(connection_id), {"emergency_end": end}, still_mine)
        except ConflictError:
            return _ended(_SUPERSEDED)
        self.log.fact("emergency stop verified", {"connection_id": connection_id, **end})
        return _ended(_VERIFIED)

    def _note_round(
        self,
        state: EngineStateRow,
        held: Mapping[str, Any],
        report: Mapping[str, Any] | None,
        error: str,
        failures: int,
    ) -> None:
        now_ms = self.clock.now_ms()
        outcome = (report or {}).get("outcome", "")
        why = error[:ERROR_CHARACTERS] or ("" if not failures else f"a burst ended: {outcome}")
        rounds = int(held.get("rounds", 0)) + 1
        end = {"seen_ms": now_ms, "rounds": rounds, "failures": failures, "error": why}
        told = {"connection_id": state.connection_id, "age_ms": now_ms - held["since_ms"], **end}
        self.log.problem("emergency stop not verified yet", told)
        try:
            EngineStateRow(state.connection_id).update(
                [EngineStateRow.emergency_end.set(end)],
                condition=EngineStateRow.emergency_id == held["emergency_id"],
            )
        except UpdateError as refused:
            if not is_refused(refused):
                raise


def _outcome(connection_id: str, since_ms: int, proof: Mapping[str, Any]) -> dict[str, Any]:
    """What was done since, and what is left; flat since the last of ours was closed."""
    closed = list(
        PositionRow.closed.query(
            connection_id, PositionRow.closed_at_ms >= since_ms, consistent_read=True
        )
    )
    cancelled = _cancelled_entries(connection_id, since_ms)
    is_flat = not proof["open_positions"]
    flat_at_ms = max((row.closed_at_ms for row in closed), default=since_ms) if is_flat else None
    return {
        "reads_ms": list(proof["reads_ms"]),
        "open_positions": proof["open_positions"],
        "left": list(proof["left"]),
        "closed_positions": len(closed),
        "closed": [row.position_id for row in closed[:TOLD]],
        "cancelled_entries": len(cancelled),
        "cancelled": cancelled[:TOLD],
        "flat_at_ms": flat_at_ms,
        "time_to_flat_ms": None if flat_at_ms is None else flat_at_ms - since_ms,
    }


def _cancelled_entries(connection_id: str, since_ms: int) -> list[str]:
    """Entries and steps that ended unfilled since: those of the last minutes before, too."""
    made = OrderRow.recent.query(
        connection_id,
        OrderRow.created_at_ms >= since_ms - ENTRIES_SINCE_MS,
        consistent_read=True,
    )
    return [
        row.client_order_id
        for row in made
        if not Purpose(row.purpose).reduces
        and row.state == OrderState.CANCELLED
        and row.updated_at_ms >= since_ms
    ]


def _ended(how: str) -> Answer:
    return {"end": how, "failures": 0, "pause_s": 0}
