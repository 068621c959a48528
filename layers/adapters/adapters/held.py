"""What the position loop finds in the store when it starts."""

from adapters.position_rows import position_of
from adapters.risk_rows import read_risk
from adapters.tables import OrderRow, PositionRow, TradeRow
from adapters.trade_rows import fill_of, order_of
from adapters.transactions import reading
from engine.ledger import Fill, Order, Position
from engine.records import Held
from engine.risk import day_of, kept_since
from engine.risk_record import Result

COOLDOWN_MS = 900_000  # longer than the longest cooldown
CLOCK_MARGIN_MS = 60_000  # venue and machine may disagree by less than this
CLOSED_LIMIT = 500


def read_held(connection_id: str, *, now_ms: int) -> Held:
    """Open and lately closed positions with all their orders and executions.

    Orders and executions are read from the time of the oldest of those positions on; results of
    closed positions from as far back as the limits of the account count them.
    """
    with reading("read held positions"):
        risk = read_risk(connection_id)
        positions = tuple(
            map(position_of, PositionRow.live.query(connection_id, consistent_read=True))
        )
        results_ms = kept_since(risk.day_ms if risk and risk.day_ms else day_of(now_ms))
        ended = _closed(connection_id, min(results_ms, now_ms - COOLDOWN_MS))
        lately = [p for p in ended if p.closed_at_ms >= now_ms - COOLDOWN_MS]
        closed = tuple(lately[:CLOSED_LIMIT])
        oldest = min((p.entry_close_ms for p in (*positions, *closed)), default=now_ms)
        since_ms = oldest - CLOCK_MARGIN_MS
        named = {position.position_id for position in (*positions, *closed)}
        orders = _orders(connection_id, since_ms, named)
        fills = _fills(connection_id, since_ms)
        last = fills[-1].executed_at_ms if fills else _last_fill_ms(connection_id)
    return Held(
        orders=orders,
        positions=positions,
        closed=closed,
        fill_ids=frozenset(fill.key for fill in fills),
        last_fill_ms=last,
        results=tuple(
            Result.of(position)
            for position in ended
            if position.entry_quantity > 0 and position.closed_at_ms >= results_ms
        ),
        risk=risk,
    )


def _closed(connection_id: str, since_ms: int) -> tuple[Position, ...]:
    """Positions closed since then, the latest first."""
    rows = PositionRow.closed.query(
        connection_id,
        PositionRow.closed_at_ms >= since_ms,
        consistent_read=True,
        scan_index_forward=False,
    )
    return tuple(map(position_of, rows))


def _orders(connection_id: str, since_ms: int, position_ids: set[str]) -> tuple[Order, ...]:
    """Live orders, and the ended ones of the given positions."""
    found = {
        row.client_order_id: order_of(row)
        for row in OrderRow.live.query(connection_id, consistent_read=True)
    }
    recent = OrderRow.recent.query(
        connection_id, OrderRow.created_at_ms >= since_ms, consistent_read=True
    )
    for row in recent:
        if row.position_id in position_ids:
            found.setdefault(row.client_order_id, order_of(row))
    return tuple(sorted(found.values(), key=lambda order: order.created_at_ms))


def _fills(connection_id: str, since_ms: int) -> list[Fill]:
    rows = TradeRow.recent.query(
        connection_id, TradeRow.executed_at_ms >= since_ms, consistent_read=True
    )
    return [fill_of(row) for row in rows]


def _last_fill_ms(connection_id: str) -> int:
    rows = TradeRow.recent.query(
        connection_id, consistent_read=True, scan_index_forward=False, limit=1
    )
    return max((row.executed_at_ms for row in rows), default=0)
