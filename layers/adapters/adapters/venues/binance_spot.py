"""Binance spot: routes, weights and parameters.

Assets are bought and sold for what they are; what is held of them are the positions, all long.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.limit_answers import OrderLimit
from adapters.names import Name, OrderNames
from adapters.venues import Caller, LastPrice, PrivateNews, Socket
from adapters.venues import binance_spot_orders as orders
from adapters.venues import binance_spot_words as words
from adapters.venues.binance_family import BinanceFamily
from engine.errors import VenueRefusedError
from engine.events import Account, Funding, KeyRights, OrderUpdate, VenueOrder, VenuePosition
from engine.ledger import Fill, Order
from engine.values import Instrument

_PAGE = 1000
_DAY_MS = 86_400_000
_VALID_MS = 5_000


class BinanceSpot(BinanceFamily):
    """The dialect of Binance spot, for pairs of one quote currency."""

    ccxt_id = "binance"
    weight_per_minute = 6000
    listed_apart = 4
    order_weights = (80, 6)
    errors = words.ERRORS
    kline_spans_ms: Mapping[int, str] = {1000: "1s", **BinanceFamily.kline_spans_ms}
    kline_page = 1000
    trades_weight = 4
    kline_weights = ((1000, 2),)
    _public = "public"
    order_limits: Mapping[str, OrderLimit] = {
        "X-MBX-ORDER-COUNT-10S": OrderLimit(interval_ms=10_000, most=100),
        "X-MBX-ORDER-COUNT-1D": OrderLimit(interval_ms=_DAY_MS, most=200_000),
    }

    def __init__(self, *, quote: str = "USDT") -> None:
        self._quote = quote
        self._traded: dict[str, Instrument] = {}
        self._seen: dict[str, LastPrice] = {}

    def use_testnet(self, client: Any) -> None:
        client.set_sandbox_mode(True)

    def adjust(self, client: Any) -> None:
        """Nothing: ccxt means the spot market unless it is told otherwise."""

    async def instruments(self, wire: Caller, *, ranked: bool) -> tuple[Instrument, ...]:
        """Pairs that trade against the quote currency; with `ranked` also their volumes."""
        info = await wire.call("publicGetExchangeInfo", weight=20)
        volume: dict[str, Decimal] = {}
        if ranked:
            for row in await wire.call("publicGetTicker24hr", weight=80):
                volume[row["symbol"]] = Decimal(row["quoteVolume"])
        found = (
            words.instrument(
                row, quote=self._quote, volume_quote=volume.get(row["symbol"], Decimal(0))
            )
            for row in info["symbols"]
        )
        listed = tuple(each for each in found if each is not None)
        self._traded = {each.base: each for each in listed}
        return listed

    async def last_prices(self, wire: Caller) -> Sequence[LastPrice]:
        """Binance does not say when a price was made: it counts from when it was first asked for.

        So an unchanged price keeps its time, and none seems younger than it can be known to be.
        """
        asked_ms = int(wire.client().nonce())
        for symbol, price in (await self._prices(wire)).items():
            seen = self._seen.get(symbol)
            if seen is None or seen.price != price:
                self._seen[symbol] = LastPrice(symbol=symbol, price=price, event_ms=asked_ms)
        return list(self._seen.values())

    async def account(self, wire: Caller, *, now_ms: int) -> Account:
        traded, balances = await self._known(wire), await self._balances(wire)
        return words.account(
            balances, traded, await self._prices(wire), quote=self._quote, now_ms=now_ms
        )

    async def positions(self, wire: Caller) -> tuple[VenuePosition, ...]:
        traded, balances = await self._known(wire), await self._balances(wire)
        prices = await self._prices(wire) if words.positions(balances, traded, {}) else {}
        return words.positions(balances, traded, prices)

    async def _working(
        self, wire: Caller, params: Mapping[str, str], *, weight: int
    ) -> tuple[VenueOrder, ...]:
        rows = await wire.call("privateGetOpenOrders", params, weight=weight, urgent=True)
        return tuple(words.venue_order(row) for row in rows)

    async def fills(self, wire: Caller, symbol: str, *, since_ms: int) -> tuple[Fill, ...]:
        """Own executions since then, a day at a time, for the venue reads no more at once."""
        rows: list[Any] = []
        start_ms, now_ms = since_ms, int(wire.client().nonce())
        while start_ms <= now_ms:
            params: dict[str, Any] = {"symbol": symbol, "startTime": start_ms, "limit": _PAGE}
            if start_ms + _DAY_MS <= now_ms:
                params["endTime"] = start_ms + _DAY_MS - 1
            page = await wire.call("privateGetMyTrades", params, weight=20, urgent=True)
            rows += page
            if len(page) == _PAGE:
                rows += await self._trades_after(wire, symbol, int(page[-1]["id"]))
                break
            start_ms += _DAY_MS
        named = await self._names(wire, symbol, {str(row["orderId"]) for row in rows})
        fills = (words.fill(row, named[str(row["orderId"])]) for row in rows)
        return tuple(sorted(fills, key=lambda each: (each.executed_at_ms, int(each.trade_id))))

    async def is_hedged(self, wire: Caller) -> bool:
        """Never: there is one side."""
        return False

    async def funding(self, wire: Caller, *, since_ms: int) -> tuple[Funding, ...]:
        """None: nothing is borrowed."""
        return ()

    async def rights(self, wire: Caller) -> KeyRights:
        return words.rights(await self._restrictions(wire))

    async def prepare(
        self, wire: Caller, symbol: str, *, leverage: int, hedge: bool, cross: bool
    ) -> None:
        """There is nothing to set; what a spot market cannot do is refused."""
        if leverage != 1:
            raise VenueRefusedError(f"leverage of {symbol} must be 1 on spot, was {leverage}")
        if hedge:
            raise VenueRefusedError(f"{symbol} has one side on spot, hedge mode is for two")

    async def place(self, wire: Caller, order: Order, *, hedge: bool, valid_ms: int) -> OrderUpdate:
        return await orders.place(wire, order, valid_ms=valid_ms)

    async def cancel(self, wire: Caller, order: Order, *, valid_ms: int) -> OrderUpdate | None:
        return await orders.cancel(wire, order, valid_ms=valid_ms)

    async def find(self, wire: Caller, order: Order) -> OrderUpdate | None:
        return await orders.find(wire, order)

    def is_duplicate(self, code: str) -> bool:
        return code == orders.DUPLICATE

    def market_socket(self, client: Any, symbols: Sequence[str], *, key: str) -> Socket:
        """Trades of all symbols on one socket, and a candle each second: proof of life."""
        names = [f"{symbol.lower()}@aggTrade" for symbol in symbols]
        names.append(f"{symbols[0].lower()}@kline_1s")
        url = f"{client.urls['api']['ws']['spot']}/{client.stream('spot', key, len(names))}"
        return Socket(url=url, request={"method": "SUBSCRIBE", "params": names, "id": 1})

    async def private_socket(self, wire: Caller) -> Socket:
        """The subscription is one signed request on the socket of the API; it needs no key."""
        client = wire.client()
        request = {
            "id": "user-data",
            "method": "userDataStream.subscribe.signature",
            "params": client.sign_params({"recvWindow": _VALID_MS}),
        }
        return Socket(url=client.urls["api"]["ws"]["ws-api"]["spot"], request=request)

    async def keep_private_alive(self, wire: Caller) -> None:
        """Nothing: the subscription lives as long as its socket."""

    def read_private(self, message: Any, names: OrderNames, *, patient: bool) -> PrivateNews:
        return words.private_news(message, names)

    async def _known(self, wire: Caller) -> Mapping[str, Instrument]:
        """Traded instruments by their assets; read once."""
        if not self._traded:
            await self.instruments(wire, ranked=False)
        return self._traded

    async def _balances(self, wire: Caller) -> Sequence[Mapping[str, Any]]:
        params = {"omitZeroBalances": "true"}
        row = await wire.call("privateGetAccount", params, weight=20, urgent=True)
        found: Sequence[Mapping[str, Any]] = row["balances"]
        return found

    async def _prices(self, wire: Caller) -> Mapping[str, Decimal]:
        rows = await wire.call("publicGetTickerPrice", weight=4, urgent=True)
        return {row["symbol"]: Decimal(row["price"]) for row in rows}

    async def _trades_after(self, wire: Caller, symbol: str, last_id: int) -> list[Any]:
        rows: list[Any] = []
        while True:
            params = {"symbol": symbol, "fromId": last_id + 1, "limit": _PAGE}
            page = await wire.call("privateGetMyTrades", params, weight=20, urgent=True)
            rows += page
            if len(page) < _PAGE:
                return rows
            last_id = int(page[-1]["id"])

    async def _names(self, wire: Caller, symbol: str, order_ids: set[str]) -> dict[str, Name]:
        """The names of venue orders; unknown ones are asked for."""
        found: dict[str, Name] = {}
        for each in order_ids:
            named = wire.names.get(each)
            if named is None:
                params = {"symbol": symbol, "orderId": each}
                row = await wire.call("privateGetOrder", params, weight=4, urgent=True)
                named = wire.names.note(each, words.name_of(row))
            found[each] = named
        return found
