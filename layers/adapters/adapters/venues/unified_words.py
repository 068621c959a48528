"""Rows of ccxt's unified structures as our values. Pure: rows in, values out.

The client is told to make numbers of text, so that no digit is lost. Where a venue counts in
contracts, `size` is what one of them is worth in base units.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.failures import ErrorWords
from adapters.names import Name, OrderNames
from adapters.venues import Kline, Row, position_side
from adapters.venues.naming import Naming, meant_by
from engine.events import Funding, OrderUpdate, VenueOrder, VenuePosition
from engine.ledger import Fill, OrderState
from engine.orders import parsed
from engine.values import Instrument, OrderSide, Side, plain

ERRORS = ErrorWords(
    # What is said of one order counts before what is said of the whole request.
    code=re.compile(
        r'(?:.*"sCode"\s*:\s*"|"(?:code|retCode|label|err_code|err-code)"\s*:\s*"?)([^",}\s]+)'
    ),
    message=re.compile(
        r'(?:.*"sMsg"\s*:\s*"|"(?:msg|message|retMsg|err_msg|err-msg)"\s*:\s*")([^"]*)'
    ),
    busy=frozenset(),
    clock=frozenset(),
)
UNTOLD_LEVERAGE = 20
"""Taken where a venue tells no limit; what it does not grant, it refuses when it is set."""
_STATES = {
    "open": OrderState.OPEN,
    "closed": OrderState.FILLED,
    "canceled": OrderState.CANCELLED,
    "canceling": OrderState.OPEN,
    "expired": OrderState.EXPIRED,
    "rejected": OrderState.REJECTED,
}


def decimal(value: Any) -> Decimal:
    """The number, zero where there is none."""
    return Decimal(str(value)) if value not in (None, "") else Decimal(0)


def size_of(market: Row) -> Decimal:
    """How many base units one contract is worth."""
    return decimal(market.get("contractSize")) or Decimal(1)


def is_traded(market: Row) -> bool:
    """Whether it is a perpetual settled in its quote currency that trades now."""
    is_perpetual = bool(market.get("swap") and market.get("linear"))
    return is_perpetual and market.get("active") is not False


def instrument(market: Row, *, volume_quote: Decimal) -> Instrument:
    """A market; quantities in base units."""
    size, limits = size_of(market), market["limits"]
    step = decimal(market["precision"]["amount"]) * size
    least = decimal(limits["amount"]["min"]) * size
    most = decimal(limits["amount"].get("max")) * size
    leverage = decimal((limits.get("leverage") or {}).get("max"))
    return Instrument(
        symbol=market["base"] + market["quote"],
        base=market["base"],
        quote=market["quote"],
        price_tick=decimal(market["precision"]["price"]).normalize(),
        quantity_step=step.normalize(),
        min_quantity=least or step,
        max_quantity=most or Decimal(10**9),
        min_notional=decimal((limits.get("cost") or {}).get("min")),
        max_leverage=int(leverage) or UNTOLD_LEVERAGE,
        volume_24h_quote=volume_quote,
    )


def order_update(row: Row, client_order_id: str, size: Decimal) -> OrderUpdate:
    """An order; one without a status was only acknowledged."""
    average = decimal(row.get("average"))
    return OrderUpdate(
        client_order_id=client_order_id,
        state=_STATES.get(row.get("status") or "open", OrderState.OPEN),
        exchange_order_id=str(row.get("id") or ""),
        filled_quantity=decimal(row.get("filled")) * size,
        average_price=average or None,
        at_ms=int(row.get("lastUpdateTimestamp") or row.get("timestamp") or 0),
    )


def venue_order(
    row: Row, symbol: str, size: Decimal, *, naming: Naming, names: OrderNames
) -> VenueOrder:
    """A working order of either list."""
    named = name_of(row, naming, names)
    trigger = trigger_of(row)
    return VenueOrder(
        client_order_id=named.client_order_id,
        exchange_order_id=str(row["id"]),
        symbol=symbol,
        side=named.side,
        is_conditional=trigger is not None,
        reduces=reduces(row, named.client_order_id),
        quantity=decimal(row["amount"]) * size,
        filled_quantity=decimal(row.get("filled")) * size,
        trigger_price=trigger,
    )


def trigger_of(row: Row) -> Decimal | None:
    """The price a conditional order waits for, under whichever name it stands."""
    names = ("triggerPrice", "stopLossPrice", "takeProfitPrice", "stopPrice")
    prices = (decimal(row.get(name)) for name in names)
    return next((price for price in prices if price), None)


def reduces(row: Row, client_order_id: str) -> bool:
    """Whether it reduces: what we named ourselves says so by its name."""
    name = parsed(client_order_id)
    return bool(row.get("reduceOnly")) if name is None else name.purpose.reduces


def name_of(row: Row, naming: Naming, names: OrderNames) -> Name:
    """What we call an order, and the side of the position it belongs to; one net position.

    A row without a client id may still be of ours by the id the venue once gave it.
    """
    told = str(row.get("clientOrderId") or "")
    given = None if told else names.given(str(row.get("id") or ""))
    if given is not None:
        return given
    client_id = meant_by(told, naming, names)
    order_side = str(row["side"]).upper()
    side = position_side("BOTH", order_side, reduces=reduces(row, client_id))
    return Name(client_order_id=client_id, side=side)


def venue_position(row: Row, symbol: str, size: Decimal) -> VenuePosition | None:
    """A position, or None if it is flat."""
    quantity = abs(decimal(row.get("contracts"))) * size
    if not quantity:
        return None
    return VenuePosition(
        symbol=symbol,
        side=Side(str(row["side"]).upper()),
        quantity=quantity,
        entry_price=decimal(row.get("entryPrice")),
    )


def kline(row: Sequence[Any], size: Decimal) -> Kline:
    """A candle; its volume in base units."""
    opened, first, high, low, last, volume = row
    return Kline(
        open_ms=int(opened),
        open=str(first),
        high=str(high),
        low=str(low),
        close=str(last),
        volume=plain(decimal(volume) * size),
    )


def funding(row: Row, symbol: str) -> Funding:
    """A payment; no unified row tells for which side it was."""
    at_ms = int(row["timestamp"])
    return Funding(
        funding_id=str(row.get("id") or f"{symbol}-{at_ms}"),
        symbol=symbol,
        side=None,
        amount=decimal(row["amount"]),
        asset=str(row.get("code") or "USDT"),
        at_ms=at_ms,
    )


def fill(row: Row, named: Name, symbol: str, size: Decimal) -> Fill:
    """An own execution."""
    fee: Mapping[str, Any] = row.get("fee") or {}
    return Fill(
        trade_id=str(row["id"]),
        client_order_id=named.client_order_id,
        exchange_order_id=str(row.get("order") or ""),
        symbol=symbol,
        side=named.side,
        order_side=OrderSide(str(row["side"]).upper()),
        price=decimal(row["price"]),
        quantity=decimal(row["amount"]) * size,
        fee=decimal(fee.get("cost")),
        fee_asset=str(fee.get("currency") or ""),
        is_maker=row.get("takerOrMaker") == "maker",
        executed_at_ms=int(row["timestamp"]),
    )
