"""Changing a conditional order that waits, on venues that let it keep its ids."""

from dataclasses import replace
from decimal import Decimal

from local.paper.core import rules
from local.paper.core.books import AlgoChanged
from local.paper.core.exchange import PaperExchange
from local.paper.core.records import AlgoOrder
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.triggers import fires, working_price


def amend_conditional(
    exchange: PaperExchange,
    algo: AlgoOrder,
    *,
    quantity: Decimal,
    trigger_price: Decimal,
    price: Decimal,
) -> AlgoOrder:
    """New quantity and prices; a trigger that the market has passed already is refused.

    Raises
    ------
    RefusedError
        If it waits no more, if nothing would change, or for what a new one would be refused for.
    """
    now_ms = exchange.advance()
    if not algo.is_open:
        raise RefusedError(Reason.UNKNOWN_ORDER)
    instrument = exchange.instrument(algo.symbol)
    rules.check_quantity(instrument, quantity)
    for one in (trigger_price, price):
        if one:
            rules.check_price(instrument, one)
    wanted = (quantity, trigger_price, price)
    if wanted == (algo.quantity, algo.trigger_price, algo.price):
        raise RefusedError(Reason.NOTHING_TO_AMEND)
    last = working_price(algo, exchange.last_price(algo.symbol), exchange.scripts)
    if fires(replace(algo, trigger_price=trigger_price), last):
        raise RefusedError(Reason.WOULD_TRIGGER)
    algo.quantity, algo.trigger_price, algo.price = wanted
    algo.updated_ms = now_ms
    exchange.books.keep_algo(algo)
    exchange.books.tell(AlgoChanged(algo=algo, status="NEW"))
    exchange.books.commit()
    return algo
