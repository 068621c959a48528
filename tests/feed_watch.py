"""A feed under test on a paper exchange's wire, and the venue's own word beside it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tests.memory_venue import walking
from tests.paper_venue import PaperProcess
from tests.venue_cases import VenueCase

from adapters.clock import SystemClock
from adapters.exchange import CcxtExchange
from adapters.feed import CcxtFeed
from adapters.feed_settings import FeedSettings
from adapters.limits import Limits
from adapters.streams import Patience
from adapters.venues import Dialect
from adapters.wire import Wire
from engine.market import Candles, Kind, join_time
from engine.ports import Exchange
from engine.values import Instrument

LATENESS_MS = 250
BRISK = Patience(silence_ms=1_500, first_retry_ms=200, last_retry_ms=800)
RUN_UP_MS = 30_000  # in a quiet second a candle is flat at a close that must be known
FIELDS = ("open", "high", "low", "close", "volume", "kind")


@dataclass(slots=True)
class JumpyClock(SystemClock):
    """The machine's clock, which a test can let jump as a thawed machine's does."""

    ahead_ms: int = 0

    def now_ms(self) -> int:
        return SystemClock.now_ms(self) + self.ahead_ms


@dataclass(slots=True)
class Watch:
    """A feed under test, and the venue's own word for comparison."""

    feed: CcxtFeed  # or the one in memory, which has what the port has
    exchange: Exchange
    wire: Wire
    dialect: Dialect
    clock: JumpyClock
    instruments: tuple[Instrument, ...]
    taken: list[Candles] = field(default_factory=list)

    async def follow(self, *, private: bool = False) -> None:
        await self.feed.follow(self.instruments, private=private)

    async def seconds(self, number: int) -> list[Candles]:
        """The next candles, each asked for when it is due."""
        first = self.clock.now_ms() // 1000 * 1000 + 1000
        made = []
        for close_ms in range(first, first + number * 1000, 1000):
            await self.clock.sleep_until_ms(close_ms + LATENESS_MS)
            made.append(await self.feed.candles(close_ms))
        self.taken += made
        return made

    async def until_streaming(self) -> None:
        """Until a candle comes wholly from the stream."""
        async with asyncio.timeout(30):
            while True:
                before = self.feed.sources()["stream"]
                await self.seconds(1)
                if self.feed.sources()["stream"] == before + len(self.instruments):
                    return

    async def truth(self, start_ms: int, end_ms: int) -> Candles:
        """Candles of the venue's own list of trades, from a while before on."""
        pieces = await self.feed.backfill(start_ms - RUN_UP_MS, end_ms)
        return join_time([piece for piece in pieces if piece.span_ms == 1000])


@asynccontextmanager
async def watching(
    paper: PaperProcess,
    venue: VenueCase,
    *,
    port: int | None = None,
    symbols: int = 4,
    stream: bool = True,
    rebuild_share: float = 0.5,
) -> AsyncIterator[Watch]:
    clock = JumpyClock()
    if venue.is_in_memory:
        none: Any = None
        memory: Any
        async with walking(clock) as (fake, memory):
            listed = tuple(fake.instruments_by_symbol.values())[:symbols]
            yield Watch(memory, fake, none, none, clock, listed)
        return
    dialect = venue.dialect()
    plenty = Limits(clock, per_minute=10**9)
    wire = Wire(
        paper.access(venue.name, port=port), clock, dialect, timeout_ms=1_500, limits=plenty
    )
    instruments = await dialect.instruments(wire, ranked=False)
    settings = FeedSettings(stream=stream, rebuild_share=rebuild_share, patience=BRISK)
    feed = CcxtFeed(wire, dialect, clock, settings=settings)
    try:
        exchange = CcxtExchange(wire, dialect, clock)
        yield Watch(feed, exchange, wire, dialect, clock, instruments[:symbols])
    finally:
        await feed.close()


def assert_same(made: Sequence[Candles], truth: Candles) -> None:
    """All fields of every candle that is no gap equal the venue's own."""
    joined = join_time(made)
    known = joined.kind != Kind.GAP
    rows = np.searchsorted(truth.close_ms, joined.close_ms)
    for name in FIELDS:
        assert (getattr(joined, name) == getattr(truth, name)[rows])[known].all(), name


def kinds(made: Sequence[Candles]) -> set[int]:
    return {int(kind) for candles in made for kind in candles.kind.ravel()}
