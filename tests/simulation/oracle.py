"""TA-Lib beside our indicators: the lines of both for the same bars, several parameters each."""

from collections.abc import Callable, Sequence

import numpy as np
import talib
from numpy.typing import NDArray
from tests.unit.engine.indicators.computing import (
    INDICATORS,
    MACDS,
    PERIODS,
    SARS,
    STOCHASTICS,
    bars_of,
    computed,
)

from engine.market import Candles

Line = NDArray[np.float64]
Lines = tuple[Line, ...]


def _rsi(high: Line, low: Line, close: Line) -> list[Lines]:
    return [(talib.RSI(close, n),) for n in PERIODS]


def _macd(high: Line, low: Line, close: Line) -> list[Lines]:
    return [talib.MACD(close, *each) for each in MACDS]


def _sar(high: Line, low: Line, close: Line) -> list[Lines]:
    return [(talib.SAR(high, low, *each),) for each in SARS]


def _adx(high: Line, low: Line, close: Line) -> list[Lines]:
    lines = (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)
    return [tuple(line(high, low, close, n) for line in lines) for n in PERIODS]


def _ema(high: Line, low: Line, close: Line) -> list[Lines]:
    return [(talib.EMA(close, n),) for n in (9, 21, 2, 200)]


def _sma(high: Line, low: Line, close: Line) -> list[Lines]:
    return [(talib.SMA(close, n),) for n in (10, 50, 2, 75)]


def _stochastic(high: Line, low: Line, close: Line) -> list[Lines]:
    return [
        talib.STOCH(high, low, close, k, slowing, slowd_period=d) for k, d, slowing in STOCHASTICS
    ]


def _atr(high: Line, low: Line, close: Line) -> list[Lines]:
    return [(talib.ATR(high, low, close, n),) for n in PERIODS]


ORACLES: dict[str, Callable[[Line, Line, Line], list[Lines]]] = {
    "rsi": _rsi,
    "macd": _macd,
    "sar": _sar,
    "adx": _adx,
    "ema": _ema,
    "sma": _sma,
    "stochastic": _stochastic,
    "atr": _atr,
}


def assert_equals_talib(name: str, candles: Candles) -> None:
    """Every line of every parameter set and symbol, to a relative 1e-9, warm-up included.

    A line that may cross zero is compared on the scale of its own mean size.
    """
    _, outputs = computed(INDICATORS[name], bars_of(candles))
    for symbol in range(len(candles.symbols)):
        prices = (candles.high, candles.low, candles.close)
        high, low, close = (each[:, symbol].astype(np.float64) for each in prices)
        for lane, lines in enumerate(ORACLES[name](high, low, close)):
            _assert_alike(outputs, lines, symbol, lane)


def _assert_alike(outputs: Sequence[Line], lines: Lines, symbol: int, lane: int) -> None:
    for ours, theirs in zip(outputs, lines, strict=False):
        scale = float(np.nanmean(np.abs(theirs)))
        np.testing.assert_allclose(ours[:, symbol, lane], theirs, rtol=1e-9, atol=1e-9 * scale)
