"""Order routes. Placing, amending and cancelling are acknowledged with ids alone."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from local.paper.core.amending import amend_conditional
from local.paper.core.ended import ENDED_AT_ONCE, accept_and_end
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import (
    ZERO,
    AlgoOrder,
    Fill,
    Income,
    OrderSide,
    PositionSide,
)
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import AlgoRequest, OrderRequest
from local.paper.core.rules import is_closing
from local.paper.venues.bybit import errors, finding, order_shapes, shapes
from local.paper.venues.bybit.finding import Either
from local.paper.venues.bybit.parameters import Parameters, check_category
from local.paper.venues.bybit.shapes import Json

_SIDES = {"Buy": OrderSide.BUY, "Sell": OrderSide.SELL}
_INDEXES = {index: side for side, index in order_shapes.INDEX.items()}
_TIMES = {"GTC": "GTC", "IOC": "IOC", "FOK": "FOK", "PostOnly": "GTX"}
_TYPES = ("Market", "Limit")
_LATEST_ENDED = 500
_WEEK_MS = 7 * 86_400_000


def create(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /v5/order/create``: conditional with a trigger price, else plain.

    What must not take, or must fill at once and cannot, is accepted and ends at once.
    """
    check_category(given)
    exchange.instrument(given.text("symbol"))
    link_id = given.text("orderLinkId", "")
    if link_id and finding.used(exchange.books, link_id):
        raise RefusedError(Reason.DUPLICATE_CLIENT_ID)
    if given.has("triggerPrice"):
        return _ids(exchange, _place_conditional(exchange, given))
    request = _order_request(given)
    try:
        return _ids(exchange, exchange.place_order(request))
    except RefusedError as refusal:
        if refusal.reason not in ENDED_AT_ONCE:
            raise
        return _ids(exchange, accept_and_end(exchange, request))


