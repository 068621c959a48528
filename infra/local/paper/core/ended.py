"""Orders that a venue accepts although they must end at once."""

from local.paper.core.books import OrderChanged
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import Order, OrderStatus
from local.paper.core.refusals import Reason
from local.paper.core.requests import OrderRequest

ENDED_AT_ONCE = (Reason.POST_ONLY_WOULD_TAKE, Reason.FILL_OR_KILL)
"""What must not take, and what must fill at once and cannot."""


def accept_and_end(exchange: PaperExchange, request: OrderRequest) -> Order:
    """An order that is on the books without ever having traded."""
    books, now_ms = exchange.books, exchange.now_ms()
    number = books.next_id()
    order = Order(
        order_id=number, client_order_id=request.client_order_id or f"paper_{number}",
        symbol=request.symbol, side=request.side, position_side=request.position_side,
        order_type=request.order_type, original_type=request.order_type,
        time_in_force=request.time_in_force, quantity=request.quantity, price=request.price,
        reduce_only=request.reduce_only, close_position=False, created_ms=now_ms,
        updated_ms=now_ms, status=OrderStatus.EXPIRED,
    )  # fmt: skip
    books.count_client_id("order", order.client_order_id, number)
    books.keep_order(order)
    books.tell(OrderChanged(order=order.copy(), execution="EXPIRED"))
    books.commit()
    return order
