"""The emergency stop: latched in one write for each connection, then carried out by its machine."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

from pynamodb.expressions.update import Action

from adapters import accounts, audited, transitions
from adapters.audited import audit_row
from adapters.engine_states import Actual, Desired, change_state, is_latched, read_state
from adapters.leases import STOP, lease_key, wish_actions
from adapters.outcomes import UNREACHABLE, Outcome, told
from adapters.refusals import ConflictError, Reason
from adapters.tables import ConnectionRow, EngineStateRow, LeaseItem
from adapters.transactions import Transaction
from engine.errors import CtsError, RetryableError
from engine.ports import Clock
from engine.values import Loop

ATTEMPTS = 8
"""A stop is written again over whatever others changed meanwhile: it must win."""
HEADLINE = "Emergency stop activated"

_OWN = frozenset({"number", "started_ms", "seen_ms", "failures"})
_NOT_LATCHED = Reason(code="not_emergency_stopped", message="no emergency stop holds this engine")
_NOT_VERIFIED = Reason(
    code="not_verified",
    message="the venue has not proved yet what is left; wait, or send acceptOpenPositions",
)
_OPEN = Reason(
    code="positions_open",
    message="positions are open; flatten them, or send acceptOpenPositions",
)


class EmergencyMachines(Protocol):
    """Starts the state machine that carries an emergency stop out."""

    def emergency_stop(self, connection_id: str, emergency_id: str, *, number: int) -> None:
        """Start the execution of this number; starting it twice is once.

        Raises
        ------
        RetryableError
            If it could not be started; the supervisor tries again.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """What an operator does about an emergency; `by` and `reason` go to the audit log."""

    machines: EmergencyMachines
    clock: Clock

    def stop(self, connection_id: str, *, flatten: bool, reason: str, by: str) -> Outcome:
        """Stop one engine at once; raises UnknownError, and StoreBusyError if nothing was written.

        Latched before this returns: nothing can be opened under it. What is on the venue is dealt
        with by the machine, or if that cannot be started now, by the supervisor's.
        """
        row = accounts.connection_row(connection_id)
        return self._stop(row, flatten=flatten, reason=reason, by=by)

    def stop_all(self, *, flatten: bool, reason: str, by: str) -> list[Outcome]:
        """Stop every engine, each answered for itself: one's trouble does not spare another."""
        return [
            _answered(row, lambda row: self._stop(row, flatten=flatten, reason=reason, by=by))
            for row in accounts.connection_rows()
        ]

    def reset(
        self, connection_id: str, *, accept_open_positions: bool, reason: str, by: str
    ) -> Outcome:
        """Lift the latch: the engine is stopped, may be started, and trades only when switched on.

        Raises
        ------
        UnknownError, ConflictError
            The latter unless the venue proved to hold nothing of ours, or what it holds is
            accepted.
        """
        row = accounts.connection_row(connection_id)
        state = read_state(connection_id)
        reasons = _unfit(state, accept_open_positions=accept_open_positions)
        if reasons:
            raise ConflictError(f"the emergency stop of {row.name} stays", *reasons)
        details = {
            "reason": reason,
            "accept_open_positions": accept_open_positions,
            "emergency": emergency_of(state),
        }
        now_ms = self.clock.now_ms()
        audit = audit_row(
            connection_id, "engine.emergency_reset", by=by, now_ms=now_ms, details=details
        )
        freed = [LeaseItem.halt.set(False), LeaseItem.flatten.set(False)]
        change_state(
            state,
            audit,
            together=lambda transaction: _put_leases(transaction, connection_id, freed),
            actual_state=Actual.STOPPED.value,
            **dict.fromkeys(("emergency_id", "emergency", "emergency_end", "error_message")),
        )
        return told(row, "the emergency stop is lifted; the engine is stopped")

    def _stop(self, row: ConnectionRow, *, flatten: bool, reason: str, by: str) -> Outcome:
        for attempt in count(1):
            state = read_state(row.connection_id)
            if _is_under_way(state, flatten=flatten):
                return self._carried_out(row, state, already=True)
            try:
                self._latch(row, state, flatten=flatten, reason=reason, by=by)
            except ConflictError:
                if attempt >= ATTEMPTS:
                    raise
                row = accounts.connection_row(row.connection_id)
                continue
            return self._carried_out(row, read_state(row.connection_id), already=False)
        raise AssertionError("unreachable")

    def _latch(
        self, row: ConnectionRow, state: EngineStateRow, *, flatten: bool, reason: str, by: str
    ) -> None:
        """Stopped, halted and switched off in one transaction with its line in the audit log."""
        now_ms = self.clock.now_ms()
        emergency_id = f"{now_ms:013d}-{secrets.token_hex(3)}"
        emergency = {
            "since_ms": now_ms,
            "by": by,
            "reason": reason,
            "flatten": flatten,
            "number": 1,
        }
        switched_off = {"is_live_trade": False, "is_preset_trade": False}
        audit = audit_row(
            row.connection_id,
            "engine.emergency_stop",
            by=by,
            now_ms=now_ms,
            details={
                "reason": reason,
                "flatten": flatten,
                "emergency_id": emergency_id,
                "desired_state": state.desired_state or Desired.STOPPED.value,
                "actual_state": state.actual_state or Actual.STOPPED.value,
                **{name: getattr(row, name) for name in switched_off},
            },
        )

        def together(transaction: Transaction) -> None:
            version = {"version": row.version + 1, "updated_at_ms": now_ms}
            transaction.update(
                "connection",
                row,
                audited.assignments(ConnectionRow, switched_off | version),
                ConnectionRow.version == row.version,
            )
            halted = [LeaseItem.halt.set(True), LeaseItem.flatten.set(flatten)]
            wish = wish_actions(STOP, now_ms=now_ms)
            _put_leases(transaction, row.connection_id, [*halted, *wish])

        change_state(
            state,
            audit,
            together=together,
            **transitions.stopping(Desired.STOPPED)
            | {
                "actual_state": Actual.EMERGENCY_STOPPED.value,
                "loading_stage": "",
                "error_message": f"{HEADLINE}: {reason}",
                "emergency_id": emergency_id,
                "emergency": emergency,
                "emergency_end": None if state.run_id else _nothing_to_do(now_ms),
            },
        )

    def _carried_out(self, row: ConnectionRow, state: EngineStateRow, *, already: bool) -> Outcome:
        """Start the machine; one that cannot be started now is the supervisor's."""
        held = dict(emergency_of(state) or {})
        actions = ["the engine is latched", "live trading is off", "both loops are halted"]
        what = "positions are being closed" if held.get("flatten") else "positions keep their stops"
        message = f"emergency stopped, {what}"
        if held.get("verified"):
            message = "emergency stopped, and nothing of ours is on the venue"
        else:
            actions.append(f"entries are being cancelled, {what}, until the venue proves it")
            try:
                self.machines.emergency_stop(
                    row.connection_id, state.emergency_id or "", number=held.get("number", 1)
                )
            except RetryableError as error:
                actions.append(f"the machine is not started yet, the supervisor will: {error}")
        return told(
            row,
            message,
            already_emergency_stopped=already,
            emergency_id=state.emergency_id or "",
            flatten=bool(held.get("flatten")),
            actions=actions,
        )


