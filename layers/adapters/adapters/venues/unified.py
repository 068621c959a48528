"""Any venue through ccxt's unified methods: basic trading where no dialect of its own exists.

One net position a symbol, prices and the account by asking again and again. An order that a
triggered stop turned into may carry a name we never gave; then its fills are found by quantity, as
those of a stranger. Requests carry the validity of the client's default, not of the order.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

from adapters.failures import OrderUnknownError
from adapters.names import Name, OrderNames
from adapters.venues import Caller, Kline, LastPrice, PrivateNews, Row, Socket, Trade
from adapters.venues import unified_calls as calls
from adapters.venues import unified_words as words
from adapters.venues.unified_calls import UnifiedVenue
from engine.errors import RefusedError, VenueRefusedError
from engine.events import Account, Funding, KeyRights, OrderUpdate, VenueOrder, VenuePosition
from engine.ledger import Fill, Order, OrderType
from engine.values import Instrument, OrderSide, plain

_PAGE = 100
_VALID_MS = 2_000


class UnifiedSwap:
    """A dialect of perpetuals settled in USDT, over ccxt's unified methods."""

    used_weight_header = ""
    errors = words.ERRORS
    kline_spans_ms: Mapping[int, str] = {60_000: "1m", 300_000: "5m", 3_600_000: "1h"}
    kline_page = 200
    trades_weight = 1

    def __init__(self, venue: UnifiedVenue) -> None:
        self.ccxt_id = venue.ccxt_id
        self.weight_per_minute = venue.per_minute
        self._venue = venue
        self._symbols: set[str] = set()  # what was prepared, traded or held here

    def use_testnet(self, client: Any) -> None:
        if not client.urls.get("test") and not client.has.get("sandbox"):
            raise RefusedError(f"{self.ccxt_id} has no test net")
        client.set_sandbox_mode(True)

    def adjust(self, client: Any) -> None:
        """Exact numbers, perpetuals by default, and unified methods by one dict of arguments."""
        client.number = str
        client.options |= {
            "defaultType": "swap",
            "defaultSubType": "linear",
            "fetchCurrencies": False,
            "warnOnFetchOpenOrdersWithoutSymbol": False,
        }
        if "recvWindow" in client.options:
            client.options["recvWindow"] = _VALID_MS
        calls.by_dicts(client)

    # --- reading

    async def instruments(self, wire: Caller, *, ranked: bool) -> tuple[Instrument, ...]:
        await calls.ask(wire, "load_markets", reload=True)
        volumes: dict[str, Decimal] = {}
        if ranked:
            rows = await calls.ask(wire, "fetch_tickers")
            volumes = {name: words.decimal(row.get("quoteVolume")) for name, row in rows.items()}
        markets = calls.markets(wire).values()
        return tuple(
            words.instrument(market, volume_quote=volumes.get(market["symbol"], Decimal(0)))
            for market in markets
        )

    async def klines(
        self, wire: Caller, symbol: str, *, span_ms: int, start_ms: int, limit: int
    ) -> Sequence[Kline]:
        market = await calls.market_of(wire, symbol)
        rows = await calls.ask(
            wire,
            "fetch_ohlcv",
            symbol=market["symbol"],
            timeframe=self.kline_spans_ms[span_ms],
            since=start_ms,
            limit=limit,
        )
        return [words.kline(row, words.size_of(market)) for row in rows]

    async def trades(
        self, wire: Caller, symbol: str, *, start_ms: int, end_ms: int
    ) -> Sequence[Trade]:
        """The venue's latest ones of [start, end); they are numbered by their time."""
        market = await calls.market_of(wire, symbol)
        rows = await calls.ask(wire, "fetch_trades", symbol=market["symbol"], since=start_ms)
        return [
            Trade(
                symbol=symbol,
                event_ms=int(row["timestamp"]),
                price=str(row["price"]),
                quantity=plain(words.decimal(row["amount"]) * words.size_of(market)),
                trade_id=int(row["timestamp"]),
            )
            for row in rows
            if start_ms <= int(row["timestamp"]) < end_ms
        ]

    async def last_prices(self, wire: Caller) -> Sequence[LastPrice]:
        await calls.ready(wire)
        rows = await calls.ask(wire, "fetch_tickers", urgent=True)
        symbols = {m["symbol"]: name for name, m in calls.markets(wire).items()}
        return [
            LastPrice(
                symbol=symbols[name],
                price=words.decimal(row["last"]),
                event_ms=int(row.get("timestamp") or 0),
            )
            for name, row in rows.items()
            if name in symbols and row.get("last")
        ]

    async def account(self, wire: Caller, *, now_ms: int) -> Account:
        """What the venue calls total and free in USDT."""
        await calls.ready(wire)
        row = await calls.ask(wire, "fetch_balance", params={"type": "swap"}, urgent=True)
        money = row.get(calls.QUOTE) or {}
        total = words.decimal(money.get("total"))
        free = total if money.get("free") is None else words.decimal(money["free"])
        return Account(equity=total, free_margin=free, at_ms=now_ms)

    async def positions(self, wire: Caller) -> tuple[VenuePosition, ...]:
        await calls.ready(wire)
        rows = await calls.ask(wire, "fetch_positions", urgent=True)
        found = []
        for symbol, market, row in calls.known(wire, rows):
            held = words.venue_position(row, symbol, words.size_of(market))
            if held is not None:
                self._symbols.add(symbol)
                found.append(held)
        return tuple(found)

    async def open_orders(self, wire: Caller) -> tuple[VenueOrder, ...]:
        await calls.ready(wire)
        rows = await calls.listed(wire, "fetch_open_orders", sorted(self._symbols))
        return tuple(
            words.venue_order(row, symbol, words.size_of(market), short_ids=self._venue.short_ids)
            for symbol, market, row in calls.known(wire, rows)
        )

    async def fills(self, wire: Caller, symbol: str, *, since_ms: int) -> tuple[Fill, ...]:
        market = await calls.market_of(wire, symbol)
        rows: dict[str, Row] = {}
        while True:
            page = await calls.ask(
                wire,
                "fetch_my_trades",
                symbol=market["symbol"],
                since=since_ms,
                limit=_PAGE,
                urgent=True,
            )
            new = {str(row["id"]): row for row in page}
            is_known = new.keys() <= rows.keys()
            rows |= new
            if len(page) < _PAGE or is_known:
                break
            since_ms = max(int(row["timestamp"]) for row in page)
        size = words.size_of(market)
        found = []
        for row in rows.values():
            named = await calls.name_of(wire, self._venue, market, row)
            found.append(words.fill(row, named, symbol, size))
        return tuple(sorted(found, key=lambda each: (each.executed_at_ms, each.trade_id)))

    async def is_hedged(self, wire: Caller) -> bool:
        await calls.ready(wire)
        if not wire.client().has.get("fetchPositionMode"):
            return False
        answer = await calls.ask(wire, "fetch_position_mode", urgent=True)
        return bool(answer["hedged"])

    async def funding(self, wire: Caller, *, since_ms: int) -> tuple[Funding, ...]:
        if not wire.client().has.get("fetchFundingHistory"):
            return ()
        found = []
        for symbol in sorted(self._symbols):
            market = await calls.market_of(wire, symbol)
            rows = await calls.ask(
                wire, "fetch_funding_history", symbol=market["symbol"], since=since_ms
            )
            found += [words.funding(row, symbol) for row in rows]
        return tuple(sorted(found, key=lambda each: each.at_ms))

    async def rights(self, wire: Caller) -> KeyRights:
        """No unified method tells them."""
        return KeyRights(can_trade=None, can_withdraw=None, is_address_bound=None)

    # --- acting

    async def prepare(
        self, wire: Caller, symbol: str, *, leverage: int, hedge: bool, cross: bool
    ) -> None:
        """Set modes and leverage; read back what can be."""
        if hedge:
            raise VenueRefusedError(
                f"position_mode must be one_way on {self.ccxt_id}: both sides at once need a "
                "dialect of the venue's own"
            )
        name = (await calls.market_of(wire, symbol))["symbol"]
        if await self.is_hedged(wire):
            await calls.make_so(wire, "set_position_mode", hedged=False, symbol=name)
        await self._set_margin(wire, name, leverage=leverage, mode="cross" if cross else "isolated")
        if await self._leverages(wire, name) != {leverage}:
            params = dict(self._venue.leverage)
            await calls.make_so(wire, "set_leverage", leverage=leverage, symbol=name, params=params)
            now = await self._leverages(wire, name)
            if now and now != {leverage}:
                raise VenueRefusedError(f"{symbol}: leverage must be {leverage}, was {now}")
        self._symbols.add(symbol)

    async def place(self, wire: Caller, order: Order, *, hedge: bool, valid_ms: int) -> OrderUpdate:
        if hedge:
            raise VenueRefusedError(
                "the account holds both sides at once; position_mode is one_way"
            )
        market = await calls.market_of(wire, order.symbol)
        size = words.size_of(market)
        row = await calls.ask(
            wire,
            "create_order",
            symbol=market["symbol"],
            type="market",
            side="buy" if order.order_side is OrderSide.BUY else "sell",
            amount=plain(order.quantity / size),
            params=self._params(wire, order),
            urgent=True,
        )
        update = words.order_update(row, order.client_order_id, size)
        self._symbols.add(order.symbol)
        wire.names.note(
            update.exchange_order_id,
            Name(client_order_id=order.client_order_id, side=order.side),
        )
        return update

    async def cancel(self, wire: Caller, order: Order, *, valid_ms: int) -> OrderUpdate | None:
        """The state after the cancel, or None if the venue knows no such order any more."""
        market = await calls.market_of(wire, order.symbol)
        there = await self.find(wire, order)
        if there is None or there.state.is_terminal:
            return there
        params = {"trigger": True} if order.order_type.is_conditional else {}
        with suppress(OrderUnknownError):  # filled, triggered or cancelled meanwhile
            await calls.ask(
                wire,
                "cancel_order",
                id=there.exchange_order_id,
                symbol=market["symbol"],
                params=params,
                urgent=True,
            )
        return await self.find(wire, order)

    async def find(self, wire: Caller, order: Order) -> OrderUpdate | None:
        market = await calls.market_of(wire, order.symbol)
        row = await calls.found(wire, self._venue, order)
        if row is None:
            return None
        return words.order_update(row, order.client_order_id, words.size_of(market))

    def is_duplicate(self, code: str) -> bool:
        """Names are unique for each attempt, and codes differ from venue to venue."""
        return False

    async def _set_margin(self, wire: Caller, name: str, *, leverage: int, mode: str) -> None:
        has = wire.client().has
        if not has.get("setMarginMode"):
            return
        if has.get("fetchMarginMode"):
            row = await calls.ask(wire, "fetch_margin_mode", symbol=name, urgent=True)
            if row.get("marginMode") == mode:
                return
        given = {"leverage": leverage} if self._venue.margin_with_leverage else {}
        await calls.make_so(wire, "set_margin_mode", marginMode=mode, symbol=name, params=given)

    async def _leverages(self, wire: Caller, name: str) -> set[int]:
        """What the venue says of both sides; empty where it says nothing."""
        if not wire.client().has.get("fetchLeverage"):
            return set()
        row = await calls.ask(wire, "fetch_leverage", symbol=name, urgent=True)
        told = {int(words.decimal(row.get(side))) for side in ("longLeverage", "shortLeverage")}
        return told - {0}

    # --- streams: there are none

    def market_socket(self, client: Any, symbols: Sequence[str], *, key: str) -> Socket:
        raise RefusedError(f"{self.ccxt_id} is read by polling")

    def read_trades(self, message: Any) -> Sequence[Trade]:
        return ()

    def is_pong(self, message: Any) -> bool:
        return False

    async def private_socket(self, wire: Caller) -> Socket:
        raise RefusedError(f"{self.ccxt_id} is read by polling")

    async def keep_private_alive(self, wire: Caller) -> None:
        """Nothing is open."""

    def read_private(self, message: Any, names: OrderNames, *, patient: bool) -> PrivateNews:
        return PrivateNews()

    # --- helping

    def _params(self, wire: Caller, order: Order) -> dict[str, Any]:
        name = words.short_id(order.client_order_id, short_ids=self._venue.short_ids)
        params: dict[str, Any] = {"clientOrderId": name}
        if order.reduce_only:
            params["reduceOnly"] = True
        if not order.order_type.is_conditional:
            return params
        if order.trigger_price is None:
            raise VenueRefusedError(f"{order.order_type} needs a trigger price, had none")
        is_stop = order.order_type is OrderType.STOP_MARKET
        unified = "stopLossPrice" if is_stop else "takeProfitPrice"
        if not calls.feature(wire, "createOrder", unified):
            rises = is_stop != (order.order_side is OrderSide.SELL)
            params["triggerDirection"] = "up" if rises else "down"
            unified = "triggerPrice"
        params[unified] = plain(order.trigger_price)
        return params
