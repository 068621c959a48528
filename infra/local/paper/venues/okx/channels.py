"""What a market channel says between two moments. A topic reads `channel:instId`."""

from collections.abc import Iterator

from local.paper.core.exchange import PaperExchange
from local.paper.core.refusals import RefusedError
from local.paper.market.depth import SLOT_MS, slot_of
from local.paper.market.instruments import PaperInstrument
from local.paper.market.numbering import numbered
from local.paper.venues.okx import contracts, market_shapes
from local.paper.venues.okx.public import BARS_S
from local.paper.wire import Json

_BOOK_MS = 2 * SLOT_MS
_DEPTHS = {"books": 50, "books5": 5, "bbo-tbt": 1}
PUBLIC = ("trades", "tickers", "books", "books5", "bbo-tbt", "mark-price", "funding-rate")
BUSINESS = ("trades-all", *(f"candle{bar}" for bar in BARS_S))


def topic_of(channel: str, inst_id: str) -> str:
    """The name of a market stream."""
    return f"{channel}:{inst_id}"


class Channels:
    """Events of each channel, a pure function of the market and the two moments."""

    def __init__(self, exchange: PaperExchange) -> None:
        self._exchange = exchange
        self._quotes = exchange.quotes

    def knows(self, inst_id: str) -> bool:
        """Whether there is such an instrument."""
        try:
            contracts.find(self._exchange, inst_id)
        except RefusedError:
            return False
        return True

    def events(self, topic: str, start_ms: int, end_ms: int) -> Iterator[Json]:
        """Messages in [start, end]; a book is told whole, the session makes updates of it."""
        channel, _, name = topic.partition(":")
        if not self.knows(name):
            return
        one = contracts.find(self._exchange, name)
        for row in self._rows(channel, one, start_ms, end_ms):
            yield {"arg": {"channel": channel, "instId": name}, "data": [row]}

    def _rows(
        self, channel: str, one: PaperInstrument, start_ms: int, end_ms: int
    ) -> Iterator[Json]:
        if channel == "trades-all":
            for made in self._quotes.recent(one.symbol, start_ms, end_ms):
                yield market_shapes.trade(one, made) | {"count": "1"}
        elif channel == "trades":
            made_now = self._quotes.recent(one.symbol, start_ms, end_ms)
            for first_id, made in numbered(self._quotes, one.symbol, made_now):
                count = made.trade_id - first_id + 1
                yield market_shapes.trade(one, made) | {"count": str(count)}
        elif channel in _DEPTHS:
            yield from self._books(one, _DEPTHS[channel], start_ms, end_ms)
        elif channel == "tickers" and self._is_news(one, start_ms, end_ms):
            yield market_shapes.ticker(one, self._quotes, end_ms)
        elif _new_second(start_ms, end_ms):
            yield from self._each_second(channel, one, end_ms)

    def _books(
        self, one: PaperInstrument, depth: int, start_ms: int, end_ms: int
    ) -> Iterator[Json]:
        """The book at the last moment of its grid, if there was one."""
        at_ms = end_ms // _BOOK_MS * _BOOK_MS
        if at_ms >= start_ms:
            found = self._quotes.book(one.symbol, slot_of(at_ms), depth)
            yield market_shapes.book(one, found) | {"instId": contracts.inst_id(one.symbol)}

    def _is_news(self, one: PaperInstrument, start_ms: int, end_ms: int) -> bool:
        """A ticker is told a second, and after a trade."""
        traded = bool(self._quotes.recent(one.symbol, start_ms, end_ms))
        return traded or _new_second(start_ms, end_ms)

    def _each_second(self, channel: str, one: PaperInstrument, now_ms: int) -> Iterator[Json]:
        if channel == "mark-price":
            price = self._exchange.mark_price(one.symbol)
            yield market_shapes.mark_price(one, price, now_ms)
        elif channel == "funding-rate":
            yield market_shapes.funding(one, self._quotes, now_ms)
        elif channel.startswith("candle"):
            yield from self._candles(one, BARS_S[channel.removeprefix("candle")], now_ms)

    def _candles(self, one: PaperInstrument, span_s: int, now_ms: int) -> Iterator[Json]:
        """The open candle, preceded in its first second by the one just closed."""
        second = now_ms // 1000
        open_s = second // span_s * span_s
        for start_s in (open_s - span_s, open_s) if second == open_s else (open_s,):
            found = self._quotes.klines(one.symbol, start_s, start_s + span_s, span_s, now_ms)
            yield market_shapes.candle_rows(one, found, now_ms)[0]


def _new_second(start_ms: int, end_ms: int) -> bool:
    return start_ms // 1000 != end_ms // 1000 or start_ms % 1000 == 0
