"""An exchange position of ours, from fills only: a share of the venue's (symbol, side) position.

Distances from the entry (or best) price are rounded up to whole ticks, as in the paper book: a
trigger is the first tick at which the exact condition holds, never a nearer one. Venues trade on
ticks only, so a stop is not looser in effect. Rounding happens on the mirrored axis (price times
side sign), so both sides use one formula.
"""

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from engine.ledger import Fill, Position
from engine.values import CloseReason, Instrument, Side

HUNDRED = Decimal(100)


def stop_tick(price: Decimal, side: Side, tick: Decimal) -> Decimal:
    """The first tick at or beyond an adverse level: down for LONG, up for SHORT."""
    return _on_tick(price, side, tick, ROUND_FLOOR)


def target_tick(price: Decimal, side: Side, tick: Decimal) -> Decimal:
    """The first tick at or beyond a favourable level: up for LONG, down for SHORT."""
    return _on_tick(price, side, tick, ROUND_CEILING)


def fixed_stop(position: Position, instrument: Instrument) -> Decimal:
    """The configured stop from the real entry price."""
    side = position.key.side
    stop = _moved(_entry_price(position), side, -position.key.exits.stop_loss_pct)
    return stop_tick(stop, side, instrument.price_tick)


def fixed_target(position: Position, instrument: Instrument) -> Decimal:
    """The configured target from the real entry price."""
    side = position.key.side
    target = _moved(_entry_price(position), side, position.key.exits.take_profit_pct)
    return target_tick(target, side, instrument.price_tick)


def with_entry(position: Position, fill: Fill, fee_quote: Decimal) -> Position:
    """The position after an entry fill: averages, fees, and its exits from the new average."""
    quantity = position.entry_quantity + fill.quantity
    before = (position.entry_price or Decimal(0)) * position.entry_quantity
    return replace(
        position,
        entry_price=(before + fill.price * fill.quantity) / quantity,
        entry_quantity=quantity,
        quantity=position.quantity + fill.quantity,
        fees=position.fees + fee_quote,
        opened_at_ms=position.opened_at_ms or fill.executed_at_ms,
    )


def with_exits(position: Position, instrument: Instrument) -> Position:
    """The position with target and stop of its entry price; a trailing stop is never loosened."""
    stop = fixed_stop(position, instrument)
    if position.trail_armed and position.stop_price is not None:
        stop = _better(stop, position.stop_price, position.key.side)
    return replace(position, stop_price=stop, target_price=fixed_target(position, instrument))


def with_exit(position: Position, fill: Fill, fee_quote: Decimal) -> Position:
    """The position after a fill that reduces it by no more than its quantity."""
    exited = position.entry_quantity - position.quantity
    before = (position.exit_price or Decimal(0)) * exited
    gain = (fill.price - _entry_price(position)) * fill.quantity * position.key.side.sign
    return replace(
        position,
        quantity=position.quantity - fill.quantity,
        exit_price=(before + fill.price * fill.quantity) / (exited + fill.quantity),
        realized_pnl=position.realized_pnl + gain,
        fees=position.fees + fee_quote,
    )


def fee_in_quote(fill: Fill, instrument: Instrument) -> Decimal | None:
    """The fee in quote currency; None if it was paid in a third asset."""
    if fill.fee == 0 or fill.fee_asset == instrument.quote:
        return fill.fee
    return fill.fee * fill.price if fill.fee_asset == instrument.base else None


def trailed(position: Position, price: Decimal, instrument: Instrument) -> Position:
    """The position after a price: arms at `trail_start_pct`, then follows the best price.

    The stop trails the best price by `trail_stop_pct`; it never loosens and is never worse than
    the fixed stop.
    """
    exits, side = position.key.exits, position.key.side
    if not exits.is_trailing or position.entry_price is None or position.stop_price is None:
        return position
    best = position.best_price
    if position.trail_armed and best is not None:
        best = _better(best, price, side)
    elif _reached(price, _moved(position.entry_price, side, exits.trail_start_pct), side):
        best = price
    else:
        return position
    trail = stop_tick(_moved(best, side, -exits.trail_stop_pct), side, instrument.price_tick)
    stop = _better(position.stop_price, trail, side)
    return replace(position, trail_armed=True, best_price=best, stop_price=stop)


def exit_due(position: Position, price: Decimal, instrument: Instrument) -> CloseReason | None:
    """What `price` ends the position with: the fixed stop first, then trailing, then the target."""
    side = position.key.side
    if position.stop_price is None or position.target_price is None:
        return None
    if _reached(fixed_stop(position, instrument), price, side):
        return CloseReason.STOP_LOSS
    if position.trail_armed and _reached(position.stop_price, price, side):
        return CloseReason.TRAILING_STOP
    return CloseReason.TAKE_PROFIT if _reached(price, position.target_price, side) else None


def stop_would_trigger(position: Position, price: Decimal, instrument: Instrument) -> bool:
    """Whether a stop sent now would fire at once, or be refused for it."""
    return _reached(fixed_stop(position, instrument), price, position.key.side)


def _entry_price(position: Position) -> Decimal:
    assert position.entry_price is not None, "a position without entry fills has no price"
    return position.entry_price


def _moved(price: Decimal, side: Side, favourable_pct: Decimal) -> Decimal:
    return price * (HUNDRED + side.sign * favourable_pct) / HUNDRED


def _reached(price: Decimal, level: Decimal, side: Side) -> bool:
    return price * side.sign >= level * side.sign


def _better(one: Decimal, other: Decimal, side: Side) -> Decimal:
    return one if _reached(one, other, side) else other


def _on_tick(price: Decimal, side: Side, tick: Decimal, rounding: str) -> Decimal:
    ticks = (price * side.sign / tick).to_integral_value(rounding)
    return ticks * side.sign * tick
