"""Recorded tapes: reading them from csv, and one symbol's rows as seconds.

Accepted: trades (``ts_ms,price,qty,buyer_is_maker``) or candles
(``ts_ms,open,high,low,close,volume[,trades]``), plain or gzipped, with an optional ``symbol``
column; without it the symbol comes from the file's name (``..._btcusdt_...``). Prices are rounded
to the perpetual's tick, quantities to its step (never to zero).
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from local.paper.market.bridge import bridge
from local.paper.market.candles import Candles, Ints, Trade
from local.paper.market.instruments import LISTED, PaperInstrument, by_symbol
from local.paper.market.noise import key_of
from local.paper.market.splitting import IDS_A_SECOND, split

_TRADES = {"ts_ms", "price", "qty", "buyer_is_maker"}
_CANDLES = {"ts_ms", "open", "high", "low", "close", "volume"}


class Track:
    """One symbol of a tape: seconds ``[start_s, end_s)`` of the recording."""

    instrument: PaperInstrument
    start_s: int
    end_s: int

    def chunk(self, second: int) -> Candles:
        """A run of second candles that contains the second."""
        raise NotImplementedError

    def trades(self, second: int, shift_s: int) -> tuple[Trade, ...]:
        """The trades of a recorded second, played ``shift_s`` seconds later."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class TradeTrack(Track):
    """Recorded trades at their own milliseconds."""

    instrument: PaperInstrument
    ts_ms: Ints
    price: Ints
    quantity: Ints
    maker: Ints
    candles: Candles

    @property
    def start_s(self) -> int:  # type: ignore[override]
        return self.candles.start_s

    @property
    def end_s(self) -> int:  # type: ignore[override]
        return self.candles.start_s + len(self.candles)

    def chunk(self, second: int) -> Candles:
        return self.candles

    def trades(self, second: int, shift_s: int) -> tuple[Trade, ...]:
        first, last = np.searchsorted(self.ts_ms, [second * 1000, second * 1000 + 1000])
        identity = (second + shift_s) * IDS_A_SECOND
        return tuple(
            Trade(
                identity + row - int(first), int(self.ts_ms[row]) + shift_s * 1000,
                int(self.price[row]), int(self.quantity[row]), bool(self.maker[row]),
            )
            for row in range(int(first), int(last))
        )  # fmt: skip


