"""What a script wants of an exchange's executions: the hooks a fault plan calls.

Scripts live in memory only; what they have begun (parts of an order still to come) is in the books.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from local.paper.core.records import Order
from local.paper.market.instruments import PaperInstrument

_ONE = Decimal(1)
_PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A share of an order that executes ``after_ms`` after the order reached the market."""

    percent: Decimal
    after_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPermissions:
    """What the account's key may do, as the venue tells it."""

    can_trade: bool = True
    can_withdraw: bool = False
    is_address_bound: bool = True


@dataclass(slots=True, kw_only=True)
class Scripts:
    """Slow executions, thin books and mark prices beside the last price, per symbol.

    ``key`` is set to a key that may do more, or less; ``scales`` is what thins the quotes' book.
    """

    version: int = 0
    key: KeyPermissions = KeyPermissions()
    scales: dict[str, Decimal] = field(default_factory=dict)
    _parts: list[tuple[str, tuple[Part, ...]]] = field(default_factory=list)
    _mark: dict[str, Decimal] = field(default_factory=dict)
    _refused: list[str] = field(default_factory=list)

    def fill_in_parts(self, parts: Sequence[Part], symbol: str = "") -> None:
        """The next order that takes the market (of ``symbol``, or any) executes in these parts.

        Percents sum to at most 100; what they leave of a market order expires with the last part.
        """
        total = sum(one.percent for one in parts)
        if not parts or total > _PERCENT or any(one.percent <= 0 for one in parts):
            raise ValueError(f"parts must be percents above 0, together at most 100, were {parts}")
        self._parts.append((symbol, tuple(sorted(parts, key=lambda one: one.after_ms))))

    def set_liquidity(self, symbol: str, factor: Decimal) -> None:
        """Scale what the book of a symbol holds: below 1, large orders slip and may not fill."""
        if factor <= 0:
            raise ValueError(f"liquidity must be above 0, was {factor}")
        self.scales[symbol] = factor

    def shift_mark(self, symbol: str, percent: Decimal) -> None:
        """Hold the mark price so far from the last price; 0 lets them meet again."""
        if percent <= -_PERCENT:
            raise ValueError(f"shift of the mark price must be above -100 %, was {percent}")
        self._mark[symbol] = 1 + percent / _PERCENT
        self.version += 1

    def refuse_triggered(self, symbol: str) -> None:
        """The order of the next conditional one that fires is refused."""
        self._refused.append(symbol)

    def refuses(self, symbol: str) -> bool:
        """Whether the order of a conditional one that fires now is refused; asked once each."""
        found = symbol in self._refused
        if found:
            self._refused.remove(symbol)
        return found

    def clear(self) -> None:
        """Forget every wish; orders that execute in parts by now go on."""
        self._parts.clear()
        self.scales.clear()
        self._mark.clear()
        self._refused.clear()
        self.version += 1

    def liquidity(self, symbol: str) -> Decimal:
        return self.scales.get(symbol, _ONE)

    def mark(self, symbol: str, last: Decimal) -> Decimal:
        """The mark price when the last price is this."""
        factor = self._mark.get(symbol)
        return last if factor is None else last * factor

    def take_parts(self, order: Order, instrument: PaperInstrument, now_ms: int) -> list[list[str]]:
        """When how much of an order executes; empty if no script waits for it."""
        for place, (symbol, parts) in enumerate(self._parts):
            if symbol in ("", order.symbol):
                del self._parts[place]
                return _due(order, instrument, parts, now_ms)
        return []


def _due(
    order: Order, instrument: PaperInstrument, parts: tuple[Part, ...], now_ms: int
) -> list[list[str]]:
    """Whole steps; rounding is made up by the last part, if the parts are all of the order."""
    due: list[list[str]] = []
    whole, wanted, given = order.quantity - order.filled, Decimal(0), Decimal(0)
    for part in parts:
        wanted += whole * part.percent / _PERCENT
        quantity = (wanted - given) // instrument.step * instrument.step
        if quantity:
            due.append([str(now_ms + part.after_ms), str(quantity)])
            given += quantity
    return due
