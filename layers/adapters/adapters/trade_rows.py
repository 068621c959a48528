"""Orders and executions as rows, and back without loss."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from adapters.tables import OrderRow, TradeRow
from engine.ledger import Fill, FillKind, Order, OrderState, OrderType, Purpose
from engine.values import OrderSide, Side


def order_row(connection_id: str, order: Order) -> OrderRow:
    """The row of an order; one that is not terminal is in the index `live`."""
    live = None if order.state.is_terminal else order.created_at_ms
    return OrderRow(connection_id, live_since_ms=live, **_texts(asdict(order)))


def order_of(row: OrderRow) -> Order:
    """The order a row holds."""
    held: Callable[[str], Any] = row.attribute_values.get
    return Order(
        client_order_id=held("client_order_id"),
        position_id=held("position_id"),
        purpose=Purpose(held("purpose")),
        attempt=held("attempt"),
        symbol=held("symbol"),
        side=Side(held("side")),
        order_type=OrderType(held("order_type")),
        quantity=held("quantity"),
        trigger_price=held("trigger_price"),
        state=OrderState(held("state")),
        exchange_order_id=held("exchange_order_id") or "",
        filled_quantity=held("filled_quantity"),
        booked_quantity=held("booked_quantity"),
        average_price=held("average_price"),
        reason=held("reason") or "",
        created_at_ms=held("created_at_ms"),
        submitting_at_ms=held("submitting_at_ms"),
        updated_at_ms=held("updated_at_ms"),
    )


def fill_row(connection_id: str, fill: Fill) -> TradeRow:
    """The row of an execution, under the venue's own trade id."""
    key = f"{fill.symbol}#{fill.trade_id}"
    return TradeRow(connection_id, key, **_texts(asdict(fill)))


def fill_of(row: TradeRow) -> Fill:
    """The execution a row holds."""
    return Fill(
        trade_id=row.trade_id,
        client_order_id=row.client_order_id,
        exchange_order_id=row.exchange_order_id or "",
        symbol=row.symbol,
        side=Side(row.side),
        order_side=OrderSide(row.order_side),
        price=row.price,
        quantity=row.quantity,
        fee=row.fee,
        fee_asset=row.fee_asset or "",
        is_maker=row.is_maker,
        executed_at_ms=row.executed_at_ms,
        kind=FillKind(row.kind),
    )


def _texts(values: dict[str, Any]) -> dict[str, Any]:
    """Enumerations as plain strings, which is what rows hold."""
    return {name: str(v) if isinstance(v, str) else v for name, v in values.items()}
