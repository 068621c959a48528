"""Candles fetched after a break, symbol by symbol."""

from collections.abc import Sequence
from typing import Any

from tests.builders import an_instrument
from tests.fakes import FakeClock

from adapters.backfill import MINUTE_MS, backfill
from adapters.history import Pace
from adapters.venues import Kline, Trade, TradesGoneError
from engine.errors import VenueRefusedError
from engine.market import Candles, Kind

START_MS = 1_700_000_040_000 // MINUTE_MS * MINUTE_MS
END_MS = START_MS + 15 * MINUTE_MS
PAIR = (an_instrument("BTCUSDT"), an_instrument("ETHUSDT"))


class OneRefused:
    """A venue that trades BTCUSDT and refuses every question about ETHUSDT."""

    kline_spans_ms = frozenset({MINUTE_MS})
    kline_page = 1_000
    trades_weight = 20

    async def klines(
        self, wire: Any, symbol: str, *, span_ms: int, start_ms: int, limit: int
    ) -> Sequence[Kline]:
        self._refuse(symbol)
        opens = range(start_ms, start_ms + limit * span_ms, span_ms)
        return [
            Kline(open_ms=ms, open="100", high="101", low="99", close="100", volume="5")
            for ms in opens
        ]

    async def trades(
        self, wire: Any, symbol: str, *, start_ms: int, end_ms: int
    ) -> Sequence[Trade]:
        self._refuse(symbol)
        return [Trade(symbol, ms, "100", "1", ms) for ms in range(start_ms, end_ms, 1_000)]

    def _refuse(self, symbol: str) -> None:
        if symbol == "ETHUSDT":
            raise VenueRefusedError("-4108 the symbol is in settlement", code="-4108")


async def filled(venue: Any, *, end_ms: int) -> tuple[Candles, ...]:
    """Candles of the pair from the start until then."""
    return await backfill(
        venue,
        venue,
        FakeClock(end_ms),
        PAIR,
        start_ms=START_MS,
        end_ms=end_ms,
        pace=Pace(),
        room=lambda weight: True,
    )


async def test_a_symbol_the_venue_refuses_is_a_gap_and_the_others_are_had() -> None:
    venue: Any = OneRefused()

    pieces = await filled(venue, end_ms=END_MS)

    assert {piece.span_ms for piece in pieces} == {1_000, MINUTE_MS}
    assert sum(len(piece) * piece.span_ms for piece in pieces) == END_MS - START_MS
    for piece in pieces:
        assert piece.symbols == ("BTCUSDT", "ETHUSDT")
        assert (piece.kind[:, 0] == Kind.TRADED).all()
        assert (piece.kind[:, 1] == Kind.GAP).all()


class Forgetful(OneRefused):
    """A venue that trades both, and of BTCUSDT tells the latest trades only."""

    def __init__(self, told_from_ms: int) -> None:
        self.told_from_ms = told_from_ms

    async def trades(
        self, wire: Any, symbol: str, *, start_ms: int, end_ms: int
    ) -> Sequence[Trade]:
        if symbol == "BTCUSDT" and start_ms < self.told_from_ms:
            raise TradesGoneError("no longer told", told_from_ms=self.told_from_ms)
        return [Trade(symbol, ms, "100", "1", ms) for ms in range(start_ms, end_ms, 1_000)]

    def _refuse(self, symbol: str) -> None:
        """Neither is refused."""


async def forgotten(*, told_ms: int, end_ms: int) -> tuple[list[tuple[int, int]], list[int]]:
    """(span, number) of the pieces, and the kinds of BTCUSDT's seconds."""
    venue: Any = Forgetful(end_ms - told_ms)
    pieces = await filled(venue, end_ms=end_ms)
    seconds = [kind for p in pieces if p.span_ms == 1_000 for kind in p.kind[:, 0].tolist()]
    return [(piece.span_ms, len(piece)) for piece in pieces], seconds


async def test_minutes_whose_trades_are_no_longer_told_come_as_candles_of_a_minute() -> None:
    pieces, seconds = await forgotten(told_ms=150_000, end_ms=END_MS)

    assert pieces == [(MINUTE_MS, 13), (1_000, 60), (1_000, 60)]
    assert set(seconds) == {Kind.TRADED}


async def test_of_the_running_minute_only_what_is_told_is_known() -> None:
    pieces, seconds = await forgotten(told_ms=20_000, end_ms=END_MS + 30_000)

    assert pieces == [(MINUTE_MS, 15), (1_000, 30)]
    assert seconds == [Kind.GAP] * 11 + [Kind.TRADED] * 19


async def test_where_nothing_of_the_running_minute_is_told_its_seconds_are_gaps() -> None:
    pieces, seconds = await forgotten(told_ms=0, end_ms=END_MS + 30_000)

    assert pieces == [(MINUTE_MS, 15), (1_000, 30)]
    assert set(seconds) == {Kind.GAP}
