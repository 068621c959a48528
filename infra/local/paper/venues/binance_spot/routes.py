"""The route table of spot, and which of them its socket API speaks too."""

from local.paper.venues.binance import restrictions
from local.paper.venues.binance.routes import Route, anyone, listing, signed, trading
from local.paper.venues.binance_spot import account, orders, public

_ORDER = (
    "symbol side type timeInForce quantity quoteOrderQty price newClientOrderId stopPrice"
    " newOrderRespType selfTradePreventionMode"
)
_CANCEL = "cancelReplaceMode cancelOrderId cancelOrigClientOrderId cancelNewClientOrderId"
_ONE = "symbol orderId origClientOrderId"
_SPAN = "startTime endTime limit"

ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/api/v3/ping"): anyone(public.ping),
    ("GET", "/api/v3/time"): anyone(public.time),
    ("GET", "/api/v3/exchangeInfo"): anyone(public.exchange_info, "symbol symbols", 20),
    ("GET", "/api/v3/klines"): anyone(public.klines, f"symbol interval {_SPAN}", 2),
    ("GET", "/api/v3/aggTrades"): anyone(public.aggregate_trades, f"symbol fromId {_SPAN}", 4),
    ("GET", "/api/v3/trades"): anyone(public.recent_trades, "symbol limit", 25),
    ("GET", "/api/v3/depth"): anyone(public.depth, "symbol limit", 5),
    ("GET", "/api/v3/avgPrice"): anyone(public.average_price, "symbol", 2),
    ("GET", "/api/v3/ticker/24hr"): anyone(public.ticker_day, "symbol symbols type", 80),
    ("GET", "/api/v3/ticker/price"): anyone(public.ticker_price, "symbol symbols", 4),
    ("GET", "/api/v3/ticker/bookTicker"): anyone(public.book_ticker, "symbol symbols", 4),
    ("GET", "/api/v3/account"): signed(account.account, "omitZeroBalances", 20),
    ("POST", "/api/v3/order"): trading(orders.new_order, _ORDER),
    ("POST", "/api/v3/order/test"): trading(orders.test_order, _ORDER),
    ("POST", "/api/v3/order/cancelReplace"): trading(orders.replace_order, f"{_ORDER} {_CANCEL}"),
    ("GET", "/api/v3/order"): signed(orders.get_order, _ONE, 4),
    ("DELETE", "/api/v3/order"): trading(orders.cancel_order, f"{_ONE} newClientOrderId"),
    ("GET", "/api/v3/openOrders"): listing(orders.open_orders, "symbol", 80, of_one=6),
    ("DELETE", "/api/v3/openOrders"): trading(orders.cancel_all, "symbol"),
    ("GET", "/api/v3/allOrders"): signed(orders.all_orders, f"symbol orderId {_SPAN}", 20),
    ("GET", "/api/v3/myTrades"): signed(orders.my_trades, f"symbol orderId fromId {_SPAN}", 20),
    ("GET", "/sapi/v1/asset/tradeFee"): signed(account.trade_fee, "symbol"),
    ("GET", "/sapi/v1/account/apiRestrictions"): signed(restrictions.of_key),
    ("GET", "/sapi/v1/bnbBurn"): signed(account.burning),
    ("POST", "/sapi/v1/bnbBurn"): signed(account.set_burning, "spotBNBBurn interestBNBBurn"),
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
