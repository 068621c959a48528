"""The route table of spot, and which of them its socket API speaks too."""

from dataclasses import replace

from local.paper.venues.binance import restrictions
from local.paper.venues.binance.routes import Guard, Handler, Route
from local.paper.venues.binance_spot import account, orders, public

_AUTHENTICATION = frozenset({"timestamp", "recvWindow", "signature"})


def _public(handler: Handler, reads: str = "", weight: int = 1) -> Route:
    return Route(handler=handler, guard=Guard.NONE, reads=frozenset(reads.split()), weight=weight)


def _signed(handler: Handler, reads: str = "", weight: int = 1) -> Route:
    names = frozenset(reads.split()) | _AUTHENTICATION
    return Route(handler=handler, guard=Guard.SIGNED, reads=names, weight=weight)


def _trading(handler: Handler, reads: str = "") -> Route:
    return replace(_signed(handler, reads), trades=True)


_ORDER = (
    "symbol side type timeInForce quantity quoteOrderQty price newClientOrderId stopPrice"
    " newOrderRespType selfTradePreventionMode"
)
_CANCEL = "cancelReplaceMode cancelOrderId cancelOrigClientOrderId cancelNewClientOrderId"
_ONE = "symbol orderId origClientOrderId"
_SPAN = "startTime endTime limit"

ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/api/v3/ping"): _public(public.ping),
    ("GET", "/api/v3/time"): _public(public.time),
    ("GET", "/api/v3/exchangeInfo"): _public(public.exchange_info, "symbol symbols", 20),
    ("GET", "/api/v3/klines"): _public(public.klines, f"symbol interval {_SPAN}", 2),
    ("GET", "/api/v3/aggTrades"): _public(public.aggregate_trades, f"symbol fromId {_SPAN}", 4),
    ("GET", "/api/v3/trades"): _public(public.recent_trades, "symbol limit", 25),
    ("GET", "/api/v3/depth"): _public(public.depth, "symbol limit", 5),
    ("GET", "/api/v3/avgPrice"): _public(public.average_price, "symbol", 2),
    ("GET", "/api/v3/ticker/24hr"): _public(public.ticker_day, "symbol symbols type", 80),
    ("GET", "/api/v3/ticker/price"): _public(public.ticker_price, "symbol symbols", 4),
    ("GET", "/api/v3/ticker/bookTicker"): _public(public.book_ticker, "symbol symbols", 4),
    ("GET", "/api/v3/account"): _signed(account.account, "omitZeroBalances", 20),
    ("POST", "/api/v3/order"): _trading(orders.new_order, _ORDER),
    ("POST", "/api/v3/order/test"): _trading(orders.test_order, _ORDER),
    ("POST", "/api/v3/order/cancelReplace"): _trading(orders.replace_order, f"{_ORDER} {_CANCEL}"),
    ("GET", "/api/v3/order"): _signed(orders.get_order, _ONE, 4),
    ("DELETE", "/api/v3/order"): _trading(orders.cancel_order, f"{_ONE} newClientOrderId"),
    ("GET", "/api/v3/openOrders"): _signed(orders.open_orders, "symbol", 80),
    ("DELETE", "/api/v3/openOrders"): _trading(orders.cancel_all, "symbol"),
    ("GET", "/api/v3/allOrders"): _signed(orders.all_orders, f"symbol orderId {_SPAN}", 20),
    ("GET", "/api/v3/myTrades"): _signed(orders.my_trades, f"symbol orderId fromId {_SPAN}", 20),
    ("GET", "/sapi/v1/asset/tradeFee"): _signed(account.trade_fee, "symbol"),
    ("GET", "/sapi/v1/account/apiRestrictions"): _signed(restrictions.of_key),
    ("GET", "/sapi/v1/bnbBurn"): _signed(account.burning),
    ("POST", "/sapi/v1/bnbBurn"): _signed(account.set_burning, "spotBNBBurn interestBNBBurn"),
}
"""Weights are those of a request for everything: they never come out too small."""

METHODS: dict[str, tuple[str, str]] = {
    "ping": ("GET", "/api/v3/ping"),
    "time": ("GET", "/api/v3/time"),
    "account.status": ("GET", "/api/v3/account"),
    "order.place": ("POST", "/api/v3/order"),
    "order.cancel": ("DELETE", "/api/v3/order"),
    "order.cancelReplace": ("POST", "/api/v3/order/cancelReplace"),
    "order.status": ("GET", "/api/v3/order"),
    "openOrders.status": ("GET", "/api/v3/openOrders"),
    "openOrders.cancelAll": ("DELETE", "/api/v3/openOrders"),
    "myTrades": ("GET", "/api/v3/myTrades"),
}
"""Methods of the socket API, by the route that answers each."""
