"""Prices and volumes a venue prints that no market can have made."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from tests.builders import an_instrument
from tests.fakes import FakeClock

from adapters.backfill import MINUTE_MS, backfill
from adapters.feed import CcxtFeed
from adapters.feed_settings import FeedSettings
from adapters.history import Pace, klines
from adapters.venues import Kline, LastPrice, Trade
from engine.market import Kind

START_MS = 1_700_000_040_000 // MINUTE_MS * MINUTE_MS
BTC = an_instrument("BTCUSDT")
NO_PRICES = ("NaN", "Infinity", "-Infinity", "0", "-100")
NO_VOLUMES = ("NaN", "Infinity", "-1")


def a_kline(minute: int, **changes: str) -> Kline:
    prices = {"open": "100", "high": "101", "low": "99", "close": "100", "volume": "5"}
    return Kline(open_ms=START_MS + minute * MINUTE_MS, **(prices | changes))


class Printing:
    """A venue that prints what it is told to."""

    kline_spans_ms = frozenset({MINUTE_MS})
    kline_page = 1_000
    trades_weight = 20

    def __init__(self, rows: Sequence[Any] = ()) -> None:
        self.rows = rows

    async def klines(self, wire: Any, symbol: str, **asked: Any) -> Sequence[Kline]:
        return self.rows

    async def trades(self, wire: Any, symbol: str, **asked: Any) -> Sequence[Trade]:
        return self.rows

    async def last_prices(self, wire: Any) -> Sequence[LastPrice]:
        return self.rows


async def history(*rows: Kline) -> Any:
    venue: Any = Printing(rows)
    end_ms = START_MS + 4 * MINUTE_MS
    return await klines(
        venue,
        venue,
        FakeClock(end_ms),
        BTC,
        span_ms=MINUTE_MS,
        start_ms=START_MS,
        end_ms=end_ms,
        pace=Pace(),
    )


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
@pytest.mark.parametrize("printed", NO_PRICES)
async def test_a_kline_without_a_price_is_a_gap_and_the_others_are_had(
    name: str, printed: str
) -> None:
    candles = await history(a_kline(0), a_kline(1, **{name: printed}), a_kline(2), a_kline(3))

    assert candles.kind[:, 0].tolist() == [Kind.TRADED, Kind.GAP, Kind.TRADED, Kind.TRADED]


@pytest.mark.parametrize("printed", NO_VOLUMES)
async def test_a_kline_without_a_volume_is_a_gap(printed: str) -> None:
    candles = await history(a_kline(0), a_kline(1, volume=printed))

    assert candles.kind[:2, 0].tolist() == [Kind.TRADED, Kind.GAP]


async def test_klines_out_of_order_are_put_in_order_and_of_two_the_later_one_counts() -> None:
    candles = await history(
        a_kline(2), a_kline(0), a_kline(1, close="99"), a_kline(1, close="101"), a_kline(3)
    )

    assert candles.close[:, 0].tolist() == [1000, 1010, 1000, 1000]
    assert (candles.kind == Kind.TRADED).all()


@pytest.mark.parametrize(
    "bad",
    [
        *(Trade("BTCUSDT", START_MS + 30_500, printed, "1", 99) for printed in NO_PRICES),
        *(Trade("BTCUSDT", START_MS + 30_500, "90", printed, 99) for printed in NO_VOLUMES),
    ],
    ids=lambda trade: f"{trade.price} x {trade.quantity}",
)
async def test_a_trade_without_price_or_volume_is_no_trade(bad: Trade) -> None:
    sound = [Trade("BTCUSDT", START_MS + 1000 * s, "100", "1", s) for s in range(60)]
    venue: Any = Printing([*sound, bad])
    end_ms = START_MS + MINUTE_MS

    (candles,) = await backfill(
        venue,
        venue,
        FakeClock(end_ms),
        [BTC],
        start_ms=START_MS,
        end_ms=end_ms,
        pace=Pace(),
        room=lambda weight: True,
    )

    assert set(candles.low.ravel().tolist()) == set(candles.high.ravel().tolist()) == {1000}
    assert set(candles.volume.ravel().tolist()) == {1000}


@pytest.mark.parametrize("printed", NO_PRICES)
async def test_a_last_price_that_is_none_makes_no_quote_and_no_candle(printed: str) -> None:
    clock = FakeClock(START_MS)
    eth = an_instrument("ETHUSDT")
    told = {"BTCUSDT": printed, "ETHUSDT": "100"}
    venue: Any = Printing(
        [
            LastPrice(symbol=symbol, price=Decimal(price), event_ms=START_MS)
            for symbol, price in told.items()
        ]
    )
    wire: Any = Silent()
    feed = CcxtFeed(wire, venue, clock, settings=FeedSettings(stream=False))

    await feed.follow([BTC, eth], private=False)
    quotes = feed.quotes()
    await feed.close()

    assert set(quotes) == {"ETHUSDT"}


class Silent:
    """A line nobody hears."""

    async def close(self) -> None: ...
