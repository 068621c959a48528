"""One symbol of a recorded tape, as seconds."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np

from local.paper.market.bridge import bridge
from local.paper.market.candles import Candles, Ints, Trade
from local.paper.market.instruments import PaperInstrument
from local.paper.market.noise import key_of
from local.paper.market.splitting import IDS_A_SECOND, split


class Track(Protocol):
    """One symbol of a tape: seconds ``[start_s, end_s)`` of the recording."""

    @property
    def instrument(self) -> PaperInstrument: ...

    @property
    def start_s(self) -> int: ...

    @property
    def end_s(self) -> int: ...

    def chunk(self, second: int) -> Candles:
        """A run of second candles that contains the second."""
        ...

    def trades(self, second: int, shift_s: int) -> tuple[Trade, ...]:
        """The trades of a recorded second, played ``shift_s`` seconds later."""
        ...


@dataclass(frozen=True, eq=False)
class TradeTrack:
    """Recorded trades at their own milliseconds."""

    instrument: PaperInstrument
    ts_ms: Ints
    price: Ints
    quantity: Ints
    maker: Ints
    candles: Candles

    @property
    def start_s(self) -> int:
        return self.candles.start_s

    @property
    def end_s(self) -> int:
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


class CandleTrack:
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