def amend(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /v5/order/amend`` of a limit order, or of a conditional one that waits."""
    check_category(given)
    given.text("symbol")
    one = finding.named(exchange, given)
    if isinstance(one, AlgoOrder):
        return _ids(exchange, _amend_conditional(exchange, one, given))
    quantity, price = given.decimal("qty", one.quantity), given.decimal("price", one.price)
    if given.has("triggerPrice") or given.has("triggerBy"):
        raise errors.bad("triggerPrice is of conditional orders that wait")
    if one.is_open and one.filled >= quantity:
        raise errors.VenueError(*errors.FILLED_ALREADY)
    return _ids(exchange, exchange.amend_order(one, quantity, price))


def cancel(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /v5/order/cancel``."""
    check_category(given)
    given.text("symbol")
    return _ids(exchange, _cancel(exchange, finding.named(exchange, given)))


def cancel_all(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /v5/order/cancel-all``: of both kinds, unless a filter names one."""
    check_category(given)
    exchange.advance()
    wanted = finding.matching(exchange, given, is_open=True)
    rows = [_ids(exchange, _cancel(exchange, one)) for one in wanted]
    return {"list": rows, "success": "1"}


def realtime(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/order/realtime``: open orders, or the latest that ended; by name of any state."""
    ended = given.integer("openOnly", 0)
    if ended not in (0, 1):
        raise errors.bad("openOnly must be 0 or 1")
    exchange.advance()
    is_open = None if finding.names_one(given) else not ended
    found = finding.matching(exchange, given, is_open=is_open)
    return _page(exchange, found[:_LATEST_ENDED] if ended else found, given)


def history(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/order/history``: orders that ended."""
    exchange.advance()
    start_ms, end_ms = _span(exchange, given)
    found = finding.matching(exchange, given, is_open=False)
    status = given.text("orderStatus", "")
    rows = [one for one in found if start_ms <= one.created_ms <= end_ms]
    if status:
        rows = [one for one in rows if _row(exchange, one)["orderStatus"] == status]
    return _page(exchange, rows, given)


def executions(exchange: PaperExchange, given: Parameters) -> Json:
    """``GET /v5/execution/list``, newest first."""
    exchange.advance()
    start_ms, end_ms = _span(exchange, given)
    symbol, kind = given.text("symbol", ""), given.text("execType", "")
    found = [
        one
        for one in order_shapes.executions(exchange.books)
        if symbol in ("", one.symbol)
        and kind in ("", order_shapes.exec_type(one))
        and start_ms <= one.time_ms <= end_ms
    ]
    if finding.names_one(given):
        order = finding.named(exchange, given)
        number = 0 if isinstance(order, AlgoOrder) else order.order_id
        found = [one for one in found if isinstance(one, Fill) and one.order_id == number]

    def shape(one: Fill | Income) -> Json:
        return order_shapes.executed(exchange.books, one)

    return {"category": "linear", **shapes.page(found, given, shape, default=50, most=100)}


def _amend_conditional(exchange: PaperExchange, one: AlgoOrder, given: Parameters) -> AlgoOrder:
    if order_shapes.WORKING[given.choice("triggerBy", order_shapes.WORKING, "LastPrice")] != (
        one.working_type
    ):
        raise errors.bad("triggerBy cannot be changed here")
    with _passed_trigger(order_shapes.direction(one.order_type, one.side)):
        return amend_conditional(
            exchange,
            one,
            quantity=given.decimal("qty", one.quantity),
            trigger_price=given.decimal("triggerPrice", one.trigger_price),
            price=given.decimal("price", one.price),
        )


@contextmanager
def _passed_trigger(direction: int) -> Iterator[None]:
    """A trigger price that the market has passed, in Bybit's words."""
    try:
        yield
    except RefusedError as refusal:
        if refusal.reason is not Reason.WOULD_TRIGGER:
            raise
        passed = errors.EXPECTS_RISING if direction == 1 else errors.EXPECTS_FALLING
        raise errors.VenueError(*passed) from None


def _place_conditional(exchange: PaperExchange, given: Parameters) -> AlgoOrder:
    rising = given.integer("triggerDirection")
    if rising not in (1, 2):
        raise errors.bad("triggerDirection must be 1 or 2")
    side, position_side, reduces = _sides(given)
    order_type = given.choice("orderType", _TYPES)
    kind = "STOP" if (rising == 1) == (side is OrderSide.BUY) else "TAKE_PROFIT"
    request = AlgoRequest(
        symbol=given.text("symbol"), side=side, position_side=position_side,
        order_type=f"{kind}_MARKET" if order_type == "Market" else kind,
        quantity=given.decimal("qty"), trigger_price=given.decimal("triggerPrice"),
        price=given.decimal("price") if order_type == "Limit" else ZERO,
        time_in_force=_time_in_force(given), reduce_only=reduces,
        working_type=order_shapes.WORKING[
            given.choice("triggerBy", order_shapes.WORKING, "LastPrice")
        ],
        client_algo_id=given.text("orderLinkId", ""),
    )  # fmt: skip
    with _passed_trigger(rising):
        return exchange.place_algo(request)


def _order_request(given: Parameters) -> OrderRequest:
    side, position_side, reduces = _sides(given)
    limit = given.choice("orderType", _TYPES) == "Limit"
    return OrderRequest(
        symbol=given.text("symbol"), side=side, position_side=position_side,
        order_type="LIMIT" if limit else "MARKET", quantity=given.decimal("qty"),
        price=given.decimal("price") if limit else ZERO,
        time_in_force=_time_in_force(given) if limit else "GTC", reduce_only=reduces,
        client_order_id=given.text("orderLinkId", ""),
    )  # fmt: skip


def _sides(given: Parameters) -> tuple[OrderSide, PositionSide, bool]:
    """Order side, position side, and whether it only reduces one net position.

    With two positions the pair of sides says that; a flag against it is refused.
    """
    side = _SIDES[given.choice("side", _SIDES)]
    index = given.integer("positionIdx", 0)
    if index not in _INDEXES:
        raise errors.bad("positionIdx must be 0, 1 or 2")
    position_side = _INDEXES[index]
    reduces = given.flag("reduceOnly") or given.flag("closeOnTrigger")
    if position_side is PositionSide.BOTH:
        return side, position_side, reduces
    if reduces and not is_closing(side, position_side):
        raise RefusedError(Reason.REDUCE_ONLY_REJECTED)
    return side, position_side, False


def _time_in_force(given: Parameters) -> str:
    return _TIMES[given.choice("timeInForce", _TIMES, "GTC")]


def _cancel(exchange: PaperExchange, one: Either) -> Either:
    if isinstance(one, AlgoOrder):
        return exchange.cancel_algo(one)
    return exchange.cancel_order(one)


def _ids(exchange: PaperExchange, one: Either) -> Json:
    row = _row(exchange, one)
    return {"orderId": row["orderId"], "orderLinkId": row["orderLinkId"]}


def _row(exchange: PaperExchange, one: Either) -> Json:
    return order_shapes.row_of(exchange.books, one)


def _page(exchange: PaperExchange, found: Sequence[Either], given: Parameters) -> Json:
    def shape(one: Either) -> Json:
        return _row(exchange, one)

    return {"category": "linear", **shapes.page(found, given, shape, default=20, most=50)}


def _span(exchange: PaperExchange, given: Parameters) -> tuple[int, int]:
    """At most seven days; without bounds the last seven, with one of them the days beside it."""
    now_ms = exchange.now_ms()
    if given.has("startTime"):
        start_ms = given.integer("startTime")
        end_ms = given.integer("endTime", start_ms + _WEEK_MS)
    else:
        end_ms = given.integer("endTime", now_ms)
        start_ms = end_ms - _WEEK_MS
    if not 0 <= end_ms - start_ms <= _WEEK_MS:
        raise errors.bad("the time between startTime and endTime must be within seven days")
    return start_ms, end_ms
