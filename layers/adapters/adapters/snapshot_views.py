"""The whole screen of a console in one answer: each part with its age, all of it bounded."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapters import accounts, cycle_views, equity_rows
from adapters.engine_states import read_state
from adapters.engine_views import EngineViews
from adapters.health import engine_health
from adapters.market_views import MarketViews, instruments_by_symbol, prices_of
from adapters.progress_views import progress
from adapters.refusals import UnknownError
from adapters.tables import AlertRow, OrderRow, PositionRow
from adapters.trade_rows import order_of
from adapters.trading_views import order_told, position_told
from engine.ledger import Order, Purpose
from engine.ports import Clock
from engine.records import EquitySample
from engine.values import Instrument, Loop

View = dict[str, Any]
MOST_POSITIONS = MOST_ORDERS = 500
MOST_ALERTS = 200
CANDLES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotViews:
    """Reads each row that a console shows once: what is stored of it elsewhere is not read."""

    engine_views: EngineViews
    market_views: MarketViews
    clock: Clock

    def snapshot(self, *, connection_id: str, symbol: str | None) -> View:
        """One connection; the candles are of `symbol`, else of the first that is followed.

        Raises
        ------
        UnknownError
            If there is no such connection, or its engine does not follow the symbol.
        """
        row, state = accounts.connection_row(connection_id), read_state(connection_id)
        instruments = instruments_by_symbol(state)
        chosen = _chosen(connection_id, symbol, list(state.symbols or ()), instruments)
        leases, now_ms = self.engine_views.leases_of(connection_id), self.clock.now_ms()
        newest = cycle_views.latest(connection_id, Loop.TRADE, 1)
        prices = prices_of(newest[0], instruments) if newest else {}
        last_slot_ms = leases[Loop.TRADE].last_slot_ms
        status, issue = engine_health(state, lambda: last_slot_ms, now_ms)
        orders = [
            order_of(each) for each in OrderRow.live.query(connection_id, limit=MOST_ORDERS + 1)
        ]
        return {
            "connection_id": connection_id,
            "name": row.name,
            "engine": self.engine_views.engine(row, state, leases),
            "progression": progress(row, state, limit=1, leases=leases, now_ms=now_ms),
            "health": {"status": status, "issue": issue},
            "positions": _positions(connection_id, prices, orders, _age(now_ms, last_slot_ms)),
            "orders": _orders(connection_id, orders),
            "alerts": _alerts(connection_id),
            "equity": _equity(equity_rows.latest(connection_id), now_ms),
            "candles": chosen and self.market_views.tail(connection_id, chosen, CANDLES),
            "settings_version": state.settings_version or 0,
            "tick_age_ms": _age(now_ms, last_slot_ms),
            "timestamp": now_ms,
        }


def _chosen(
    connection_id: str,
    symbol: str | None,
    symbols: list[str],
    instruments: Mapping[str, Instrument],
) -> Instrument | None:
    """The instrument to show; None before an engine follows any."""
    if symbol is None:
        return next((instruments[one] for one in symbols if one in instruments), None)
    if symbol not in instruments:
        raise UnknownError(f"the engine of {connection_id} does not follow {symbol}")
    return instruments[symbol]


def _positions(
    connection_id: str, prices: Mapping[str, Decimal], orders: list[Order], age_ms: int | None
) -> View:
    rows = list(PositionRow.live.query(connection_id, limit=MOST_POSITIONS + 1))
    stops: dict[str, Decimal] = {}
    for order in orders:
        if order.purpose is Purpose.STOP and order.state.is_working:
            left = order.quantity - order.filled_quantity
            stops[order.position_id] = stops.get(order.position_id, Decimal(0)) + left
    data = [
        {
            **position_told(row, prices),
            "protected_quantity": (held := stops.get(row.position_id, Decimal(0))),
            "is_protected": held >= (row.quantity or Decimal(0)),
        }
        for row in rows[:MOST_POSITIONS]
    ]
    return {"data": data, "complete": len(rows) <= MOST_POSITIONS, "marked_age_ms": age_ms}


def _orders(connection_id: str, orders: list[Order]) -> View:
    data = [order_told(connection_id, one) for one in orders[:MOST_ORDERS]]
    return {"data": data, "complete": len(orders) <= MOST_ORDERS}


def _alerts(connection_id: str) -> View:
    """How many alerts are open that concern this connection or no connection at all."""
    rows = list(AlertRow.query("open", limit=MOST_ALERTS + 1))
    counts: dict[str, int] = {}
    for row in rows[:MOST_ALERTS]:
        if row.connection_id in (None, "", connection_id):
            counts[row.severity] = counts.get(row.severity, 0) + 1
    return {
        "open": sum(counts.values()),
        "by_severity": counts,
        "complete": len(rows) <= MOST_ALERTS,
    }


def _equity(sample: EquitySample | None, now_ms: int) -> View | None:
    if sample is None:
        return None
    return {
        "equity": sample.equity,
        "free_margin": sample.free_margin,
        "unrealized": sample.unrealized,
        "at_ms": sample.at_ms,
        "age_ms": now_ms - sample.at_ms,
    }


def _age(now_ms: int, at_ms: int) -> int | None:
    return now_ms - at_ms if at_ms else None
