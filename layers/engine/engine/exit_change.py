"""An operator moves a position's stop or target: what is allowed, and the position after it."""

from dataclasses import replace
from decimal import Decimal

from engine.ledger import Position, PositionStatus
from engine.levels import (
    configured_stop,
    entry_price,
    fixed_stop,
    fixed_target,
    reached,
    stop_tick,
    target_tick,
    with_exits,
)
from engine.records import AS_CONFIGURED, ExitChange
from engine.risk import Refusal, safe_leverage
from engine.settings import Settings
from engine.values import Instrument

LOOSER = "looser_stop"


def change_refusal(
    position: Position,
    change: ExitChange,
    instrument: Instrument,
    settings: Settings,
    *,
    price: Decimal | None,
) -> Refusal | None:
    """Why the exits may not be changed so.

    A stop lies on the losing side of the last price and of the target, a target on the winning
    side. It loosens neither a trailing stop nor, unless that is said, the configured one, and lies
    well before liquidation. Without `price` what needs it is not judged.
    """
    if position.status is not PositionStatus.OPEN or position.entry_price is None:
        return Refusal(code="not_open")
    after = chosen(position, change, instrument)
    stop = fixed_stop(after, instrument, settings)
    target = fixed_target(after, instrument, settings)
    side = position.key.side
    if stop <= 0 or (target is not None and target <= 0):
        return Refusal(code="price_not_positive", numbers={"stop": stop})
    if target is not None and not reached(target, stop + side.sign * instrument.price_tick, side):
        return Refusal(code="target_beyond_stop", numbers={"stop": stop, "target": target})
    beyond = None if price is None else _beyond_price(after, change, stop, target, price)
    if beyond is not None or change.stop_price is None:
        return beyond
    return _too_loose(position, change, stop, instrument, settings)


def changed(
    position: Position, change: ExitChange, instrument: Instrument, settings: Settings
) -> tuple[Position, Refusal]:
    """The position with its new exits, and what is to be told: a looser stop is said to be one."""
    after = with_exits(chosen(position, change, instrument), instrument, settings)
    numbers = {
        "stop": after.stop_price,
        "target": after.target_price,
        "former_stop": position.stop_price,
        "former_target": position.target_price,
    }
    configured = configured_stop(position, instrument, settings)
    is_looser = not reached(fixed_stop(after, instrument, settings), configured, position.key.side)
    known = {name: number for name, number in numbers.items() if number is not None}
    return after, Refusal(code=LOOSER if is_looser else "", numbers=known)


def chosen(position: Position, change: ExitChange, instrument: Instrument) -> Position:
    """The position with the operator's prices on ticks; `AS_CONFIGURED` gives a choice up."""
    side, tick = position.key.side, instrument.price_tick
    stop, target = position.chosen_stop, position.chosen_target
    if change.stop_price is not None:
        is_own = change.stop_price != AS_CONFIGURED
        stop = stop_tick(change.stop_price, side, tick) if is_own else None
    if change.target_price is not None:
        is_own = change.target_price != AS_CONFIGURED
        target = target_tick(change.target_price, side, tick) if is_own else None
    return replace(position, chosen_stop=stop, chosen_target=target)


def _beyond_price(
    after: Position, change: ExitChange, stop: Decimal, target: Decimal | None, price: Decimal
) -> Refusal | None:
    """What would end the position at once is no stop and no target."""
    side = after.key.side
    if change.stop_price is not None and reached(stop, price, side):
        return Refusal(code="stop_beyond_price", numbers={"stop": stop, "price": price})
    is_moved = change.target_price is not None and target is not None
    if is_moved and target is not None and reached(price, target, side):
        return Refusal(code="target_beyond_price", numbers={"target": target, "price": price})
    return None


def _too_loose(
    position: Position,
    change: ExitChange,
    stop: Decimal,
    instrument: Instrument,
    settings: Settings,
) -> Refusal | None:
    side, holds = position.key.side, position.stop_price
    if position.trail_armed and holds is not None and not reached(stop, holds, side):
        return Refusal(code="trailing_is_tighter", numbers={"stop": stop, "trailing": holds})
    configured = configured_stop(position, instrument, settings)
    if reached(stop, configured, side):
        return None
    if not change.allow_looser:
        return Refusal(code="stop_looser", numbers={"stop": stop, "configured": configured})
    entry = entry_price(position)
    distance_pct = (entry - stop) * side.sign * 100 / entry
    safe = safe_leverage(position.leverage, distance_pct, settings)
    if isinstance(safe, Refusal):
        return safe
    if safe < position.leverage:
        return Refusal(
            code="stop_beyond_liquidation",
            numbers={"leverage": Decimal(position.leverage), "safe": Decimal(safe)},
        )
    return None
