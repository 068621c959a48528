"""JSON shapes of orders, executions and positions, shared by REST and channels."""

from decimal import Decimal

from local.paper.core.exchange import PaperExchange
from local.paper.core.records import AlgoOrder, AlgoStatus, Fill, FillKind, Order, OrderStatus
from local.paper.core.triggers import TRAILING
from local.paper.core.venue_orders import ADL_AUTOCLOSE, LIQUIDATION
from local.paper.venues.okx.contracts import contracts, inst_id, text
from local.paper.wire import Json

TRIGGER = "trigger"
"""The working type of an order that was sent as OKX's `trigger`: any price it comes to fires it."""
_NAMELESS = "paper_"  # how the core names what a client did not
_STATES = {
    OrderStatus.NEW: "live", OrderStatus.PARTIALLY_FILLED: "partially_filled",
    OrderStatus.FILLED: "filled", OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "canceled",
}  # fmt: skip
_ALGO_STATES = {
    AlgoStatus.NEW: "live", AlgoStatus.CANCELED: "canceled", AlgoStatus.FINISHED: "effective",
    AlgoStatus.REJECTED: "order_failed",
}  # fmt: skip
_LIMITS = {"GTC": "limit", "GTX": "post_only", "IOC": "ioc", "FOK": "fok"}
_TAKE_PROFITS = ("TAKE_PROFIT", "TAKE_PROFIT_MARKET")
_CONTRACTS_FEE = "USDT"
_CENTS = Decimal("1e-8")
# Of an execution: a trade by side, and what the venue closed itself by side.
_SUB_TYPES = {
    FillKind.TRADE: {"BUY": "1", "SELL": "2"},
    FillKind.LIQUIDATION: {"BUY": "106", "SELL": "107"},
    FillKind.DELEVERAGING: {"BUY": "127", "SELL": "128"},
}


def money(value: Decimal) -> str:
    """USDT to eight places."""
    return text(value.quantize(_CENTS))


def parent_of(exchange: PaperExchange, one: Order) -> AlgoOrder | None:
    """The conditional order it was born of."""
    known = exchange.books.client_ids.get(("algo", one.client_order_id))
    parents = (exchange.books.algos.get(each) for each in (known.ids if known else ()))
    return next((each for each in parents if each and each.actual_order_id == one.order_id), None)


def fills_of(exchange: PaperExchange, one: Order) -> list[Fill]:
    """Its executions, oldest first."""
    if not one.filled:
        return []
    return [each for each in exchange.books.fills if each.order_id == one.order_id]


def pos_side(one: Order | AlgoOrder | Fill) -> str:
    """`long`, `short`, or `net` with one position."""
    return "net" if one.position_side == "BOTH" else one.position_side.lower()


def td_mode(exchange: PaperExchange, symbol: str) -> str:
    """Margin mode of what is ordered and held in a symbol."""
    return "isolated" if exchange.books.config(symbol).isolated else "cross"


def trade_id(one: Fill) -> str:
    """Below zero where the venue itself closed."""
    return str(one.trade_id if one.kind is FillKind.TRADE else -one.trade_id)


def order(exchange: PaperExchange, one: Order) -> Json:
    """A plain order, with its latest execution."""
    instrument, config = exchange.instrument(one.symbol), exchange.books.config(one.symbol)
    parent, fills = parent_of(exchange, one), fills_of(exchange, one)
    last = fills[-1] if fills else None
    return {
        "instType": "SWAP", "instId": inst_id(one.symbol), "tgtCcy": "", "ccy": "",
        "ordId": str(one.order_id), "clOrdId": "" if parent else client_id(one.client_order_id),
        "tag": "", "px": text(one.price) if one.price else "", "pxUsd": "", "pxVol": "",
        "pxType": "", "sz": contracts(instrument, one.quantity),
        "pnl": money(sum((each.realized for each in fills), Decimal(0))),
        "ordType": _kind(one), "side": one.side.lower(), "posSide": pos_side(one),
        "tdMode": td_mode(exchange, one.symbol), "accFillSz": contracts(instrument, one.filled),
        "fillPx": text(last.price) if last else "", "tradeId": trade_id(last) if last else "",
        "fillSz": contracts(instrument, last.quantity) if last else "0",
        "fillTime": str(last.time_ms) if last else "",
        "avgPx": text(round(one.average_price, 8)) if one.filled else "",
        "state": _STATES[one.status], "stpId": "", "stpMode": "cancel_maker",
        "lever": str(config.leverage), "attachAlgoClOrdId": "", "attachAlgoOrds": [],
        "linkedAlgoOrd": {"algoId": ""}, "tpTriggerPx": "", "tpTriggerPxType": "", "tpOrdPx": "",
        "slTriggerPx": "", "slTriggerPxType": "", "slOrdPx": "", "feeCcy": _CONTRACTS_FEE,
        "fee": money(-sum((each.fee for each in fills), Decimal(0))), "rebateCcy": _CONTRACTS_FEE,
        "rebate": "0", "source": "7" if parent else "", "category": _category(one),
        "reduceOnly": str(one.reduce_only or one.close_position).lower(), "isTpLimit": "false",
        "cancelSource": "1" if one.status is OrderStatus.CANCELED else "",
        "cancelSourceReason": "", "quickMgnType": "",
        "algoId": str(parent.algo_id) if parent else "",
        "algoClOrdId": client_id(parent.client_algo_id) if parent else "",
        "tradeQuoteCcy": "", "cTime": str(one.created_ms), "uTime": str(one.updated_ms),
    }  # fmt: skip


