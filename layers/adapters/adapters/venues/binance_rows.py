"""The rows both markets of Binance print alike, as our values. Pure: rows in, values out."""

import re
from collections.abc import Mapping
from decimal import Decimal

from adapters.failures import ErrorWords
from adapters.names import Name
from adapters.venues import Row, Trade
from engine.events import KeyRights
from engine.ledger import Fill, FillKind, OrderState
from engine.values import Instrument, OrderSide

ERRORS = ErrorWords(
    code=re.compile(r'"code"\s*:\s*"?(-?\d+)'),
    message=re.compile(r'"msg"\s*:\s*"([^"]*)"'),
    busy=frozenset({"-1003", "-1008", "-1015"}),
    clock=frozenset({"-1021"}),
)
STATES: Mapping[str, OrderState] = {
    "NEW": OrderState.OPEN,
    "PARTIALLY_FILLED": OrderState.PARTIALLY_FILLED,
    "FILLED": OrderState.FILLED,
    "CANCELED": OrderState.CANCELLED,
    "REJECTED": OrderState.REJECTED,
    "EXPIRED": OrderState.EXPIRED,
    "EXPIRED_IN_MATCH": OrderState.EXPIRED,
}


def instrument(
    row: Row,
    filters: Mapping[str, Row],
    *,
    min_notional: Decimal,
    max_leverage: int,
    volume_quote: Decimal,
    is_spot: bool = False,
    max_stops: int = 0,
) -> Instrument:
    """A symbol of exchangeInfo that trades, with its filters by their types."""
    lot = filters["LOT_SIZE"]
    market_lot = filters.get("MARKET_LOT_SIZE", lot)
    return Instrument(
        symbol=row["symbol"],
        base=row["baseAsset"],
        quote=row["quoteAsset"],
        price_tick=Decimal(filters["PRICE_FILTER"]["tickSize"]).normalize(),
        # On spot the market's own step and minimum are often zero: then the general ones hold.
        quantity_step=max(Decimal(lot["stepSize"]), Decimal(market_lot["stepSize"])).normalize(),
        min_quantity=max(Decimal(lot["minQty"]), Decimal(market_lot["minQty"])),
        max_quantity=min(Decimal(lot["maxQty"]), Decimal(market_lot["maxQty"])),
        min_notional=min_notional,
        max_leverage=max_leverage,
        volume_24h_quote=volume_quote,
        is_spot=is_spot,
        max_stops=max_stops,
    )


def fill(
    row: Row,
    named: Name,
    *,
    order_side: OrderSide,
    is_maker: bool,
    kind: FillKind = FillKind.TRADE,
) -> Fill:
    """An own execution as the list of own trades prints it."""
    return Fill(
        trade_id=str(row["id"]),
        client_order_id=named.client_order_id,
        exchange_order_id=str(row["orderId"]),
        symbol=row["symbol"],
        side=named.side,
        order_side=order_side,
        price=Decimal(row["price"]),
        quantity=Decimal(row["qty"]),
        fee=Decimal(row["commission"]),
        fee_asset=row["commissionAsset"],
        is_maker=is_maker,
        executed_at_ms=int(row["time"]),
        kind=kind,
    )


def streamed_fill(row: Row, named: Name, kind: FillKind = FillKind.TRADE) -> Fill:
    """An own execution as the user-data stream tells it."""
    return Fill(
        trade_id=str(row["t"]),
        client_order_id=named.client_order_id,
        exchange_order_id=str(row["i"]),
        symbol=row["s"],
        side=named.side,
        order_side=OrderSide(row["S"]),
        price=Decimal(row["L"]),
        quantity=Decimal(row["l"]),
        fee=Decimal(row.get("n") or 0),
        fee_asset=row.get("N") or "",
        is_maker=bool(row["m"]),
        executed_at_ms=int(row["T"]),
        kind=kind,
    )


def public_trade(row: Row, symbol: str) -> Trade:
    """An aggregate of a list or of the stream, by the first of the trades it sums up.

    Aggregates are counted by `a`, and the trades in them from `f` to `l`.
    """
    first, last = int(row["f"]), int(row["l"])
    return Trade(symbol, int(row["T"]), row["p"], row["q"], int(row["a"]), first, last, row["m"])


def rights(row: Row, *, trading: str) -> KeyRights:
    """What a key may do, as the restrictions of the API print it; `trading` is this market's."""
    return KeyRights(
        can_trade=row.get(trading),
        can_withdraw=row.get("enableWithdrawals"),
        is_address_bound=row.get("ipRestrict"),
    )
