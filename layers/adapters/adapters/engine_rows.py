"""The state row of a connection's engine, as the loops read and prove it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.update import Action

from adapters.leases import is_mine, lost, row_of
from adapters.stored_settings import settings_of
from adapters.tables import EngineStateRow, LeaseItem
from adapters.transactions import Transaction, WriteRefusedError, is_refused, reading
from engine.errors import CorruptStateError, StoreBusyError
from engine.ports import Log
from engine.records import EngineRow, Lease, StoredSettings
from engine.settings import Settings, overrides, with_values
from engine.values import Loop


def read_engine(connection_id: str) -> EngineRow:
    """The engine's row, read strongly.

    Raises
    ------
    CorruptStateError
        If the engine of this connection was never set up.
    """
    with reading("read engine state"):
        try:
            row = EngineStateRow.get(connection_id, consistent_read=True)
        except DoesNotExist as e:
            raise CorruptStateError(f"connection {connection_id} has no engine state") from e
    return EngineRow(
        connection_id=connection_id,
        run_id=row.run_id or "",
        symbols=tuple(row.symbols or ()),
        instruments=row.instruments or (),
        settings=with_values(Settings(), row.settings or {}),
        settings_version=row.settings_version or 0,
        prehistoric_data_loaded=bool(row.prehistoric_data_loaded),
        prehistory_end_ms=row.prehistory_end_ms or 0,
        may_trade=bool(row.may_trade),
        may_trade_preset=bool(row.may_trade_preset),
        hedge=bool(row.hedge),
        cross=bool(row.cross),
        volume_factor=row.volume_factor or Decimal(1),
        exchange=row.exchange or "",
        position_settings=_stored(row.position_settings, row.position_settings_version),
    )


def settings_or_last(connection_id: str, log: Log | None = None) -> StoredSettings:
    """What the operator wants; while that cannot be read, what the engine ran with last.

    Raises
    ------
    StoreBusyError
        If it never ran.
    """
    try:
        return settings_of(connection_id)
    except StoreBusyError as error:
        known = _last(connection_id)
        if known is None:
            raise
        if log is not None:
            log.problem("settings not read", {"kept_version": known.version, "error": str(error)})
        return known


def _last(connection_id: str) -> StoredSettings | None:
    with reading("read engine state"):
        try:
            row = EngineStateRow.get(connection_id, consistent_read=True)
        except DoesNotExist:
            return None
    return _stored(row.settings, row.settings_version)


def write_taken(lease: Lease, taken: StoredSettings, *, now_ms: int) -> None:
    """Note what a loop runs with from now on; refused with LeaseLostError once its lease is lost.

    A run that begins anew has none of the position loop's own.
    """
    transaction = Transaction()
    transaction.check("lease", LeaseItem, row_of(lease).lease_key, is_mine(lease, now_ms))
    values, version = EngineStateRow.settings, EngineStateRow.settings_version
    if lease.loop is Loop.POSITION:
        values = EngineStateRow.position_settings
        version = EngineStateRow.position_settings_version
    actions: list[Action] = [values.set(overrides(taken.settings)), version.set(taken.version)]
    transaction.update("engine state", EngineStateRow(lease.connection_id), actions)
    try:
        transaction.commit()
    except WriteRefusedError as e:
        raise lost(lease) from e


def _stored(values: Mapping[str, Any] | None, version: int | None) -> StoredSettings | None:
    if version is None:
        return None
    return StoredSettings(settings=with_values(Settings(), values or {}), version=version)


def write_heartbeat(lease: Lease, counts: Mapping[str, int], *, now_ms: int) -> None:
    """Prove that the loop lives; refused with LeaseLostError once its lease is lost."""
    transaction = Transaction()
    transaction.check("lease", LeaseItem, row_of(lease).lease_key, is_mine(lease, now_ms))
    row = EngineStateRow(lease.connection_id)
    transaction.update("engine state", row, _heartbeat(lease.loop, counts, now_ms))
    try:
        transaction.commit()
    except WriteRefusedError as e:
        raise lost(lease) from e


def write_loading(connection_id: str, *, stage: str, progress_pct: int) -> None:
    """Show how far loading has come; an older report never overwrites a newer one."""
    progress = EngineStateRow.loading_progress
    actions: list[Action] = [EngineStateRow.loading_stage.set(stage), progress.set(progress_pct)]
    with reading("report loading"):
        try:
            EngineStateRow(connection_id).update(
                actions, condition=progress.does_not_exist() | (progress <= progress_pct)
            )
        except UpdateError as e:
            if not is_refused(e):
                raise


def _heartbeat(loop: Loop, counts: Mapping[str, int], now_ms: int) -> list[Action]:
    if loop is Loop.TRADE:
        return [
            EngineStateRow.last_trade_heartbeat_ms.set(now_ms),
            EngineStateRow.trade_counters.set(dict(counts)),
        ]
    return [
        EngineStateRow.last_position_heartbeat_ms.set(now_ms),
        EngineStateRow.position_counters.set(dict(counts)),
    ]
