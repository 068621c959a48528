"""What both markets of Binance are asked and tell alike, but for what they ask them by."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Any

from adapters.venues import Caller, Kline, Row, Trade
from adapters.venues import binance_rows as rows
from engine.events import VenueOrder

_PAGE = 1000


class BinanceFamily:
    """Candles, trades, open orders, rights, and the market's messages."""

    used_weight_header = "X-MBX-USED-WEIGHT-1M"
    kline_spans_ms: Mapping[int, str] = {60_000: "1m", 300_000: "5m", 3_600_000: "1h"}
    trades_weight: int
    kline_weights: Sequence[tuple[int, int]]
    """What a list of candles weighs: up to so many of them, so much."""
    order_weights: tuple[int, int]
    """What a list of open orders weighs: that of all symbols, and that of one."""
    _public: str
    """What ccxt's methods for the market's public routes begin with."""

    async def open_orders(self, wire: Caller) -> tuple[VenueOrder, ...]:
        return await self._working(wire, {}, weight=self.order_weights[0])

    async def open_orders_of(
        self, wire: Caller, symbols: Collection[str]
    ) -> tuple[VenueOrder, ...]:
        weight = self.order_weights[1]
        asked = (self._working(wire, {"symbol": each}, weight=weight) for each in sorted(symbols))
        return tuple(chain.from_iterable(await asyncio.gather(*asked)))

    async def _working(
        self, wire: Caller, params: Mapping[str, str], *, weight: int
    ) -> tuple[VenueOrder, ...]:
        """The orders that one request, or one of each kind, lists."""
        raise NotImplementedError

    async def klines(
        self, wire: Caller, symbol: str, *, span_ms: int, start_ms: int, limit: int
    ) -> Sequence[Kline]:
        params = {
            "symbol": symbol,
            "interval": self.kline_spans_ms[span_ms],
            "startTime": start_ms,
            "limit": limit,
        }
        weight = next(weight for most, weight in self.kline_weights if limit <= most)
        return [
            Kline(open_ms=int(r[0]), open=r[1], high=r[2], low=r[3], close=r[4], volume=r[5])
            for r in await wire.call(f"{self._public}GetKlines", params, weight=weight)
        ]

    async def trades(
        self, wire: Caller, symbol: str, *, start_ms: int, end_ms: int
    ) -> Sequence[Trade]:
        """All trades of [start, end), paged by id."""
        params: dict[str, Any] = {
            "symbol": symbol,
            "startTime": start_ms,
            "endTime": end_ms - 1,
            "limit": _PAGE,
        }
        found: list[Trade] = []
        while True:
            page = await wire.call(f"{self._public}GetAggTrades", params, weight=self.trades_weight)
            found += [rows.public_trade(r, symbol) for r in page if int(r["T"]) < end_ms]
            if len(page) < _PAGE or int(page[-1]["T"]) >= end_ms:
                return found
            params = {"symbol": symbol, "fromId": int(page[-1]["a"]) + 1, "limit": _PAGE}

    def read_trades(self, message: Any) -> Sequence[Trade]:
        if message.get("e") != "aggTrade":
            return ()
        return (rows.public_trade(message, message["s"]),)

    def event_ms(self, message: Any) -> int | None:
        """A trade's own time, else the publisher's; subscriptions are answered without one."""
        made = message.get("T" if message.get("e") == "aggTrade" else "E")
        return made if isinstance(made, int) else None

    def is_pong(self, message: Any) -> bool:
        """Never: Binance answers pings below its messages, where ccxt sees them itself."""
        return False

    async def _restrictions(self, wire: Caller) -> Row:
        """What the main site says of a key; of a key of a test site nothing is known."""
        if "sapi" not in wire.client().urls["api"]:
            return {}
        told: Row = await wire.call("sapiGetAccountApiRestrictions", urgent=True)
        return told
