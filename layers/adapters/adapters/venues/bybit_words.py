"""Bybit v5's rows as our values (linear perpetuals settled in USDT). Pure: rows in, values out.

A conditional order keeps its id and its link id when it fires, so an order is named by its link id
alone. An execution does not tell the side of its position: our own names tell whether they
reduce, and for orders of others `closedSize` does.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from adapters.failures import ErrorWords
from adapters.venues import Kline, LastPrice, PrivateNews, Row, Trade, position_side
from engine.events import Account, Funding, KeyRights, OrderUpdate, VenueOrder, VenuePosition
from engine.ledger import Fill, FillKind, OrderState
from engine.orders import parsed
from engine.values import Instrument, OrderSide, Side

ERRORS = ErrorWords(
    code=re.compile(r'"retCode"\s*:\s*"?(-?\d+)'),
    message=re.compile(r'"retMsg"\s*:\s*"([^"]*)"'),
    # Too many requests of a key, of an address, of all; an address shut out for a while.
    busy=frozenset({"10006", "10018", "10429", "10009"}),
    clock=frozenset({"10002"}),
    # A server's time-out or failure says nothing of what it did before; nor does "in process".
    unclear=frozenset({"10000", "10016", "5004", "110079"}),
)
COIN = "USDT"
_STATES = {
    "Created": OrderState.OPEN,
    "New": OrderState.OPEN,
    "Untriggered": OrderState.OPEN,
    "Triggered": OrderState.OPEN,
    "Active": OrderState.OPEN,
    "PartiallyFilled": OrderState.PARTIALLY_FILLED,
    "Filled": OrderState.FILLED,
    "Cancelled": OrderState.CANCELLED,
    "PartiallyFilledCanceled": OrderState.CANCELLED,
    "Deactivated": OrderState.CANCELLED,
    "Rejected": OrderState.REJECTED,
}
_KINDS = {
    "Trade": FillKind.TRADE,
    "BlockTrade": FillKind.TRADE,
    "MovePosition": FillKind.TRADE,
    "BustTrade": FillKind.LIQUIDATION,
    "AdlTrade": FillKind.DELEVERAGING,
}
_SIDES = {1: Side.LONG, 2: Side.SHORT}
_NO_REASON = ("", "EC_NoError", "EC_PerCancelRequest")


def instrument(row: Row, *, volume_quote: Decimal) -> Instrument | None:
    """A row of instruments-info, or None if it is no USDT perpetual that trades now."""
    kind = (row["contractType"], row["status"], row["settleCoin"])
    if kind != ("LinearPerpetual", "Trading", COIN):
        return None
    lot = row["lotSizeFilter"]
    return Instrument(
        symbol=row["symbol"],
        base=row["baseCoin"],
        quote=row["quoteCoin"],
        price_tick=Decimal(row["priceFilter"]["tickSize"]).normalize(),
        quantity_step=Decimal(lot["qtyStep"]).normalize(),
        min_quantity=Decimal(lot["minOrderQty"]),
        max_quantity=min(
            Decimal(lot["maxOrderQty"]), Decimal(lot.get("maxMktOrderQty") or lot["maxOrderQty"])
        ),
        min_notional=Decimal(lot.get("minNotionalValue") or 0),
        max_leverage=int(Decimal(row["leverageFilter"]["maxLeverage"])),
        volume_24h_quote=volume_quote,
    )


def kline(row: Any) -> Kline:
    """A row of kline: start, open, high, low, close, volume, turnover."""
    start, opening, high, low, close, volume, *_ = row
    return Kline(open_ms=int(start), open=opening, high=high, low=low, close=close, volume=volume)


def public_trade(row: Row) -> Trade | None:
    """A row of recent-trade, or None for one made off the book."""
    if row.get("isBlockTrade") is True:
        return None
    return Trade(
        row["symbol"],
        int(row["time"]),
        row["price"],
        row["size"],
        int(row.get("seq") or 0),
        is_buyer_maker=row["side"] == "Sell",
    )


def streamed_trades(message: Any) -> tuple[Trade, ...]:
    """The trades of a publicTrade message, oldest first, without those made off the book.

    Their ids are no numbers; `seq` numbers what the matching engine did for one taker.
    """
    if not str(message.get("topic", "")).startswith("publicTrade."):
        return ()
    return tuple(
        Trade(
            row["s"],
            int(row["T"]),
            row["p"],
            row["v"],
            int(row.get("seq") or 0),
            is_buyer_maker=row["S"] == "Sell",
        )
        for row in message["data"]
        if row.get("BT") is not True
    )


class PriceTimes:
    """When the prices of tickers were made, which they do not say.

    A price is as old as its first sight, and that is dated back by `LAG_MS`: whoever asks right
    after a second has ended asks for what that second brought.
    """

    LAG_MS = 50

    def __init__(self) -> None:
        self._known: dict[str, LastPrice] = {}

    def of(self, rows: Iterable[Row], at_ms: int) -> list[LastPrice]:
        """The last price of every ticker that has one, seen at `at_ms` of the venue's clock."""
        return [self._dated(row, at_ms - self.LAG_MS) for row in rows if row["lastPrice"]]

    def _dated(self, row: Row, at_ms: int) -> LastPrice:
        price = Decimal(row["lastPrice"])
        known = self._known.get(row["symbol"])
        if known is None or known.price != price:
            known = LastPrice(symbol=row["symbol"], price=price, event_ms=at_ms)
            self._known[row["symbol"]] = known
        return known


