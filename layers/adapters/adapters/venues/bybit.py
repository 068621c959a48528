"""Bybit v5, linear perpetuals settled in USDT, of a unified account: routes and parameters.

Conditional orders share routes and ids with plain ones. A link id is unique for ever. Placing and
cancelling are only acknowledged: what became of an order is told by the private stream and by
looking it up. Margin mode belongs to the whole account, and so do we treat the position mode.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.names import OrderNames
from adapters.venues import (
    Caller,
    Kline,
    LastPrice,
    PrivateNews,
    Socket,
    Trade,
    TradesGoneError,
)
from adapters.venues import bybit_requests as requests
from adapters.venues import bybit_words as words
from adapters.venues.bybit_lists import executions, pages
from adapters.venues.bybit_requests import LINEAR
from engine.errors import VenueRefusedError
from engine.events import Account, Funding, KeyRights, OrderUpdate, VenueOrder, VenuePosition
from engine.ledger import Fill, Order, OrderState
from engine.values import Instrument

# Does not exist or came too late, finished, cancelled already.
_GONE = frozenset({"110001", "110008", "110010"})
# Position mode, margin mode and leverage are so already.
_NO_CHANGE = frozenset({"110025", "110026", "110043"})
_MODES = {True: 3, False: 0}
_MARGINS = {True: "REGULAR_MARGIN", False: "ISOLATED_MARGIN"}
_TRADES_TOLD = 1000
_LOGIN_MS = 10_000


class BybitLinear:
    """The dialect of Bybit's USDT perpetuals."""

    ccxt_id = "bybit"
    weight_per_minute = 7200  # 600 requests in five seconds
    used_weight_header = ""
    errors = words.ERRORS
    kline_spans_ms: Mapping[int, str] = {60_000: "1", 300_000: "5", 3_600_000: "60"}
    kline_page = 1000
    trades_weight = 1

    def __init__(self) -> None:
        self._prices = words.PriceTimes()
        self._listed = "BTCUSDT"  # a symbol whose position tells the account's mode

    def use_testnet(self, client: Any) -> None:
        client.set_sandbox_mode(True)

    def adjust(self, client: Any) -> None:
        """Let a request carry its own validity, which Bybit takes in a header ccxt fixes."""
        sign, options = client.sign, client.options

        def signed(path: str, api: Any, method: str, params: dict[str, Any]) -> Any:
            usual = options["recvWindow"]
            given = dict(params)
            options["recvWindow"] = given.pop("recvWindow", usual)
            try:
                return sign(path, api, method, given)
            finally:
                options["recvWindow"] = usual

        client.sign = signed

    async def instruments(self, wire: Caller, *, ranked: bool) -> tuple[Instrument, ...]:
        """USDT perpetuals that trade; with `ranked` also their volumes."""
        rows = await pages(wire, "publicGetV5MarketInstrumentsInfo", LINEAR, limit=1000)
        volume: dict[str, Decimal] = {}
        if ranked:
            answer = await wire.call("publicGetV5MarketTickers", LINEAR)
            volume = {r["symbol"]: Decimal(r["turnover24h"]) for r in answer["result"]["list"]}
        found = (
            words.instrument(row, volume_quote=volume.get(row["symbol"], Decimal(0)))
            for row in rows
        )
        listed = tuple(each for each in found if each is not None)
        if listed and all(each.symbol != self._listed for each in listed):
            self._listed = listed[0].symbol
        return listed

    async def klines(
        self, wire: Caller, symbol: str, *, span_ms: int, start_ms: int, limit: int
    ) -> Sequence[Kline]:
        params = LINEAR | {
            "symbol": symbol,
            "interval": self.kline_spans_ms[span_ms],
            "start": start_ms,
            "end": start_ms + limit * span_ms - 1,
            "limit": limit,
        }
        answer = await wire.call("publicGetV5MarketKline", params)
        return [words.kline(row) for row in reversed(answer["result"]["list"])]

    async def trades(
        self, wire: Caller, symbol: str, *, start_ms: int, end_ms: int
    ) -> Sequence[Trade]:
        """All trades of [start, end), oldest first.

        Raises
        ------
        TradesGoneError
            If they lie further back than the thousand trades Bybit tells: a part is no answer.
        """
        params = LINEAR | {"symbol": symbol, "limit": _TRADES_TOLD}
        rows = (await wire.call("publicGetV5MarketRecentTrade", params))["result"]["list"]
        if len(rows) >= _TRADES_TOLD and int(rows[-1]["time"]) >= start_ms:
            text = f"{symbol}: trades of {start_ms} are no longer told"
            raise TradesGoneError(text, told_from_ms=int(rows[-1]["time"]) + 1)
        told = (words.public_trade(row) for row in reversed(rows))
        return [each for each in told if each and start_ms <= each.event_ms < end_ms]

    async def last_prices(self, wire: Caller) -> Sequence[LastPrice]:
        answer = await wire.call("publicGetV5MarketTickers", LINEAR, urgent=True)
        return self._prices.of(answer["result"]["list"], int(answer["time"]))

    async def account(self, wire: Caller, *, now_ms: int) -> Account:
        params = {"accountType": "UNIFIED"}
        answer = await wire.call("privateGetV5AccountWalletBalance", params, urgent=True)
        return words.account(answer["result"]["list"][0], now_ms=now_ms)

    async def positions(self, wire: Caller) -> tuple[VenuePosition, ...]:
        params = LINEAR | {"settleCoin": words.COIN}
        rows = await pages(wire, "privateGetV5PositionList", params, limit=200, urgent=True)
        found = (words.venue_position(row) for row in rows)
        return tuple(each for each in found if each is not None)

    async def open_orders(self, wire: Caller) -> tuple[VenueOrder, ...]:
        """Plain and conditional ones, which Bybit lists together."""
        params = LINEAR | {"settleCoin": words.COIN, "openOnly": 0}
        rows = await pages(wire, "privateGetV5OrderRealtime", params, limit=50, urgent=True)
        return tuple(words.venue_order(row) for row in rows)

    async def fills(self, wire: Caller, symbol: str, *, since_ms: int) -> tuple[Fill, ...]:
        rows = await executions(wire, {"symbol": symbol}, since_ms=since_ms)
        found = [each for each in map(words.fill, rows) if each is not None]
        return tuple(sorted(found, key=lambda each: each.executed_at_ms))

    async def is_hedged(self, wire: Caller) -> bool:
        """Bybit tells the mode by how it lists the position of a symbol, flat or not."""
        return words.is_hedged(await self._position_rows(wire, self._listed))

    async def funding(self, wire: Caller, *, since_ms: int) -> tuple[Funding, ...]:
        """Payments since then, oldest first; Bybit does not say for which side they were."""
        rows = await executions(wire, {"execType": "Funding"}, since_ms=since_ms)
        found = (each for each in map(words.funding, rows) if each is not None)
        return tuple(sorted(found, key=lambda each: each.at_ms))

    async def rights(self, wire: Caller) -> KeyRights:
        answer = await wire.call("privateGetV5UserQueryApi", urgent=True)
        return words.rights(answer["result"])

    async def prepare(
        self, wire: Caller, symbol: str, *, leverage: int, hedge: bool, cross: bool
    ) -> None:
        """Set what is not so yet, and read back."""
        if await self._margin_mode(wire) != _MARGINS[cross]:
            mode = {"setMarginMode": _MARGINS[cross]}
            await _set(wire, "privatePostV5AccountSetMarginMode", mode)
        rows = await self._position_rows(wire, symbol)
        if words.is_hedged(rows) != hedge:
            switch = LINEAR | {"coin": words.COIN, "mode": _MODES[hedge]}
            await _set(wire, "privatePostV5PositionSwitchMode", switch)
            rows = await self._position_rows(wire, symbol)
        if any(Decimal(row["leverage"] or 0) != leverage for row in rows):
            wanted = dict.fromkeys(("buyLeverage", "sellLeverage"), str(leverage))
            change = LINEAR | {"symbol": symbol} | wanted
            await _set(wire, "privatePostV5PositionSetLeverage", change)
            rows = await self._position_rows(wire, symbol)
        now = (
            await self._margin_mode(wire),
            words.is_hedged(rows),
            {Decimal(row["leverage"] or 0) for row in rows},
        )
        if now != (_MARGINS[cross], hedge, {Decimal(leverage)}):
            raise VenueRefusedError(
                f"{symbol}: margin must be {_MARGINS[cross]}, hedge {hedge}, leverage {leverage},"
                f" were {now[0]}, {now[1]}, {', '.join(map(str, now[2]))}"
            )

    async def place(self, wire: Caller, order: Order, *, hedge: bool, valid_ms: int) -> OrderUpdate:
        """Bybit acknowledges only: the order is there, and its own news tell the rest."""
        params = requests.placed(order, hedge=hedge, valid_ms=valid_ms)
        answer = await wire.call("privatePostV5OrderCreate", params, weight=0, urgent=True)
        return OrderUpdate(
            client_order_id=order.client_order_id,
            state=OrderState.OPEN,
            exchange_order_id=answer["result"]["orderId"],
            at_ms=int(answer["time"]),
        )

    async def cancel(self, wire: Caller, order: Order, *, valid_ms: int) -> OrderUpdate | None:
        """What a look-up tells after the cancel was acknowledged or found nothing to cancel."""
        params = requests.named(order) | {"recvWindow": valid_ms}
        try:
            await wire.call("privatePostV5OrderCancel", params, urgent=True)
        except VenueRefusedError as error:
            if error.code not in _GONE:
                raise
        return await self.find(wire, order)

    async def find(self, wire: Caller, order: Order) -> OrderUpdate | None:
        """Among the latest orders of any state, then in the history."""
        for method in ("privateGetV5OrderRealtime", "privateGetV5OrderHistory"):
            answer = await wire.call(method, requests.named(order), urgent=True)
            for row in answer["result"]["list"]:
                if row["orderLinkId"] == order.client_order_id:
                    return words.order_update(row, order.client_order_id)
        return None

    def is_duplicate(self, code: str) -> bool:
        return code == "110072"

    def market_socket(self, client: Any, symbols: Sequence[str], *, key: str) -> Socket:
        """Trades of all symbols on one socket, and a ticker, whose mark price always moves."""
        url = client.implode_hostname(client.urls["api"]["ws"]["public"]["linear"])
        topics = [f"publicTrade.{symbol}" for symbol in symbols]
        topics.append(f"tickers.{symbols[0]}")
        # ccxt keeps sockets apart by their addresses; a fragment is never sent.
        return Socket(url=f"{url}#{key}", request={"op": "subscribe", "args": topics})

    def read_trades(self, message: Any) -> Sequence[Trade]:
        return words.streamed_trades(message)

    def event_ms(self, message: Any) -> int | None:
        """When the publisher made it; answers to subscriptions say no time."""
        made = message.get("ts")
        return made if isinstance(made, int) else None

    def is_pong(self, message: Any) -> bool:
        """The private line answers pings by their name, the public one in its `ret_msg`."""
        if not isinstance(message, dict):
            return False
        return message.get("op") == "pong" or message.get("ret_msg") == "pong"

    async def private_socket(self, wire: Caller) -> Socket:
        """Log in, then subscribe once that is accepted."""
        client = wire.client()
        return Socket(
            url=client.implode_hostname(client.urls["api"]["ws"]["private"]["contract"]),
            request=requests.login(client.apiKey, client.secret, client.nonce() + _LOGIN_MS),
            reply=requests.after_login,
        )

    async def keep_private_alive(self, wire: Caller) -> None:
        """Nothing: the pings that ccxt sends keep the line."""

    def read_private(self, message: Any, names: OrderNames, *, patient: bool) -> PrivateNews:
        return words.private_news(message)

    async def _position_rows(self, wire: Caller, symbol: str) -> list[Any]:
        params = LINEAR | {"symbol": symbol}
        answer = await wire.call("privateGetV5PositionList", params, urgent=True)
        rows: list[Any] = answer["result"]["list"]
        if not rows:
            raise VenueRefusedError(f"{symbol}: the venue tells no position mode")
        return rows

    async def _margin_mode(self, wire: Caller) -> str:
        answer = await wire.call("privateGetV5AccountInfo", urgent=True)
        return str(answer["result"]["marginMode"])


async def _set(wire: Caller, method: str, params: Mapping[str, Any]) -> None:
    try:
        await wire.call(method, params, urgent=True)
    except VenueRefusedError as error:
        if error.code not in _NO_CHANGE:
            raise
