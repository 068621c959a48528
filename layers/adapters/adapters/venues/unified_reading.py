"""Reading any venue through ccxt's unified methods."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.venues import Caller, Kline, LastPrice, Row, Trade
from adapters.venues import unified_calls as calls
from adapters.venues import unified_words as words
from adapters.venues.unified_calls import UnifiedVenue
from engine.errors import RefusedError
from engine.events import Account, Funding, KeyRights, VenueOrder, VenuePosition
from engine.ledger import Fill
from engine.values import Instrument, plain

_PAGE = 100
_VALID_MS = 2_000


class UnifiedReading:
    """What is read of a venue."""

    used_weight_header = ""
    errors = words.ERRORS
    kline_spans_ms: Mapping[int, str] = {60_000: "1m", 300_000: "5m", 3_600_000: "1h"}
    kline_page = 200
    trades_weight = 1

    def __init__(self, venue: UnifiedVenue) -> None:
        self.ccxt_id = venue.ccxt_id
        self.weight_per_minute = venue.per_minute
        self.venue = venue
        self.symbols: set[str] = set()  # what was prepared, traded or held here

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
                self.symbols.add(symbol)
                found.append(held)
        return tuple(found)

    async def open_orders(self, wire: Caller) -> tuple[VenueOrder, ...]:
        await calls.ready(wire)
        rows = await calls.listed(wire, self.venue, "fetch_open_orders", sorted(self.symbols))
        return tuple(
            words.venue_order(
                row,
                symbol,
                words.size_of(market),
                naming=self.venue.naming,
                names=wire.names,
            )
            for symbol, market, row in calls.known(wire, rows)
        )

    async def fills(self, wire: Caller, symbol: str, *, since_ms: int) -> tuple[Fill, ...]:
        market = await calls.market_of(wire, symbol)
        rows: dict[str, Row] = {}
        for start_ms, params in self._spans(wire, since_ms):
            rows |= await self._executions(wire, market["symbol"], start_ms, params)
        size = words.size_of(market)
        found = []
        for row in rows.values():
            named = await calls.name_of(wire, self.venue, market, row)
            found.append(words.fill(row, named, symbol, size))
        return tuple(sorted(found, key=lambda each: (each.executed_at_ms, each.trade_id)))

    def _spans(self, wire: Caller, since_ms: int) -> list[tuple[int, dict[str, Any]]]:
        """Where each request for executions starts, and what says where it ends."""
        span_ms = self.venue.span_ms
        if not span_ms:
            return [(since_ms, {})]
        starts = range(since_ms, wire.client().milliseconds() + _VALID_MS, span_ms)
        return [(start_ms, {"until": start_ms + span_ms}) for start_ms in starts]

    async def _executions(
        self, wire: Caller, name: str, since_ms: int, params: Mapping[str, Any]
    ) -> dict[str, Row]:
        rows: dict[str, Row] = {}
        while True:
            page = await calls.ask(
                wire,
                "fetch_my_trades",
                symbol=name,
                since=since_ms,
                limit=_PAGE,
                params=dict(params),
                urgent=True,
            )
            new = {str(row["id"]): row for row in page}
            is_known = new.keys() <= rows.keys()
            rows |= new
            if len(page) < _PAGE or is_known:
                return rows
            since_ms = max(int(row["timestamp"]) for row in page)

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
        for symbol in sorted(self.symbols):
            market = await calls.market_of(wire, symbol)
            rows = await calls.ask(
                wire, "fetch_funding_history", symbol=market["symbol"], since=since_ms
            )
            found += [words.funding(row, symbol) for row in rows]
        return tuple(sorted(found, key=lambda each: each.at_ms))

    async def rights(self, wire: Caller) -> KeyRights:
        """No unified method tells them."""
        return KeyRights(can_trade=None, can_withdraw=None, is_address_bound=None)
