"""Reading exchange connections, and how one is shown without its secrets."""

import re
from typing import Any

from adapters.engine_states import actual, is_running, is_wanted
from adapters.refusals import UnknownError
from adapters.tables import CONNECTION_KIND, ConnectionRow, EngineStateRow, PositionRow
from adapters.transactions import Transaction

_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)


def connection_row(connection_id: str) -> ConnectionRow:
    """The row, read strongly.

    Raises
    ------
    UnknownError
        If there is no such connection.
    """
    unknown = UnknownError(f"there is no connection {connection_id[:64]!r}")
    if not _ID.fullmatch(connection_id):
        raise unknown
    try:
        return ConnectionRow.get(CONNECTION_KIND, connection_id, consistent_read=True)
    except ConnectionRow.DoesNotExist as error:
        raise unknown from error


def connection_rows() -> list[ConnectionRow]:
    """All connections, in the order of their ids."""
    return list(ConnectionRow.query(CONNECTION_KIND, consistent_read=True))


def require_unchanged(transaction: Transaction, row: ConnectionRow) -> None:
    """Let the transaction fail if somebody changed or deleted the connection since it was read."""
    unchanged = ConnectionRow.version == row.version
    transaction.check(
        "connection", ConnectionRow, CONNECTION_KIND, unchanged, range_key=row.connection_id
    )


def holds_positions(connection_id: str) -> bool:
    """Whether a position of ours is not closed, or an entry is on its way."""
    return any(PositionRow.live.query(connection_id, consistent_read=True, limit=1))


def held_symbols(connection_id: str) -> frozenset[str]:
    """The symbols of our positions that are not closed."""
    rows = PositionRow.live.query(connection_id, consistent_read=True)
    return frozenset(row.symbol for row in rows if row.symbol)


def shown(row: ConnectionRow, state: EngineStateRow) -> dict[str, Any]:
    """A connection as the API tells it: no secret is in it, sealed or open."""
    started = state.engine_started_at_ms if is_wanted(state) else None
    balance = row.last_test_balance
    return {
        "id": row.connection_id,
        "name": row.name,
        "exchange": row.exchange,
        "api_type": row.api_type,
        "connection_method": row.connection_method,
        "connection_library": "ccxt",
        "margin_type": row.margin_type,
        "position_mode": row.position_mode,
        "is_testnet": row.is_testnet,
        "is_paper": row.is_paper,
        "is_enabled": row.is_enabled,
        "is_active": row.is_active,
        "is_live_trade": row.is_live_trade,
        "is_preset_trade": row.is_preset_trade,
        "volume_factor": row.volume_factor,
        "api_key_last4": row.api_key_last4,
        "last_test_at": row.last_test_at,
        "last_test_result": row.last_test_result or "",
        "last_test_message": row.last_test_message or "",
        "last_test_balance": "" if balance is None else f"{balance:f}",
        "engine_running": is_running(state) and actual(state) == "running",
        "engine_started_at": started,
        "created_at_ms": row.created_at_ms,
        "updated_at_ms": row.updated_at_ms,
        "version": row.version,
    }
