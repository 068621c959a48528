"""What a venue does to an account of its own accord: slow fills, thin books, funding, force."""

import random
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from local.paper.core import modes
from local.paper.core.records import Position
from local.paper.core.refusals import RefusedError
from local.paper.core.scripts import Part
from local.simulation.venue import VenueSide

_SCHEDULES = (
    (Part(percent=Decimal(40), after_ms=0), Part(percent=Decimal(60), after_ms=700)),
    (Part(percent=Decimal(30), after_ms=0), Part(percent=Decimal(30), after_ms=400)),
    (Part(percent=Decimal(50), after_ms=300), Part(percent=Decimal(50), after_ms=1_500)),
)


def fill_in_parts(venue: VenueSide, dice: random.Random) -> str:
    """The next order that takes the market is filled piece by piece, not all of them whole."""
    venue.exchange.scripts.fill_in_parts(dice.choice(_SCHEDULES))
    return "fill in parts"


def thin_book(venue: VenueSide, dice: random.Random) -> str:
    """A thousandth of the book is left for some seconds: orders slip."""
    symbol = dice.choice(venue.instruments).symbol
    scripts = venue.exchange.scripts
    scripts.set_liquidity(symbol, Decimal("0.001"))
    venue.loop.call_later(dice.randrange(1, 5), scripts.set_liquidity, symbol, Decimal(1))
    return "thin book"


def fund(venue: VenueSide, dice: random.Random) -> str:
    """A funding payment out of turn, for or against the account."""
    rate = dice.choice((Decimal("0.0005"), Decimal("-0.0005")))
    venue.exchange.charge_funding(dice.choice(venue.instruments).symbol, rate)
    return "funding"


def liquidate(venue: VenueSide, dice: random.Random) -> str:
    """The venue closes all of a position."""
    held = _held(venue)
    if not held:
        return ""
    chosen = dice.choice(held)
    venue.exchange.liquidate(chosen.symbol, chosen.position_side)
    return "liquidation"


def deleverage(venue: VenueSide, dice: random.Random) -> str:
    """The venue takes a part of a position against somebody else's bankruptcy."""
    held = _held(venue)
    if not held:
        return ""
    chosen = dice.choice(held)
    venue.exchange.deleverage(chosen.symbol, chosen.position_side, Decimal(dice.choice((50, 100))))
    return "auto-deleveraging"


def change_filters(venue: VenueSide, dice: random.Random) -> str:
    """The least value of an order rises a hundredfold for some seconds."""
    listed = venue.exchange.quotes.instruments
    before = dice.choice(venue.instruments)
    listed[before.symbol] = replace(before, min_notional=before.min_notional * 100)
    venue.loop.call_later(dice.randrange(2, 10), listed.update, {before.symbol: before})
    return "filters changed"


def flip_position_mode(venue: VenueSide, dice: random.Random) -> str:
    """Somebody changes between one position a symbol and two; a venue allows it only when flat."""
    del dice
    venue.exchange.advance()
    modes.set_hedge_mode(venue.books, hedge_mode=not venue.books.account.hedge_mode)
    return "position mode flipped"


HARMLESS: tuple[tuple[float, Callable[[VenueSide, random.Random], str]], ...] = (
    (0.15, fill_in_parts),
    (0.03, thin_book),
    (0.03, fund),
)
"""How often a second, and what: quantities stay what our orders made them."""
FORCEFUL = (liquidate, deleverage)


def happen(
    event: Callable[[VenueSide, random.Random], str], venue: VenueSide, dice: random.Random
) -> str:
    """Do it; what it was, or nothing if the venue's own rules forbade it."""
    try:
        return event(venue, dice)
    except RefusedError:
        return ""


def _held(venue: VenueSide) -> list[Position]:
    return [one for _, one in sorted(venue.books.positions.items()) if one.quantity]
