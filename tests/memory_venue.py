"""The fakes as one more venue of the contracts: a market that walks, an account, a feed."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from tests.builders import an_instrument
from tests.fake_venue import FakeVenue

from engine.events import Event, Quote
from engine.market import Candles, bars_from_trades, join_symbols
from engine.ports import Clock
from engine.values import Instrument

_SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "XRPUSDT")
_START = Decimal(60_000)
_STEP_TICKS = 20
_EVERY_S = 0.02

Print = tuple[int, int]
"""A trade: its time and its price in ticks."""


@dataclass(slots=True)
class MemoryFeed:
    """The Feed port over what a `FakeVenue` traded at, second by second."""

    venue: FakeVenue
    prints: dict[str, list[Print]] = field(default_factory=dict)
    followed: tuple[Instrument, ...] = ()
    hears_account: bool = False
    made: dict[int, Candles] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=lambda: {"stream": 0, "polling": 0})

    async def follow(self, instruments: Sequence[Instrument], *, private: bool) -> None:
        if tuple(instruments) != self.followed:
            self.made.clear()
        self.followed, self.hears_account = tuple(instruments), private

    async def candles(self, close_ms: int) -> Candles:
        if close_ms not in self.made:
            self.made[close_ms] = self._between(close_ms - 1000, close_ms)
            self.counts["stream"] += len(self.followed)
        return self.made[close_ms]

    async def backfill(self, start_ms: int, end_ms: int) -> tuple[Candles, ...]:
        return (self._between(start_ms, end_ms),)

    def quotes(self) -> Mapping[str, Quote]:
        found = {}
        for each in self.followed:
            at_ms, ticks = self.prints[each.symbol][-1]
            price = each.to_price(ticks)
            found[each.symbol] = Quote(
                symbol=each.symbol, price=price, event_ms=at_ms, seen_ms=at_ms
            )
        return found

    def events(self) -> tuple[Event, ...]:
        return self.venue.events() if self.hears_account else ()

    def sources(self) -> Mapping[str, int]:
        return dict(self.counts)

    async def close(self) -> None:
        """Nothing is held open."""

    def _between(self, start_ms: int, end_ms: int) -> Candles:
        return join_symbols([self._column(each.symbol, start_ms, end_ms) for each in self.followed])

    def _column(self, symbol: str, start_ms: int, end_ms: int) -> Candles:
        trades = np.array(self.prints[symbol], np.int64)
        return bars_from_trades(
            symbol,
            trades[:, 0],
            trades[:, 1],
            np.ones(len(trades), np.int64),
            start_ms=start_ms,
            end_ms=end_ms,
        )


@asynccontextmanager
async def walking(clock: Clock) -> AsyncIterator[tuple[FakeVenue, MemoryFeed]]:
    """A venue whose prices walk for the length of a block."""
    listed = {symbol: an_instrument(symbol) for symbol in _SYMBOLS}
    venue = FakeVenue(
        clock=clock, instruments_by_symbol=listed, prices=dict.fromkeys(_SYMBOLS, _START)
    )
    feed = MemoryFeed(venue, {symbol: [] for symbol in _SYMBOLS})
    _trade(feed, random.Random(1), clock)
    walk = asyncio.create_task(_walk(feed, random.Random(2), clock))
    try:
        yield venue, feed
    finally:
        walk.cancel()


async def _walk(feed: MemoryFeed, dice: random.Random, clock: Clock) -> None:
    while True:
        await asyncio.sleep(_EVERY_S)
        _trade(feed, dice, clock)


def _trade(feed: MemoryFeed, dice: random.Random, clock: Clock) -> None:
    for symbol, instrument in feed.venue.instruments_by_symbol.items():
        ticks = instrument.to_ticks(feed.venue.prices[symbol])
        ticks += dice.randint(-_STEP_TICKS, _STEP_TICKS)
        feed.prints[symbol].append((clock.now_ms(), ticks))
        feed.venue.set_price(symbol, instrument.to_price(ticks))
