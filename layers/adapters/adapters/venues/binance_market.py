"""The market of Binance USD-M: what is traded, candles, trades and prices."""

from collections.abc import Sequence
from decimal import Decimal

from adapters.venues import Caller, LastPrice
from adapters.venues import binance_words as words
from adapters.venues.binance_family import BinanceFamily
from engine.values import Instrument


class BinanceMarket(BinanceFamily):
    """What anybody may read of it, but for leverage limits."""

    kline_page = 1500
    trades_weight = 20
    kline_weights = ((99, 1), (499, 2), (1000, 5), (1500, 10))
    _public = "fapiPublic"

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

    async def last_prices(self, wire: Caller) -> Sequence[LastPrice]:
        rows = await wire.call("fapiPublicV2GetTickerPrice", weight=2, urgent=True)
        return [
            LastPrice(symbol=r["symbol"], price=Decimal(r["price"]), event_ms=int(r["time"]))
            for r in rows
        ]
