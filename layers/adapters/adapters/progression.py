"""Ticks as they are journalled, and the candles they carry."""

import struct
from collections.abc import Iterable, Sequence
from typing import Any

from pynamodb.expressions.update import Action

from adapters import commands, environment, equity_rows
from adapters.leases import is_mine, lost, row_of
from adapters.tables import LeaseItem, MarketDataRow, ProgressionRow
from adapters.transactions import MAX_ITEMS, Transaction, WriteRefusedError, reading
from adapters.worker import memory_mb
from engine import market
from engine.market import Candles
from engine.records import Begun, Command, Lease, PositionTicks, TradeTick
from engine.values import Turn, Wish

DAY_S = 86_400
COMMANDS_AT_ONCE = MAX_ITEMS - 10  # beside the tick, its lease and the count of the commands
_TICK = struct.Struct("<4q")


def loop_key(connection_id: str, loop: str) -> str:
    """The key of the ticks of a loop."""
    return f"{connection_id}#{loop}"


def minute_series(connection_id: str) -> str:
    """The key of the minutes that hold the 1 s candles of all symbols."""
    return f"{connection_id}#minute"


def write_tick(
    lease: Lease,
    longer: Lease,
    tick: TradeTick,
    wishes: Sequence[Wish],
    turns: Sequence[Turn],
    *,
    keep_days: int,
) -> None:
    """The tick's row, its wishes and turns with `wish_seq`, the lease extended to `longer`.

    Commands past what one transaction holds follow in more of them under the same lease.
    """
    now_ms = longer.sent_at_ms
    asked = [
        *(commands.wish_command(wish, now_ms=now_ms) for wish in wishes),
        *(commands.turn_command(turn, now_ms=now_ms) for turn in turns),
    ]
    transaction = _extending(lease, longer, last_slot_ms=tick.slot_ms)
    transaction.put("tick", _tick_row(lease, tick, keep_days))
    _ask(transaction, lease, asked[:COMMANDS_AT_ONCE])
    _commit(transaction, lease)
    for begin in range(COMMANDS_AT_ONCE, len(asked), COMMANDS_AT_ONCE):
        more = Transaction()
        more.check("lease", LeaseItem, row_of(longer).lease_key, is_mine(longer, now_ms))
        _ask(more, longer, asked[begin : begin + COMMANDS_AT_ONCE])
        _commit(more, longer)


def _ask(transaction: Transaction, lease: Lease, asked: Sequence[Command]) -> None:
    for command in asked:
        commands.add_pending(transaction, lease.connection_id, command)
    if asked:
        commands.announce(transaction, lease.connection_id, len(asked))


def write_position_ticks(
    lease: Lease, longer: Lease, ticks: PositionTicks, *, keep_days: int
) -> None:
    """One row for a run of position ticks, if there are any, and the lease extended to `longer`.

    With a sample of the equity that is stored in the same transaction.
    """
    last_slot_ms = ticks.ticks[-1][0] if ticks.ticks else None
    transaction = _extending(lease, longer, last_slot_ms=last_slot_ms)
    if ticks.ticks:
        transaction.put("ticks", _run_row(lease, longer.sent_at_ms, ticks, keep_days))
    if ticks.sample is not None:
        for row in equity_rows.rows_of(lease.connection_id, ticks.sample):
            transaction.put(f"equity {row.series}", row)
    _commit(transaction, lease)


def write_minute(lease: Lease, candles: Candles, *, now_ms: int, keep_days: int) -> None:
    """One item with the candles of a minute, all symbols, under the lease."""
    first, last = int(candles.close_ms[0]), int(candles.close_ms[-1])
    row = MarketDataRow(
        minute_series(lease.connection_id),
        first - candles.span_ms,
        end_ms=last,
        candles=market.pack(candles),
        expires_at=now_ms // 1000 + keep_days * DAY_S,
    )
    transaction = Transaction()
    transaction.check("lease", LeaseItem, row_of(lease).lease_key, is_mine(lease, now_ms))
    transaction.put("minute", row)
    _commit(transaction, lease)


def candles_since(connection_id: str, since_ms: int) -> tuple[Candles, ...]:
    """Stored candles that closed after `since_ms`, oldest first, each candle once.

    A minute that its worker did not live to write is still there as ticks; where minutes follow
    each other without a hole, ticks are read from their end on.
    """
    minutes = sorted(map(market.unpack, _minutes(connection_id, since_ms)), key=_order)
    ticks = map(market.unpack, _ticks(connection_id, _known_until(minutes, since_ms)))
    pieces: list[Candles] = []
    reached = since_ms
    for piece in sorted((*minutes, *ticks), key=_order):
        if len(piece) and (last := int(piece.close_ms[-1])) > reached:
            is_new = int(piece.close_ms[0]) > reached
            pieces.append(piece if is_new else piece.between(reached, last))
            reached = last
    return tuple(pieces)


