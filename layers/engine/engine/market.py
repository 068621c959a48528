"""Candles of many symbols as integer arrays."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidCandleError

Ints = NDArray[np.int64]


class Kind(IntEnum):
    """What a candle is made of."""

    TRADED = 0
    FLAT = (
        1  # the feed was alive and nothing traded: all four prices are the last close
    )
    GAP = 2  # nobody knows: prices are meaningless and decide nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Candles:
    """T candles of S symbols, oldest first.

    Attributes
    ----------
    symbols : tuple of str, length S
    span_ms : int
        Length of one candle.
    close_ms : (T,) int64
        Close times, strictly rising, UTC epoch milliseconds.
    open, high, low, close : (T, S) int64
        Prices in ticks of each symbol's instrument.
    volume : (T, S) int64
        Traded quantity in steps of each symbol's instrument.
    kind : (T, S) int8
        `Kind` of each candle.
    """

    symbols: tuple[str, ...]
    span_ms: int
    close_ms: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    kind: NDArray[np.int8]

    def __post_init__(self) -> None:
        shape = (len(self.close_ms), len(self.symbols))
        for name in ("open", "high", "low", "close", "volume", "kind"):
            if getattr(self, name).shape != shape:
                raise InvalidCandleError(
                    f"{name} must be (T, S) = {shape}, was {getattr(self, name).shape}"
                )
        if len(self.close_ms) > 1 and not (np.diff(self.close_ms) > 0).all():
            raise InvalidCandleError("close_ms must rise strictly")

    def __len__(self) -> int:
        return len(self.close_ms)
