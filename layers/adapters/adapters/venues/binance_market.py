"""The market of Binance USD-M: what is traded, candles, trades and prices."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.venues import Caller, Kline, LastPrice, Trade
from adapters.venues import binance_words as words
from engine.values import Instrument

_PAGE = 1000


class BinanceMarket:
    """What anybody may read of it, but for leverage limits."""

    kline_spans_ms: Mapping[int, str] = {60_000: "1m", 300_000: "5m", 3_600_000: "1h"}
    kline_page = 1500
    trades_weight = 20

    async def instruments(self, wire: Caller, *, ranked: bool) -> tuple[Instrument, ...]:
        """Perpetuals that trade; with `ranked` also leverage limits and volumes (needs a key)."""
        info = await wire.call("fapiPublicGetExchangeInfo")
        leverage: dict[str, int] = {}
        volume: dict[str, Decimal] = {}
        if ranked:
            for row in await wire.call("fapiPrivateGetLeverageBracket"):
                leverage[row["symbol"]] = max(int(b["initialLeverage"]) for b in row["brackets"])
            for row in await wire.call("fapiPublicGetTicker24hr", weight=40):
                volume[row["symbol"]] = Decimal(row["quoteVolume"])
        found = (
            words.instrument(
                row,
                max_leverage=leverage.get(row["symbol"], 1),
                volume_quote=volume.get(row["symbol"], Decimal(0)),
            )
            for row in info["symbols"]
        )
        return tuple(each for each in found if each is not None)

    async def klines(
        self, wire: Caller, symbol: str, *, span_ms: int, start_ms: int, limit: int
    ) -> Sequence[Kline]:
        params = {
            "symbol": symbol,
            "interval": self.kline_spans_ms[span_ms],
            "startTime": start_ms,
            "limit": limit,
        }
        weight = next(w for most, w in ((99, 1), (499, 2), (1000, 5), (1500, 10)) if limit <= most)
        rows = await wire.call("fapiPublicGetKlines", params, weight=weight)
        return [
            Kline(open_ms=int(r[0]), open=r[1], high=r[2], low=r[3], close=r[4], volume=r[5])
            for r in rows
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
            rows = await wire.call("fapiPublicGetAggTrades", params, weight=self.trades_weight)
            found += [words.public_trade(r, symbol) for r in rows if int(r["T"]) < end_ms]
            if len(rows) < _PAGE or int(rows[-1]["T"]) >= end_ms:
                return found
            params = {"symbol": symbol, "fromId": int(rows[-1]["a"]) + 1, "limit": _PAGE}

    async def last_prices(self, wire: Caller) -> Sequence[LastPrice]:
        rows = await wire.call("fapiPublicV2GetTickerPrice", weight=2, urgent=True)
        return [
            LastPrice(symbol=r["symbol"], price=Decimal(r["price"]), event_ms=int(r["time"]))
            for r in rows
        ]
