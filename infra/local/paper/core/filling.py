"""Booking one execution: position, wallet, fee, fill."""

from decimal import Decimal

from local.paper.core.books import AccountChanged, Books, OrderChanged
from local.paper.core.margin import MAKER_FEE, TAKER_FEE
from local.paper.core.records import ZERO, Fill, Order, OrderStatus, Position


def fill(
    books: Books, order: Order, *, price: Decimal, quantity: Decimal, maker: bool, now_ms: int
) -> None:
    """Execute ``quantity`` of an order at a price; the caller commits."""
    position = books.position(order.symbol, order.position_side)
    realized = move(position, order.side.sign * quantity, price)
    fee = quantity * price * (MAKER_FEE if maker else TAKER_FEE)
    position.realized += realized
    position.updated_ms = now_ms
    books.keep_position(position)
    books.account.wallet += realized - fee
    order.filled += quantity
    order.filled_quote += quantity * price
    full = order.filled >= order.quantity
    order.status = OrderStatus.FILLED if full else OrderStatus.PARTIALLY_FILLED
    order.updated_ms = now_ms
    books.keep_order(order)
    execution = Fill(
        trade_id=books.next_id(), order_id=order.order_id, client_order_id=order.client_order_id,
        symbol=order.symbol, side=order.side, position_side=order.position_side, price=price,
        quantity=quantity, fee=fee, realized=realized, maker=maker, time_ms=now_ms,
    )  # fmt: skip
    books.keep_fill(execution)
    books.tell(AccountChanged(reason="ORDER", positions=(position,)))
    books.tell(OrderChanged(order=order, execution="TRADE", fill=execution))


def move(position: Position, change: Decimal, price: Decimal) -> Decimal:
    """Change a position by a signed quantity and return the realized profit.

    Closing keeps the entry price; adding averages it by quantity; crossing zero closes all and
    opens the rest.
    """
    held = position.quantity
    after = held + change
    if held * change >= 0:
        cost = position.entry_price * held + price * change
        position.quantity, position.entry_price = after, cost / after if after else ZERO
        return ZERO
    closed = min(abs(held), abs(change)) * (1 if held > 0 else -1)
    realized = (price - position.entry_price) * closed
    if after == 0:
        position.entry_price = ZERO
    elif after * held < 0:
        position.entry_price = price
    position.quantity = after
    return realized
