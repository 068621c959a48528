"""Positions and orders as the API tells them: one key condition for each page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from adapters import accounts
from adapters.closed_sums import ClosedSums
from adapters.market_views import last_prices
from adapters.paging import Listing, from_cursor, listing_by, page_of
from adapters.position_rows import position_of
from adapters.position_stats import LIVE_NEEDED, stats
from adapters.tables import OrderRow, PositionRow
from adapters.trade_rows import order_of
from engine.errors import RefusedError
from engine.ledger import Order, Position
from engine.ports import Clock
from engine.values import IndicationType

View = dict[str, Any]


_POSITIONS = {
    "open": listing_by(PositionRow.live, PositionRow, "position_id", "live_since_ms"),
    "closed": listing_by(PositionRow.closed, PositionRow, "position_id", "closed_at_ms"),
    "all": listing_by(PositionRow.recent, PositionRow, "position_id", "created_at_ms"),
}
_ORDERS = {
    "open": listing_by(OrderRow.live, OrderRow, "client_order_id", "live_since_ms"),
    "all": listing_by(OrderRow.recent, OrderRow, "client_order_id", "created_at_ms"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingViews:
    """Reads positions and orders."""

    clock: Clock
    closed: ClosedSums = field(default_factory=ClosedSums)

    def positions(
        self,
        *,
        connection_id: str | None,
        status: str,
        symbol: str | None,
        limit: int,
        cursor: str | None,
        indication_type: str | None = None,
        mode: str | None = None,
    ) -> View:
        """One page of one connection, or the latest of all of them."""
        listing = _POSITIONS[status]
        only = _symbol(symbol) | _indications(indication_type, mode)
        rows, following = _page(listing, connection_id, only=only, limit=limit, cursor=cursor)
        prices = {one: last_prices(one) for one in {row.connection_id for row in rows}}
        data = [
            position_told(row.connection_id, position_of(row), prices[row.connection_id])
            for row in rows
        ]
        return {"count": len(data), "data": data, "cursor": following}

    def orders(
        self,
        *,
        connection_id: str | None,
        status: str,
        symbol: str | None,
        limit: int,
        cursor: str | None,
    ) -> View:
        """One page of one connection, or the latest of all of them."""
        listing = _ORDERS[status]
        rows, following = _page(
            listing, connection_id, only=_symbol(symbol), limit=limit, cursor=cursor
        )
        data = [order_told(row.connection_id, order_of(row)) for row in rows]
        return {"count": len(data), "data": data, "cursor": following}

    def stats(self, connection_id: str) -> View:
        """Sums over every position of a connection."""
        accounts.connection_row(connection_id)
        live = PositionRow.live.query(connection_id, attributes_to_get=list(LIVE_NEEDED))
        return stats(live, self.closed.of(connection_id, now_ms=self.clock.now_ms()))


def _symbol(symbol: str | None) -> dict[str, Sequence[str]]:
    return {} if symbol is None else {"symbol": (symbol,)}


def _indications(name: str | None, mode: str | None) -> dict[str, Sequence[str]]:
    """A position's mode is that of its indication; no type fits two that exclude each other."""
    if name is None and mode is None:
        return {}
    fits = [
        one.value
        for one in IndicationType
        if name in (None, one.value) and mode in (None, one.mode.value)
    ]
    return {"indication": fits or ("",)}


def _page(
    listing: Listing,
    connection_id: str | None,
    *,
    only: Mapping[str, Sequence[str]],
    limit: int,
    cursor: str | None,
) -> tuple[list[Any], str | None]:
    if connection_id is not None:
        accounts.connection_row(connection_id)
        start = from_cursor(cursor, connection_id=connection_id, kinds=listing.key_kinds)
        return page_of(listing, connection_id, only=only, limit=limit, start=start)
    if cursor is not None:
        raise RefusedError("cursor needs connectionId: pages are kept for one connection each")
    rows: list[Any] = []
    for one in accounts.connection_rows():
        found, _ = page_of(listing, one.connection_id, only=only, limit=limit, start=None)
        rows += found
    return sorted(rows, key=_newest_first)[:limit], None


def _newest_first(row: Any) -> tuple[int, str]:
    return (-(row.created_at_ms or 0), row.connection_id)


def position_told(connection_id: str, position: Position, prices: Mapping[str, Decimal]) -> View:
    """A position, valued at the last prices."""
    return {**position_kept(connection_id, position), **position_valued(position, prices)}


def position_kept(connection_id: str, position: Position) -> View:
    """What is told of a position whatever the market does."""
    return {
        "id": position.position_id,
        "connection_id": connection_id,
        "symbol": position.key.symbol,
        "side": position.key.side.value,
        "status": position.status.value,
        "indication_type": position.key.indication.value,
        "mode": position.key.indication.mode.value,
        "set_key": position.key.text,
        "entry_price": position.entry_price,
        "exit_price": position.exit_price,
        "quantity": position.quantity,
        "entry_quantity": position.entry_quantity,
        "leverage": position.leverage,
        "stop_price": position.stop_price,
        "target_price": position.target_price,
        "chosen_stop_price": position.chosen_stop,
        "chosen_target_price": position.chosen_target,
        "trailing_armed": position.trail_armed,
        "realized_pnl": position.realized_pnl,
        "fees": position.fees,
        "funding": position.funding,
        "unconverted": dict(position.unconverted),
        "close_reason": position.close_reason.value if position.close_reason else "",
        "opened_at_ms": position.opened_at_ms or None,
        "closed_at_ms": position.closed_at_ms or None,
    }


def position_valued(position: Position, prices: Mapping[str, Decimal]) -> View:
    """What is told of a position at the last prices."""
    price = prices.get(position.key.symbol) if position.quantity else None
    unrealized = None if price is None else position.unrealized_pnl(price)
    pnl = position.net + (unrealized or Decimal(0))
    return {
        "current_price": price,
        "pnl": pnl,
        "pnl_percent": _percent(pnl, position),
        "unrealized_pnl": unrealized,
    }


def _percent(pnl: Decimal, position: Position) -> Decimal | None:
    """The result in percent of the notional at entry."""
    notional = (position.entry_price or 0) * position.entry_quantity
    return (100 * pnl / notional).quantize(Decimal("0.0001")) if notional else None


def order_told(connection_id: str, order: Order) -> View:
    """An order, from intent to its end."""
    return {
        "client_order_id": order.client_order_id,
        "exchange_order_id": order.exchange_order_id,
        "connection_id": connection_id,
        "position_id": order.position_id,
        "symbol": order.symbol,
        "side": order.side.value,
        "order_side": order.order_side.value,
        "order_type": order.order_type.value,
        "purpose": order.purpose.value,
        "attempt": order.attempt,
        "status": order.state.value,
        "reduce_only": order.reduce_only,
        "quantity": order.quantity,
        "filled_quantity": order.filled_quantity,
        "trigger_price": order.trigger_price,
        "average_price": order.average_price,
        "error_message": order.reason,
        "created_at_ms": order.created_at_ms,
        "updated_at_ms": order.updated_at_ms,
    }
