"""Exchange positions as rows, and back without loss."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pynamodb.exceptions import DoesNotExist

from adapters.tables import PositionRow
from adapters.transactions import reading
from engine.ledger import Position, PositionStatus, Recovery
from engine.values import CloseReason, Exits, IndicationType, SetKey, Side, Variant

GUARD_PREFIX = "key#"


def guard_row(connection_id: str, position: Position) -> PositionRow:
    """The row that says which position holds the short key."""
    key = GUARD_PREFIX + position.key.short_text
    return PositionRow(connection_id, key, held_by=position.position_id)


def holds(guard: PositionRow) -> bool:
    """Whether the short key is held by the position of `guard`.

    A late fill reopens a closed position; another may hold its key by then.
    """
    with reading("read short key"):
        try:
            row = PositionRow.get(guard.connection_id, guard.position_id, consistent_read=True)
        except DoesNotExist:
            return False
    return row.held_by == guard.held_by


def position_row(connection_id: str, position: Position) -> PositionRow:
    """The row of a position: in the index `live` until it is closed, then in `closed`."""
    closed = position.status is PositionStatus.CLOSED
    key, exits = position.key, position.key.exits
    return PositionRow(
        connection_id,
        position.position_id,
        live_since_ms=None if closed else position.entry_close_ms,
        created_at_ms=position.entry_close_ms,
        closed_at_ms=position.closed_at_ms if closed else None,
        symbol=key.symbol,
        indication=str(key.indication),
        parameter=key.parameter,
        variant=key.variant.text,
        side=str(key.side),
        take_profit_pct=exits.take_profit_pct,
        stop_loss_pct=exits.stop_loss_pct,
        trail_start_pct=exits.trail_start_pct,
        trail_stop_pct=exits.trail_stop_pct,
        exit_flags=list(exits.flags),
        status=str(position.status),
        entry_close_ms=position.entry_close_ms,
        leverage=position.leverage,
        quantity=position.quantity,
        entry_quantity=position.entry_quantity,
        entry_price=position.entry_price,
        first_quantity=position.first_quantity,
        first_price=position.first_price,
        exit_price=position.exit_price,
        stop_price=position.stop_price,
        target_price=position.target_price,
        chosen_stop=position.chosen_stop,
        chosen_target=position.chosen_target,
        trail_armed=position.trail_armed,
        best_price=position.best_price,
        recovery=str(position.recovery),
        residue=position.residue,
        realized_pnl=position.realized_pnl,
        fees=position.fees,
        funding=position.funding,
        unconverted=_texts(position.unconverted),
        settled=_texts(position.settled),
        opened_at_ms=position.opened_at_ms,
        close_reason=position.close_reason and str(position.close_reason),
        updated_at_ms=position.updated_at_ms,
    )


def position_of(row: PositionRow) -> Position:
    """The position a row holds; most of the time goes where each value is asked for."""
    held: Callable[[str], Any] = row.attribute_values.get
    return Position(
        position_id=held("position_id"),
        key=key_of(row),
        status=PositionStatus(held("status")),
        entry_close_ms=held("entry_close_ms"),
        leverage=held("leverage"),
        quantity=held("quantity"),
        entry_quantity=held("entry_quantity"),
        entry_price=held("entry_price"),
        first_quantity=held("first_quantity") or Decimal(0),
        first_price=held("first_price"),
        exit_price=held("exit_price"),
        stop_price=held("stop_price"),
        target_price=held("target_price"),
        chosen_stop=held("chosen_stop"),
        chosen_target=held("chosen_target"),
        trail_armed=held("trail_armed"),
        best_price=held("best_price"),
        recovery=Recovery(held("recovery") or Recovery.NONE),
        residue=held("residue") or Decimal(0),
        realized_pnl=held("realized_pnl"),
        fees=held("fees"),
        funding=held("funding") or Decimal(0),
        unconverted=_amounts(held("unconverted")),
        settled=_amounts(held("settled")),
        opened_at_ms=held("opened_at_ms"),
        closed_at_ms=held("closed_at_ms") or 0,
        close_reason=CloseReason(held("close_reason")) if held("close_reason") else None,
        updated_at_ms=held("updated_at_ms"),
    )


def exit_flags(names: Iterable[str]) -> dict[str, bool]:
    """What `Exits.flags` names, as its arguments."""
    return dict.fromkeys(names, True)


def _texts(amounts: tuple[tuple[str, Decimal], ...]) -> dict[str, str] | None:
    """Amounts by name as JSON keeps them, or nothing."""
    return {name: str(amount) for name, amount in amounts} or None


def _amounts(texts: dict[str, str] | None) -> tuple[tuple[str, Decimal], ...]:
    return tuple((name, Decimal(text)) for name, text in (texts or {}).items())


def key_of(row: PositionRow) -> SetKey:
    """The Set that a row's position belongs to."""
    held: Callable[[str], Any] = row.attribute_values.get
    return _key(
        held("symbol"),
        held("indication"),
        held("parameter"),
        held("variant") or "",
        held("side"),
        held("take_profit_pct"),
        held("stop_loss_pct"),
        held("trail_start_pct"),
        held("trail_stop_pct"),
        *map(str, held("exit_flags") or ()),
    )


@lru_cache(maxsize=4096)
def _key(  # many positions share a Set
    symbol: str,
    indication: str,
    parameter: int,
    variant: str,
    side: str,
    take_profit_pct: Decimal,
    stop_loss_pct: Decimal,
    trail_start_pct: Decimal,
    trail_stop_pct: Decimal,
    *flags: str,
) -> SetKey:
    return SetKey(
        symbol=symbol,
        indication=IndicationType(indication),
        parameter=parameter,
        variant=Variant.of(variant),
        side=Side(side),
        exits=Exits(
            take_profit_pct=take_profit_pct,
            stop_loss_pct=stop_loss_pct,
            trail_start_pct=trail_start_pct,
            trail_stop_pct=trail_stop_pct,
            **exit_flags(flags),
        ),
    )
