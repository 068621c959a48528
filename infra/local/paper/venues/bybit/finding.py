"""Which orders a request means: one by its id or link id, or all that match."""

from collections.abc import Sequence

from local.paper.core.books import Books
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import AlgoOrder, Order
from local.paper.core.refusals import Reason, RefusedError
from local.paper.venues.bybit import errors, order_shapes, shapes
from local.paper.venues.bybit.parameters import Parameters

Either = Order | AlgoOrder
_FILTERS = ("Order", "StopOrder")


def names_one(given: Parameters) -> bool:
    """Whether an order is named by its id or its link id."""
    return given.has("orderId") or given.has("orderLinkId")


def named(exchange: PaperExchange, given: Parameters) -> Either:
    """The order a request names.

    Raises
    ------
    RefusedError
        If there is none of that name, or it belongs to another symbol.
    """
    if not names_one(given):
        raise errors.bad("orderId or orderLinkId is required")
    found = _one(exchange.books, given)
    if found is None or given.text("symbol", found.symbol) != found.symbol:
        raise RefusedError(Reason.UNKNOWN_ORDER)
    return found


def matching(exchange: PaperExchange, given: Parameters, *, is_open: bool | None) -> list[Either]:
    """Orders by id, symbol or coin, newest first; `is_open` None stands for any state."""
    books = exchange.books
    found: Sequence[Either]
    if names_one(given):
        one = _one(books, given)
        found = [one] if one is not None else []
    elif is_open:
        found = [*books.open_orders.values(), *books.open_algos.values()]
    else:
        found = list(order_shapes.shown(books))
    symbol = given.text("symbol", "")
    if symbol:
        exchange.instrument(symbol)
    elif is_open and not names_one(given):
        given.choice("settleCoin", ("USDT",))
    kept = [one for one in found if symbol in ("", one.symbol) and is_open in (None, one.is_open)]
    return sorted(_filtered(given, kept), key=_age, reverse=True)


def used(books: Books, link_id: str) -> bool:
    """Whether an order of either kind ever had this link id: it is unique for ever."""
    return any((purpose, link_id) in books.client_ids for purpose in ("order", "algo"))


def _filtered(given: Parameters, found: list[Either]) -> list[Either]:
    if not given.has("orderFilter"):
        return found
    wanted = given.choice("orderFilter", _FILTERS) == "StopOrder"
    return [one for one in found if _was_conditional(one) == wanted]


def _was_conditional(one: Either) -> bool:
    return isinstance(one, AlgoOrder) or bool(one.parent_algo_id)


def _one(books: Books, given: Parameters) -> Either | None:
    if given.has("orderId"):
        return _by_number(books, shapes.number_of(given.text("orderId")))
    link_id = given.text("orderLinkId")
    for purpose in ("order", "algo"):
        known = books.client_ids.get((purpose, link_id))
        if known is not None:
            return _by_number(books, known.ids[-1])
    return None


def _by_number(books: Books, number: int) -> Either | None:
    """A fired conditional order is what it became; that one's own number is nobody's."""
    waiting = books.algos.get(number)
    if waiting is not None:
        return books.orders.get(waiting.actual_order_id, waiting)
    plain = books.orders.get(number)
    return None if plain is None or plain.parent_algo_id else plain


def _age(one: Either) -> tuple[int, int]:
    return one.created_ms, one.algo_id if isinstance(one, AlgoOrder) else one.order_id
