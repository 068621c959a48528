"""The control port: the exchange's own books, for tests and reports. Plain HTTP, loopback only."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from aiohttp import web

from local.paper.core import margin
from local.paper.core.books import Books
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import AlgoOrder, Order, OrderSide, Position
from local.paper.wire import VenueWire

DEFAULT_VENUE = "binance"
_SPOT_STOP = "STOP_LOSS"
"""A stop on spot, which is a plain order there."""
_ZERO = Decimal(0)


def control_app(wires: Mapping[str, VenueWire], routes: Iterable[web.RouteDef]) -> web.Application:
    """``GET /health`` and ``GET /books?venue=…`` (Binance unless said otherwise), and `routes`."""

    async def health(request: web.Request) -> web.Response:
        times = [one.exchange.now_ms() for one in wires.values()]
        return web.json_response({"ok": True, "time_ms": max(times), "venues": [*wires]})

    async def books(request: web.Request) -> web.Response:
        name = request.query.get("venue", DEFAULT_VENUE)
        wire = wires.get(name)
        if wire is None:
            words = f"venue={name!r} must be one of {', '.join(wires)}"
            return web.json_response({"error": words}, status=400)
        wire.exchange.advance()
        told = report(wire.exchange)
        for trade in told["trades"]:
            trade["printed_id"] = wire.printed_trade_id(trade["trade_id"])
        return web.json_response(told)

    app = web.Application()
    app.add_routes([web.get("/health", health), web.get("/books", books), *routes])
    return app


def report(exchange: PaperExchange) -> dict[str, Any]:
    """Everything the exchange knows. Quantities are strings in base units, above zero.

    ``duplicates`` counts, per purpose, how often a client id was accepted again after its first
    time, open or not.
    """
    books = exchange.books
    return {
        "orders_received": sum(one.accepted for one in books.client_ids.values()),
        "duplicates": {purpose: _duplicates(books, purpose) for purpose in ("order", "algo")},
        "fills": len(books.fills),
        "open_orders": [_order(one) for one in books.open_orders.values()],
        "open_algo_orders": [_algo(one) for one in books.open_algos.values()],
        "positions": [_position(exchange, one) for one in margin.held(books)],
        "trades": [one.row() for one in books.fills],
        "incomes": [one.row() for one in books.incomes],
        "insurance": str(books.account.insurance),
        "balance": str(books.account.wallet),
        "available": str(exchange.available()),
        "hedge_mode": books.account.hedge_mode,
    }


def _duplicates(books: Books, purpose: str) -> int:
    rows = [one for one in books.client_ids.values() if one.purpose == purpose]
    return sum(one.accepted - 1 for one in rows)


def _order(one: Order) -> dict[str, Any]:
    """``closes`` is the side a stop on spot can close."""
    closes = "LONG" if (one.original_type, one.side) == (_SPOT_STOP, OrderSide.SELL) else ""
    return one.row() | {"type": one.order_type, "closes": closes}


def _algo(one: AlgoOrder) -> dict[str, Any]:
    """A conditional order under the names of a plain one; ``closes`` is the side it can close."""
    closes = "LONG" if one.side.sign < 0 else "SHORT"
    names = {"client_order_id": one.client_algo_id, "type": one.order_type, "closes": closes}
    return one.row() | names


def _position(exchange: PaperExchange, one: Position) -> dict[str, Any]:
    side = "LONG" if one.quantity > 0 else "SHORT"
    stopped = stop_quantity(exchange.books, one)
    bare = abs(one.quantity) - stopped - exchange.uncoverable(one.symbol)
    return {
        "symbol": one.symbol, "side": side, "position_side": one.position_side.value,
        "quantity": str(abs(one.quantity)), "entry_price": str(one.entry_price),
        "margin": str(one.margin), "stop_quantity": str(stopped),
        "protected": bare <= 0,
    }  # fmt: skip


def stop_quantity(books: Books, position: Position) -> Decimal:
    """Live STOP_MARKET quantity that can only close this position; on spot, STOP_LOSS sales.

    In hedge mode the position side makes an order reduce-only; ``closePosition`` covers all of it.
    """
    total = sum(
        (
            order.quantity - order.filled
            for order in books.open_orders.values()
            if (order.symbol, order.original_type) == (position.symbol, _SPOT_STOP)
            and order.side is OrderSide.SELL
        ),
        _ZERO,
    )
    for algo in books.open_algos.values():
        same = (algo.symbol, algo.position_side) == (position.symbol, position.position_side)
        against = algo.side.sign * position.quantity < 0
        if not (same and against and algo.order_type == "STOP_MARKET"):
            continue
        if algo.close_position:
            return abs(position.quantity)
        if algo.reduce_only or algo.position_side != "BOTH":
            total += algo.quantity
    return total
