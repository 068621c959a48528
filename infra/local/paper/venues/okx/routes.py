"""The route table: path, what guards it, what it reads, and how it answers."""

from collections.abc import Callable
from dataclasses import dataclass

from local.paper.core.exchange import PaperExchange
from local.paper.venues.okx import account, algo_orders, orders, public
from local.paper.venues.okx.parameters import Parameters
from local.paper.wire import Json

Reader = Callable[[PaperExchange, Parameters], list[Json]]
Actor = Callable[[PaperExchange, Parameters], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route; ``reads`` are the parameter names it knows, all others are refused.

    A `reader` answers with rows. An `actor` carries out one order of a request, whose refusal
    stands with the order; `has_deadline` is for those that heed the header `expTime`.
    """

    reads: frozenset[str]
    reader: Reader | None = None
    actor: Actor | None = None
    is_private: bool = True
    has_deadline: bool = False


def _public(reader: Reader, reads: str = "") -> Route:
    return Route(reader=reader, reads=frozenset(reads.split()), is_private=False)


def _private(reader: Reader, reads: str = "") -> Route:
    return Route(reader=reader, reads=frozenset(reads.split()))


def _acting(actor: Actor, reads: str, *, has_deadline: bool = False) -> Route:
    return Route(actor=actor, reads=frozenset(reads.split()), has_deadline=has_deadline)


_PAGE = "after before limit begin end"
_SWAP = "instType instId uly instFamily"
_ORDER = "instId tdMode side posSide ordType sz px clOrdId tag reduceOnly tgtCcy ccy stpMode"
_ALGO = (
    "instId tdMode side posSide ordType sz clOrdId algoClOrdId tag reduceOnly closeFraction"
    " slTriggerPx slTriggerPxType slOrdPx tpTriggerPx tpTriggerPxType tpOrdPx"
    " triggerPx triggerPxType orderPx callbackRatio activePx tgtCcy"
)
_AMEND = "instId ordId clOrdId reqId newSz newPx cxlOnFail"
_CANCEL, _CANCEL_ALGO = "instId ordId clOrdId", "instId algoId algoClOrdId"
_LISTED = f"{_SWAP} ordType state {_PAGE}"

_ROUTES: dict[str, Route] = {
    "GET public/time": _public(public.time),
    "GET public/instruments": _public(public.instruments, _SWAP),
    "GET public/mark-price": _public(public.mark_price, _SWAP),
    "GET public/funding-rate": _public(public.funding_rate, "instId"),
    "GET market/candles": _public(public.candles, "instId bar after before limit"),
    "GET market/history-candles": _public(public.history_candles, "instId bar after before limit"),
    "GET market/trades": _public(public.trades, "instId limit"),
    "GET market/history-trades": _public(public.history_trades, "instId type after before limit"),
    "GET market/books": _public(public.books, "instId sz"),
    "GET market/tickers": _public(public.tickers, _SWAP),
    "GET market/ticker": _public(public.ticker, "instId"),
    "GET asset/currencies": _private(account.currencies, "ccy"),
    "GET account/balance": _private(account.balance, "ccy"),
    "GET account/positions": _private(account.positions, "instType instId posId"),
    "GET account/config": _private(account.config),
    "POST account/set-position-mode": _private(account.set_position_mode, "posMode"),
    "POST account/set-leverage": _private(account.set_leverage, "instId lever mgnMode posSide"),
    "GET account/leverage-info": _private(account.leverage_info, "instId mgnMode"),
    "GET account/trade-fee": _private(account.trade_fee, _SWAP),
    "GET account/bills": _private(account.bills, f"{_SWAP} ccy mgnMode type subType {_PAGE}"),
    "GET account/bills-archive": _private(
        account.bills, f"{_SWAP} ccy mgnMode type subType {_PAGE}"
    ),
    "POST account/position/margin-balance": _private(
        account.adjust_margin, "instId posSide amt type"
    ),
    "POST trade/order": _acting(orders.place, _ORDER, has_deadline=True),
    "POST trade/batch-orders": _acting(orders.place, _ORDER, has_deadline=True),
    "POST trade/amend-order": _acting(orders.amend, _AMEND, has_deadline=True),
    "POST trade/amend-batch-orders": _acting(orders.amend, _AMEND, has_deadline=True),
    "POST trade/cancel-order": _acting(orders.cancel, _CANCEL),
    "POST trade/cancel-batch-orders": _acting(orders.cancel, _CANCEL),
    "POST trade/order-algo": _acting(algo_orders.place, _ALGO),
    "POST trade/cancel-algos": _acting(algo_orders.cancel, _CANCEL_ALGO),
    "GET trade/order": _private(orders.get_order, _CANCEL),
    "GET trade/orders-pending": _private(orders.pending, _LISTED),
    "GET trade/orders-history": _private(orders.history, _LISTED),
    "GET trade/orders-history-archive": _private(orders.history, _LISTED),
    "GET trade/fills": _private(orders.fills, f"{_SWAP} ordId {_PAGE}"),
    "GET trade/fills-history": _private(orders.fills, f"{_SWAP} ordId {_PAGE}"),
    "GET trade/order-algo": _private(algo_orders.get_algo, _CANCEL_ALGO),
    "GET trade/orders-algo-pending": _private(
        algo_orders.pending, f"{_SWAP} ordType algoId algoClOrdId {_PAGE}"
    ),
    "GET trade/orders-algo-history": _private(
        algo_orders.history, f"{_SWAP} ordType algoId state {_PAGE}"
    ),
}
_BASE = "/api/v5/"
_LISTS = frozenset({
    "trade/batch-orders", "trade/amend-batch-orders", "trade/cancel-batch-orders",
    "trade/cancel-algos",
})  # fmt: skip


def route_of(method: str, path: str) -> Route | None:
    """The route of a request."""
    return _ROUTES.get(f"{method} {path.removeprefix(_BASE)}")


def takes_list(path: str) -> bool:
    """Whether a route's body is a list of requests."""
    return path.removeprefix(_BASE) in _LISTS
