"""Every indicator with several parameters, and its lines for some bars."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.indicators.adx import Adx
from engine.indicators.averages import Ema, Sma
from engine.indicators.bars import Bars
from engine.indicators.bollinger import Bollinger
from engine.indicators.macd import Macd
from engine.indicators.panel import Indicator
from engine.indicators.ranges import Atr
from engine.indicators.rsi import Rsi
from engine.indicators.sar import Sar
from engine.indicators.stochastic import Stochastic
from engine.market import Candles

PERIODS = (14, 2, 7, 21)
MACDS = ((12, 26, 9), (6, 13, 5), (18, 39, 13))
STOCHASTICS = ((14, 3, 3), (7, 2, 4), (21, 4, 2), (1, 1, 1))
SARS = ((0.02, 0.2), (0.01, 0.1), (0.03, 0.3), (0.5, 0.2))

INDICATORS: dict[str, Indicator] = {
    "rsi": Rsi(PERIODS),
    "macd": Macd(MACDS),
    "bollinger": Bollinger((20, 10, 30)),
    "sar": Sar(SARS),
    "adx": Adx(PERIODS),
    "ema": Ema((9, 21, 2, 200)),
    "sma": Sma((10, 50, 2, 75)),
    "stochastic": Stochastic(STOCHASTICS),
    "atr": Atr(PERIODS),
}
"""Every indicator, with parameters from end to end of what settings allow, and beyond."""


def computed(indicator: Indicator, bars: Bars) -> tuple[Any, tuple[NDArray[np.float64], ...]]:
    """The carry after `bars`, and the outputs, each (T, S, P)."""
    carry, outputs = indicator.advance(indicator.fresh(bars.close.shape[1]), bars)
    return carry, (outputs,) if isinstance(outputs, np.ndarray) else tuple(outputs)


def bars_of(candles: Candles) -> Bars:
    return Bars.of(candles.high, candles.low, candles.close)