class CandleTrack(Track):
    """Recorded candles; spans above a second are bridged on demand."""

    def __init__(self, instrument: PaperInstrument, candles: Candles, seed: int) -> None:
        self.instrument = instrument
        self._candles = candles
        self._seed = seed
        self._key = key_of(seed, instrument.symbol, "tape")
        self.start_s = candles.start_s
        self.end_s = candles.start_s + len(candles) * candles.span_s
        self._bridged = lru_cache(maxsize=512)(self._bridge)

    def chunk(self, second: int) -> Candles:
        if self._candles.span_s == 1:
            return self._candles
        return self._bridged((second - self.start_s) // self._candles.span_s)

    def trades(self, second: int, shift_s: int) -> tuple[Trade, ...]:
        row = self.chunk(second).window(second, second + 1)
        ohlc = (int(row.open[0]), int(row.high[0]), int(row.low[0]), int(row.close[0]))
        return split(self._key, second + shift_s, ohlc, int(row.volume[0]))

    def _bridge(self, index: int) -> Candles:
        span_s, source = self._candles.span_s, self._candles
        columns = (source.open, source.high, source.low, source.close, source.volume)
        opening, high, low, close, volume = (int(column[index]) for column in columns)
        name = (self._seed, self.instrument.symbol, index)
        seconds = bridge((opening, high, low, close, volume), span_s, name)
        return Candles(
            start_s=self.start_s + index * span_s, span_s=1, open=seconds.open, high=seconds.high,
            low=seconds.low, close=seconds.close, volume=seconds.volume,
        )  # fmt: skip


def read_tape(path: Path, seed: int) -> tuple[Track, ...]:
    """The tracks of a tape file.

    Raises
    ------
    ValueError
        If columns are missing, rows are not in time order, or the symbol is unknown.
    """
    frame = pd.read_csv(path)
    columns = set(frame.columns)
    if not (columns >= _TRADES or columns >= _CANDLES):
        raise ValueError(
            f"tape columns must hold {sorted(_TRADES)} or {sorted(_CANDLES)},"
            f" were {sorted(columns)}"
        )
    if "symbol" not in columns:
        frame["symbol"] = symbol_of(path.name)
    build = _trade_track if columns >= _TRADES else _candle_track
    return tuple(
        build(by_symbol(str(symbol)), rows.reset_index(drop=True), seed)
        for symbol, rows in frame.groupby("symbol", sort=False)
    )


def symbol_of(file_name: str) -> str:
    """The listed symbol a file is named after, e.g. ``btc_perp_1m.csv`` is BTCUSDT."""
    words = re.split(r"[^a-z0-9]+", file_name.lower())
    for instrument in LISTED:
        if {instrument.symbol.lower(), instrument.base.lower()} & set(words):
            return instrument.symbol
    raise ValueError(f"tape {file_name!r} names no known symbol; add a symbol column")


def _times(rows: pd.DataFrame) -> Ints:
    times = rows["ts_ms"].to_numpy(dtype=np.int64)
    if len(times) == 0 or bool((np.diff(times) < 0).any()):
        raise ValueError("tape rows must be at least one, in order of ts_ms")
    return np.asarray(times, dtype=np.int64)


def _integers(rows: pd.DataFrame, name: str, unit: float, least: int) -> Ints:
    values = rows[name].to_numpy(dtype=np.float64)
    return np.asarray(np.maximum(np.rint(values / unit), least), dtype=np.int64)


def _trade_track(instrument: PaperInstrument, rows: pd.DataFrame, seed: int) -> Track:
    times = _times(rows)
    price = _integers(rows, "price", float(instrument.tick), 1)
    quantity = _integers(rows, "qty", float(instrument.step), 1)
    maker = rows["buyer_is_maker"].to_numpy(dtype=np.int64)
    candles = _seconds(times, price, quantity)
    return TradeTrack(instrument, times, price, quantity, maker, candles)


def _seconds(times: Ints, price: Ints, quantity: Ints) -> Candles:
    """Second candles of trades; a second without trades is flat at the price before it."""
    seconds = times // 1000
    starts = np.flatnonzero(np.r_[True, np.diff(seconds) > 0])
    ends = np.r_[starts[1:], len(times)] - 1
    first, count = int(seconds[0]), int(seconds[-1] - seconds[0] + 1)
    place = seconds[starts] - first
    filled = np.zeros(count, dtype=np.int64)
    filled[place] = np.arange(len(place))
    close = price[ends][np.maximum.accumulate(filled)]
    opening, high, low, volume = close.copy(), close.copy(), close.copy(), np.zeros_like(close)
    opening[place] = price[starts]
    high[place] = np.maximum.reduceat(price, starts)
    low[place] = np.minimum.reduceat(price, starts)
    volume[place] = np.add.reduceat(quantity, starts)
    return Candles(
        start_s=first, span_s=1, open=opening, high=high, low=low, close=close, volume=volume
    )


def _candle_track(instrument: PaperInstrument, rows: pd.DataFrame, seed: int) -> Track:
    times = _times(rows) // 1000
    span_s = int(np.median(np.diff(times))) if len(times) > 1 else 60
    tick, step = float(instrument.tick), float(instrument.step)
    prices = [_integers(rows, name, tick, 1) for name in ("open", "high", "low", "close")]
    volume = _integers(rows, "volume", step, 5)
    place = (times - times[0]) // span_s
    count = int(place[-1] + 1)
    source = np.zeros(count, dtype=np.int64)
    source[place] = np.arange(len(place))
    source = np.maximum.accumulate(source)
    present = np.zeros(count, dtype=bool)
    present[place] = True
    close = prices[3][source]
    columns = [np.where(present, column[source], close) for column in prices]
    candles = Candles(
        start_s=int(times[0]), span_s=span_s, open=columns[0], high=columns[1], low=columns[2],
        close=close, volume=np.where(present, volume[source], 0),
    )  # fmt: skip
    return CandleTrack(instrument, candles, seed)