def algo(exchange: PaperExchange, one: AlgoOrder) -> Json:
    """A conditional order."""
    instrument, config = exchange.instrument(one.symbol), exchange.books.config(one.symbol)
    born = str(one.actual_order_id or "")
    return {
        "instType": "SWAP", "instId": inst_id(one.symbol), "ccy": "", "ordId": born,
        "ordIdList": [born] if born else [], "algoId": str(one.algo_id),
        "algoClOrdId": client_id(one.client_algo_id), "clOrdId": "",
        "sz": contracts(instrument, one.quantity) if one.quantity else "",
        "closeFraction": "1" if one.close_position else "", "ordType": algo_kind(one),
        "side": one.side.lower(), "posSide": pos_side(one),
        "tdMode": td_mode(exchange, one.symbol), "tgtCcy": "", "state": _ALGO_STATES[one.status],
        "lever": str(config.leverage), **_triggers(one), "actualSz": contracts(
            instrument, one.quantity) if born else "0",
        "actualPx": text(round(one.actual_price, 8)) if one.actual_price else "",
        "actualSide": _reason(one) if born else "", "tag": "",
        "triggerTime": str(one.triggered_ms or ""), "pxVar": "", "pxSpread": "", "szLimit": "",
        "pxLimit": "", "timeInterval": "",
        "callbackRatio": text(one.callback_rate / 100) if one.callback_rate else "",
        "callbackSpread": "", "activePx": text(one.activate_price) if one.activate_price else "",
        "moveTriggerPx": _moved(one),
        "reduceOnly": str(one.reduce_only or one.close_position).lower(), "quickMgnType": "",
        "last": "", "failCode": "51008" if one.status is AlgoStatus.REJECTED else "",
        "amendPxOnTriggerType": "0", "attachAlgoOrds": [], "linkedOrd": {"ordId": ""},
        "isTradeBorrowMode": "", "chaseType": "", "chaseVal": "", "maxChaseType": "",
        "maxChaseVal": "", "tradeQuoteCcy": "", "cTime": str(one.created_ms),
        "uTime": str(one.updated_ms),
    }  # fmt: skip


def fill(exchange: PaperExchange, one: Fill) -> Json:
    """An execution; of one that was born it names the venue's order id alone."""
    made = exchange.books.orders[one.order_id]
    named = "" if parent_of(exchange, made) else client_id(one.client_order_id)
    return {
        "instType": "SWAP", "instId": inst_id(one.symbol), "tradeId": trade_id(one),
        "ordId": str(one.order_id), "clOrdId": named, "billId": str(one.trade_id),
        "subType": _SUB_TYPES[one.kind][one.side], "tag": "", "fillPx": text(one.price),
        "fillSz": contracts(exchange.instrument(one.symbol), one.quantity),
        "fillIdxPx": text(one.price), "fillPnl": money(one.realized), "fillPxVol": "",
        "fillPxUsd": "", "fillMarkVol": "", "fillFwdPx": "", "fillMarkPx": text(one.price),
        "side": one.side.lower(), "posSide": pos_side(one), "execType": "M" if one.maker else "T",
        "feeCcy": _CONTRACTS_FEE, "fee": money(-one.fee), "ts": str(one.time_ms),
        "fillTime": str(one.time_ms), "feeRate": "", "tradeQuoteCcy": "",
    }  # fmt: skip


def algo_kind(one: AlgoOrder) -> str:
    """OKX's name of its order type."""
    if one.order_type == TRAILING:
        return "move_order_stop"
    return "trigger" if one.working_type == TRIGGER else "conditional"


def client_id(name: str) -> str:
    """A client's own id; empty where the core named the order."""
    return "" if name.startswith(_NAMELESS) else name


def _kind(one: Order) -> str:
    return "market" if one.order_type in ("MARKET", LIQUIDATION) else _LIMITS[one.time_in_force]


def _category(one: Order) -> str:
    if one.order_type != LIQUIDATION:
        return "normal"
    return "adl" if one.client_order_id == ADL_AUTOCLOSE else "full_liquidation"


def _reason(one: AlgoOrder) -> str:
    return "tp" if one.order_type in _TAKE_PROFITS else "sl"


def _triggers(one: AlgoOrder) -> Json:
    """Trigger and limit price under the names of its kind; -1 is the market."""
    names = ("tpTriggerPx", "tpOrdPx", "tpTriggerPxType", "slTriggerPx", "slOrdPx",
             "slTriggerPxType", "triggerPx", "ordPx", "triggerPxType")  # fmt: skip
    found = dict.fromkeys(names, "")
    kind, price = algo_kind(one), text(one.price) if one.price else "-1"
    by = "mark" if one.working_type == "MARK_PRICE" else "last"
    if kind == "trigger":
        found |= {"triggerPx": text(one.trigger_price), "ordPx": price, "triggerPxType": by}
    elif kind == "conditional":
        side = _reason(one)
        found |= {f"{side}TriggerPx": text(one.trigger_price), f"{side}OrdPx": price}
        found[f"{side}TriggerPxType"] = by
    return found


def _moved(one: AlgoOrder) -> str:
    """Where a trailing stop would fire now."""
    if one.order_type != TRAILING or not one.extreme:
        return ""
    return text(round(one.extreme * (1 + one.side.sign * one.callback_rate / 100), 8))
