"""What an operator commands of positions; the position loop obeys in its next tick."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from adapters import accounts, command_views, commands
from adapters.audited import audit_row
from adapters.engine_rows import read_engine
from adapters.operations import Operations
from adapters.outcomes import Outcome, of_one, of_one_or_all, told
from adapters.position_rows import position_of
from adapters.refusals import ConflictError, Reason, UnknownError
from adapters.tables import ConnectionRow, PositionRow
from engine.exit_change import change_refusal
from engine.ledger import Position, PositionStatus
from engine.orders import connection_mark, mark_of
from engine.records import Command, CommandKind, ExitChange
from engine.risk import Refusal
from engine.values import Loop

_WHY_NOT = {
    "not_open": "the position is not open",
    "price_not_positive": "a price must be above zero",
    "target_beyond_stop": "the target must lie on the winning side of the stop",
    "trailing_is_tighter": "the trailing stop holds already and is never loosened",
    "stop_looser": "the stop would be looser than the configured one; say allowLooser to take it",
    "stop_beyond_liquidation": "the stop would not be reached before the liquidation",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionCommands:
    """Queues commands on the record, wakes the loop that obeys, and tells what became of them."""

    operations: Operations

    def close(self, position_id: str, *, by: str, reason: str = "") -> Outcome:
        """Close one position at the market.

        Raises
        ------
        UnknownError, ConflictError
            The latter for one that is closed, or closing already.
        """
        row, position = owner_of(position_id)
        if position.status in (PositionStatus.CLOSED, PositionStatus.CLOSING):
            text = f"the position is {position.status}"
            why = Reason(code=f"already_{position.status}", message=text)
            raise ConflictError(f"{row.name}: the position cannot be closed", why)
        asked = self._command(CommandKind.CLOSE_POSITION, position_id=position_id)
        return of_one(self._submit(row, asked, "position.close", by=by, reason=reason))

    def close_all(self, connection_id: str | None, *, by: str, reason: str = "") -> Outcome:
        """Close everything of one connection, or of each, entries on their way included."""
        return self._each(CommandKind.CLOSE_ALL, connection_id, by=by, reason=reason)

    def close_profitable(self, connection_id: str | None, *, by: str, reason: str = "") -> Outcome:
        """Close what gains at the loop's last price, fees paid, of one connection or of each."""
        return self._each(CommandKind.CLOSE_PROFITABLE, connection_id, by=by, reason=reason)

    def change(self, position_id: str, change: ExitChange, *, by: str, reason: str = "") -> Outcome:
        """Give a position another stop or target.

        What needs no price is judged here; the loop judges all of it on its last price.

        Raises
        ------
        UnknownError, ConflictError
            The latter with what is wrong with these exits.
        """
        row, position = owner_of(position_id)
        refusal = _refusal(row, position, change)
        if refusal is not None:
            raise ConflictError(f"{row.name}: these exits cannot be", _reason(refusal))
        asked = self._command(CommandKind.CHANGE_EXITS, position_id=position_id)
        command = replace(asked, exits=change)
        return of_one(
            self._submit(
                row, command, "position.change", by=by, reason=reason, **commands.exits_json(change)
            )
        )

    def connection_of(self, position_id: str) -> str:
        """Whose position it is; of one that nobody has its own id, which is no connection's."""
        try:
            return owner_of(position_id)[0].connection_id
        except UnknownError:
            return position_id

    def listed(
        self, connection_id: str, *, status: str, limit: int, cursor: str | None
    ) -> dict[str, Any]:
        """Operators' commands, the latest first: those that wait, then those dealt with."""
        return command_views.listed(connection_id, status=status, limit=limit, cursor=cursor)

    def _each(
        self, kind: CommandKind, connection_id: str | None, *, by: str, reason: str
    ) -> Outcome:
        def act(row: ConnectionRow) -> Outcome:
            if not self.operations.has_to_close(row.connection_id):
                return told(row, "nothing is open")
            return self._submit(row, self._command(kind), f"positions.{kind}", by=by, reason=reason)

        return of_one_or_all(connection_id, act)

    def _command(self, kind: CommandKind, position_id: str = "") -> Command:
        now_ms = self.operations.clock.now_ms()
        name = "|".join(part for part in (f"{now_ms:013d}", kind, position_id) if part)
        return Command(command_id=name, kind=kind, created_at_ms=now_ms, position_id=position_id)

    def _submit(
        self, row: ConnectionRow, command: Command, action: str, *, by: str, reason: str, **how: Any
    ) -> Outcome:
        why = {"reason": reason} if reason else {}
        details = {"command_id": command.command_id, **how, **why}
        if command.position_id:
            details["position_id"] = command.position_id
        audit = audit_row(
            row.connection_id, action, by=by, now_ms=command.created_at_ms, details=details
        )
        asked = replace(command, reason=f"{action} by {by}")
        commands.submit(row.connection_id, asked, audit)
        self.operations.starter.start(row.connection_id, Loop.POSITION, reason=asked.reason)
        return told(
            row,
            "the position loop is told",
            command_id=command.command_id,
            position_id=command.position_id,
        )


def owner_of(position_id: str) -> tuple[ConnectionRow, Position]:
    """The position and its connection, of which its id bears the mark.

    Raises
    ------
    UnknownError
        If there is no such position.
    """
    for row in accounts.connection_rows():
        if connection_mark(row.connection_id) != mark_of(position_id):
            continue
        try:
            found = PositionRow.get(row.connection_id, position_id, consistent_read=True)
        except PositionRow.DoesNotExist:
            continue
        return row, position_of(found)
    raise UnknownError(f"there is no position {position_id[:64]!r}")


def _refusal(row: ConnectionRow, position: Position, change: ExitChange) -> Refusal | None:
    engine = read_engine(row.connection_id)
    instruments = {one.symbol: one for one in engine.instruments}
    instrument = instruments.get(position.key.symbol)
    if instrument is None:
        return None  # the loop knows symbols that were added since
    return change_refusal(position, change, instrument, engine.settings, price=None)


def _reason(refusal: Refusal) -> Reason:
    numbers = ", ".join(f"{name} {_plain(n)}" for name, n in refusal.numbers.items())
    text = _WHY_NOT.get(refusal.code, refusal.code)
    return Reason(code=refusal.code, message=f"{text} ({numbers})" if numbers else text)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
