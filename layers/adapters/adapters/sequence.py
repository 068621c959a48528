"""Whether the trades of a stream come each once, in order and all of them. Pure.

A venue that numbers its trades shows a loss as a jump of the numbers. What was lost lies between
the two trades around the jump: the seconds there are torn, and must be rebuilt from the venue's
own list or be gaps. A trade that comes twice counts once; one that was overtaken tore its second,
and is in the list that rebuilds it. A venue that counts anew goes on in time.
"""

from collections.abc import Iterable

from adapters.venues import Trade

SPAN_MS = 1000
_MOST_TORN = 120  # seconds of one symbol: a longer hole is a broken stream's, not a lost message's


class Numbers:
    """The latest trade of each symbol, and the seconds of which trades are missing.

    Attributes
    ----------
    repeated : int
        Trades that came again, or after a later one.
    jumps : int
        How often numbers were missing.
    """

    def __init__(self) -> None:
        self._last: dict[str, Trade] = {}
        self._torn: dict[int, set[str]] = {}  # by the close of the second
        self.repeated = 0
        self.jumps = 0

    def take(self, trade: Trade) -> bool:
        """Take in a trade; False if it is no news."""
        if not trade.first_id:
            return True  # where nothing is numbered, nothing can be known
        before = self._last.get(trade.symbol)
        if before is not None:
            if trade.trade_id <= before.trade_id and trade.event_ms <= before.event_ms:
                self.repeated += 1
                return False
            if trade.trade_id != before.trade_id + 1 and trade.first_id != before.last_id + 1:
                self._tear(before, trade)
        self._last[trade.symbol] = trade
        return True

    def torn_at(self, close_ms: int) -> frozenset[str]:
        """Symbols of whose second some trades are missing; forgets the seconds before."""
        for each in [ms for ms in self._torn if ms < close_ms]:
            del self._torn[each]
        return frozenset(self._torn.get(close_ms, ()))

    def forget(self, symbols: Iterable[str]) -> None:
        """Their stream broke: numbers go on from wherever they are."""
        for symbol in symbols:
            self._last.pop(symbol, None)

    def _tear(self, before: Trade, trade: Trade) -> None:
        self.jumps += 1
        first = before.event_ms // SPAN_MS + 1
        last = min(trade.event_ms // SPAN_MS + 1, first + _MOST_TORN)
        for second in range(first, last + 1):
            self._torn.setdefault(second * SPAN_MS, set()).add(trade.symbol)
