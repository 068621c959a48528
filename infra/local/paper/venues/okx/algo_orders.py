"""Order routes: conditional orders (stop, take profit, trigger, trailing stop)."""

from collections.abc import Iterable
from decimal import Decimal

from local.paper.core.exchange import PaperExchange
from local.paper.core.records import AlgoOrder, AlgoStatus, OrderSide, PositionSide
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import AlgoRequest
from local.paper.core.triggers import TRAILING
from local.paper.market.instruments import PaperInstrument
from local.paper.venues.okx import contracts, errors, shapes
from local.paper.venues.okx.orders import (
    acted,
    check_name,
    read_quantity,
    read_sides,
    use_margin_mode,
)
from local.paper.venues.okx.pages import page
from local.paper.venues.okx.parameters import Parameters
from local.paper.wire import Json

_KINDS = ("conditional", "trigger", "move_order_stop")
_ASKED = (*_KINDS, "oco", "iceberg", "twap", "chase")
_ZERO = Decimal(0)
_STATES = {"effective": AlgoStatus.FINISHED, "canceled": AlgoStatus.CANCELED,
           "order_failed": AlgoStatus.REJECTED}  # fmt: skip


def place(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /trade/order-algo``; an order of two triggers (`oco`) is not taken."""
    now_ms = exchange.advance()
    one = contracts.find(exchange, given.text("instId"))
    kind = given.choice("ordType", _KINDS)
    name = given.text("algoClOrdId", given.text("clOrdId", ""))
    check_name(exchange, "algo", name, now_ms)
    request, wanted = _request(exchange, one, given, kind, name)
    use_margin_mode(exchange, one.symbol, given)
    try:
        made = exchange.place_algo(request)
    except RefusedError as refusal:
        if refusal.reason is not Reason.WOULD_TRIGGER or not wanted:
            raise
        raise errors.VenueError(errors.PASSED_TRIGGER[wanted, request.side.value]) from None
    return acted(algoId=str(made.algo_id), algoClOrdId=name, clOrdId="", tag=given.text("tag", ""))


def _request(
    exchange: PaperExchange, one: PaperInstrument, given: Parameters, kind: str, name: str
) -> tuple[AlgoRequest, str]:
    """The order for the core, and `sl` or `tp` if it is one of these."""
    side, position_side = read_sides(exchange, given)
    all_of_it = given.has("closeFraction")
    if all_of_it and (given.text("closeFraction") != "1" or not given.flag("reduceOnly")):
        raise errors.VenueError(errors.illegal("closeFraction"))
    order_type, trigger, price, wanted, by = _KIND_READERS[kind](exchange, one, given, side)
    one_way = position_side is PositionSide.BOTH
    return AlgoRequest(
        symbol=one.symbol, side=side, position_side=position_side, order_type=order_type,
        quantity=_ZERO if all_of_it else read_quantity(one, given, opens=False),
        trigger_price=trigger, price=price,
        callback_rate=given.decimal("callbackRatio") * 100 if order_type == TRAILING else _ZERO,
        activate_price=given.decimal("activePx", _ZERO), working_type=by,
        reduce_only=given.flag("reduceOnly") and one_way and not all_of_it,
        close_position=all_of_it, client_algo_id=name,
    ), wanted  # fmt: skip


_Read = tuple[str, Decimal, Decimal, str, str]


def _conditional(
    exchange: PaperExchange, one: PaperInstrument, given: Parameters, side: OrderSide
) -> _Read:
    """A stop or a target; both in one is what `oco` is for."""
    wanted = [each for each in ("sl", "tp") if given.has(f"{each}TriggerPx")]
    if len(wanted) != 1:
        raise errors.VenueError(errors.illegal("slTriggerPx"))
    name = wanted[0]
    price = _order_price(given, f"{name}OrdPx")
    by = given.choice(f"{name}TriggerPxType", ("last", "mark"), "last")
    kind = "STOP" if name == "sl" else "TAKE_PROFIT"
    working = "MARK_PRICE" if by == "mark" else "CONTRACT_PRICE"
    trigger = given.decimal(f"{name}TriggerPx")
    return kind if price else f"{kind}_MARKET", trigger, price, name, working


def _trigger(
    exchange: PaperExchange, one: PaperInstrument, given: Parameters, side: OrderSide
) -> _Read:
    """Fires when the price comes to it, from whichever side that is."""
    trigger, price = given.decimal("triggerPx"), _order_price(given, "orderPx")
    given.choice("triggerPxType", ("last",), "last")
    ahead = side.sign * (trigger - exchange.last_price(one.symbol)) > 0
    kind = "STOP" if ahead else "TAKE_PROFIT"
    return kind if price else f"{kind}_MARKET", trigger, price, "", shapes.TRIGGER


def _trailing(
    exchange: PaperExchange, one: PaperInstrument, given: Parameters, side: OrderSide
) -> _Read:
    """Trails by a ratio; a distance in price is not taken."""
    return TRAILING, _ZERO, _ZERO, "", "CONTRACT_PRICE"


_KIND_READERS = {"conditional": _conditional, "trigger": _trigger, "move_order_stop": _trailing}


def _order_price(given: Parameters, name: str) -> Decimal:
    """A limit price, or zero for the market, which is sent as -1."""
    price = given.decimal(name)
    return _ZERO if price == -1 else price


def _find(exchange: PaperExchange, given: Parameters, otherwise: errors.Refusal) -> AlgoOrder:
    """The order of ``algoId`` or, the newest one, of ``algoClOrdId``."""
    exchange.advance()
    books = exchange.books
    if given.has("algoId"):
        ids = [given.integer("algoId")]
    else:
        known = books.client_ids.get(("algo", given.text("algoClOrdId")))
        ids = known.ids if known else []
    found = [books.algos[each] for each in ids if each in books.algos]
    if given.has("instId"):
        symbol = contracts.find(exchange, given.text("instId")).symbol
        found = [one for one in found if one.symbol == symbol]
    if not found:
        raise errors.VenueError(otherwise)
    return found[-1]


def get_algo(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """``GET /trade/order-algo``."""
    otherwise = errors.refused(Reason.NO_SUCH_ORDER)
    return [shapes.algo(exchange, _find(exchange, given, otherwise))]


def cancel(exchange: PaperExchange, given: Parameters) -> Json:
    """``POST /trade/cancel-algos``."""
    one = exchange.cancel_algo(_find(exchange, given, errors.refused(Reason.UNKNOWN_ORDER)))
    return acted(
        algoId=str(one.algo_id), algoClOrdId=shapes.client_id(one.client_algo_id), clOrdId="",
        tag="",
    )  # fmt: skip


def pending(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """``GET /trade/orders-algo-pending``: the kind must be named."""
    exchange.advance()
    return _listed(exchange, exchange.books.open_algos.values(), given)


def history(exchange: PaperExchange, given: Parameters) -> list[Json]:
    """Those that ended: by state, or one by its id."""
    exchange.advance()
    found = [one for one in exchange.books.algos.values() if not one.is_open]
    if given.has("algoId"):
        found = [one for one in found if one.algo_id == given.integer("algoId")]
    else:
        wanted = _STATES[given.choice("state", _STATES)]
        found = [one for one in found if one.status is wanted]
    return _listed(exchange, found, given)


def _listed(exchange: PaperExchange, found: Iterable[AlgoOrder], given: Parameters) -> list[Json]:
    given.choice("instType", ("SWAP",), "SWAP")
    kinds = given.text("ordType").split(",")
    if any(kind not in _ASKED for kind in kinds):
        raise errors.VenueError(errors.illegal("ordType"))
    rows = (shapes.algo(exchange, one) for one in found if shapes.algo_kind(one) in kinds)
    return page(sorted(rows, key=lambda row: -int(row["algoId"])), given, "algoId", "cTime")
