"""Order routes: plain orders."""

from collections.abc import Iterable
from decimal import Decimal

from local.paper.core import modes, rules
from local.paper.core.ended import ENDED_AT_ONCE, accept_and_end
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import Order, OrderSide, OrderStatus, PositionSide
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import OrderRequest
from local.paper.market.instruments import PaperInstrument
from local.paper.venues.okx import contracts, errors, shapes
from local.paper.venues.okx.market_shapes import least
from local.paper.venues.okx.pages import page
from local.paper.venues.okx.parameters import Parameters
from local.paper.wire import Json

_TIMES = {"limit": "GTC", "post_only": "GTX", "ioc": "IOC", "fok": "FOK"}
_MARKETS = ("market", "optimal_limit_ioc")
_RECENT_MS = 86_400_000  # so long a client's id stays taken after its order has ended
_LONGEST_ID = 32


def read_sides(exchange: PaperExchange, given: Parameters) -> tuple[OrderSide, PositionSide]:
    """Side, and which position it is for; with one position that may be left out."""
    side = OrderSide(given.choice("side", ("buy", "sell")).upper())
    hedged = exchange.books.account.hedge_mode
    choices = ("long", "short") if hedged else ("net",)
    wanted = given.choice("posSide", choices, "-" if hedged else "net")
    return side, PositionSide.BOTH if wanted == "net" else PositionSide(wanted.upper())


def read_quantity(
    one: PaperInstrument, given: Parameters, *, opens: bool, name: str = "sz"
) -> Decimal:
    """Base units of a number of contracts, which must be whole lots, and not too few to open."""
    number = given.decimal(name)
    if number <= 0:
        raise errors.VenueError(errors.illegal(name))
    if number % contracts.lot(one):
        raise RefusedError(Reason.QUANTITY_PRECISION)
    quantity = (number * contracts.size(one)).normalize()
    if opens and quantity < least(one):
        raise RefusedError(Reason.QUANTITY_TOO_SMALL)
    return quantity


def use_margin_mode(exchange: PaperExchange, symbol: str, given: Parameters) -> None:
    """An order's margin mode becomes the symbol's; what is open in the other one forbids it.

    OKX would hold a position in each; this exchange holds one.
    """
    isolated = given.choice("tdMode", ("cross", "isolated")) == "isolated"
    if exchange.books.config(symbol).isolated == isolated:
        return
    try:
        modes.set_isolated(exchange.books, symbol, isolated=isolated)
    except RefusedError:
        raise errors.VenueError(errors.OTHER_MARGIN) from None


def check_name(exchange: PaperExchange, purpose: str, name: str, now_ms: int) -> None:
    """A client's id is made of letters and digits, and of no other recent order."""
    if not name:
        return
    if not (name.isascii() and name.isalnum() and len(name) <= _LONGEST_ID):
        raise errors.VenueError(errors.illegal("clOrdId"))
    known = exchange.books.client_ids.get((purpose, name))
    made = exchange.books.orders if purpose == "order" else exchange.books.algos
    found = [made[each] for each in (known.ids if known else ()) if each in made]
    if any(now_ms - one.created_ms < _RECENT_MS for one in found):
        if purpose == "algo":
            raise errors.VenueError(errors.DUPLICATE_ALGO)
        raise RefusedError(Reason.DUPLICATE_CLIENT_ID, name)


