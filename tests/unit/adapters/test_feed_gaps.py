"""What a feed does about messages that were lost, and about those it reads too late."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.builders import an_instrument

from adapters.access import Access, Network
from adapters.feed import CcxtFeed
from adapters.feed_settings import FeedSettings
from adapters.limits import Limits
from adapters.streams import Patience
from adapters.venues import LastPrice, Socket, Trade
from adapters.venues.binance import BinanceUsdm
from adapters.wire import Wire
from engine.errors import VenueBusyError
from engine.market import Candles, Kind

START_MS = 1_700_000_000_000
BTC = an_instrument("BTCUSDT")
SETTINGS = FeedSettings(
    proof_ms=20, answer_ms=20, patience=Patience(first_retry_ms=1, last_retry_ms=2)
)


@dataclass(slots=True)
class HandClock:
    """Time that a test moves by hand; sleepers wake when it has come."""

    time_ms: int = START_MS

    def now_ms(self) -> int:
        return self.time_ms

    def now_us(self) -> int:
        return self.time_ms * 1000

    def monotonic_ms(self) -> int:
        return self.time_ms

    async def sleep_until_ms(self, deadline_ms: int) -> None:
        while self.time_ms < deadline_ms:
            await asyncio.sleep(0.0005)


class OpenWire(Wire):
    """A wire whose sockets open at once and say what a test says."""

    def __init__(self, clock: HandClock, dialect: BinanceUsdm, limits: Limits) -> None:
        access = Access(venue="binance", network=Network.LIVE)
        super().__init__(access, clock, dialect, limits=limits)
        self.dialled = 0
        self.open_url = ""

    def client(self) -> Any:
        return None

    async def dial(self, socket: Socket) -> None:
        self.dialled += 1
        self.open_url = socket.url
        await asyncio.Event().wait()

    def say_now(self, message: Mapping[str, Any]) -> None:
        self._listeners[self.open_url](self.open_url, message)


class ListingVenue(BinanceUsdm):
    """Binance's words over a list of trades, which it may refuse to tell."""

    def __init__(self) -> None:
        self.listed: list[Trade] | None = []
        self.asked = 0

    def market_socket(self, client: Any, symbols: Sequence[str], *, key: str) -> Socket:
        return Socket(url="wss://market", request=None)

    async def trades(
        self, wire: Any, symbol: str, *, start_ms: int, end_ms: int
    ) -> Sequence[Trade]:
        self.asked += 1
        if self.listed is None:
            raise VenueBusyError("not now")
        return [each for each in self.listed if start_ms <= each.event_ms < end_ms]

    async def last_prices(self, wire: Any) -> Sequence[LastPrice]:
        return [LastPrice(symbol="BTCUSDT", price=Decimal(100), event_ms=START_MS - 1)]


@dataclass(slots=True)
class Lines:
    facts: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    problems: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def fact(self, name: str, values: Mapping[str, object]) -> None:
        self.facts.append((name, dict(values)))

    def problem(self, name: str, values: Mapping[str, object]) -> None:
        self.problems.append((name, dict(values)))


@dataclass(slots=True)
class Fed:
    clock: HandClock
    wire: OpenWire
    venue: ListingVenue
    feed: CcxtFeed
    lines: Lines

    def print(self, number: int, after_ms: int, price: str = "100.0") -> None:
        """A trade of the stream, made so long after the start, read now."""
        self.wire.say_now(
            {
                "e": "aggTrade", "s": "BTCUSDT", "T": START_MS + after_ms, "E": START_MS + after_ms,
                "p": price, "q": "0.001", "a": number, "f": number, "l": number, "m": False,
            }
        )  # fmt: skip

    async def candle(self, second: int) -> Candles:
        """Of that second after the start, asked for when it is due."""
        self.clock.time_ms = max(self.clock.time_ms, START_MS + second * 1000 + 250)
        return await self.feed.candles(START_MS + second * 1000)

    async def until(self, reached: int) -> None:
        async with asyncio.timeout(2):
            while self.wire.dialled < reached:
                self.clock.time_ms += 1
                await asyncio.sleep(0.001)


@asynccontextmanager
async def fed(*, per_minute: int = 10_000) -> AsyncIterator[Fed]:
    clock, venue, lines = HandClock(START_MS - 500), ListingVenue(), Lines()
    wire = OpenWire(clock, venue, Limits(clock, per_minute=per_minute))
    feed = CcxtFeed(wire, venue, clock, settings=SETTINGS, log=lines)
    it = Fed(clock, wire, venue, feed, lines)
    try:
        await feed.follow([BTC], private=False)
        await it.until(1)
        it.print(1, -400)
        yield it
    finally:
        await feed.close()


