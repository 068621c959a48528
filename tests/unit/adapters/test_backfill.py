"""Candles fetched after a break, symbol by symbol."""

from collections.abc import Sequence
from typing import Any

from tests.builders import an_instrument
from tests.fakes import FakeClock

from adapters.backfill import MINUTE_MS, backfill
from adapters.history import Pace
from adapters.venues import Kline, Trade
from engine.errors import VenueRefusedError
from engine.market import Kind

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


async def test_a_symbol_the_venue_refuses_is_a_gap_and_the_others_are_had() -> None:
    venue: Any = OneRefused()

    pieces = await backfill(
        venue,
        venue,
        FakeClock(END_MS),
        PAIR,
        start_ms=START_MS,
        end_ms=END_MS,
        pace=Pace(),
        room=lambda weight: True,
    )

    assert {piece.span_ms for piece in pieces} == {1_000, MINUTE_MS}
    assert sum(len(piece) * piece.span_ms for piece in pieces) == END_MS - START_MS
    for piece in pieces:
        assert piece.symbols == ("BTCUSDT", "ETHUSDT")
        assert (piece.kind[:, 0] == Kind.TRADED).all()
        assert (piece.kind[:, 1] == Kind.GAP).all()
