"""Bars of a timeframe from the candles of the feed, carried from candle to candle.

A bar holds the candles that closed after the multiple of the timeframe before it, up to its own.
It closes on time with the candle that ends it. If that one never came, it closes late, with the
next candle of any later bar; late bars feed indicators and decide nothing. Candles no shorter
than the timeframe are bars themselves. Gaps add nothing to a bar; a bar of gaps alone is unknown.
"""

from dataclasses import dataclass

import numpy as np

from engine.indicators.bars import Bools
from engine.market import Candles, Ints, Kind

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBar:
    """The bar that is not closed yet, (S,) each: its end, 0 for none, and its prices in ticks.

    `close` is 0 and the others mean nothing while no candle of it is known.
    """

    end_ms: Ints
    high: Ints
    low: Ints
    close: Ints

    @staticmethod
    def fresh(symbols: int) -> "OpenBar":
        nothing = np.zeros(symbols, np.int64)
        return OpenBar(end_ms=nothing, high=nothing, low=nothing, close=nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedBars:
    """B bars of S symbols in ticks, oldest first; a close of 0 is not known.

    Attributes
    ----------
    high, low, close : (B, S) int64
    row : (B,) int64
        The candle a bar closed with.
    on_time : (B,) bool
        Whether that candle ended it.
    """

    high: Ints
    low: Ints
    close: Ints
    row: Ints
    on_time: Bools

    def __len__(self) -> int:
        return len(self.row)

    def rows(self, start: int, stop: int) -> "ClosedBars":
        """Bars `start` up to, not including, `stop`."""
        return ClosedBars(
            high=self.high[start:stop],
            low=self.low[start:stop],
            close=self.close[start:stop],
            row=self.row[start:stop],
            on_time=self.on_time[start:stop],
        )


def closed_bars(state: OpenBar, candles: Candles, timeframe_ms: int) -> tuple[OpenBar, ClosedBars]:
    """The bars that close with `candles`, and the one left open."""
    if not len(candles):
        nothing = np.zeros((0, len(candles.symbols)), np.int64)
        row, on_time = np.zeros(0, np.int64), np.zeros(0, np.bool_)
        return state, ClosedBars(high=nothing, low=nothing, close=nothing, row=row, on_time=on_time)
    end_ms = candles.close_ms
    if candles.span_ms < timeframe_ms:
        end_ms = -(-end_ms // timeframe_ms) * timeframe_ms
    begin = np.flatnonzero(np.diff(end_ms, prepend=end_ms[0] - 1))
    last = np.append(begin[1:], len(end_ms)) - 1
    high, low, close = _with_carried(state, _merged(candles, begin), int(end_ms[0]))
    ended = candles.close_ms[last] == end_ms[last]
    row = np.concatenate([[0], np.where(ended, last, last + 1)])
    count = len(row) if ended[-1] else len(row) - 1  # the last bar may stay open
    used = (close[:count] > 0).any(axis=1)
    closed = ClosedBars(
        high=high[:count][used],
        low=low[:count][used],
        close=close[:count][used],
        row=row[:count][used],
        on_time=np.append(False, ended)[:count][used],
    )
    if ended[-1]:
        high, low, close = (np.zeros_like(each) for each in (high, low, close))
    left = np.full_like(state.end_ms, end_ms[-1])
    return OpenBar(end_ms=left, high=high[-1], low=low[-1], close=close[-1]), closed


_Prices = tuple[Ints, Ints, Ints]


def _merged(candles: Candles, begin: Ints) -> _Prices:
    """High, low and close of the known candles from each beginning up to the next."""
    known = candles.kind != Kind.GAP
    high = np.maximum.reduceat(np.where(known, candles.high, 0), begin)
    low = np.minimum.reduceat(np.where(known, candles.low, _NEVER), begin)
    latest = np.maximum.reduceat(np.where(known, np.arange(len(candles))[:, None], -1), begin)
    close = np.take_along_axis(candles.close, np.maximum(latest, 0), axis=0)
    return high, low, np.where(latest >= 0, close, 0)


def _with_carried(state: OpenBar, merged: _Prices, end_ms: int) -> _Prices:
    """A row ahead for the bar carried; one that goes on joins the first bar instead."""
    high, low, close = merged
    goes_on = (state.end_ms == end_ms) & (state.close > 0)
    high[0] = np.where(goes_on, np.maximum(high[0], state.high), high[0])
    low[0] = np.where(goes_on, np.minimum(low[0], state.low), low[0])
    close[0] = np.where(goes_on & (close[0] == 0), state.close, close[0])
    ahead = np.where(goes_on, 0, np.stack([state.high, state.low, state.close]))
    high, low, close = (
        np.concatenate([row[None], prices])
        for row, prices in zip(ahead, (high, low, close), strict=True)
    )
    return high, np.where(close > 0, low, 0), close
