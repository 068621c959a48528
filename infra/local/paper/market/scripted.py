"""A cheap market for simulations: a seeded walk in ticks, with the jumps a script wants.

Two trades a second, at fixed milliseconds. A block of seconds is drawn at once and pinned at both
ends to a level that depends on nothing but the block's number, so that any second is a pure
function of (seed, symbol, second) and costs a few microseconds the first time it is asked.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from local.paper.market import noise
from local.paper.market.candles import Candles, Ints, Trade
from local.paper.market.instruments import PaperInstrument
from local.paper.market.splitting import IDS_A_SECOND

MINUTE_S = 60
_BLOCK_S = 256
_MOMENTS_MS = (250, 750)
_TRADES = len(_MOMENTS_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """From `at_ms` on every price of the symbol is multiplied by `factor`."""

    symbol: str
    at_ms: int
    factor: float


class ScriptedMarket:
    """A market by the `Market` protocol, made for virtual time.

    Parameters
    ----------
    instruments : tuple of PaperInstrument
        What is traded; `start_price` is the level the walk stays about.
    seed : int
        Draws the walk.
    jumps : sequence of Jump
        Shocks the script wants, for a stop to fire or a position to be liquidated.
    swing : float
        Standard deviation of one second's return; 0 holds every price at its level.
    """

    def __init__(
        self,
        instruments: tuple[PaperInstrument, ...],
        seed: int,
        *,
        jumps: Sequence[Jump] = (),
        swing: float = 3e-4,
    ) -> None:
        self.instruments = instruments
        self._by_symbol = {one.symbol: one for one in instruments}
        self._seed = seed
        self._jumps = _by_symbol(jumps)
        self._swing = swing
        self._block = lru_cache(maxsize=64 * len(instruments))(self._draw)
        self.trades = lru_cache(maxsize=4096 * len(instruments))(self._trades)

    def seconds(self, symbol: str, start_s: int, end_s: int) -> Candles:
        """One-second candles over the trades of each second; open is the first trade's price."""
        rows = np.array([self._prices(symbol, one) for one in range(start_s, end_s)])
        return Candles(
            start_s=start_s, span_s=1, open=rows[:, 0], high=rows.max(axis=1),
            low=rows.min(axis=1), close=rows[:, -1],
            volume=np.full(len(rows), _TRADES * self._quantity(symbol), dtype=np.int64),
        )  # fmt: skip

    def minutes(self, symbol: str, start_s: int, end_s: int) -> Candles:
        """One-minute candles, exact sums of the seconds."""
        return self.seconds(symbol, start_s, end_s).aggregate(MINUTE_S)

    def _trades(self, symbol: str, second: int) -> tuple[Trade, ...]:
        quantity = self._quantity(symbol)
        return tuple(
            Trade(second * IDS_A_SECOND + place, second * 1000 + at_ms, price, quantity,
                  (second + place) % 2 == 0)
            for place, (at_ms, price) in enumerate(
                zip(_MOMENTS_MS, self._prices(symbol, second), strict=True)
            )
        )  # fmt: skip

    def _quantity(self, symbol: str) -> int:
        """Steps of each trade: the instrument's traded value, split evenly."""
        one = self._by_symbol[symbol]
        value = one.quote_per_second / _TRADES
        return max(5, round(value / one.start_price / float(one.step)))

    def _prices(self, symbol: str, second: int) -> tuple[int, ...]:
        block, place = divmod(second, _BLOCK_S)
        path = self._block(symbol, block)
        ticks = path[place * _TRADES : (place + 1) * _TRADES]
        jumps = self._jumps.get(symbol)
        if jumps is None:
            return tuple(ticks)
        return tuple(
            _jumped(price, second * 1000 + at_ms, jumps)
            for price, at_ms in zip(ticks, _MOMENTS_MS, strict=True)
        )

    def _draw(self, symbol: str, block: int) -> list[int]:
        """The prices of a block: a bridge between the levels at its two ends."""
        one = self._by_symbol[symbol]
        draw = noise.generator(self._seed, symbol, "scripted", block)
        count = _BLOCK_S * _TRADES
        steps = self._swing / math.sqrt(_TRADES) * draw.standard_normal(count + 1)
        walk = np.cumsum(steps)
        share = np.arange(count + 1) / count
        ends = self._level(symbol, block), self._level(symbol, block + 1)
        path = walk - walk[0] - share * (walk[-1] - walk[0]) + ends[0] + share * (ends[1] - ends[0])
        ticks = np.rint(np.exp(path[:-1]) * one.start_price / float(one.tick))
        whole: Ints = np.maximum(ticks, 10).astype(np.int64)
        return [int(each) for each in whole]

    def _level(self, symbol: str, block: int) -> float:
        """Logarithm of the price at the start of a block, about zero."""
        key = noise.key_of(self._seed, symbol, "level")
        return self._swing * math.sqrt(_BLOCK_S) * noise.normal(key, block)


def _jumped(ticks: int, at_ms: int, jumps: Sequence[Jump]) -> int:
    factor = math.prod(one.factor for one in jumps if one.at_ms <= at_ms)
    return max(round(ticks * factor), 1)


def _by_symbol(jumps: Sequence[Jump]) -> Mapping[str, tuple[Jump, ...]]:
    symbols = {one.symbol for one in jumps}
    return {name: tuple(one for one in jumps if one.symbol == name) for name in symbols}
