"""What a market stream says between two moments."""

from local.paper.core.exchange import PaperExchange
from local.paper.market.instruments import PaperInstrument
from local.paper.market.numbering import numbered
from local.paper.venues.binance import depth, funding, market_shapes
from local.paper.venues.binance.market_shapes import Json
from local.paper.venues.binance.public import INTERVALS_S

_TICKERS = {"miniTicker": "24hrMiniTicker", "ticker": "24hrTicker"}


class MarketEvents:
    """Events of each stream, a pure function of the market and the two moments."""

    def __init__(self, exchange: PaperExchange) -> None:
        self._exchange = exchange
        self._quotes = exchange.quotes
        self._by_name = {one.lower(): one for one in self._quotes.instruments}

    def events(self, stream: str, start_ms: int, end_ms: int) -> list[Json]:
        """Events in ``[start_ms, end_ms]``; an unknown stream is silent, as on the venue."""
        new_second = start_ms // 1000 != end_ms // 1000 or start_ms % 1000 == 0
        if stream.startswith("!"):
            return [self._all(stream, end_ms)] if new_second and stream.endswith("@arr") else []
        name, _, channel = stream.partition("@")
        if name not in self._by_name:
            return []
        instrument = self._quotes.instruments[self._by_name[name]]
        if channel in ("trade", "aggTrade"):
            return self._trades(instrument, channel, start_ms, end_ms)
        if channel == "bookTicker":
            return self._book(instrument, start_ms, end_ms)
        if channel.startswith("depth"):
            return list(depth.events(self._exchange, instrument, channel, start_ms, end_ms))
        if not new_second:
            return []
        if channel.startswith("kline_"):
            return self._klines(instrument, channel.removeprefix("kline_"), end_ms)
        return self._each_second(instrument, channel, end_ms)

    def _trades(
        self, instrument: PaperInstrument, kind: str, start_ms: int, end_ms: int
    ) -> list[Json]:
        trades = self._quotes.recent(instrument.symbol, start_ms, end_ms)
        return [
            market_shapes.trade_event(instrument, trade, first_id, kind)
            for first_id, trade in numbered(self._quotes, instrument.symbol, trades)
        ]

    def _book(self, instrument: PaperInstrument, start_ms: int, end_ms: int) -> list[Json]:
        """Best bid and ask after the last trade, if there was one."""
        if not self._quotes.recent(instrument.symbol, start_ms, end_ms):
            return []
        return [depth.book_ticker_event(self._exchange, instrument, end_ms)]

    def _klines(self, instrument: PaperInstrument, interval: str, now_ms: int) -> list[Json]:
        """The open candle, preceded in its first second by the one just closed."""
        span_s = INTERVALS_S.get(interval)
        if span_s is None:
            return []
        second = now_ms // 1000
        open_s = second // span_s * span_s
        starts = [open_s - span_s, open_s] if second == open_s else [open_s]
        return [
            market_shapes.kline_event(
                instrument,
                self._quotes.klines(instrument.symbol, start, start + span_s, span_s, now_ms),
                interval, now_ms,
            )
            for start in starts
        ]  # fmt: skip

    def _each_second(self, instrument: PaperInstrument, channel: str, now_ms: int) -> list[Json]:
        if channel in _TICKERS:
            return [self._ticker(instrument, _TICKERS[channel], now_ms)]
        if channel.startswith("markPrice"):
            return [self._mark(instrument, now_ms)]
        return []

    def _all(self, stream: str, now_ms: int) -> Json:
        channel = stream[1:].partition("@")[0]
        instruments = self._quotes.instruments.values()
        if channel in _TICKERS:
            return [self._ticker(one, _TICKERS[channel], now_ms) for one in instruments]
        return [self._mark(one, now_ms) for one in instruments]

    def _ticker(self, instrument: PaperInstrument, kind: str, now_ms: int) -> Json:
        day = self._quotes.day(instrument.symbol, now_ms)
        quote = self._quotes.quote(instrument.symbol, now_ms)
        return market_shapes.ticker_event(instrument, day, quote, now_ms, kind)

    def _mark(self, instrument: PaperInstrument, now_ms: int) -> Json:
        return funding.mark_price_event(self._exchange, instrument, now_ms)
