"""Maintenance margin by tiers of position value, as on Binance USD-M."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Bracket:
    """One tier: position values within [floor, cap) USDT.

    Attributes
    ----------
    number : int
        From 1 on.
    max_leverage : int
        The most a position of this value may have.
    floor, cap : Decimal
        Position value in USDT.
    ratio : Decimal
        Maintenance margin is `value * ratio - relief`.
    relief : Decimal
        What makes the maintenance margin continuous at the floor.
    """

    number: int
    max_leverage: int
    floor: Decimal
    cap: Decimal
    ratio: Decimal
    relief: Decimal


# most leverage, upper end of the position's value in USDT, maintenance ratio
_TIERS = (
    (125, 300_000, "0.004"),
    (100, 800_000, "0.005"),
    (75, 3_000_000, "0.0065"),
    (50, 12_000_000, "0.01"),
    (25, 70_000_000, "0.02"),
    (20, 100_000_000, "0.025"),
    (10, 230_000_000, "0.05"),
    (5, 480_000_000, "0.1"),
    (1, 1_000_000_000, "0.5"),
)


def _built() -> tuple[Bracket, ...]:
    rows: list[Bracket] = []
    floor, before, relief = Decimal(0), Decimal(0), Decimal(0)
    for number, (leverage, cap, text) in enumerate(_TIERS, start=1):
        ratio = Decimal(text)
        if rows:
            relief += floor * (ratio - before)
        rows.append(
            Bracket(
                number=number, max_leverage=leverage, floor=floor, cap=Decimal(cap), ratio=ratio,
                relief=relief,
            )
        )  # fmt: skip
        floor, before = Decimal(cap), ratio
    return tuple(rows)


BRACKETS = _built()


def bracket_of(brackets: tuple[Bracket, ...], value: Decimal) -> Bracket:
    """The tier of a position's value (USDT, not negative); the last one has no end."""
    for one in brackets:
        if value < one.cap:
            return one
    return brackets[-1]


def maintenance(brackets: tuple[Bracket, ...], value: Decimal) -> Decimal:
    """The margin a position of this value must keep, USDT."""
    tier = bracket_of(brackets, value)
    return value * tier.ratio - tier.relief


def largest_value(brackets: tuple[Bracket, ...], leverage: int) -> Decimal:
    """The most a position may be worth at a leverage, USDT."""
    return max((one.cap for one in brackets if one.max_leverage >= leverage), default=Decimal(0))
