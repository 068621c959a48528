"""The whole screen of a console in one answer: each part with its age, all of it bounded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

from pynamodb.pagination import ResultIterator

from adapters import accounts, cycle_views, equity_rows
from adapters.engine_states import read_state
from adapters.engine_views import EngineViews
from adapters.health import engine_health
from adapters.market_views import MarketViews, instruments_by_symbol, prices_of
from adapters.performance_views import punctuality
from adapters.position_rows import position_of
from adapters.progress_views import progress
from adapters.refusals import UnknownError
from adapters.tables import AlertRow, ConnectionRow, OrderRow, PositionRow, ProgressionRow
from adapters.trade_rows import order_of
from adapters.trading_views import order_told, position_kept, position_valued
from adapters.unchanged_rows import UnchangedRows
from engine.ledger import Order, Position, Purpose
from engine.ports import Clock
from engine.records import EquitySample
from engine.settings import Settings, with_values
from engine.values import Instrument, Loop

View = dict[str, Any]
Rows = Mapping[Loop, Sequence[ProgressionRow]]
MOST_POSITIONS = MOST_ORDERS = 500
MOST_WORKING = 1_500
"""An entry, a stop and a target of each: what protects a position is known though not shown."""
MOST_ALERTS = 200
RECENT_ORDERS = 60
CADENCE_ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to tell of: without a connection of the first, without a symbol of its first one.

    `candles` seconds and `ticks` of each loop, and how punctual the loops are if `cadence`.
    """

    connection_id: str | None
    symbol: str | None
    candles: int
    ticks: int
    cadence: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderShown:
    """An order, and what is told of it."""

    order: Order
    told: View


def _order_shown(item: dict[str, Any]) -> OrderShown:
    row = OrderRow.from_raw_data(item)
    order = order_of(row)
    return OrderShown(order=order, told=order_told(row.connection_id, order))


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionShown:
    """A position, and what is told of it whatever the market does."""

    position: Position
    told: View


def _position_shown(item: dict[str, Any]) -> PositionShown:
    row = PositionRow.from_raw_data(item)
    position = position_of(row)
    return PositionShown(position=position, told=position_kept(row.connection_id, position))


def _orders_shown() -> UnchangedRows[OrderShown]:
    return UnchangedRows("client_order_id", _order_shown)


