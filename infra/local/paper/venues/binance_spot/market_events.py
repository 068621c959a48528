"""What a market stream of spot says between two moments."""

from local.paper.core.exchange import PaperExchange
from local.paper.market.instruments import PaperInstrument
from local.paper.venues.binance import market_events, market_shapes
from local.paper.venues.binance_spot.public import book, levels, ticker
from local.paper.wire import Json

_PARTIAL = {"depth5": 5, "depth10": 10, "depth20": 20}
_SPEED_MS = {"": 1000, "100ms": 100, "1000ms": 1000}
_LEVELS = 50


class SpotEvents:
    """Events of each stream, a pure function of the market and the two moments."""

    def __init__(self, exchange: PaperExchange) -> None:
        self._quotes = exchange.quotes
        self._futures = market_events.MarketEvents(exchange)
        self._by_name = {one.lower(): one for one in self._quotes.instruments}

    def events(self, stream: str, start_ms: int, end_ms: int) -> list[Json]:
        """Events in ``[start_ms, end_ms]``; an unknown stream is silent, as on the venue."""
        name, _, channel = stream.partition("@")
        if stream.startswith("!"):
            return self._futures.events(stream, start_ms, end_ms) if "iniTicker" in stream else []
        if name not in self._by_name:
            return []
        one = self._quotes.instruments[self._by_name[name]]
        kind, _, speed = channel.partition("@")
        if kind in ("trade", "aggTrade"):
            trades = self._futures.events(stream, start_ms, end_ms)
            return [_trade(row) for row in trades]
        if kind.startswith("depth"):
            return self._depth(one, kind, _SPEED_MS.get(speed, 0), start_ms, end_ms)
        if kind == "kline_1s":
            return self._seconds(one, start_ms, end_ms)
        if kind == "bookTicker":
            return [
                self._best(one, row["E"]) for row in self._futures.events(stream, start_ms, end_ms)
            ]
        if kind == "ticker":
            return self._ticker(one, start_ms, end_ms)
        is_known = kind.startswith("kline_") or kind == "miniTicker"
        return self._futures.events(stream, start_ms, end_ms) if is_known else []

    def _seconds(self, one: PaperInstrument, start_ms: int, end_ms: int) -> list[Json]:
        """The candle of each second that closed, once."""
        found = []
        for second in range(-(-start_ms // 1000), end_ms // 1000 + 1):
            candles = self._quotes.market.seconds(one.symbol, second - 1, second)
            found.append(market_shapes.kline_event(one, candles, "1s", end_ms))
        return found

    def _ticker(self, one: PaperInstrument, start_ms: int, end_ms: int) -> list[Json]:
        found = self._futures.events(f"{one.symbol.lower()}@ticker", start_ms, end_ms)
        return [row | self._book_side(one, row["E"]) for row in found]

    def _book_side(self, one: PaperInstrument, now_ms: int) -> Json:
        row = ticker(self._quotes, one, now_ms)
        return {
            "x": row["prevClosePrice"], "b": row["bidPrice"], "B": row["bidQty"],
            "a": row["askPrice"], "A": row["askQty"],
        }  # fmt: skip

    def _best(self, one: PaperInstrument, now_ms: int) -> Json:
        best = book(self._quotes, one, now_ms, 1)
        (bid, bid_size), (ask, ask_size) = best["bids"][0], best["asks"][0]
        return {
            "u": best["lastUpdateId"], "s": one.symbol, "b": bid, "B": bid_size, "a": ask,
            "A": ask_size,
        }  # fmt: skip

    def _depth(
        self, one: PaperInstrument, kind: str, speed_ms: int, start_ms: int, end_ms: int
    ) -> list[Json]:
        """Whole shallow books, or what changed of the deep one since the moment before."""
        if not speed_ms:
            return []
        moments = range(-(-start_ms // speed_ms) * speed_ms, end_ms + 1, speed_ms)
        if kind in _PARTIAL:
            return [book(self._quotes, one, at_ms, _PARTIAL[kind]) for at_ms in moments]
        return [self._changes(one, at_ms - speed_ms, at_ms) for at_ms in moments]

    def _changes(self, one: PaperInstrument, before_ms: int, at_ms: int) -> Json:
        old = self._quotes.book(one.symbol, before_ms, _LEVELS)
        new = self._quotes.book(one.symbol, at_ms, _LEVELS)
        return {
            "e": "depthUpdate", "E": at_ms, "s": one.symbol, "U": old.update_id + 1,
            "u": new.update_id, "b": levels(one, _changed(old.bids, new.bids)),
            "a": levels(one, _changed(old.asks, new.asks)),
        }  # fmt: skip


def _trade(row: Json) -> Json:
    """Spot says of a trade whether it was the best match, and nothing of its kind."""
    return {name: value for name, value in row.items() if name != "X"} | {"M": True}


def _changed(
    old: tuple[tuple[int, int], ...], new: tuple[tuple[int, int], ...]
) -> list[tuple[int, int]]:
    """Levels that are new or of another size; one that is gone has none."""
    gone = {price for price, _ in old} - {price for price, _ in new}
    known = set(old)
    return [*(one for one in new if one not in known), *((price, 0) for price in sorted(gone))]
