"""Reading recorded tapes from csv.

Accepted: trades (``ts_ms,price,qty,buyer_is_maker``) or candles
(``ts_ms,open,high,low,close,volume[,trades]``), plain or gzipped, with an optional ``symbol``
column; without it the symbol comes from the file's name (``..._btcusdt_...``). What follows a ``#``
is a remark. Prices are rounded to the perpetual's tick, quantities to its step (never to zero).
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from local.paper.market.candles import Candles, Ints
from local.paper.market.instruments import LISTED, PaperInstrument, by_symbol
from local.paper.market.tracks import CandleTrack, Track, TradeTrack

_TRADES = {"ts_ms", "price", "qty", "buyer_is_maker"}
_CANDLES = {"ts_ms", "open", "high", "low", "close", "volume"}
_Rows = dict[str, NDArray[np.float64]]


def read_tape(path: Path, seed: int) -> tuple[Track, ...]:
    """The tracks of a tape file.

    Raises
    ------
    ValueError
        If columns are missing, rows are not in time order, or the symbol is unknown.
    """
    import pandas as pd  # takes a second to load, and only a tape needs it

    frame = pd.read_csv(path, comment="#")
    columns = set(frame.columns)
    if not (columns >= _TRADES or columns >= _CANDLES):
        raise ValueError(
            f"tape columns must hold {sorted(_TRADES)} or {sorted(_CANDLES)},"
            f" were {sorted(columns)}"
        )
    build = _trade_track if columns >= _TRADES else _candle_track
    if "symbol" not in columns:
        frame["symbol"] = symbol_of(path.name)
    return tuple(
        build(
            by_symbol(str(symbol)),
            {name: rows[name].to_numpy(np.float64) for name in columns - {"symbol"}},
            seed,
        )
        for symbol, rows in frame.groupby("symbol", sort=False)
    )


def symbol_of(file_name: str) -> str:
    """The listed symbol a file is named after, e.g. ``btc_perp_1m.csv`` is BTCUSDT."""
    words = re.split(r"[^a-z0-9]+", file_name.lower())
    for instrument in LISTED:
        if {instrument.symbol.lower(), instrument.base.lower()} & set(words):
            return instrument.symbol
    raise ValueError(f"tape {file_name!r} names no known symbol; add a symbol column")


def _times(rows: _Rows) -> Ints:
    times = rows["ts_ms"].astype(np.int64)
    if len(times) == 0 or bool((np.diff(times) < 0).any()):
        raise ValueError("tape rows must be at least one, in order of ts_ms")
    return times


def _integers(rows: _Rows, name: str, unit: float, least: int) -> Ints:
    return np.asarray(np.maximum(np.rint(rows[name] / unit), least), dtype=np.int64)


def _trade_track(instrument: PaperInstrument, rows: _Rows, seed: int) -> Track:
    times = _times(rows)
    price = _integers(rows, "price", float(instrument.tick), 1)
    quantity = _integers(rows, "qty", float(instrument.step), 1)
    maker = rows["buyer_is_maker"].astype(np.int64)
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


def _candle_track(instrument: PaperInstrument, rows: _Rows, seed: int) -> Track:
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
