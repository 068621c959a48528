"""Events of the exchange as the account's news."""

from local.paper.core.books import AccountChanged, Event, OrderChanged
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import Order
from local.paper.core.spot_balances import Balance, base_balance, quote_balance
from local.paper.venues.binance_spot.orders import cancel_id
from local.paper.venues.binance_spot.shapes import STP, eight, is_working, kind_of, time_in_force
from local.paper.wire import Json


def news(exchange: PaperExchange, event: Event) -> Json | None:
    """The event as `executionReport` or `outboundAccountPosition`; None if spot has no such."""
    match event:
        case OrderChanged():
            return _execution(event, exchange.now_ms())
        case AccountChanged():
            return _balances(exchange, event)
        case _:
            return None


def _execution(event: OrderChanged, now_ms: int) -> Json:
    one, fill = event.order, event.fill
    is_cancel = event.execution == "CANCELED"
    return {
        "e": "executionReport", "E": now_ms, "s": one.symbol,
        "c": cancel_id(one) if is_cancel else one.client_order_id, "S": one.side.value,
        "o": kind_of(one), "f": time_in_force(one), "q": eight(one.quantity),
        "p": eight(one.price), "P": eight(one.trigger_price), "F": "0.00000000", "g": -1,
        "C": one.client_order_id if is_cancel else "", "x": event.execution,
        "X": one.status.value, "r": "NONE", "i": one.order_id,
        "l": eight(fill.quantity) if fill else "0.00000000", "z": eight(one.filled),
        "L": eight(fill.price) if fill else "0.00000000",
        "n": eight(fill.fee) if fill else "0", "N": fill.fee_asset if fill else None,
        "T": one.updated_ms, "t": fill.trade_id if fill else -1, "v": 3, "I": one.order_id,
        "w": _rests(one), "m": fill.maker if fill else False, "M": False, "O": one.created_ms,
        "Z": eight(one.filled_quote), "Y": eight(fill.price * fill.quantity) if fill else "0",
        "Q": "0.00000000", "W": one.created_ms, "V": STP,
    }  # fmt: skip


def _rests(one: Order) -> bool:
    return one.is_open and is_working(one)


def _balances(exchange: PaperExchange, event: AccountChanged) -> Json:
    changed = [quote_balance(exchange.books)]
    changed += [
        base_balance(exchange.books, exchange.instrument(one.symbol)) for one in event.positions
    ]
    now_ms = exchange.now_ms()
    rows = [_row(one) for one in changed]
    return {"e": "outboundAccountPosition", "E": now_ms, "u": now_ms, "B": rows}


def _row(one: Balance) -> Json:
    return {"a": one.asset, "f": eight(one.free), "l": eight(one.locked)}
