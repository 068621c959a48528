"""What the exchange asks of its market, answered by a generator or by a looped tape."""

from dataclasses import replace
from functools import lru_cache
from typing import Protocol

from local.paper.market.candles import Candles, Trade, joined
from local.paper.market.generator import HOUR_S, Generator
from local.paper.market.instruments import PaperInstrument
from local.paper.market.noise import key_of
from local.paper.market.splitting import split
from local.paper.market.tracks import Track

MINUTE_S = 60


class Market(Protocol):
    """A market for all time: asking again, in any order, gives the same answer."""

    @property
    def instruments(self) -> tuple[PaperInstrument, ...]: ...

    def seconds(self, symbol: str, start_s: int, end_s: int) -> Candles:
        """One-second candles that open in ``[start_s, end_s)``, at least one."""

    def minutes(self, symbol: str, start_s: int, end_s: int) -> Candles:
        """One-minute candles, exact sums of the seconds; both bounds on full minutes."""

    def trades(self, symbol: str, second: int) -> tuple[Trade, ...]:
        """The trades of one second, oldest first."""


class GeneratedMarket:
    """The seeded generator, with the blocks in use kept at hand.

    ``ahead_s`` seconds later than the clock's is the generator's second that plays.
    """

    def __init__(
        self, instruments: tuple[PaperInstrument, ...], seed: int, *, ahead_s: int = 0
    ) -> None:
        self.instruments = instruments
        self._by_symbol = {instrument.symbol: instrument for instrument in instruments}
        self._keys = {name: key_of(seed, name, "trades") for name in self._by_symbol}
        self._generator = Generator(seed)
        self._ahead_s = ahead_s
        self._hour = lru_cache(maxsize=4 * len(instruments) + 64)(self._draw)
        self._hour_minutes = lru_cache(maxsize=1200 * len(instruments))(self._aggregate)
        self.trades = lru_cache(maxsize=8 * len(instruments) + 4096)(self._trades)

    def seconds(self, symbol: str, start_s: int, end_s: int) -> Candles:
        hours = range(start_s // HOUR_S, (end_s - 1) // HOUR_S + 1)
        return joined([self._hour(symbol, hour) for hour in hours]).window(start_s, end_s)

    def minutes(self, symbol: str, start_s: int, end_s: int) -> Candles:
        hours = range(start_s // HOUR_S, (end_s - 1) // HOUR_S + 1)
        return joined([self._hour_minutes(symbol, hour) for hour in hours]).window(start_s, end_s)

    def _draw(self, symbol: str, hour: int) -> Candles:
        start_s = hour * HOUR_S + self._ahead_s
        drawn = range(start_s // HOUR_S, (start_s - 1) // HOUR_S + 2)
        parts = [self._generator.hour(self._by_symbol[symbol], each) for each in drawn]
        return replace(joined(parts).window(start_s, start_s + HOUR_S), start_s=hour * HOUR_S)

    def _aggregate(self, symbol: str, hour: int) -> Candles:
        return self._hour(symbol, hour).aggregate(MINUTE_S)

    def _trades(self, symbol: str, second: int) -> tuple[Trade, ...]:
        row = self.seconds(symbol, second, second + 1)
        ohlc = (int(row.open[0]), int(row.high[0]), int(row.low[0]), int(row.close[0]))
        return split(self._keys[symbol], second, ohlc, int(row.volume[0]))


class TapeMarket:
    """A tape whose first second is played at ``anchor_s``, looped forward and backward.

    Prices are verbatim, so at the seam of two loops the price jumps from the tape's end to its
    start. A symbol recorded for a shorter time than the others stands still at its nearest price
    where it has no rows.
    """

    def __init__(self, tracks: tuple[Track, ...], anchor_s: int) -> None:
        self.instruments = tuple(track.instrument for track in tracks)
        self._tracks = {track.instrument.symbol: track for track in tracks}
        self._start_s = min(track.start_s for track in tracks)
        self._span_s = max(track.end_s for track in tracks) - self._start_s
        self._anchor_s = anchor_s
        self._minute = lru_cache(maxsize=60_000 * len(tracks))(self._aggregate)
        self.trades = lru_cache(maxsize=8 * len(tracks) + 4096)(self._trades)

    def seconds(self, symbol: str, start_s: int, end_s: int) -> Candles:
        parts, second = [], start_s
        while second < end_s:
            part = self._part(self._tracks[symbol], second, end_s)
            parts.append(part)
            second += len(part)
        return joined(parts)

    def minutes(self, symbol: str, start_s: int, end_s: int) -> Candles:
        minutes = range(start_s // MINUTE_S, (end_s - 1) // MINUTE_S + 1)
        return joined([self._minute(symbol, minute) for minute in minutes])

    def _aggregate(self, symbol: str, minute: int) -> Candles:
        start_s = minute * MINUTE_S
        return self.seconds(symbol, start_s, start_s + MINUTE_S).aggregate(MINUTE_S)

    def _recorded(self, second: int) -> int:
        """The recorded second that is played at a second."""
        return self._start_s + (second - self._anchor_s) % self._span_s

    def _part(self, track: Track, second: int, end_s: int) -> Candles:
        """As many candles from ``second`` on as one chunk of the recording holds."""
        recorded = self._recorded(second)
        wanted = min(recorded + end_s - second, self._start_s + self._span_s)
        if not track.start_s <= recorded < track.end_s:
            return _still(track, second, recorded)
        chunk = track.chunk(recorded)
        last = min(wanted, chunk.start_s + len(chunk))
        part = chunk.window(recorded, last)
        return Candles(
            start_s=second, span_s=1, open=part.open, high=part.high, low=part.low,
            close=part.close, volume=part.volume,
        )  # fmt: skip

    def _trades(self, symbol: str, second: int) -> tuple[Trade, ...]:
        track, recorded = self._tracks[symbol], self._recorded(second)
        if not track.start_s <= recorded < track.end_s:
            return ()
        return track.trades(recorded, second - recorded)


def _still(track: Track, second: int, recorded: int) -> Candles:
    """One candle without trades at the nearest recorded price."""
    near = track.start_s if recorded < track.start_s else track.end_s - 1
    chunk = track.chunk(near).window(near, near + 1)
    price = chunk.open if recorded < track.start_s else chunk.close
    return Candles(
        start_s=second, span_s=1, open=price, high=price, low=price, close=price, volume=0 * price
    )
