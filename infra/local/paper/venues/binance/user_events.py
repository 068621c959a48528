"""Events of the exchange as frames of the user data stream."""

from local.paper.core import margin
from local.paper.core.books import (
    AccountChanged,
    AlgoChanged,
    ConfigChanged,
    Event,
    OrderChanged,
)
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import ZERO, FillKind, Position
from local.paper.venues.binance.market_shapes import Json
from local.paper.venues.binance.shapes import money, number

_NOT_FILLED_AT_ONCE, _LIQUIDATED = "2", "5"


class UserEvents:
    """Builds frames; reads books and prices, changes nothing."""

    def __init__(self, exchange: PaperExchange) -> None:
        self._exchange = exchange
        self._books = exchange.books

    def frame(self, event: Event, now_ms: int) -> Json:
        """The frame of an event."""
        match event:
            case OrderChanged():
                return _order_frame(event, now_ms)
            case AlgoChanged():
                return _algo_frame(event, now_ms)
            case AccountChanged():
                return self._account_frame(event, now_ms)
            case ConfigChanged():
                config = {"s": event.config.symbol, "l": event.config.leverage}
                return {"e": "ACCOUNT_CONFIG_UPDATE", "E": now_ms, "T": now_ms, "ac": config}

    def _account_frame(self, event: AccountChanged, now_ms: int) -> Json:
        wallet, cross = self._books.account.wallet, margin.cross_wallet(self._books)
        change = sum((one.amount for one in event.incomes), ZERO)
        balance = {"a": "USDT", "wb": money(wallet), "cw": money(cross), "bc": money(change)}
        return {
            "e": "ACCOUNT_UPDATE", "E": now_ms, "T": now_ms,
            "a": {
                "m": event.reason,
                "B": [balance],
                "P": [self._position(one) for one in self._shown(event)],
            },
        }  # fmt: skip

    def _shown(self, event: AccountChanged) -> tuple[Position, ...]:
        """Funding of a cross position shows no position, as on the venue."""
        if event.reason != "FUNDING_FEE":
            return event.positions
        return tuple(one for one in event.positions if self._books.config(one.symbol).isolated)

    def _position(self, one: Position) -> Json:
        price = self._exchange.mark_price(one.symbol)
        isolated = self._books.config(one.symbol).isolated
        return {
            "s": one.symbol, "pa": number(one.quantity), "ep": number(round(one.entry_price, 8)),
            "bep": number(round(one.entry_price, 8)), "cr": money(one.realized),
            "up": money(one.unrealized(price)), "mt": "isolated" if isolated else "cross",
            "iw": money(one.margin), "ps": one.position_side.value,
        }  # fmt: skip


def _expiry(event: OrderChanged) -> str:
    """Why an order expired, as the venue numbers it; 0 if it did not."""
    if event.execution != "EXPIRED":
        return "0"
    return _LIQUIDATED if event.liquidated else _NOT_FILLED_AT_ONCE


def _execution(event: OrderChanged) -> str:
    """What the venue executes on its own is CALCULATED, not TRADE."""
    forced = event.fill is not None and event.fill.kind is not FillKind.TRADE
    return "CALCULATED" if forced else event.execution


def _order_frame(event: OrderChanged, now_ms: int) -> Json:
    one, fill = event.order, event.fill
    body = {
        "s": one.symbol, "c": one.client_order_id, "S": one.side.value, "o": one.order_type,
        "f": one.time_in_force, "q": number(one.quantity), "p": number(one.price),
        "ap": number(round(one.average_price, 8)), "sp": number(one.trigger_price),
        "x": _execution(event), "X": one.status.value, "i": one.order_id,
        "l": number(fill.quantity) if fill else "0", "z": number(one.filled),
        "L": number(fill.price) if fill else "0", "N": "USDT",
        "n": money(fill.fee) if fill else "0", "T": one.updated_ms,
        "t": fill.trade_id if fill else 0, "b": "0", "a": "0",
        "m": fill.maker if fill else False, "R": one.reduce_only, "wt": "CONTRACT_PRICE",
        "ot": one.original_type, "ps": one.position_side.value, "cp": one.close_position,
        "rp": money(fill.realized) if fill else "0", "pP": False, "si": 0, "ss": 0,
        "V": "EXPIRE_MAKER", "pm": "NONE", "gtd": 0, "er": _expiry(event),
    }  # fmt: skip
    return {"e": "ORDER_TRADE_UPDATE", "E": now_ms, "T": one.updated_ms, "o": body}


def _algo_frame(event: AlgoChanged, now_ms: int) -> Json:
    one = event.algo
    triggered = event.status in ("TRIGGERED", "FINISHED")
    body = {
        "caid": one.client_algo_id, "aid": one.algo_id, "at": "CONDITIONAL", "o": one.order_type,
        "s": one.symbol, "S": one.side.value, "ps": one.position_side.value,
        "f": one.time_in_force, "q": number(one.quantity), "X": event.status,
        "ai": str(one.actual_order_id) if triggered else "", "tp": number(one.trigger_price),
        "p": number(one.price), "V": "EXPIRE_MAKER", "wt": one.working_type, "pm": "NONE",
        "cp": one.close_position, "pP": False, "R": one.reduce_only, "tt": one.triggered_ms,
        "gtd": 0, "rm": one.failure,
    }  # fmt: skip
    return {"e": "ALGO_UPDATE", "E": now_ms, "T": one.updated_ms, "o": body}
