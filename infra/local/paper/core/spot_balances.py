"""Spot settlement: assets change hands, what waits to be traded is locked.

An asset is held as the position of its USDT symbol; USDT itself is the wallet.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from local.paper.core.books import AccountChanged, Books, OrderChanged
from local.paper.core.filling import move
from local.paper.core.records import (
    ZERO,
    Fill,
    Order,
    OrderSide,
    OrderStatus,
    PositionSide,
)
from local.paper.market.instruments import PaperInstrument

FEE = Decimal("0.001")
BNB_FEE = Decimal("0.00075")
QUOTE = "USDT"
_BNB = "BNBUSDT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What is held of an asset, and how much of it waits to be traded."""

    asset: str
    total: Decimal
    locked: Decimal

    @property
    def free(self) -> Decimal:
        return self.total - self.locked


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """A part of an order that trades now."""

    price: Decimal
    quantity: Decimal
    maker: bool
    now_ms: int


def quote_balance(books: Books) -> Balance:
    """USDT; open buys lock what they may cost."""
    buys = (one for one in books.open_orders.values() if one.side is OrderSide.BUY)
    locked = sum(((one.quantity - one.filled) * worth(one) for one in buys), ZERO)
    return Balance(asset=QUOTE, total=books.account.wallet, locked=locked)


def base_balance(books: Books, instrument: PaperInstrument) -> Balance:
    """The asset of a symbol; open sells lock it."""
    sells = (
        one
        for one in books.open_orders.values()
        if one.symbol == instrument.symbol and one.side is OrderSide.SELL
    )
    locked = sum((one.quantity - one.filled for one in sells), ZERO)
    held = books.position(instrument.symbol, PositionSide.BOTH).quantity
    return Balance(asset=instrument.base, total=held, locked=locked)


def worth(order: Order) -> Decimal:
    """The price an open order is locked at: its limit, or else its trigger."""
    return order.price or order.trigger_price


def settle(
    books: Books,
    order: Order,
    instrument: PaperInstrument,
    done: Execution,
    bnb_price: Callable[[], Decimal | None],
) -> Fill:
    """Execute a part of an order: both assets move, the fee comes off what is received.

    With ``burns_bnb`` the fee is paid in BNB, less a discount, as long as enough is free.
    """
    value = done.price * done.quantity
    buys = order.side is OrderSide.BUY
    fee, asset = _fee(books, instrument, value, done.quantity, buys, bnb_price)
    received = done.quantity - (fee if buys and asset == instrument.base else ZERO)
    position = books.position(order.symbol, PositionSide.BOTH)
    realized = move(position, received if buys else -done.quantity, done.price)
    position.realized += realized
    position.updated_ms = done.now_ms
    books.keep_position(position)
    books.account.wallet += (-value if buys else value) - (fee if asset == QUOTE else ZERO)
    _advance(books, order, done, value)
    fill = Fill(
        trade_id=books.next_id(), order_id=order.order_id, client_order_id=order.client_order_id,
        symbol=order.symbol, side=order.side, position_side=PositionSide.BOTH, price=done.price,
        quantity=done.quantity, fee=fee, realized=realized, maker=done.maker, time_ms=done.now_ms,
        fee_asset=asset,
    )  # fmt: skip
    books.keep_fill(fill)
    books.tell(OrderChanged(order=order.copy(), execution="TRADE", fill=fill))
    books.tell(AccountChanged(reason="ORDER", positions=(replace(position),)))
    return fill


def _advance(books: Books, order: Order, done: Execution, value: Decimal) -> None:
    order.filled += done.quantity
    order.filled_quote += value
    full = order.filled >= order.quantity
    order.status = OrderStatus.FILLED if full else OrderStatus.PARTIALLY_FILLED
    order.updated_ms = done.now_ms
    books.keep_order(order)


def _fee(
    books: Books,
    instrument: PaperInstrument,
    value: Decimal,
    quantity: Decimal,
    buys: bool,
    bnb_price: Callable[[], Decimal | None],
) -> tuple[Decimal, str]:
    price = bnb_price() if books.account.burns_bnb else None
    if price is not None:
        fee, held = _rounded(value * BNB_FEE / price), books.position(_BNB, PositionSide.BOTH)
        if fee <= held.quantity and instrument.symbol != _BNB:
            held.quantity -= fee
            books.keep_position(held)
            return fee, "BNB"
    return (_rounded(quantity * FEE), instrument.base) if buys else (_rounded(value * FEE), QUOTE)


def _rounded(fee: Decimal) -> Decimal:
    return fee.quantize(Decimal("1e-8"))
