"""Spot markets: the asset itself is held, and whatever waits to be sold is locked.

So one stop rests for all of a position and nothing beside it: the position loop takes the profit,
a stop of another size is placed after the old one is gone, and none while a sale is on its way. A
sale frees what the stop locks: the venue's adapter cancels and sells in one request.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from engine.desk.book import Book
from engine.events import VenuePosition
from engine.ladder import stop_distance_pct
from engine.ledger import Order, OrderState, Position, PositionStatus, Purpose
from engine.levels import breakeven_pct
from engine.orders import is_ours, missing, remaining
from engine.reconcile import SymbolSide
from engine.risk import Refusal
from engine.settings import Settings
from engine.values import Exits, Instrument, Side, Wish

_SALES = (Purpose.CLOSE, Purpose.REDUCE)


def not_tradable(instrument: Instrument, wish: Wish) -> Refusal | None:
    """What is not owned cannot be sold: there is no short side."""
    if not instrument.is_spot or wish.key.side is Side.LONG:
        return None
    return Refusal(code="side_not_tradable", numbers={"price": wish.price})


def no_stop_left(book: Book, instrument: Instrument) -> Refusal | None:
    """Each position needs a stop of its own, of which a venue may allow a few for each symbol.

    Those of others on the account count too.
    """
    if not instrument.max_stops:
        return None
    held = sum(one.key.symbol == instrument.symbol for one in book.positions.values())
    there = () if book.snapshot is None else book.snapshot.orders
    others = sum(
        one.symbol == instrument.symbol and one.is_conditional and not is_ours(one.client_order_id)
        for one in there
    )
    if held + others < instrument.max_stops:
        return None
    numbers = {"stops": Decimal(held + others), "limit": Decimal(instrument.max_stops)}
    return Refusal(code="stops_per_symbol", numbers=numbers)


def with_room_to_sell(
    instrument: Instrument, price: Decimal, exits: Exits, settings: Settings
) -> Instrument:
    """The instrument with minimums for a purchase that can be sold again.

    The fee comes off what is bought (counted twice, for a spot market's is the higher), rounding
    takes up to a step, and at its stop's price the rest must still be worth what the venue takes.
    """
    if not instrument.is_spot:
        return instrument
    kept = 1 - breakeven_pct(settings) / 100
    at_stop = 1 - stop_distance_pct(exits, settings) / 100
    step = instrument.quantity_step
    return replace(
        instrument,
        min_quantity=(instrument.min_quantity + step) / kept,
        min_notional=(instrument.min_notional / at_stop + step * price) / kept,
    )


def keep_stop(
    book: Book,
    position: Position,
    instrument: Instrument,
    expected: Decimal,
    trigger: Decimal | None,
) -> None:
    """Exactly one stop of the right size and price: cancel the old, then place the new.

    One of unknown fate gets a second one at once where the venue's lock lets only one of them be.
    `trigger` is None where a new one would fire at once: the position is about to be closed then.
    """
    if trigger is None or _is_selling(book, position):
        return
    stops = book.orders_of(position.position_id, Purpose.STOP)
    live = [order for order in stops if book.is_live(order)]
    fitting = [o for o in live if remaining(o) == expected and o.trigger_price == trigger]
    for order in live:
        if order not in fitting[-1:]:
            book.cancel(order)
    if not all(order.state.is_terminal or _is_alone(book, order) for order in stops):
        return
    waiting = sum(not order.state.is_terminal for order in stops)
    if waiting > 1 or not book.may_retry(position, stops):
        return
    entries = book.entries_of(position.position_id)
    is_growing = any(not order.state.is_terminal for order in entries)
    if is_growing and is_too_little(instrument, expected, trigger):
        return  # the venue would refuse it, and more of it is coming
    book.new_order(position, Purpose.STOP, expected, trigger)


def is_too_little(instrument: Instrument, quantity: Decimal, price: Decimal) -> bool:
    """Whether the venue would take no order for it."""
    return quantity < instrument.min_quantity or quantity * price < instrument.min_notional


def leave_residue(book: Book, position: Position, instrument: Instrument, rest: Decimal) -> bool:
    """End a position whose rest the venue refused to buy because it is too little.

    The rest stays with the account; it is told, and written down as the position's residue.
    """
    closes = book.orders_of(position.position_id, Purpose.CLOSE)
    if not instrument.is_spot or not closes or closes[-1].state is not OrderState.REJECTED:
        return False
    orders = book.orders_of(position.position_id)
    if any(missing(order) > 0 or not order.state.is_terminal for order in orders):
        return False
    quote = book.fresh_quote(position.key.symbol)
    if isinstance(quote, Refusal) or not is_too_little(instrument, rest, quote.price):
        return False
    book.put_position(
        replace(
            position,
            status=PositionStatus.CLOSED,
            quantity=position.quantity - rest,
            residue=position.residue + rest,
            closed_at_ms=book.now_ms,
        )
    )
    book.alarm("residue_left", position=position.position_id, quantity=rest, price=quote.price)
    return True


def owned(
    book: Book, held: tuple[VenuePosition, ...], lost: Mapping[SymbolSide, Decimal]
) -> tuple[VenuePosition, ...]:
    """What the venue holds of our shares: on a spot market anything beyond them is the owner's.

    What stops of ours guard that our books `lost` was ours too.

    Residues, savings and assets kept for fees look like positions there. Less than our shares is a
    mismatch as everywhere.
    """
    ours: dict[SymbolSide, Decimal] = dict(lost)
    for position in book.positions.values():
        at = (position.key.symbol, position.key.side)
        ours[at] = ours.get(at, Decimal(0)) + position.quantity
    found = []
    for one in held:
        instrument = book.instrument(one.symbol)
        if instrument is None or not instrument.is_spot:
            found.append(one)
            continue
        mine = ours.get((one.symbol, one.side), Decimal(0))
        quantity = min(instrument.floor_quantity(one.quantity), mine)
        if quantity:
            found.append(replace(one, quantity=quantity))
    return tuple(found)


def _is_alone(book: Book, stop: Order) -> bool:
    """Whether a stop of unknown fate, if it is there, leaves too little for another like it."""
    if stop.state is not OrderState.UNKNOWN or book.snapshot is None:
        return False
    there = sum(
        (one.quantity for one in book.snapshot.positions if one.symbol == stop.symbol), Decimal(0)
    )
    ours = sum((one.quantity for one in book.shares_of(stop.symbol, stop.side)), Decimal(0))
    locked = sum(
        (
            remaining(order)
            for order in book.orders.values()
            if order.symbol == stop.symbol and order.reduce_only and not order.state.is_terminal
        ),
        Decimal(0),
    )
    return max(there, ours) - locked < remaining(stop)


def _is_selling(book: Book, position: Position) -> bool:
    """Whether a sale at the market is on its way: a stop could take the balance it needs."""
    orders = (book.orders_of(position.position_id, purpose) for purpose in _SALES)
    return any(not order.state.is_terminal for each in orders for order in each)
