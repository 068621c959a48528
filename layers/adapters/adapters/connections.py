"""Exchange connections as an operator changes them: compare-and-set, audited, secrets sealed."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from adapters import accounts, audited
from adapters.accounts import connection_row, shown
from adapters.audited import Changes, audit_row
from adapters.connection_rules import checked_flags, forgets_the_test, refuse_placeholders
from adapters.engine_states import (
    add_change,
    is_active,
    is_latched,
    read_state,
    require_unchanged,
    states_of,
)
from adapters.operations import Operations
from adapters.refusals import ConflictError, Reason
from adapters.risk_rows import forget_risk
from adapters.tables import CONNECTION_KIND, ConnectionRow, EngineStateRow
from adapters.transactions import Transaction
from adapters.transitions import LATCHED
from adapters.venues.registry import SPOT, refuse_unfit, venue_named
from engine.ports import Clock, Vault

Shown = dict[str, Any]
NETWORK = ("is_testnet", "is_paper")


class Control(Protocol):
    """Runs what needs opened credentials where they may be opened."""

    def test(self, connection_id: str, *, by: str) -> Mapping[str, Any]:
        """Test a connection at its venue and store the result."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Connections:
    """What an operator does to connections; `by` names the operator in the audit log."""

    vault: Vault
    control: Control
    operations: Operations
    clock: Clock

    def all(
        self,
        *,
        exchange: str | None = None,
        api_type: str | None = None,
        enabled: bool | None = None,
        active: bool | None = None,
    ) -> list[Shown]:
        """Connections that fit every filter given."""
        wanted = {
            "exchange": exchange,
            "api_type": api_type,
            "is_enabled": enabled,
            "is_active": active,
        }
        rows = [
            row
            for row in accounts.connection_rows()
            if all(value is None or getattr(row, name) == value for name, value in wanted.items())
        ]
        states = states_of([row.connection_id for row in rows])
        return [shown(row, states[row.connection_id]) for row in rows]

    def one(self, connection_id: str) -> Shown:
        """One connection; raises UnknownError."""
        return shown(connection_row(connection_id), read_state(connection_id))

    def create(
        self, fields: Mapping[str, Any], credentials: Mapping[str, str], *, by: str
    ) -> Shown:
        """Store a new connection: enabled, inactive until a test succeeds, not trading."""
        refuse_placeholders(credentials)
        now_ms = self.clock.now_ms()
        connection_id = f"c-{secrets.token_hex(6)}"
        row = ConnectionRow(
            CONNECTION_KIND,
            connection_id,
            **fields,
            is_enabled=True,
            credentials=self.vault.seal(connection_id, credentials),
            api_key_last4=credentials["api_key"][-4:],
            created_at_ms=now_ms,
            updated_at_ms=now_ms,
            version=1,
        )
        details = {name: str(value) for name, value in fields.items()}
        audit = audit_row(connection_id, "connection.create", by=by, now_ms=now_ms, details=details)
        audited.put(audit, row, ConnectionRow.connection_id.does_not_exist())
        return self.one(connection_id)

    def change(
        self,
        connection_id: str,
        fields: Mapping[str, Any],
        credentials: Mapping[str, str],
        *,
        version: int | None,
        by: str,
    ) -> Shown:
        """Change some fields; another account must be tested anew and trades nothing until then.

        Raises
        ------
        UnknownError, ConflictError
            The latter if `version` is not the stored one, the engine runs on this account, or
            positions would be left behind on another network.
        """
        row = connection_row(connection_id)
        _refuse_what_the_venue_lacks(row, fields, credentials)
        if any(fields.get(name, getattr(row, name)) != getattr(row, name) for name in NETWORK):
            _refuse_to_leave_positions(
                read_state(connection_id), "it cannot move to another network"
            )
        values: dict[str, Any] = dict(fields)
        if credentials:
            refuse_placeholders(credentials)
            values["credentials"] = self.vault.seal(connection_id, credentials)
            values["api_key_last4"] = credentials["api_key"][-4:]
        another_account = forgets_the_test(row, values)
        values |= another_account
        if set(values) - {"name", "volume_factor"}:
            _refuse_while_running(read_state(connection_id))
        changed = self._write(row, "connection.change", values, version=version, by=by)
        if another_account:
            forget_risk(connection_id, now_ms=self.clock.now_ms())
        return changed

    def delete(self, connection_id: str, *, by: str) -> None:
        """Delete a connection whose engine is stopped and that holds no position."""
        row, state = connection_row(connection_id), read_state(connection_id)
        _refuse_while_running(state)
        _refuse_to_leave_positions(state, "the connection cannot be deleted")
        audit = audit_row(connection_id, "connection.delete", by=by, now_ms=self.clock.now_ms())
        stopped = partial(require_unchanged, row=state)
        audited.delete(audit, row, ConnectionRow.version == row.version, together=stopped)

    def test(self, connection_id: str, *, by: str) -> Shown:
        """Test a connection; what was found, and the connection as it is now."""
        connection_row(connection_id)
        found = dict(self.control.test(connection_id, by=by))
        return {**found, "connection": self.one(connection_id)}

    def toggle(
        self, connection_id: str, flags: Mapping[str, bool], *, version: int | None, by: str
    ) -> Shown:
        """Switch flags; disabling or deactivating stops the engine, too.

        A mode switched off amid a run leaves its Sets to open positions on paper alone. Should
        the stop not succeed after the flags were written, the supervisor does it.

        Raises
        ------
        UnknownError, ConflictError, ForbiddenError
            The last if real money would be traded, which this version does not do.
        """
        row = connection_row(connection_id)
        state = read_state(connection_id)
        _refuse_other_version(row, version)
        if flags.get("is_live_trade") or flags.get("is_preset_trade"):
            _refuse_latched(state, "trading cannot be switched on")
        values = checked_flags(row, flags, running=is_active(state))
        end = partial(self._end_trading, state, values)
        self._write(row, "connection.toggle", values, version=version, by=by, together=end)
        if not (values["is_enabled"] and values["is_active"]) and is_active(state):
            self.operations.stop(connection_id, close_positions=False, by=by)
        return self.one(connection_id)

    def _end_trading(
        self, state: EngineStateRow, flags: Mapping[str, bool], transaction: Transaction
    ) -> None:
        """What is switched off of the two modes ends with its flag; nothing begins amid a run."""
        modes = {"may_trade": "is_live_trade", "may_trade_preset": "is_preset_trade"}
        ended = {
            may: False for may, flag in modes.items() if getattr(state, may) and not flags[flag]
        }
        if ended:
            add_change(transaction, state, now_ms=self.clock.now_ms(), **ended)

    def _write(
        self,
        row: ConnectionRow,
        action: str,
        values: Mapping[str, Any],
        *,
        version: int | None,
        by: str,
        together: Changes | None = None,
    ) -> Shown:
        _refuse_other_version(row, version)
        now_ms = self.clock.now_ms()
        secret = {"credentials", "api_key_last4"}
        details = {name: str(value) for name, value in values.items() if name not in secret}
        if "credentials" in values:
            details["credentials"] = "replaced"
        audit = audit_row(row.connection_id, action, by=by, now_ms=now_ms, details=details)
        changed = {**values, "updated_at_ms": now_ms, "version": row.version + 1}
        unchanged = ConnectionRow.version == row.version
        audited.update(audit, row, changed, unchanged, together=together)
        return self.one(row.connection_id)


def _refuse_what_the_venue_lacks(
    row: ConnectionRow, fields: Mapping[str, Any], credentials: Mapping[str, str]
) -> None:
    hedge = fields.get("position_mode") == "hedge" and row.api_type != SPOT
    has_passphrase = not credentials or "api_passphrase" in credentials
    venue = venue_named(row.exchange)
    refuse_unfit(venue, row.api_type, hedge=hedge, passphrase=has_passphrase)


def _refuse_while_running(state: EngineStateRow) -> None:
    if is_active(state):
        raise ConflictError(
            "the connection is in use",
            Reason(code="engine_running", message="the engine runs; stop it first"),
        )


def _refuse_to_leave_positions(state: EngineStateRow, what: str) -> None:
    _refuse_latched(state, what)
    if accounts.holds_positions(state.connection_id):
        text = "positions are open; close them first"
        raise ConflictError(what, Reason(code="positions_open", message=text))


def _refuse_latched(state: EngineStateRow, what: str) -> None:
    if is_latched(state):
        raise ConflictError(what, LATCHED)


def _refuse_other_version(row: ConnectionRow, version: int | None) -> None:
    if version is not None and version != row.version:
        raise ConflictError(f"the connection has version {row.version}", audited.CHANGED)