def _known_until(minutes: Sequence[Candles], since_ms: int) -> int:
    """The last close from `since_ms` on up to which no minute is missing."""
    until_ms = since_ms
    for minute in filter(len, minutes):
        first, last = int(minute.close_ms[0]), int(minute.close_ms[-1])
        if first - minute.span_ms > until_ms:
            break
        until_ms = max(until_ms, last)
    return until_ms


def _order(candles: Candles) -> tuple[int, int]:
    """By the first close, longer pieces first."""
    return (int(candles.close_ms[0]), -len(candles)) if len(candles) else (0, 0)


def pack_ticks(ticks: Iterable[tuple[int, int, int, int]]) -> bytes:
    """Ticks (slot_ms, started_us, finished_us, compute_us) as 32 bytes each."""
    return b"".join(_TICK.pack(*tick) for tick in ticks)


def unpack_ticks(packed: bytes) -> tuple[tuple[int, int, int, int], ...]:
    """The ticks that `pack_ticks` wrote."""
    return tuple(_TICK.iter_unpack(packed))


def _minutes(connection_id: str, since_ms: int) -> list[bytes]:
    with reading("stored minutes"):
        rows = MarketDataRow.query(
            minute_series(connection_id),
            MarketDataRow.start_ms > since_ms - 60_000,
            consistent_read=True,
            attributes_to_get=["candles"],
        )
        return [row.candles for row in rows]


def _ticks(connection_id: str, since_ms: int) -> list[bytes]:
    with reading("stored ticks"):
        rows = ProgressionRow.query(
            loop_key(connection_id, "trade"),
            ProgressionRow.slot_ms > since_ms,
            consistent_read=True,
            attributes_to_get=["candles"],
        )
        return [row.candles for row in rows if row.candles]


def _tick_row(lease: Lease, tick: TradeTick, keep_days: int) -> ProgressionRow:
    return ProgressionRow(
        loop_key(lease.connection_id, lease.loop),
        tick.slot_ms,
        owner=lease.owner,
        fencing_token=lease.token,
        started_us=tick.started_us,
        finished_us=tick.finished_us,
        compute_us=tick.compute_us,
        counts=dict(tick.counts),
        close_reasons=dict(tick.close_reasons),
        skipped=dict(tick.skipped),
        candles=market.pack(tick.candles),
        source=tick.source,
        indications_us=tick.indications_us,
        **_measured(tick.store_us),
        settings_version=tick.settings_version,
        **_begun(tick.begun),
        expires_at=tick.slot_ms // 1000 + keep_days * DAY_S,
    )


def _begun(begun: Begun | None) -> dict[str, Any]:
    return {} if begun is None else {"taken_us": begun.taken_us, "began_anew": begun.anew}


def _measured(store_us: int | None) -> dict[str, Any]:
    """What the worker itself says of the time and room it takes."""
    return {
        "store_us": store_us,
        "memory_mb": memory_mb(),
        "memory_limit_mb": environment.lambda_memory_mb(),
    }


def _run_row(lease: Lease, now_ms: int, ticks: PositionTicks, keep_days: int) -> ProgressionRow:
    return ProgressionRow(
        loop_key(lease.connection_id, lease.loop),
        ticks.ticks[0][0],
        owner=lease.owner,
        fencing_token=lease.token,
        **_measured(ticks.store_us),
        **_begun(ticks.begun),
        skipped=dict(ticks.skipped),
        ticks=pack_ticks(ticks.ticks),
        inputs=ticks.inputs,
        settings_version=ticks.settings_version,
        expires_at=now_ms // 1000 + keep_days * DAY_S,
    )


def _extending(lease: Lease, longer: Lease, *, last_slot_ms: int | None) -> Transaction:
    transaction = Transaction()
    actions: list[Action] = [LeaseItem.expires_at_ms.set(longer.sent_at_ms + longer.lease_ms)]
    if last_slot_ms is not None:
        actions.append(LeaseItem.last_slot_ms.set(last_slot_ms))
    transaction.update("lease", row_of(lease), actions, is_mine(lease, longer.sent_at_ms))
    return transaction


def _commit(transaction: Transaction, lease: Lease) -> None:
    try:
        transaction.commit()
    except WriteRefusedError as e:
        raise lost(lease) from e