def a_trade(number: int, after_ms: int, price: str) -> Trade:
    return Trade("BTCUSDT", START_MS + after_ms, price, "0.001", number, number, number)


def prices(candles: Candles) -> list[int]:
    return [int(getattr(candles, name)[0, 0]) for name in ("open", "high", "low", "close")]


async def test_trades_that_were_lost_are_fetched_before_their_candle_closes() -> None:
    async with fed() as it:
        it.venue.listed = [a_trade(2, 100, "101"), a_trade(3, 200, "150"), a_trade(4, 900, "102")]
        it.print(2, 100, "101.0")
        it.print(4, 900, "102.0")  # number 3 never came
        it.print(5, 1_050)
        whole = await it.candle(1)
        it.print(6, 2_010)
        following = await it.candle(2)

    assert prices(whole) == [1010, 1500, 1010, 1020]
    assert it.venue.asked == 1
    assert it.feed.jumps == 1
    assert following.kind[0, 0] == Kind.TRADED  # its own numbers stand in a row
    assert it.lines.problems == []


async def test_a_torn_candle_that_cannot_be_rebuilt_is_a_gap_and_said_to_be() -> None:
    async with fed() as it:
        it.venue.listed = None
        it.print(2, 100, "101.0")
        it.print(4, 900, "102.0")
        it.print(5, 1_050)
        torn = await it.candle(1)

    name, told = it.lines.facts[0]
    assert torn.kind[0, 0] == Kind.GAP
    assert name == "candles are gaps"
    assert (told["gaps"], told["jumps"]) == (1, 1)
    assert it.feed.sources() == {"stream": 0, "polling": 0, "gap": 1}
    assert it.lines.problems == []


async def test_gaps_that_last_are_a_problem() -> None:
    async with fed() as it:
        it.venue.listed = None
        for second in range(1, 5):
            it.print(2 * second, second * 1000 - 900)
            it.print(2 * second + 50 * second, second * 1000 - 100)
            it.print(2 * second + 50 * second + 1, second * 1000 + 50)
            await it.candle(second)

    ((name, told),) = it.lines.problems
    assert (name, told["seconds"]) == ("candles are gaps", 3)


async def test_without_budget_for_the_list_a_torn_candle_is_a_gap() -> None:
    async with fed(per_minute=1) as it:
        it.print(2, 100)
        it.print(4, 900)
        it.print(5, 1_050)
        torn = await it.candle(1)

    assert torn.kind[0, 0] == Kind.GAP
    assert it.venue.asked == 0


async def test_a_message_read_now_but_made_before_the_end_proves_nothing() -> None:
    async with fed() as it:
        it.venue.listed = None
        it.print(2, 100)
        it.clock.time_ms = START_MS + 1_240
        it.print(3, 800)  # the rest of the second still lies in the socket

        assert (await it.candle(1)).kind[0, 0] == Kind.GAP


async def test_the_first_message_made_after_the_end_is_waited_for_and_proves_it_all() -> None:
    async with fed() as it:
        it.clock.time_ms = it.feed._turned_ms = START_MS + 1_250
        it.print(2, 100)
        asked = asyncio.create_task(it.candle(1))
        await asyncio.sleep(0.005)
        it.print(3, 999, "103.0")
        it.print(4, 1_001)

        assert prices(await asked) == [1000, 1030, 1000, 1030]


async def test_a_price_that_is_read_late_is_as_old_as_the_venue_says() -> None:
    async with fed() as it:
        it.clock.time_ms = START_MS + 1_900
        it.feed._turned_ms = it.clock.time_ms  # no freeze: the loop turned all the while
        it.print(2, 100)

        quote = it.feed.quotes()["BTCUSDT"]

    assert quote.event_ms == quote.seen_ms == START_MS + 100


async def test_a_stream_that_is_read_too_late_is_let_go_and_dialled_anew() -> None:
    async with fed() as it:
        it.clock.time_ms = START_MS + 2_200
        it.feed._turned_ms = it.clock.time_ms
        it.print(2, 100)
        it.feed.quotes()
        await it.until(2)

        assert it.feed.shed == 1
        name, told = it.lines.problems[0]

    assert name == "a market stream was shed"
    assert told == {"late_ms": 2_100, "symbols": 1, "served_by": "polling"}


async def test_a_stream_read_in_time_is_never_let_go() -> None:
    async with fed() as it:
        for number in range(2, 30):
            it.clock.time_ms += 100
            it.print(number, it.clock.time_ms - START_MS - 90)
            it.feed.quotes()
            await asyncio.sleep(0.001)

        assert it.feed.shed == 0
        assert it.wire.dialled == 1
