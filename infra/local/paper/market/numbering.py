"""The numbers that an aggregate stands for: without a hole from one aggregate to the next.

A market's ids leave room in each second, which a venue's count does not. So an aggregate takes in
all numbers since the trade before it; whoever misses an aggregate sees the numbers jump.
"""

from collections.abc import Iterable, Iterator

from local.paper.market.candles import Trade
from local.paper.market.quotes import Quotes

_LOOK_BACK_S = 60  # a market that is quiet for longer shows a hole


def numbered(quotes: Quotes, symbol: str, trades: Iterable[Trade]) -> Iterator[tuple[int, Trade]]:
    """Each of consecutive trades with the first number it stands for."""
    before: Trade | None = None
    for number, trade in enumerate(trades):
        if number == 0:
            before = _before(quotes, symbol, trade)
        yield (trade.trade_id if before is None else before.trade_id + 1), trade
        before = trade


def _before(quotes: Quotes, symbol: str, trade: Trade) -> Trade | None:
    second = trade.ts_ms // 1000
    for each in range(second, second - _LOOK_BACK_S, -1):
        earlier = [one for one in quotes.market.trades(symbol, each) if one < trade]
        if earlier:
            return earlier[-1]
    return None
