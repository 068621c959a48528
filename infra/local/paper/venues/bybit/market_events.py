"""What a market stream says between two moments: a pure function of the market and the two."""

from local.paper.core.exchange import PaperExchange
from local.paper.market.depth import SLOT_MS
from local.paper.market.instruments import PaperInstrument
from local.paper.venues.bybit import market_shapes
from local.paper.venues.bybit.public import INTERVALS_S
from local.paper.venues.bybit.shapes import Json

_TICKER_MS = 100
_DEPTHS = ("1", "50", "200", "500")
_MOST_TRADES = 1024


class MarketEvents:
    """Messages of each topic."""

    def __init__(self, exchange: PaperExchange) -> None:
        self._exchange = exchange

    def is_known(self, topic: str) -> bool:
        """Whether there is such a topic."""
        kind, _, symbol = topic.rpartition(".")
        channel, _, detail = kind.partition(".")
        listed = symbol in self._exchange.quotes.instruments
        details = {
            "publicTrade": ("",),
            "tickers": ("",),
            "orderbook": _DEPTHS,
            "kline": INTERVALS_S,
        }
        return listed and detail in details.get(channel, ())

    def snapshot(self, topic: str) -> list[Json]:
        """What a follower is told at first: a ticker, on which the changes build."""
        now_ms = self._exchange.now_ms()
        if topic.startswith("tickers."):
            return [_message(topic, "snapshot", self._ticker(topic, now_ms), now_ms)]
        return []

    def book(self, topic: str, now_ms: int) -> Json:
        """The whole book at a moment, numbered like the changes."""
        _, depth, symbol = topic.split(".")
        found = self._exchange.quotes.book(symbol, now_ms, int(depth))
        row = market_shapes.book(self._listed(symbol), found)
        return _message(topic, "snapshot", row, now_ms) | {"cts": found.time_ms}

    def events(self, topic: str, start_ms: int, end_ms: int) -> list[Json]:
        """Messages of [start_ms, end_ms]; an unknown topic is silent."""
        if not self.is_known(topic):
            return []
        match topic.split("."):
            case ["publicTrade", symbol]:
                return self._trades(topic, self._listed(symbol), start_ms, end_ms)
            case ["tickers", _]:
                return self._tickers(topic, start_ms, end_ms)
            case ["orderbook", depth, symbol]:
                return self._books(topic, self._listed(symbol), int(depth), (start_ms, end_ms))
            case ["kline", interval, symbol]:
                return self._klines(topic, self._listed(symbol), interval, (start_ms, end_ms))
        return []

    def _listed(self, symbol: str) -> PaperInstrument:
        return self._exchange.quotes.instruments[symbol]

    def _trades(self, topic: str, one: PaperInstrument, start_ms: int, end_ms: int) -> list[Json]:
        found = self._exchange.quotes.recent(one.symbol, start_ms, end_ms)
        rows = [market_shapes.trade_event(one, trade) for trade in found]
        return [
            _message(topic, "snapshot", rows[first : first + _MOST_TRADES], end_ms)
            for first in range(0, len(rows), _MOST_TRADES)
        ]

    def _tickers(self, topic: str, start_ms: int, end_ms: int) -> list[Json]:
        """Ten times a second what moves fast, once a second everything."""
        if _passed(start_ms, end_ms, 1000):
            return [_message(topic, "delta", self._ticker(topic, end_ms), end_ms)]
        if not _passed(start_ms, end_ms, _TICKER_MS):
            return []
        one = self._listed(topic.rpartition(".")[2])
        mark = self._exchange.mark_price(one.symbol)
        fast = market_shapes.fast_ticker(self._exchange.quotes, one, end_ms, mark)
        return [_message(topic, "delta", fast, end_ms)]

    def _ticker(self, topic: str, now_ms: int) -> Json:
        one = self._listed(topic.rpartition(".")[2])
        mark = self._exchange.mark_price(one.symbol)
        return market_shapes.ticker(self._exchange.quotes, one, now_ms, mark)

    def _books(
        self, topic: str, one: PaperInstrument, depth: int, span: tuple[int, int]
    ) -> list[Json]:
        """What changed since the moment before; of the best level alone, all of it."""
        if not _passed(*span, SLOT_MS):
            return []
        if depth == 1:
            return [self.book(topic, span[1])]
        before = self._exchange.quotes.book(one.symbol, span[0] - 1, depth)
        after = self._exchange.quotes.book(one.symbol, span[1], depth)
        row = market_shapes.book_change(one, before, after)
        return [_message(topic, "delta", row, span[1]) | {"cts": after.time_ms}]

    def _klines(
        self, topic: str, one: PaperInstrument, interval: str, span: tuple[int, int]
    ) -> list[Json]:
        """Once a second the open candle, preceded in its first second by the one just closed."""
        now_ms, span_s = span[1], INTERVALS_S[interval]
        if not _passed(*span, 1000):
            return []
        second = now_ms // 1000
        open_s = second // span_s * span_s
        starts = [open_s - span_s, open_s] if second == open_s else [open_s]
        rows = []
        for start in starts:
            found = self._exchange.quotes.klines(one.symbol, start, start + span_s, span_s, now_ms)
            rows.append(market_shapes.kline_event(one, found, interval, now_ms))
        return [_message(topic, "snapshot", rows, now_ms)]


def _passed(start_ms: int, end_ms: int, step_ms: int) -> bool:
    """Whether a multiple of the step lies in [start_ms, end_ms]."""
    return start_ms // step_ms != end_ms // step_ms or start_ms % step_ms == 0


def _message(topic: str, kind: str, data: Json, now_ms: int) -> Json:
    return {"topic": topic, "type": kind, "ts": now_ms, "data": data}