def order_update(row: Row, client_order_id: str) -> OrderUpdate:
    """An order as REST and the stream print it."""
    reason = str(row.get("rejectReason") or "")
    return OrderUpdate(
        client_order_id=client_order_id,
        state=_STATES[row["orderStatus"]],
        exchange_order_id=row["orderId"],
        filled_quantity=Decimal(row["cumExecQty"] or 0),
        average_price=_price(row.get("avgPrice")),
        reason="" if reason in _NO_REASON else reason,
        at_ms=int(row["updatedTime"]),
    )


def venue_order(row: Row) -> VenueOrder:
    """A working order."""
    reduces = _reduces(row)
    return VenueOrder(
        client_order_id=row["orderLinkId"],
        exchange_order_id=row["orderId"],
        symbol=row["symbol"],
        side=_side(row.get("positionIdx"), row["side"], reduces=reduces),
        is_conditional=row["orderStatus"] == "Untriggered",
        reduces=reduces,
        quantity=Decimal(row["qty"]),
        filled_quantity=Decimal(row["cumExecQty"] or 0),
        trigger_price=_price(row.get("triggerPrice")),
    )


def venue_position(row: Row) -> VenuePosition | None:
    """A position, or None if it is flat."""
    size = Decimal(row["size"] or 0)
    if not size:
        return None
    return VenuePosition(
        symbol=row["symbol"],
        side=_side(row.get("positionIdx"), row["side"], reduces=False),
        quantity=size,
        entry_price=Decimal(row["avgPrice"]),
    )


def account(row: Row, *, now_ms: int) -> Account:
    """The equity in USDT, and what is free of all.

    With isolated margin Bybit sums nothing up: then that is the wallet without what is tied.
    """
    coins: Mapping[str, Row] = {each["coin"]: each for each in row["coin"]}
    coin = coins.get(COIN)
    if coin is None:
        return Account(equity=Decimal(0), free_margin=Decimal(0), at_ms=now_ms)
    tied = ("totalPositionIM", "totalOrderIM", "locked")
    unbound = Decimal(coin["walletBalance"] or 0) - sum(Decimal(coin.get(k) or 0) for k in tied)
    free = Decimal(row.get("totalAvailableBalance") or max(unbound, Decimal(0)))
    return Account(equity=Decimal(coin["equity"] or 0), free_margin=free, at_ms=now_ms)


