"""Candles as integer columns, and their exact aggregation."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Trade(NamedTuple):
    """One market trade; the id is a pure function of the second and the place in it."""

    trade_id: int
    ts_ms: int
    price_ticks: int
    quantity_steps: int
    buyer_is_maker: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Candles:
    """Consecutive candles of equal span, shape (T,): prices in ticks, volume in steps."""

    start_s: int
    span_s: int
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints

    def __len__(self) -> int:
        return len(self.open)

    def window(self, start_s: int, end_s: int) -> "Candles":
        """The candles that open in ``[start_s, end_s)``; both on the grid and inside."""
        cut = slice((start_s - self.start_s) // self.span_s, (end_s - self.start_s) // self.span_s)
        return Candles(
            start_s=start_s, span_s=self.span_s, open=self.open[cut], high=self.high[cut],
            low=self.low[cut], close=self.close[cut], volume=self.volume[cut],
        )  # fmt: skip

    def aggregate(self, span_s: int) -> "Candles":
        """Candles of a longer span; the length must be a multiple of the ratio."""
        shape = (-1, span_s // self.span_s)
        return Candles(
            start_s=self.start_s, span_s=span_s,
            open=self.open.reshape(shape)[:, 0].copy(), high=self.high.reshape(shape).max(axis=1),
            low=self.low.reshape(shape).min(axis=1), close=self.close.reshape(shape)[:, -1].copy(),
            volume=self.volume.reshape(shape).sum(axis=1),
        )  # fmt: skip


def joined(parts: list[Candles]) -> Candles:
    """One run of candles from consecutive parts (at least one)."""
    first = parts[0]
    if len(parts) == 1:
        return first
    return Candles(
        start_s=first.start_s, span_s=first.span_s,
        open=np.concatenate([part.open for part in parts]),
        high=np.concatenate([part.high for part in parts]),
        low=np.concatenate([part.low for part in parts]),
        close=np.concatenate([part.close for part in parts]),
        volume=np.concatenate([part.volume for part in parts]),
    )  # fmt: skip
