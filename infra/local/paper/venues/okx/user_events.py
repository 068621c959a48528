"""Events of the exchange as messages of the account's channels."""

from collections.abc import Collection, Iterator

from local.paper.core.books import AccountChanged, AlgoChanged, Event, OrderChanged
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import FillKind
from local.paper.venues.okx import account, shapes
from local.paper.venues.okx.contracts import contracts, text
from local.paper.venues.okx.shapes import money
from local.paper.wire import Json

PRIVATE = ("orders", "positions", "account", "balance_and_position")
PRIVATE_BUSINESS = ("orders-algo",)
_OF_THE_ACCOUNT = frozenset(PRIVATE) - {"orders"}
_ON_THE_WAY = ("TRIGGERING", "TRIGGERED")
_REASONS = {"ORDER": "filled", "FUNDING_FEE": "funding_fee", "INSURANCE_CLEAR": "liquidation",
            "MARGIN_TRANSFER": "adjust_margin"}  # fmt: skip


def rows_of(
    exchange: PaperExchange, event: Event, wanted: Collection[str]
) -> Iterator[tuple[str, Json]]:
    """(channel, row) of what a change of the books says on the channels wanted."""
    match event:
        case OrderChanged() if "orders" in wanted:
            yield "orders", _order(exchange, event)
        case AlgoChanged() if "orders-algo" in wanted and event.status not in _ON_THE_WAY:
            yield "orders-algo", shapes.algo(exchange, event.algo) | _SENT
        case AccountChanged() if not _OF_THE_ACCOUNT.isdisjoint(wanted):
            yield from account_rows(exchange, event)
        case _:
            return


def account_rows(exchange: PaperExchange, event: AccountChanged) -> Iterator[tuple[str, Json]]:
    """Positions, balance, and both in short."""
    now_ms = exchange.now_ms()
    rows = [account.position_row(exchange, one) for one in event.positions]
    for row in rows:
        yield "positions", row
    yield "account", account.balance_row(exchange, now_ms)
    short = ("posId", "tradeId", "instId", "instType", "mgnMode", "posSide", "pos", "ccy",
             "posCcy", "avgPx", "nonSettleAvgPx", "settledPnl", "uTime")  # fmt: skip
    wallet = money(exchange.books.account.wallet)
    yield "balance_and_position", {
        "pTime": str(now_ms), "eventType": _REASONS.get(event.reason, "filled"),
        "balData": [{"ccy": "USDT", "cashBal": wallet, "uTime": str(now_ms)}],
        "posData": [{name: row[name] for name in short} for row in rows], "trades": [],
    }  # fmt: skip


_SENT = {"reqId": "", "code": "0", "msg": "", "amendResult": "", "amendSource": ""}


def _order(exchange: PaperExchange, event: OrderChanged) -> Json:
    """The order as it stood at the event, with the execution the event is about, if any."""
    one, fill = event.order, event.fill
    instrument = exchange.instrument(one.symbol)
    value = (one.price or one.average_price) * one.quantity
    row = shapes.order(exchange, one) | _SENT | {
        "notionalUsd": money(value), "lastPx": text(exchange.last_price(one.symbol)),
        "amendResult": "0" if event.execution == "AMENDMENT" else "",
        "fillPx": "", "fillSz": "0", "tradeId": "", "fillTime": "", "fillPnl": "0", "fillFee": "0",
        "fillFeeCcy": "", "execType": "", "fillNotionalUsd": "", "fillFwdPx": "", "fillMarkVol": "",
        "fillPxUsd": "", "fillPxVol": "", "fillMarkPx": "", "fillIdxPx": "",
    }  # fmt: skip
    if fill is None:
        return row
    if fill.kind is FillKind.DELEVERAGING:
        row["category"] = "adl"
    return row | {
        "fillPx": text(fill.price), "fillSz": contracts(instrument, fill.quantity),
        "tradeId": shapes.trade_id(fill), "fillTime": str(fill.time_ms),
        "fillPnl": money(fill.realized), "fillFee": money(-fill.fee), "fillFeeCcy": "USDT",
        "execType": "M" if fill.maker else "T", "fillMarkPx": text(fill.price),
        "fillIdxPx": text(fill.price), "fillNotionalUsd": money(fill.price * fill.quantity),
    }  # fmt: skip