def emergency_of(state: EngineStateRow) -> dict[str, Any] | None:
    """What is known of the emergency stop that holds; None where none does.

    `verified` once the venue has proved what is left.
    """
    if not is_latched(state):
        return None
    end: Mapping[str, Any] = state.emergency_end or {}
    return {
        **(state.emergency or {}),
        **end,
        "emergency_id": state.emergency_id or "",
        "verified": bool(end.get("verified_at_ms")),
    }


def told_emergency(state: EngineStateRow) -> dict[str, Any] | None:
    """The same as the status tells it, without what the machine keeps for itself."""
    held = emergency_of(state)
    return held and {name: value for name, value in held.items() if name not in _OWN}


def _is_under_way(state: EngineStateRow, *, flatten: bool) -> bool:
    """Whether this very thing is being done: pressing again changes nothing then.

    Once it was verified, pressing again has the venue read again.
    """
    held = emergency_of(state)
    return held is not None and not held["verified"] and (held.get("flatten") or not flatten)


def _unfit(state: EngineStateRow, *, accept_open_positions: bool) -> list[Reason]:
    held = emergency_of(state)
    if held is None:
        return [_NOT_LATCHED]
    if accept_open_positions:
        return []
    if not held["verified"]:
        return [_NOT_VERIFIED]
    is_open = held.get("open_positions") or accounts.holds_positions(state.connection_id)
    return [_OPEN] if is_open else []


def _nothing_to_do(now_ms: int) -> dict[str, Any]:
    """The end for an engine that never ran: no order of it was ever sent."""
    return {"verified_at_ms": now_ms, "flat_at_ms": now_ms, "time_to_flat_ms": 0}


def _put_leases(transaction: Transaction, connection_id: str, actions: Sequence[Action]) -> None:
    for loop in Loop:
        transaction.update(f"{loop} lease", LeaseItem(lease_key(connection_id, loop)), actions)


def _answered(row: ConnectionRow, act: Callable[[ConnectionRow], Outcome]) -> Outcome:
    """The outcome for one connection, failed ones told as such."""
    try:
        return act(row)
    except CtsError as error:
        return told(row, f"NOT stopped: {error}") | {"success": False}
    except UNREACHABLE as error:
        text = f"NOT known to be stopped, press again: {type(error).__name__}"
        return told(row, text) | {"success": False}
