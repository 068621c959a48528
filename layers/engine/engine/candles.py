"""Candles of many symbols as integer arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InvalidCandleError

Ints = NDArray[np.int64]

FIELDS = ("open", "high", "low", "close", "volume", "kind")
"""The arrays of (T, S) candles."""


PRICE_LIMIT = 1 << 36
"""Prices are below this many ticks, so that a price times any ratio of it fits 64 bits."""


class Kind(IntEnum):
    """What a candle is made of."""

    TRADED = 0
    FLAT = 1  # the feed was alive and nothing traded: all four prices are the last close
    GAP = 2  # nobody knows: prices are zero, mean nothing and decide nothing


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
        for name in FIELDS:
            given = getattr(self, name)
            if given.shape != shape:
                raise InvalidCandleError(f"{name} must be (T, S) = {shape}, was {given.shape}")
            if not np.issubdtype(given.dtype, np.integer):
                raise InvalidCandleError(f"{name} must be integers, was {given.dtype}")
        if len(self.close_ms) > 1 and not (np.diff(self.close_ms) > 0).all():
            raise InvalidCandleError("close_ms must rise strictly")

    def __len__(self) -> int:
        return len(self.close_ms)

    def rows(self, start: int, stop: int) -> "Candles":
        """Candles `start` up to, not including, `stop`."""
        return self._taken((slice(start, stop), slice(None)), self.symbols)

    def between(self, start_ms: int, end_ms: int) -> "Candles":
        """Candles that closed in (start_ms, end_ms]."""
        first, last = np.searchsorted(self.close_ms, [start_ms, end_ms], side="right")
        return self.rows(int(first), int(last))

    def select(self, symbols: Sequence[str]) -> "Candles":
        """Only these symbols, in this order; raises InvalidCandleError if one is missing."""
        missing = [symbol for symbol in symbols if symbol not in self.symbols]
        if missing:
            raise InvalidCandleError(f"candles hold {self.symbols}, not {missing}")
        columns = [self.symbols.index(symbol) for symbol in symbols]
        return self._taken((slice(None), columns), tuple(symbols))

    def without_wrong(self) -> tuple["Candles", Mapping[str, int]]:
        """With candles no market can make turned into gaps; how many of each symbol that were."""
        wrong = self._wrong()
        if not wrong.any():
            return self, {}
        cleared: dict[str, Any] = {name: np.where(wrong, 0, getattr(self, name)) for name in FIELDS}
        cleared["kind"] = np.where(wrong, Kind.GAP, self.kind).astype(np.int8)
        counts = zip(self.symbols, wrong.sum(axis=0).tolist(), strict=True)
        return replace(self, **cleared), {symbol: count for symbol, count in counts if count}

    def check_prices(self) -> "Candles":
        """Itself, if every candle that is no gap has 0 < low <= open, close <= high < the limit.

        Raises
        ------
        InvalidCandleError
            Naming the first symbol and close time that break this.
        """
        wrong = self._wrong()
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            raise InvalidCandleError(
                f"{self.symbols[column]} at {self.close_ms[row]}: prices must be "
                f"0 < low <= open, close <= high < {PRICE_LIMIT} and volume not negative"
            )
        return self

    def _wrong(self) -> NDArray[np.bool_]:
        inside = (np.minimum(self.open, self.close) >= self.low) & (
            np.maximum(self.open, self.close) <= self.high
        )
        possible = (self.low > 0) & (self.high < PRICE_LIMIT) & (self.volume >= 0)
        wrong: NDArray[np.bool_] = (self.kind != Kind.GAP) & ~(inside & possible)
        return wrong

    def _taken(self, index: Any, symbols: tuple[str, ...]) -> "Candles":
        parts = {name: getattr(self, name)[index] for name in FIELDS}
        return Candles(
            symbols=symbols, span_ms=self.span_ms, close_ms=self.close_ms[index[0]], **parts
        )
