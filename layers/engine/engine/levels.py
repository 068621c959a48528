"""Prices at which a position ends: its stop, its trailing stop, its target.

Distances from the entry (or best) price are rounded up to whole ticks, as in the paper book: a
trigger is the first tick at which the exact condition holds, never a nearer one. Venues trade on
ticks only, so a stop is not looser in effect. Rounding happens on the mirrored axis (price times
side sign), so both sides use one formula.
"""

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from engine.ladder import stop_distance_pct
from engine.ledger import Position, Recovery
from engine.settings import Settings
from engine.values import CloseReason, Instrument, Side

HUNDRED = Decimal(100)
_SNAP = Decimal("1e-14")  # of a tick; an average price such as 100/3 is exact to far less


def stop_tick(price: Decimal, side: Side, tick: Decimal) -> Decimal:
    """The first tick at or beyond an adverse level: down for LONG, up for SHORT."""
    return _on_tick(price, side, tick, ROUND_FLOOR)


def target_tick(price: Decimal, side: Side, tick: Decimal) -> Decimal:
    """The first tick at or beyond a favourable level: up for LONG, down for SHORT."""
    return _on_tick(price, side, tick, ROUND_CEILING)


def fell_to(price: Decimal, base: Decimal, pct: Decimal, side: Side, tick: Decimal) -> bool:
    """Whether `price` lies `pct` or more against the side of `base`."""
    return reached(stop_tick(_moved(base, side, -pct), side, tick), price, side)


def rose_to(price: Decimal, base: Decimal, pct: Decimal, side: Side, tick: Decimal) -> bool:
    """Whether `price` lies `pct` or more in favour of the side of `base`."""
    return reached(price, target_tick(_moved(base, side, pct), side, tick), side)


def fixed_stop(position: Position, instrument: Instrument, settings: Settings) -> Decimal:
    """The stop that rests on the venue: an operator's choice, else the configured one."""
    return position.chosen_stop or configured_stop(position, instrument, settings)


def configured_stop(position: Position, instrument: Instrument, settings: Settings) -> Decimal:
    """The configured stop from the first entry price; a ladder's lies beyond its last step."""
    side = position.key.side
    distance_pct = stop_distance_pct(position.key.exits, settings)
    return stop_tick(
        _moved(first_price(position), side, -distance_pct), side, instrument.price_tick
    )


def fixed_target(position: Position, instrument: Instrument, settings: Settings) -> Decimal | None:
    """An operator's target, else the configured one, None if only trailing ends the position.

    Once a step was added, it is measured as the mode says: from the average entry price, from the
    first, or as that much beyond break-even. Profit-back may halve its distance from the average,
    but not to short of break-even.
    """
    exits, side, average = position.key.exits, position.key.side, entry_price(position)
    if position.chosen_target is not None or exits.trailing_only:
        return position.chosen_target
    base, pct = average, exits.take_profit_pct
    if position.entry_quantity > position.first_quantity > 0:
        if settings.dca_take_profit_mode == "first_entry":
            base = first_price(position)
        elif settings.dca_take_profit_mode == "breakeven_plus":
            pct = breakeven_pct(settings) + settings.breakeven_plus_pct
    target = _moved(base, side, pct)
    if position.recovery is Recovery.BACK and settings.profit_back_aggressive:
        even = _moved(average, side, breakeven_pct(settings))
        target = _better(average + (target - average) / 2, even, side)
    return target_tick(target, side, instrument.price_tick)


def breakeven_pct(settings: Settings) -> Decimal:
    """What entry and exit cost in fees, in percent of the price."""
    return 2 * settings.taker_fee_pct


def with_exits(position: Position, instrument: Instrument, settings: Settings) -> Position:
    """The position with target and stop of its entry prices; a trailing stop is never loosened."""
    stop = fixed_stop(position, instrument, settings)
    if position.trail_armed and position.stop_price is not None:
        stop = _better(stop, position.stop_price, position.key.side)
    target = fixed_target(position, instrument, settings)
    return replace(position, stop_price=stop, target_price=target)


