"""The newest price of each symbol, whichever way it came."""

from collections.abc import Mapping
from decimal import Decimal

from engine.events import Quote


class LastQuotes:
    """Prices by symbol as they were printed; an older one never replaces a newer."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, int]] = {}

    def take(self, symbol: str, price: str, event_ms: int) -> bool:
        """Keep the price unless a newer one is known; False if it is no news."""
        known = self._known.get(symbol)
        if known is not None and (event_ms < known[1] or known == (price, event_ms)):
            return False
        self._known[symbol] = (price, event_ms)
        return True

    def of(self, seen_ms: Mapping[str, int]) -> dict[str, Quote]:
        """Quotes of those symbols whose price is known; `seen_ms` is their proof of life."""
        return {
            symbol: Quote(
                symbol=symbol,
                price=Decimal(self._known[symbol][0]),
                event_ms=self._known[symbol][1],
                seen_ms=max(self._known[symbol][1], at_ms),
            )
            for symbol, at_ms in seen_ms.items()
            if symbol in self._known
        }
