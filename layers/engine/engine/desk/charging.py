"""Money that moves without an order: funding payments, and costs in assets not priced before.

A payment is for the venue's whole position. It is shared among those who held a part of it, by
quantity; each share remembers its part, so that it is counted once, whoever reads it again. Who
held then is known once fills were read that a venue showed after it.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from engine.desk.book import Book
from engine.events import Funding
from engine.ledger import Position
from engine.shares import with_converted, with_settled, with_unconverted
from engine.values import Instrument, Side

ASK_MS = 5_000
GIVEN_UP_MS = 60_000  # a loop that is flat does not stay alive for a list that cannot be read
KEPT_MS = 600_000  # a payment waits this long for a share that explains it


def charge(book: Book) -> None:
    """Book what payments can be, and convert what can be priced by now."""
    for paid in sorted(book.payments.values(), key=lambda one: (one.at_ms, one.funding_id)):
        if not _left(book, paid):
            _end(book, paid)
        elif not (held := _holders(book, paid)):
            if book.now_ms - paid.at_ms >= KEPT_MS:
                book.note("funding_of_others", symbol=paid.symbol, amount=paid.amount)
                _end(book, paid)
        elif _knows_fills(book, paid) and (instrument := book.instrument(paid.symbol)):
            _share(book, paid, held, instrument)
            _end(book, paid)
    for position in _known(book):
        if position.unconverted:
            _convert(book, position)


def is_dealt_with(book: Book, paid: Funding) -> bool:
    """Whether the payment was booked, or found to be of others."""
    return paid.funding_id in book.paid


def ask_funding(book: Book) -> None:
    """Read payments at a pace while something is held, and once more after it was closed."""
    is_given_up = book.now_ms - book.funding_wanted_ms >= GIVEN_UP_MS
    if book.funding_wanted_ms and is_given_up and not book.positions:
        book.alarm("funding_unread", since_ms=book.funding_wanted_ms)
        book.funding_wanted_ms = 0
    interval_ms = book.settings.funding_interval_s * 1000
    is_due = bool(book.positions) and book.now_ms - book.funding_read_ms >= interval_ms
    if not is_due and not book.funding_wanted_ms:
        return
    if book.now_ms - book.funding_asked_ms >= ASK_MS:
        book.funding_asked_ms = book.now_ms
        book.funding_since_ms = _since(book)
        book.paid = {name: ms for name, ms in book.paid.items() if ms >= book.funding_since_ms}


def symbols_to_price(book: Book, position: Position) -> Iterable[str]:
    """What must be followed to convert the position's costs."""
    instrument = book.instrument(position.key.symbol)
    if instrument is None:
        return ()
    names = (asset + instrument.quote for asset, _ in position.unconverted)
    return [name for name in names if book.instrument(name) is not None]


def _since(book: Book) -> int:
    starts = [position.opened_at_ms for position in _known(book) if position.opened_at_ms]
    return min(starts, default=book.now_ms) - book.settings.clock_skew_ms


def _knows_fills(book: Book, paid: Funding) -> bool:
    """Whether no fill before the payment, that closed what seems to be held, can be unheard."""
    settings = book.settings
    shown_ms = paid.at_ms + settings.clock_skew_ms + settings.visibility_ms
    if book.fetched.get(paid.symbol, 0) >= shown_ms:
        return True
    book.want_fills(paid.symbol, from_ms=shown_ms)
    return False


def _end(book: Book, paid: Funding) -> None:
    del book.payments[paid.funding_id]
    book.paid[paid.funding_id] = paid.at_ms


def _left(book: Book, paid: Funding) -> Decimal:
    """What no share has of it yet; one that is known by now not to have held then counts too."""
    return paid.amount - sum(each.settled_of(_name(paid)) or 0 for each in _known(book))


def _name(paid: Funding) -> str:
    return f"funding {paid.funding_id}"


def _share(book: Book, paid: Funding, held: list[Position], instrument: Instrument) -> None:
    """Share what is left of it among those that held then."""
    name = _name(paid)
    fresh = [share for share in held if share.settled_of(name) is None]
    weights = [_weight(share, paid) for share in fresh]
    parts = _parted(_left(book, paid), weights, _excess(book, paid))
    for share, part in zip(fresh, parts, strict=True):
        after = _paid(book, share, paid.asset, part, instrument)
        book.put_position(with_settled(after, name, part))
        book.note("funding", position=share.position_id, amount=part, asset=paid.asset)


def _holders(book: Book, paid: Funding) -> list[Position]:
    """Who held then: of what was executed in the very millisecond, what closed rather than opened.

    A venue settles on the stroke of the hour, ahead of what it executes in that instant.
    """
    its = [one for one in _known(book) if _is_its(one, paid)]
    then = [one for one in its if 0 < one.opened_at_ms <= paid.at_ms]
    then = [one for one in then if one.quantity > 0 or one.closed_at_ms >= paid.at_ms]
    return [one for one in then if one.opened_at_ms < paid.at_ms] or then


def _known(book: Book) -> list[Position]:
    return [*book.positions.values(), *book.closed.values()]


def _is_its(position: Position, paid: Funding) -> bool:
    key = position.key
    return key.symbol == paid.symbol and paid.side in (None, key.side)


def _weight(share: Position, paid: Funding) -> Decimal:
    """What it held. Where both sides are meant, one pays what the other gets."""
    quantity = share.quantity or share.entry_quantity
    return quantity if paid.side is not None else quantity * share.key.side.sign


def _excess(book: Book, paid: Funding) -> Decimal:
    """The weight of what others hold of the venue's position."""
    if paid.side is not None:
        return book.excess(paid.symbol, paid.side)
    return sum((book.excess(paid.symbol, side) * side.sign for side in Side), Decimal(0))


def _parted(amount: Decimal, weights: list[Decimal], excess: Decimal) -> list[Decimal]:
    """The amount by weights; the last part is what is left, unless others have some of it."""
    if sum(weights) + excess == 0:
        weights, excess = [abs(weight) for weight in weights], abs(excess)
    total = sum(weights, excess)
    parts = [amount * weight / total for weight in weights]
    if parts and excess == 0:
        parts[-1] = amount - sum(parts[:-1])
    return parts


def _paid(
    book: Book, share: Position, asset: str, part: Decimal, instrument: Instrument
) -> Position:
    price = Decimal(1) if asset == instrument.quote else book.price_of(asset, instrument.quote)
    if price is not None:
        return replace(share, funding=share.funding + part * price)
    book.alarm("funding_not_converted", position=share.position_id, amount=part, asset=asset)
    return with_unconverted(share, asset, -part)


def _convert(book: Book, position: Position) -> None:
    instrument = book.instrument(position.key.symbol)
    if instrument is None:
        return
    found = {asset: book.price_of(asset, instrument.quote) for asset, _ in position.unconverted}
    prices = {asset: price for asset, price in found.items() if price is not None}
    after = with_converted(position, prices)
    if after is not position:
        book.put_position(after)
        book.note("costs_converted", position=position.position_id, assets=" ".join(prices))
