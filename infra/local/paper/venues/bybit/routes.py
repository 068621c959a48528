"""The route table: path, what guards it, what it reads, how often a second it may be asked."""

from collections.abc import Callable
from dataclasses import dataclass

from local.paper.core.exchange import PaperExchange
from local.paper.venues.bybit import account, orders, position_stops, public
from local.paper.venues.bybit.parameters import Parameters, is_linear
from local.paper.venues.bybit.shapes import Json

Handler = Callable[[PaperExchange, Parameters], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route; `reads` are the parameter names it knows, all others are refused.

    A private one tells in its headers how many of `per_second` calls are left.
    """

    handler: Handler
    reads: frozenset[str]
    is_private: bool = False
    per_second: int = 0


def _public(handler: Handler, reads: str = "") -> Route:
    return Route(handler=handler, reads=frozenset(reads.split()))


def _private(handler: Handler, reads: str = "", per_second: int = 50) -> Route:
    return Route(
        handler=handler, reads=frozenset(reads.split()), is_private=True, per_second=per_second
    )


def _listed(handler: Handler, reads: str) -> Route:
    """A private list, which of the other categories is empty."""

    def answer(exchange: PaperExchange, given: Parameters) -> Json:
        if is_linear(given):
            return handler(exchange, given)
        return {"category": given.text("category"), "list": [], "nextPageCursor": ""}

    return _private(answer, reads)


_ONE = "category symbol orderId orderLinkId"
_PAGE = "limit cursor"
_SPAN = "startTime endTime"
_ORDER = (
    "category symbol side orderType qty price timeInForce positionIdx orderLinkId reduceOnly"
    " closeOnTrigger triggerPrice triggerDirection triggerBy"
)

ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/v5/market/time"): _public(public.time),
    ("GET", "/v5/market/instruments-info"): _public(
        public.instruments, f"category symbol status baseCoin {_PAGE}"
    ),
    ("GET", "/v5/market/kline"): _public(public.klines, "category symbol interval start end limit"),
    ("GET", "/v5/market/tickers"): _public(public.tickers, "category symbol"),
    ("GET", "/v5/market/orderbook"): _public(public.order_book, "category symbol limit"),
    ("GET", "/v5/market/recent-trade"): _public(public.recent_trades, "category symbol limit"),
    ("GET", "/v5/market/funding/history"): _public(
        public.funding_history, f"category symbol limit {_SPAN}"
    ),
    ("POST", "/v5/order/create"): _private(orders.create, _ORDER, 10),
    ("POST", "/v5/order/amend"): _private(
        orders.amend, f"{_ONE} qty price triggerPrice triggerBy", 10
    ),
    ("POST", "/v5/order/cancel"): _private(orders.cancel, _ONE, 10),
    ("POST", "/v5/order/cancel-all"): _private(
        orders.cancel_all, "category symbol settleCoin orderFilter", 10
    ),
    ("GET", "/v5/order/realtime"): _listed(
        orders.realtime, f"{_ONE} settleCoin openOnly orderFilter {_PAGE}"
    ),
    ("GET", "/v5/order/history"): _listed(
        orders.history, f"{_ONE} settleCoin orderFilter orderStatus {_SPAN} {_PAGE}"
    ),
    ("GET", "/v5/execution/list"): _listed(orders.executions, f"{_ONE} execType {_SPAN} {_PAGE}"),
    ("GET", "/v5/position/list"): _listed(account.positions, f"category symbol settleCoin {_PAGE}"),
    ("POST", "/v5/position/set-leverage"): _private(
        account.set_leverage, "category symbol buyLeverage sellLeverage", 10
    ),
    ("POST", "/v5/position/trading-stop"): _private(
        position_stops.trading_stop,
        "category symbol positionIdx tpslMode stopLoss takeProfit trailingStop activePrice"
        " slTriggerBy tpTriggerBy",
        10,
    ),
    ("POST", "/v5/position/switch-mode"): _private(
        account.switch_mode, "category symbol coin mode", 10
    ),
    ("GET", "/v5/account/wallet-balance"): _private(account.wallet, "accountType"),
    ("GET", "/v5/account/info"): _private(account.info),
    ("POST", "/v5/account/set-margin-mode"): _private(account.set_margin_mode, "setMarginMode"),
    ("GET", "/v5/account/fee-rate"): _private(account.fee_rate, "category symbol", 5),
    ("GET", "/v5/user/query-api"): _private(account.query_api, per_second=10),
    ("GET", "/v5/asset/coin/query-info"): _private(account.coins, per_second=5),
}