def place(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /trade/order``: accepted or not, and nothing about what came of it."""
    now_ms = exchange.advance()
    one = contracts.find(exchange, given.text("instId"))
    kind = given.choice("ordType", (*_MARKETS, *_TIMES))
    side, position_side = read_sides(exchange, given)
    name = given.text("clOrdId", "")
    check_name(exchange, "order", name, now_ms)
    reduces = given.flag("reduceOnly") and position_side is PositionSide.BOTH
    closes = reduces or rules.is_closing(side, position_side)
    request = OrderRequest(
        symbol=one.symbol, side=side, position_side=position_side,
        order_type="MARKET" if kind in _MARKETS else "LIMIT",
        quantity=read_quantity(one, given, opens=not closes),
        price=Decimal(0) if kind in _MARKETS else given.decimal("px"),
        time_in_force=_TIMES.get(kind, "GTC"), reduce_only=reduces, client_order_id=name,
    )  # fmt: skip
    use_margin_mode(exchange, one.symbol, given)
    made = _taken(exchange, request)
    return acted(ordId=str(made.order_id), clOrdId=name, tag=given.text("tag", ""), ts=str(now_ms))


def _taken(exchange: PaperExchange, request: OrderRequest) -> Order:
    """What must not take, or must fill at once and cannot, is accepted and cancelled."""
    try:
        return exchange.place_order(request)
    except RefusedError as refusal:
        if refusal.reason not in ENDED_AT_ONCE:
            raise
        return accept_and_end(exchange, request)


def acted(**ids: str) -> Json:
    """What one order of a request answers if it was taken."""
    return ids | {"sCode": "0", "sMsg": ""}


def find(exchange: PaperExchange, given: Parameters, otherwise: errors.Refusal) -> Order:
    """The order of ``ordId`` or, the newest one, of ``clOrdId``."""
    exchange.advance()
    symbol = contracts.find(exchange, given.text("instId")).symbol
    if given.has("ordId"):
        known = exchange.books.orders.get(given.integer("ordId"))
        found = [known] if known else []
    else:
        found = _named(exchange, given.text("clOrdId"))
    found = [one for one in found if one.symbol == symbol]
    if not found:
        raise errors.VenueError(otherwise)
    return found[-1]


def _named(exchange: PaperExchange, name: str) -> list[Order]:
    """Orders that a client gave this id; one born of a conditional order has none."""
    known = exchange.books.client_ids.get(("order", name))
    found = (exchange.books.orders.get(each) for each in (known.ids if known else ()))
    return [one for one in found if one is not None]


def get_order(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """``GET /trade/order``."""
    otherwise = errors.refused(Reason.NO_SUCH_ORDER)
    return [shapes.order(exchange, find(exchange, given, otherwise))]


def cancel(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /trade/cancel-order``."""
    one = find(exchange, given, errors.refused(Reason.UNKNOWN_ORDER))
    if one.status is OrderStatus.FILLED:
        raise errors.VenueError(errors.ALREADY_FILLED)
    if not one.is_open:
        raise errors.VenueError(errors.ALREADY_CANCELED)
    exchange.cancel_order(one)
    return acted(
        ordId=str(one.order_id), clOrdId=shapes.client_id(one.client_order_id),
        ts=str(exchange.now_ms()),
    )  # fmt: skip


def amend(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /trade/amend-order``: the new total quantity, the new price, or both."""
    one = find(exchange, given, errors.Refusal("51503", "Order does not exist"))
    if not one.is_open:
        raise errors.VenueError(errors.Refusal("51510", "The order has been completed."))
    instrument = exchange.instrument(one.symbol)
    quantity, price = one.quantity, one.price
    if given.has("newSz"):
        quantity = read_quantity(instrument, given, opens=not one.reduce_only, name="newSz")
    if given.has("newPx"):
        price = given.decimal("newPx")
    exchange.amend_order(one, quantity, price)
    return acted(
        ordId=str(one.order_id), clOrdId=shapes.client_id(one.client_order_id),
        reqId=given.text("reqId", ""), ts=str(exchange.now_ms()),
    )  # fmt: skip


def pending(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """``GET /trade/orders-pending``."""
    exchange.advance()
    return _listed(exchange, exchange.books.open_orders.values(), given)


def history(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """Orders that ended."""
    exchange.advance()
    given.choice("instType", ("SWAP",))
    ended = (one for one in exchange.books.orders.values() if not one.is_open)
    return _listed(exchange, ended, given)


def _listed(exchange: PaperExchange, found: Iterable[Order], given: Parameters) -> list[Json]:
    given.choice("instType", ("SWAP",), "SWAP")
    rows = [shapes.order(exchange, one) for one in found]
    for name in ("state", "ordType"):
        if given.has(name):
            rows = [row for row in rows if row[name] in given.text(name).split(",")]
    newest_first = sorted(rows, key=lambda row: -int(row["ordId"]))
    return page(newest_first, given, "ordId", "cTime")


def fills(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """``GET /trade/fills`` and ``/trade/fills-history``: own executions."""
    exchange.advance()
    given.choice("instType", ("SWAP",), "SWAP")
    wanted = given.text("ordId", "-")
    found = reversed(exchange.books.fills)
    rows = (shapes.fill(exchange, one) for one in found if wanted in ("-", str(one.order_id)))
    return page(rows, given, "billId", "ts")