def fill(row: Row) -> Fill | None:
    """An execution of REST or stream, or None for what is no execution (funding, settlement)."""
    kind = _KINDS.get(row["execType"])
    if kind is None:
        return None
    order_side = OrderSide(row["side"].upper())
    return Fill(
        trade_id=row["execId"],
        client_order_id=row["orderLinkId"],
        exchange_order_id=row["orderId"],
        symbol=row["symbol"],
        side=position_side("BOTH", order_side, reduces=_closes(row)),
        order_side=order_side,
        price=Decimal(row["execPrice"]),
        quantity=Decimal(row["execQty"]),
        fee=Decimal(row["execFee"] or 0),
        fee_asset=row.get("feeCurrency") or row.get("feeCoin") or COIN,
        is_maker=row["isMaker"] is True,
        executed_at_ms=int(row["execTime"]),
        kind=kind,
    )


def funding(row: Row) -> Funding | None:
    """A funding payment among the executions, or None for all others.

    Bybit prints it as a fee: what is above zero was paid. It does not say for which side.
    """
    if row["execType"] != "Funding":
        return None
    return Funding(
        funding_id=row["execId"],
        symbol=row["symbol"],
        side=None,
        amount=-Decimal(row["execFee"] or 0),
        asset=row.get("feeCurrency") or row.get("feeCoin") or COIN,
        at_ms=int(row["execTime"]),
    )


def rights(row: Row) -> KeyRights:
    """What query-api says of the key; `*` stands for every address."""
    permissions: Mapping[str, list[str]] = row["permissions"]
    contract = permissions.get("ContractTrade") or []
    trades = {"Order", "Position"} <= set(contract)
    named = {right for each in permissions.values() for right in each or []}
    addresses = row.get("ips") or ["*"]
    return KeyRights(
        can_trade=trades and int(row["readOnly"]) == 0,
        can_withdraw=any(right.startswith("Withdraw") for right in named),
        is_address_bound="*" not in addresses,
    )


def private_news(message: Any) -> PrivateNews:
    """What a message of the private stream says of our orders, fills and funding."""
    topic = message.get("topic")
    if topic not in ("order", "execution"):
        return PrivateNews()
    rows = [row for row in message["data"] if row.get("category") == "linear"]
    if topic == "order":
        return PrivateNews(updates=tuple(order_update(row, row["orderLinkId"]) for row in rows))
    fills = tuple(each for each in map(fill, rows) if each is not None)
    paid = tuple(each for each in map(funding, rows) if each is not None)
    return PrivateNews(fills=fills, funding=paid)


def is_hedged(rows: Iterable[Row]) -> bool:
    """Whether positions of a symbol come as two, which Bybit lists even while they are flat."""
    return any(int(row["positionIdx"]) for row in rows)


def _closes(row: Row) -> bool:
    named = parsed(row["orderLinkId"])
    if named is not None:
        return named.purpose.reduces
    return Decimal(row.get("closedSize") or 0) > 0


def _side(index: Any, order_side: str, *, reduces: bool) -> Side:
    """The side by `positionIdx` (1 long, 2 short, 0 one net position) or by the order's."""
    known = _SIDES.get(int(index or 0))
    return known or position_side("BOTH", order_side.upper(), reduces=reduces)


def _reduces(row: Row) -> bool:
    """Reduce-only, or closing: with two positions that is told by the side alone."""
    side = _SIDES.get(int(row.get("positionIdx") or 0))
    if side is not None:
        return OrderSide(row["side"].upper()) is side.exit
    return row.get("reduceOnly") is True or row.get("closeOnTrigger") is True


def _price(text: Any) -> Decimal | None:
    """A price, or None where Bybit prints nothing or zero."""
    price = Decimal(text or 0)
    return price if price else None
