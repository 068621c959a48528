"""An exchange position of ours, from fills only: a share of the venue's (symbol, side) position."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from engine.ledger import Fill, Position
from engine.levels import entry_price
from engine.values import Instrument


def with_entry(position: Position, fill: Fill, fee_quote: Decimal, *, first: bool) -> Position:
    """The position after an entry fill: averages and fees; `first` for the entry, not for a step.

    What had left already is counted at the new average too, so that result and fills agree.
    """
    quantity = position.entry_quantity + fill.quantity
    left = position.entry_quantity - position.quantity
    average = _average(position.entry_price, position.entry_quantity, fill)
    shift = average - (position.entry_price or average)
    entered = replace(
        position,
        entry_price=average,
        entry_quantity=quantity,
        quantity=position.quantity + fill.quantity,
        realized_pnl=position.realized_pnl - shift * left * position.key.side.sign,
        fees=position.fees + fee_quote,
        opened_at_ms=min(position.opened_at_ms or fill.executed_at_ms, fill.executed_at_ms),
    )
    if not first:
        return entered
    return replace(
        entered,
        first_price=_average(position.first_price, position.first_quantity, fill),
        first_quantity=position.first_quantity + fill.quantity,
    )


def with_exit(position: Position, fill: Fill, fee_quote: Decimal) -> Position:
    """The position after a fill that reduces it by no more than its quantity."""
    exited = position.entry_quantity - position.quantity
    gain = (fill.price - entry_price(position)) * fill.quantity * position.key.side.sign
    return replace(
        position,
        quantity=position.quantity - fill.quantity,
        exit_price=_average(position.exit_price, exited, fill),
        closed_at_ms=max(position.closed_at_ms, fill.executed_at_ms),
        realized_pnl=position.realized_pnl + gain,
        fees=position.fees + fee_quote,
    )


def received(position: Position, fill: Fill, instrument: Instrument) -> tuple[Fill, Decimal]:
    """An entry fill as the position may hold it, and the residue that is left of it.

    A spot market takes its fee out of what was bought, and only whole steps can be sold again; less
    than a step is carried to the next fill.
    """
    if not instrument.is_spot:
        return fill, position.residue
    fee = fill.fee if fill.fee_asset == instrument.base else Decimal(0)
    arrived = fill.quantity - fee
    dust = position.residue - instrument.floor_quantity(position.residue)
    whole = instrument.floor_quantity(arrived + dust)
    return replace(fill, quantity=whole), position.residue + arrived - whole


def fee_in_quote(fill: Fill, instrument: Instrument, price: Decimal | None) -> Decimal | None:
    """The fee in quote currency, of a third asset at `price`; None if that is not known."""
    if fill.fee == 0 or fill.fee_asset == instrument.quote:
        return fill.fee
    if fill.fee_asset == instrument.base:
        return fill.fee * fill.price
    return None if price is None else fill.fee * price


def with_unconverted(position: Position, asset: str, cost: Decimal) -> Position:
    """The position with a cost in an asset whose price nobody knows yet."""
    costs = dict(position.unconverted)
    costs[asset] = costs.get(asset, Decimal(0)) + cost
    return replace(position, unconverted=tuple(costs.items()))


def with_converted(position: Position, prices: Mapping[str, Decimal]) -> Position:
    """The position with its costs in these assets counted as fees at their prices."""
    known = [(asset, cost) for asset, cost in position.unconverted if asset in prices]
    if not known:
        return position
    fees = sum((cost * prices[asset] for asset, cost in known), Decimal(0))
    rest = tuple(one for one in position.unconverted if one not in known)
    return replace(position, fees=position.fees + fees, unconverted=rest)


def with_settled(position: Position, name: str, amount: Decimal) -> Position:
    """The position that remembers what of a payment or execution is in its figures."""
    return replace(position, settled=(*position.settled, (name, amount)))


def _average(price: Decimal | None, quantity: Decimal, fill: Fill) -> Decimal:
    """The average price of a quantity and a fill on top of it."""
    if not fill.quantity:
        return fill.price if price is None else price
    before = (price or Decimal(0)) * quantity
    return (before + fill.price * fill.quantity) / (quantity + fill.quantity)
