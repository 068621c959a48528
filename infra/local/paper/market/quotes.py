"""The market as seen at a moment: nothing later than ``now_ms`` shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from local.paper.market.candles import Candles, Trade, joined
from local.paper.market.depth import LEVELS, Book, Depth, slot_of
from local.paper.market.funding import funding_rate
from local.paper.market.instruments import PaperInstrument
from local.paper.market.market import MINUTE_S, Market

HALF_SPREAD = Decimal("0.00002")
DAY_S = 86_400
_WHOLE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Last trade and best bid and ask, in quote currency."""

    last: Decimal
    bid: Decimal
    ask: Decimal
    time_ms: int


class Quotes:
    """Prices, candles, the book and funding rates up to a given moment.

    ``seed`` draws what a market of trades does not say: sizes in the book, and funding rates.
    ``scales`` thins (or thickens) the book of a symbol, as a script wants it.
    """

    def __init__(self, market: Market, *, seed: int = 0) -> None:
        self.market = market
        self.seed = seed
        self.scales: Mapping[str, Decimal] = {}
        self._depth = Depth(seed)
        self.instruments = {one.symbol: one for one in market.instruments}
        self._days: dict[tuple[str, int], Candles] = {}

    def instrument(self, symbol: str) -> PaperInstrument | None:
        return self.instruments.get(symbol)

    def last_trade(self, symbol: str, now_ms: int) -> tuple[int, int]:
        """(price in ticks, time) of the last trade at or before a moment."""
        second = now_ms // 1000
        for trade in reversed(self.market.trades(symbol, second)):
            if trade.ts_ms <= now_ms:
                return trade.price_ticks, trade.ts_ms
        before = self.market.seconds(symbol, second - 1, second)
        return int(before.close[0]), second * 1000 - 1

    def quote(self, symbol: str, now_ms: int) -> Quote:
        """Bid and ask lie half a spread (0.2 bp, at least a tick) off the last price."""
        ticks, time_ms = self.last_trade(symbol, now_ms)
        return self.around(symbol, ticks, time_ms)

    def around(self, symbol: str, ticks: int, time_ms: int) -> Quote:
        """The quote right after a trade at a price."""
        instrument = self.instruments[symbol]
        half = _half_spread(ticks)
        return Quote(
            last=instrument.price(ticks), bid=instrument.price(max(ticks - half, 1)),
            ask=instrument.price(ticks + half), time_ms=time_ms,
        )  # fmt: skip

    def book(self, symbol: str, now_ms: int, limit: int = LEVELS) -> Book:
        """The book at the last update at or before a moment."""
        time_ms = slot_of(now_ms)
        ticks = self.last_trade(symbol, time_ms)[0]
        half = _half_spread(ticks)
        best = max(ticks - half, 1), ticks + half
        return self._depth.book(self.instruments[symbol], best, time_ms, limit, self._scale(symbol))

    def offers(
        self, symbol: str, sign: int, quote: Quote, now_ms: int
    ) -> Iterator[tuple[Decimal, Decimal]]:
        """(price, quantity) a taker meets, best first; ``sign`` is +1 for one who buys."""
        one = self.instruments[symbol]
        best = int((quote.ask if sign > 0 else quote.bid) / one.tick)
        scale, time_ms = self._scale(symbol), slot_of(now_ms)
        for ticks, steps in self._depth.levels(one, best, sign, time_ms, scale):
            yield one.price(ticks), one.quantity(steps)

    def _scale(self, symbol: str) -> Decimal:
        return self.scales.get(symbol, _WHOLE)

    def funding_rate(self, symbol: str, at_ms: int) -> Decimal:
        """The rate that is settled at a moment of the eight-hour grid."""
        return funding_rate(self.seed, symbol, at_ms)

    def recent(self, symbol: str, start_ms: int, end_ms: int) -> list[Trade]:
        """Trades with ``start_ms <= ts_ms <= end_ms``."""
        found: list[Trade] = []
        for second in range(start_ms // 1000, end_ms // 1000 + 1):
            trades = self.market.trades(symbol, second)
            found += [trade for trade in trades if start_ms <= trade.ts_ms <= end_ms]
        return found

    def klines(self, symbol: str, start_s: int, end_s: int, span_s: int, now_ms: int) -> Candles:
        """Candles of ``span_s`` (whole minutes) in ``[start_s, end_s)``.

        The last may still be open.
        """
        open_minute = now_ms // 1000 // MINUTE_S * MINUTE_S
        parts = []
        if start_s < min(end_s, open_minute):
            parts.append(self.market.minutes(symbol, start_s, min(end_s, open_minute)))
        if start_s <= open_minute < end_s:
            parts.append(self._open_minute(symbol, now_ms))
        minutes = _padded(joined(parts), span_s)
        return minutes.aggregate(span_s)

    def day(self, symbol: str, now_ms: int) -> Candles:
        """One candle of the last 24 hours, to the minute at its far end."""
        start_s = now_ms // 1000 // MINUTE_S * MINUTE_S
        key = (symbol, start_s)
        if key not in self._days:
            self._days = {k: v for k, v in self._days.items() if k[1] == start_s}
            self._days[key] = self.market.minutes(symbol, start_s - DAY_S, start_s).aggregate(DAY_S)
        whole = self._days[key]
        return _merged([whole, self._open_minute(symbol, now_ms)], whole.start_s, DAY_S)

    def _open_minute(self, symbol: str, now_ms: int) -> Candles:
        second = now_ms // 1000
        start_s = second // MINUTE_S * MINUTE_S
        parts = []
        if second > start_s:
            parts.append(self.market.seconds(symbol, start_s, second).aggregate(second - start_s))
        parts.append(self._open_second(symbol, now_ms))
        return _merged(parts, start_s, MINUTE_S)

    def _open_second(self, symbol: str, now_ms: int) -> Candles:
        second = now_ms // 1000
        trades = [one for one in self.market.trades(symbol, second) if one.ts_ms <= now_ms]
        prices = [one.price_ticks for one in trades] or [self.last_trade(symbol, now_ms)[0]]
        column = np.array([prices[0], max(prices), min(prices), prices[-1]], dtype=np.int64)
        volume = np.array([sum(one.quantity_steps for one in trades)], dtype=np.int64)
        return Candles(
            start_s=second, span_s=1, open=column[:1], high=column[1:2], low=column[2:3],
            close=column[3:], volume=volume,
        )  # fmt: skip


def _half_spread(ticks: int) -> int:
    return max(1, round(ticks * HALF_SPREAD))


def _merged(parts: list[Candles], start_s: int, span_s: int) -> Candles:
    """One candle over parts of any spans."""
    return Candles(
        start_s=start_s, span_s=span_s, open=parts[0].open[:1], close=parts[-1].close[-1:],
        high=np.array([max(part.high.max() for part in parts)], dtype=np.int64),
        low=np.array([min(part.low.min() for part in parts)], dtype=np.int64),
        volume=np.array([sum(part.volume.sum() for part in parts)], dtype=np.int64),
    )  # fmt: skip


def _padded(minutes: Candles, span_s: int) -> Candles:
    """Fill the still open last candle up to its full span with its last price and no volume."""
    missing = -len(minutes) % (span_s // MINUTE_S)
    if missing == 0:
        return minutes
    price = np.repeat(minutes.close[-1:], missing)
    rest = Candles(
        start_s=minutes.start_s + len(minutes) * MINUTE_S, span_s=MINUTE_S, open=price, high=price,
        low=price, close=price, volume=0 * price,
    )  # fmt: skip
    return joined([minutes, rest])
