"""Which orders and fills a request means, on both of Binance's wires."""

from collections.abc import Sequence

from local.paper.core.exchange import PaperExchange
from local.paper.core.records import Fill, Order
from local.paper.core.refusals import Reason, RefusedError
from local.paper.venues.binance.parameters import Parameters


def find(
    exchange: PaperExchange,
    given: Parameters,
    otherwise: Reason,
    names: tuple[str, str] = ("orderId", "origClientOrderId"),
) -> Order:
    """The order of an id or, the newest one, of a client id; `names` are their parameters."""
    exchange.advance()
    symbol, (by_id, by_name) = exchange.instrument(given.text("symbol")).symbol, names
    if given.has(by_id):
        found = exchange.books.orders.get(given.integer(by_id))
        candidates = [found] if found else []
    else:
        name = given.text(by_name)
        candidates = [one for one in exchange.books.orders.values() if one.client_order_id == name]
    candidates = [one for one in candidates if one.symbol == symbol]
    if not candidates:
        raise RefusedError(otherwise)
    return candidates[-1]


def working(exchange: PaperExchange, given: Parameters) -> list[Order]:
    """The open orders, of one symbol where it is sent."""
    exchange.advance()
    symbol = given.text("symbol", "")
    if symbol:
        exchange.instrument(symbol)
    return [one for one in exchange.books.open_orders.values() if symbol in ("", one.symbol)]


def orders_of(
    exchange: PaperExchange, given: Parameters, symbol: str, span_ms: tuple[int, int]
) -> Sequence[Order]:
    """A page of the orders of a symbol made within a time, both ends included."""
    first, (start_ms, end_ms) = given.integer("orderId", 0), span_ms
    found = [
        one
        for one in exchange.books.orders.values()
        if one.symbol == symbol and one.order_id >= first and start_ms <= one.created_ms <= end_ms
    ]
    return _page(found, given, "orderId")


def fills_of(
    exchange: PaperExchange, given: Parameters, symbol: str, span_ms: tuple[int, int]
) -> Sequence[Fill]:
    """A page of the fills within a time, both ends included; an empty symbol means any."""
    first, order_id = given.integer("fromId", 0), given.integer("orderId", 0)
    start_ms, end_ms = span_ms
    found = [
        one
        for one in exchange.books.fills
        if symbol in ("", one.symbol) and order_id in (0, one.order_id)
        and one.trade_id >= first and start_ms <= one.time_ms <= end_ms
    ]  # fmt: skip
    return _page(found, given, "fromId")


def _page[T](found: Sequence[T], given: Parameters, first: str) -> Sequence[T]:
    """The oldest ones from where the client wants to begin, or else the newest ones."""
    limit = given.integer("limit", 500)
    begins = given.has(first) or given.has("startTime")
    return found[:limit] if begins else found[-limit:]
