"""The route table: path, what guards it, what it reads, what it weighs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from local.paper.core.exchange import PaperExchange
from local.paper.venues.binance import (
    account,
    algo_orders,
    funding,
    orders,
    public,
    restrictions,
    terms,
)
from local.paper.venues.binance.market_shapes import Json
from local.paper.venues.binance.parameters import Parameters

Handler = Callable[[PaperExchange, Parameters], Json]


class Guard(StrEnum):
    """NONE: public; SIGNED: key, signature and time."""

    NONE = "none"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route; ``reads`` are the parameter names it knows, all others are refused.

    ``trades`` says that a key without the right to trade may not call it. ``saved`` is how much
    less it weighs when it is asked about one symbol.
    """

    handler: Handler
    guard: Guard
    reads: frozenset[str]
    weight: int = 1
    trades: bool = False
    saved: int = 0


_AUTHENTICATION = frozenset({"timestamp", "recvWindow", "signature"})


def anyone(handler: Handler, reads: str = "", weight: int = 1) -> Route:
    """A route anybody may call; `reads` are names between spaces."""
    return Route(handler=handler, guard=Guard.NONE, reads=frozenset(reads.split()), weight=weight)


def signed(handler: Handler, reads: str = "", weight: int = 1) -> Route:
    """A route that needs key, signature and time, and reads what they come in."""
    names = frozenset(reads.split()) | _AUTHENTICATION
    return Route(handler=handler, guard=Guard.SIGNED, reads=names, weight=weight)


def listing(handler: Handler, reads: str, weight: int, *, of_one: int) -> Route:
    """A signed route that lists what all symbols have, or with less weight one of them."""
    return replace(signed(handler, reads, weight), saved=weight - of_one)


def trading(handler: Handler, reads: str = "", weight: int = 1) -> Route:
    """A signed route that needs the right to trade, too."""
    return replace(signed(handler, reads, weight), trades=True)


_ORDER = (
    "symbol side positionSide type timeInForce quantity reduceOnly price newClientOrderId"
    " newOrderRespType priceProtect selfTradePreventionMode"
)
_ALGO = (
    "algoType symbol side positionSide type timeInForce quantity price triggerPrice workingType"
    " closePosition reduceOnly activatePrice callbackRate clientAlgoId newOrderRespType"
)
_ONE = "symbol orderId origClientOrderId"
_ONE_ALGO = "symbol algoId clientAlgoId"
_SPAN = "startTime endTime limit"

ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/fapi/v1/ping"): anyone(public.ping),
    ("GET", "/fapi/v1/time"): anyone(public.time),
    ("GET", "/fapi/v1/exchangeInfo"): anyone(public.exchange_info),
    ("GET", "/fapi/v1/klines"): anyone(public.klines, f"symbol interval {_SPAN}", 5),
    ("GET", "/fapi/v1/aggTrades"): anyone(public.aggregate_trades, f"symbol fromId {_SPAN}", 20),
    ("GET", "/fapi/v1/trades"): anyone(public.recent_trades, "symbol limit", 5),
    ("GET", "/fapi/v1/depth"): anyone(public.book, "symbol limit", 10),
    ("GET", "/fapi/v1/ticker/24hr"): anyone(public.ticker_day, "symbol", 40),
    ("GET", "/fapi/v1/ticker/price"): anyone(public.ticker_price, "symbol", 2),
    ("GET", "/fapi/v2/ticker/price"): anyone(public.ticker_price, "symbol", 2),
    ("GET", "/fapi/v1/ticker/bookTicker"): anyone(public.book_ticker, "symbol", 5),
    ("GET", "/fapi/v1/premiumIndex"): anyone(public.premium_index, "symbol"),
    ("GET", "/fapi/v1/fundingInfo"): anyone(funding.funding_info),
    ("GET", "/fapi/v1/fundingRate"): anyone(funding.funding_rates, f"symbol {_SPAN}"),
    ("GET", "/fapi/v2/account"): signed(account.account, weight=5),
    ("GET", "/fapi/v3/account"): signed(account.account, weight=5),
    ("GET", "/fapi/v2/balance"): signed(account.balance, weight=5),
    ("GET", "/fapi/v3/balance"): signed(account.balance, weight=5),
    ("GET", "/fapi/v2/positionRisk"): signed(account.position_risk, "symbol", 5),
    ("GET", "/fapi/v3/positionRisk"): signed(account.position_risk, "symbol", 5),
    ("GET", "/fapi/v1/leverageBracket"): signed(terms.leverage_bracket, "symbol"),
    ("GET", "/fapi/v1/symbolConfig"): signed(terms.symbol_config, "symbol", 5),
    ("GET", "/fapi/v1/accountConfig"): signed(terms.account_config, weight=5),
    ("GET", "/fapi/v1/commissionRate"): signed(terms.commission_rate, "symbol", 20),
    ("GET", "/fapi/v1/multiAssetsMargin"): signed(terms.assets_mode, weight=30),
    ("GET", "/fapi/v1/income"): signed(funding.income, f"symbol incomeType page {_SPAN}", 30),
    ("GET", "/fapi/v1/positionSide/dual"): signed(terms.position_mode, weight=30),
    ("POST", "/fapi/v1/positionSide/dual"): trading(terms.set_position_mode, "dualSidePosition"),
    ("POST", "/fapi/v1/leverage"): trading(terms.set_leverage, "symbol leverage"),
    ("POST", "/fapi/v1/marginType"): trading(terms.set_margin_type, "symbol marginType"),
    ("POST", "/fapi/v1/positionMargin"): trading(
        terms.change_margin, "symbol positionSide amount type"
    ),
    ("POST", "/fapi/v1/order"): trading(orders.new_order, _ORDER, 0),
    ("GET", "/fapi/v1/order"): signed(orders.get_order, _ONE),
    ("PUT", "/fapi/v1/order"): trading(orders.amend_order, f"{_ONE} side quantity price"),
    ("DELETE", "/fapi/v1/order"): trading(orders.cancel_order, _ONE),
    ("GET", "/fapi/v1/openOrder"): signed(orders.get_open_order, _ONE),
    ("GET", "/fapi/v1/openOrders"): listing(orders.open_orders, "symbol", 40, of_one=1),
    ("GET", "/fapi/v1/allOrders"): signed(orders.all_orders, f"symbol orderId {_SPAN}", 5),
    ("DELETE", "/fapi/v1/allOpenOrders"): trading(orders.cancel_all, "symbol"),
    ("GET", "/fapi/v1/userTrades"): signed(orders.user_trades, f"symbol orderId fromId {_SPAN}", 5),
    ("GET", "/fapi/v1/forceOrders"): signed(
        orders.force_orders, f"symbol autoCloseType {_SPAN}", 20
    ),
    ("POST", "/fapi/v1/algoOrder"): trading(algo_orders.new_algo, _ALGO, 0),
    ("GET", "/fapi/v1/algoOrder"): signed(algo_orders.get_algo, _ONE_ALGO),
    ("DELETE", "/fapi/v1/algoOrder"): trading(algo_orders.cancel_algo, _ONE_ALGO),
    ("GET", "/fapi/v1/openAlgoOrders"): listing(
        algo_orders.open_algos, "symbol algoType", 40, of_one=1
    ),
    ("GET", "/fapi/v1/allAlgoOrders"): signed(
        algo_orders.all_algos, f"symbol algoId algoType page {_SPAN}", 5
    ),
    ("DELETE", "/fapi/v1/algoOpenOrders"): trading(algo_orders.cancel_all_algos, "symbol"),
    ("GET", "/sapi/v1/account/apiRestrictions"): signed(restrictions.of_key),
}