def _positions_shown() -> UnchangedRows[PositionShown]:
    return UnchangedRows("position_id", _position_shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotViews:
    """Reads each row that a console shows once: what is stored of it elsewhere is not read.

    Of open positions and orders most are what they were a second ago: only the others are made
    anew.
    """

    engine_views: EngineViews
    market_views: MarketViews
    clock: Clock
    working: UnchangedRows[OrderShown] = field(default_factory=_orders_shown)
    recent: UnchangedRows[OrderShown] = field(default_factory=_orders_shown)
    open: UnchangedRows[PositionShown] = field(default_factory=_positions_shown)

    def snapshot(self, wanted: Wanted, *, within: frozenset[str] | None) -> View:
        """One connection, beside the names of all that are `within` reach (None: all).

        Raises
        ------
        UnknownError
            If there is no such connection, or its engine does not follow the symbol.
        """
        known = [
            row
            for row in accounts.connection_rows()
            if within is None or row.connection_id in within
        ]
        row = _row_of(wanted.connection_id, known)
        told = self._told(row, wanted)
        return {"connections": [_named(one) for one in known], **told}

    def _told(self, row: ConnectionRow, wanted: Wanted) -> View:
        connection_id, state = row.connection_id, read_state(row.connection_id)
        instruments = instruments_by_symbol(state)
        chosen = _chosen(connection_id, wanted.symbol, list(state.symbols or ()), instruments)
        leases, now_ms = self.engine_views.leases.read_both(connection_id), self.clock.now_ms()
        rows = _rows(connection_id, wanted)
        newest = rows[Loop.TRADE][:1]
        prices = prices_of(newest[0], instruments) if newest else {}
        last_slot_ms = leases[Loop.TRADE].last_slot_ms
        status, issue = engine_health(state, lambda: last_slot_ms, now_ms)
        working = OrderRow.live.query(connection_id, limit=MOST_WORKING)
        orders = self.working.of(connection_id, _items(working, MOST_WORKING))
        shown = {loop: some[: wanted.ticks] for loop, some in rows.items()}
        return {
            "connection_id": connection_id,
            "name": row.name,
            "engine": self.engine_views.engine(row, state, leases),
            "progression": progress(row, state, rows=shown, leases=leases, now_ms=now_ms),
            "cadence": _cadence(rows, state.settings) if wanted.cadence else None,
            "health": {"status": status, "issue": issue},
            "positions": self._positions(connection_id, prices, orders, _age(now_ms, last_slot_ms)),
            "orders": self._orders(connection_id, orders),
            "alerts": _alerts(connection_id),
            "equity": _equity(equity_rows.latest(connection_id), now_ms),
            "candles": chosen
            and self.market_views.tail(connection_id, chosen, wanted.candles, rows[Loop.TRADE]),
            "settings_version": state.settings_version or 0,
            "tick_age_ms": _age(now_ms, last_slot_ms),
            "timestamp": now_ms,
        }

    def _positions(
        self,
        connection_id: str,
        prices: Mapping[str, Decimal],
        orders: Sequence[OrderShown],
        age_ms: int | None,
    ) -> View:
        found = PositionRow.live.query(connection_id, limit=MOST_POSITIONS + 1)
        shown = self.open.of(connection_id, _items(found, MOST_POSITIONS + 1))
        stops = _stops(orders)
        data = [
            {
                **one.told,
                **position_valued(one.position, prices),
                "protected_quantity": (held := stops.get(one.position.position_id, Decimal(0))),
                "is_protected": held >= one.position.quantity,
            }
            for one in shown[:MOST_POSITIONS]
        ]
        return {"data": data, "complete": len(shown) <= MOST_POSITIONS, "marked_age_ms": age_ms}

    def _orders(self, connection_id: str, working: Sequence[OrderShown]) -> View:
        """Those that work, and what else is among the newest."""
        ids = {one.order.client_order_id for one in working}
        found = OrderRow.recent.query(connection_id, scan_index_forward=False, limit=RECENT_ORDERS)
        newest = self.recent.of(connection_id, _items(found, RECENT_ORDERS))
        return {
            "data": [one.told for one in working[:MOST_ORDERS]],
            "complete": len(working) <= MOST_ORDERS,
            "ended": [one.told for one in newest if one.order.client_order_id not in ids],
        }


def _items(found: ResultIterator[Any], most: int) -> Iterator[dict[str, Any]]:
    """The first rows of a query as the wire has them."""
    return islice((item for page in found.page_iter for item in page["Items"]), most)


def _stops(orders: Sequence[OrderShown]) -> Mapping[str, Decimal]:
    """What the working stops of each position still cover."""
    stops: dict[str, Decimal] = {}
    for order in (one.order for one in orders):
        if order.purpose is Purpose.STOP and order.state.is_working:
            left = order.quantity - order.filled_quantity
            stops[order.position_id] = stops.get(order.position_id, Decimal(0)) + left
    return stops


def _row_of(connection_id: str | None, known: Sequence[ConnectionRow]) -> ConnectionRow:
    if connection_id is None and not known:
        raise UnknownError("there are no connections yet")
    for row in known:
        if connection_id in (None, row.connection_id):
            return row
    return accounts.connection_row(str(connection_id))


def _named(row: ConnectionRow) -> View:
    """What tells accounts apart, and how real their money is."""
    return {
        "id": row.connection_id,
        "name": row.name,
        "exchange": row.exchange,
        "is_paper": row.is_paper,
        "is_testnet": row.is_testnet,
        "is_live_trade": row.is_live_trade,
    }


def _rows(connection_id: str, wanted: Wanted) -> dict[Loop, list[ProgressionRow]]:
    """As many rows of each loop as any part needs, newest first, read once."""
    return cycle_views.latest_of(
        connection_id, max(wanted.ticks, CADENCE_ROWS if wanted.cadence else 0)
    )


def _cadence(rows: Rows, settings: Mapping[str, Any] | None) -> View:
    measured = {loop: some[:CADENCE_ROWS] for loop, some in rows.items()}
    loops = punctuality(measured, with_values(Settings(), settings or {}))
    return {"trade_loop": loops[Loop.TRADE], "position_loop": loops[Loop.POSITION]}


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