def recovered(
    position: Position, price: Decimal, instrument: Instrument, settings: Settings
) -> Position:
    """The position after a price, by profit-back: under water, then back at break-even.

    Half the configured stop's distance below the average entry price is under water. Back at that
    price and the fees of both sides, what is left trails from there on.
    """
    is_on = position.key.exits.profit_back and settings.profit_back_on_exchange
    if not is_on or position.entry_price is None or position.recovery is Recovery.BACK:
        return position
    side, tick, average = position.key.side, instrument.price_tick, position.entry_price
    if position.recovery is Recovery.NONE:
        is_under = fell_to(price, average, position.key.exits.stop_loss_pct / 2, side, tick)
        return replace(position, recovery=Recovery.UNDER) if is_under else position
    if not rose_to(price, average, breakeven_pct(settings), side, tick):
        return position
    back = replace(position, recovery=Recovery.BACK, trail_armed=True, best_price=price)
    return with_exits(back, instrument, settings)


def trailed(
    position: Position, price: Decimal, instrument: Instrument, settings: Settings
) -> Position:
    """The position after a price: arms at `trail_start_pct`, then follows the best price.

    The stop trails the best price by `trail_stop_pct`; it never loosens and is never worse than
    the fixed stop.
    """
    exits, side, tick = position.key.exits, position.key.side, instrument.price_tick
    is_back = position.recovery is Recovery.BACK
    if not (exits.is_trailing or is_back):
        return position
    if position.entry_price is None or position.stop_price is None:
        return position
    best = position.best_price
    if position.trail_armed and best is not None:
        best = _better(best, price, side)
    elif rose_to(price, position.entry_price, exits.trail_start_pct, side, tick):
        best = price
    else:
        return position
    retrace_pct = settings.profit_back_trail_pct if is_back else exits.trail_stop_pct
    trail = stop_tick(_moved(best, side, -retrace_pct), side, tick)
    stop = _better(position.stop_price, trail, side)
    return replace(position, trail_armed=True, best_price=best, stop_price=stop)


def exit_due(
    position: Position, price: Decimal, instrument: Instrument, settings: Settings
) -> CloseReason | None:
    """What `price` ends the position with: the fixed stop first, then trailing, then the target."""
    side = position.key.side
    if position.stop_price is None:
        return None
    if stop_would_trigger(position, price, instrument, settings):
        return CloseReason.STOP_LOSS
    if position.trail_armed and reached(position.stop_price, price, side):
        return CloseReason.TRAILING_STOP
    if position.target_price is None or not reached(price, position.target_price, side):
        return None
    return CloseReason.TAKE_PROFIT


def stop_would_trigger(
    position: Position, price: Decimal, instrument: Instrument, settings: Settings
) -> bool:
    """Whether a stop sent now would fire at once, or be refused for it."""
    return reached(fixed_stop(position, instrument, settings), price, position.key.side)


def entry_price(position: Position) -> Decimal:
    """The average of all entry fills."""
    assert position.entry_price is not None, "a position without entry fills has no price"
    return position.entry_price


def first_price(position: Position) -> Decimal:
    """The average of the first entry's fills."""
    return position.first_price or entry_price(position)


def reached(price: Decimal, level: Decimal, side: Side) -> bool:
    """Whether `price` is at the level or on the favourable side of it."""
    return price * side.sign >= level * side.sign


def _moved(price: Decimal, side: Side, favourable_pct: Decimal) -> Decimal:
    return price * (HUNDRED + side.sign * favourable_pct) / HUNDRED


def _better(one: Decimal, other: Decimal, side: Side) -> Decimal:
    return one if reached(one, other, side) else other


def _on_tick(price: Decimal, side: Side, tick: Decimal, rounding: str) -> Decimal:
    ticks = (price * side.sign / tick).quantize(_SNAP).to_integral_value(rounding)
    return ticks * side.sign * tick
