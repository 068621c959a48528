"""OKX's USDT-settled perpetuals: routes, weights and parameters.

Quantities are contracts on the wire. Margin mode is a property of each order. Conditional orders
live on their own routes with their own ids; one that is triggered becomes a plain order with an id
of its own, which names its parent. A market order's answer says only that it was accepted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from adapters.failures import UNREADABLE
from adapters.names import Name, OrderNames
from adapters.venues import Caller, Kline, LastPrice, PrivateNews, Row, Socket, Trade
from adapters.venues import okx_calls as calls
from adapters.venues import okx_order_words as order_words
from adapters.venues import okx_words as words
from adapters.venues.okx_requests import cancelling, placing
from adapters.venues.okx_signing import logged_in, sign_with_deadlines
from engine.errors import CtsError, VenueRefusedError
from engine.events import Account, Funding, KeyRights, OrderUpdate, VenueOrder, VenuePosition
from engine.ledger import Fill, Order
from engine.values import Instrument

_GONE = frozenset({"51400", "51401", "51402", "51410", "51503", "51603"})
_DUPLICATE = frozenset({"51016", "51065", "51068"})
_FILLS_MS = 3 * 86_400_000 - 600_000  # the quick list of fills reaches three days back


class OkxSwap:
    """The dialect of OKX's USDT swaps.

    OKX limits each route by requests in two seconds; weights are such that a route asked at its
    limit uses up the minute's budget.
    """

    ccxt_id = "okx"
    weight_per_minute = 1200
    used_weight_header = ""  # OKX tells none
    limit_window_ms = 2_000
    errors = words.ERRORS
    kline_spans_ms: Mapping[int, str] = {60_000: "1m", 300_000: "5m", 3_600_000: "1H"}
    kline_page = 300
    trades_weight = 4  # a request, and often another

    def __init__(self) -> None:
        self._sizes: dict[str, Decimal] = {}
        self._modes: dict[str, str] = {}  # margin mode of each symbol's orders

    def use_testnet(self, client: Any) -> None:
        """Demo trading: the same hosts, another header."""
        client.set_sandbox_mode(True)

    def adjust(self, client: Any) -> None:
        sign_with_deadlines(client)

    async def instruments(self, wire: Caller, *, ranked: bool) -> tuple[Instrument, ...]:
        rows = await self._listed(wire)
        volumes: dict[str, Decimal] = {}
        if ranked:
            for row in await calls.tickers(wire):
                volumes[row["instId"]] = words.volume_quote(row)
        found = (
            words.instrument(row, volume_quote=volumes.get(row["instId"], Decimal(0)))
            for row in rows
        )
        return tuple(each for each in found if each is not None)

    async def klines(
        self, wire: Caller, symbol: str, *, span_ms: int, start_ms: int, limit: int
    ) -> Sequence[Kline]:
        bar = self.kline_spans_ms[span_ms]
        rows = await calls.candles(
            wire, symbol, span_ms=span_ms, bar=bar, start_ms=start_ms, limit=limit
        )
        return [words.kline(row) for row in rows]

    async def trades(
        self, wire: Caller, symbol: str, *, start_ms: int, end_ms: int
    ) -> Sequence[Trade]:
        sizes = await self._known(wire, [symbol])
        rows = await calls.trades(wire, symbol, start_ms=start_ms, end_ms=end_ms)
        return [words.trade(row, sizes) for row in reversed(rows)]

    async def last_prices(self, wire: Caller) -> Sequence[LastPrice]:
        await self._known(wire)  # the trades that follow cannot be read without
        rows = await calls.tickers(wire, urgent=True)
        return [words.last_price(row) for row in rows if row["last"]]

    async def account(self, wire: Caller, *, now_ms: int) -> Account:
        row = await calls.ask_one(wire, "privateGetAccountBalance", {"ccy": "USDT"}, weight=4)
        return words.account(row, now_ms=now_ms)

    async def positions(self, wire: Caller) -> tuple[VenuePosition, ...]:
        rows = await calls.held(wire)
        sizes = await self._known(wire, map(words.symbol_of, rows))
        for row in rows:
            self._modes.setdefault(words.symbol_of(row), row["mgnMode"])
        return words.venue_positions(rows, sizes)

    async def open_orders(self, wire: Caller) -> tuple[VenueOrder, ...]:
        rows = await calls.working(wire)
        sizes = await self._known(wire, map(words.symbol_of, rows))
        return tuple(order_words.venue_order(row, sizes) for row in rows)

    async def fills(self, wire: Caller, symbol: str, *, since_ms: int) -> tuple[Fill, ...]:
        """From the quick list, and from the slower one what lies before its three days."""
        sizes = await self._known(wire, [symbol])
        params = {"instType": "SWAP", "instId": words.to_inst_id(symbol), "begin": since_ms}
        rows = await calls.ask_pages(wire, "privateGetTradeFills", params, "billId")
        if since_ms < int(wire.client().nonce()) - _FILLS_MS:
            rows += await calls.ask_pages(
                wire, "privateGetTradeFillsHistory", params, "billId", weight=4
            )
        named = {row["ordId"]: await self._name(wire, row) for row in rows}
        fills = {row["billId"]: order_words.fill(row, named[row["ordId"]], sizes) for row in rows}
        return tuple(
            fills[bill] for bill in sorted(fills, key=lambda b: (fills[b].executed_at_ms, int(b)))
        )

    async def is_hedged(self, wire: Caller) -> bool:
        await self._known(wire)  # so that no order has to ask for it
        return await calls.is_hedged(wire)

    async def funding(self, wire: Caller, *, since_ms: int) -> tuple[Funding, ...]:
        """Payments of the last three months at most, oldest first."""
        params = {"instType": "SWAP", "type": "8", "begin": since_ms}
        rows = await calls.ask_pages(
            wire, "privateGetAccountBillsArchive", params, "billId", weight=8
        )
        found = (words.funding(row) for row in rows if words.is_of_usdt_swap(row))
        return tuple(sorted(found, key=lambda each: (each.at_ms, int(each.funding_id))))

    async def rights(self, wire: Caller) -> KeyRights:
        return words.rights(await calls.config(wire))

    async def prepare(
        self, wire: Caller, symbol: str, *, leverage: int, hedge: bool, cross: bool
    ) -> None:
        """Set and read back; the margin mode itself goes with every order from now on."""
        mode = "cross" if cross else "isolated"
        await calls.set_position_mode(wire, hedge=hedge)
        for row in await calls.held(wire, symbol):
            if row["mgnMode"] != mode:
                raise VenueRefusedError(
                    f"{symbol}: margin must be {mode}, a position is open in {row['mgnMode']}"
                )
        await calls.set_leverage(wire, symbol, mode, leverage, hedge=hedge)
        self._modes[symbol] = mode

    async def place(self, wire: Caller, order: Order, *, hedge: bool, valid_ms: int) -> OrderUpdate:
        size, mode = await self._size(wire, order.symbol), await self._mode(wire, order.symbol)
        until_ms = int(wire.client().nonce()) + valid_ms
        params = placing(order, size=size, mode=mode, hedge=hedge, until_ms=until_ms)
        if order.order_type.is_conditional:
            row = await calls.act(wire, "privatePostTradeOrderAlgo", params)
            return order_words.accepted(order, row["algoId"])
        row = await calls.act(wire, "privatePostTradeOrder", params)
        _note(wire.names, row["ordId"], order)
        try:
            return await self.find(wire, order) or order_words.accepted(order, row["ordId"])
        except (CtsError, *UNREADABLE):
            return order_words.accepted(
                order, row["ordId"]
            )  # what came of it is told by stream and fills

    async def cancel(self, wire: Caller, order: Order, *, valid_ms: int) -> OrderUpdate | None:
        """The state after the cancel, or None if the venue knows no such order any more."""
        is_conditional = order.order_type.is_conditional
        route = "privatePostTradeCancelAlgos" if is_conditional else "privatePostTradeCancelOrder"
        until_ms = int(wire.client().nonce()) + valid_ms
        try:
            await calls.act(wire, route, cancelling(order, until_ms=until_ms))
        except VenueRefusedError as error:
            if error.code not in _GONE:
                raise
        return await self.find(wire, order)  # an accepted cancel may still lose against a fill

    async def find(self, wire: Caller, order: Order) -> OrderUpdate | None:
        sizes = await self._known(wire, [order.symbol])
        try:
            if order.order_type.is_conditional:
                return await self._find_conditional(wire, order, sizes)
            row = await calls.order(wire, order.symbol, clOrdId=order.client_order_id)
        except VenueRefusedError as error:
            if error.code not in _GONE:
                raise
            return None
        _note(wire.names, row["ordId"], order)
        return order_words.order_update(row, order.client_order_id, sizes)

    def is_duplicate(self, code: str) -> bool:
        return code in _DUPLICATE

    def market_socket(self, client: Any, symbols: Sequence[str], *, key: str) -> Socket:
        """Trades of all symbols on one socket, and the first one's book: proof of life.

        The key keeps it apart from other sockets of the same address; a fragment is never sent.
        """
        args = [{"channel": "trades", "instId": words.to_inst_id(each)} for each in symbols]
        args.append({"channel": "books5", "instId": args[0]["instId"]})
        url = f"{client.get_url('trades', 'public')}#{key}"
        return Socket(url=url, request={"op": "subscribe", "args": args})

    def read_trades(self, message: Any) -> Sequence[Trade]:
        if message.get("arg", {}).get("channel") != "trades":
            return ()
        return self._read(lambda: [words.trade(r, self._sizes) for r in message.get("data", ())])

    def event_ms(self, message: Any) -> int | None:
        """When OKX made it: the latest time of its rows; None for what has none."""
        rows = message.get("data") or ()
        return max((int(row["ts"]) for row in rows), default=None)

    def is_pong(self, message: Any) -> bool:
        return bool(message == "pong")

    async def private_socket(self, wire: Caller) -> Socket:
        """Our plain orders of all swaps, whose messages carry the fills too."""
        await self._known(wire)
        url = wire.client().get_url("orders", "private")
        return logged_in(wire.client(), url, [{"channel": "orders", "instType": "SWAP"}])

    async def second_private_socket(self, wire: Caller) -> Socket:
        """Our conditional orders of all swaps."""
        url = wire.client().get_url("orders-algo", "business")
        return logged_in(wire.client(), url, [{"channel": "orders-algo", "instType": "SWAP"}])

    async def keep_private_alive(self, wire: Caller) -> None:
        """Nothing: the login lasts as long as its socket."""

    def read_private(self, message: Any, names: OrderNames, *, patient: bool) -> PrivateNews:
        return self._read(lambda: order_words.private_news(message, names, self._sizes))

    def _read[Found](self, reading: Callable[[], Found]) -> Found:
        """What is of unknown size may be listed since: sizes are then asked for again."""
        try:
            return reading()
        except KeyError:
            self._sizes = {}
            raise

    async def _listed(self, wire: Caller) -> list[Row]:
        rows = await calls.instruments(wire)
        self._sizes |= {words.symbol_of(row): words.contract_size(row) for row in rows}
        return rows

    async def _known(self, wire: Caller, symbols: Iterable[str] = ()) -> words.Sizes:
        """Contract sizes, asked for once, and again for symbols listed since."""
        if not self._sizes or not self._sizes.keys() >= set(symbols):
            await self._listed(wire)
        return self._sizes

    async def _size(self, wire: Caller, symbol: str) -> Decimal:
        found = (await self._known(wire, [symbol])).get(symbol)
        if found is None:
            raise VenueRefusedError(f"{symbol}: OKX lists no such swap")
        return found

    async def _mode(self, wire: Caller, symbol: str) -> str:
        """The margin mode that was prepared, or else that of the position that is open."""
        if symbol not in self._modes:
            modes = {row["mgnMode"] for row in await calls.held(wire, symbol)}
            if len(modes) != 1:
                raise VenueRefusedError(f"{symbol}: its margin mode was never prepared")
            self._modes[symbol] = modes.pop()
        return self._modes[symbol]

    async def _find_conditional(
        self, wire: Caller, order: Order, sizes: words.Sizes
    ) -> OrderUpdate:
        params = {"algoClOrdId": order.client_order_id}
        row = await calls.ask_one(wire, "privateGetTradeOrderAlgo", params, weight=2)
        born = order_words.born_order_id(row)
        if not born:
            return order_words.conditional_update(row, order.client_order_id)
        _note(wire.names, born, order)
        try:
            plain_row = await calls.order(wire, order.symbol, ordId=born)
        except VenueRefusedError as error:
            if error.code not in _GONE:
                raise
            # Born, but not visible yet: no "not found".
            return order_words.conditional_update(row, order.client_order_id)
        return order_words.order_update(plain_row, order.client_order_id, sizes)

    async def _name(self, wire: Caller, row: Row) -> Name:
        """The name of a fill's order; one that was born, or a stranger's, is asked for."""
        names, order_id = wire.names, row["ordId"]
        named = names.get(order_id) or order_words.name_of_fill(row)
        if named is None:
            found = await calls.order(wire, words.symbol_of(row), ordId=order_id)
            named = order_words.name_of(found)
        return names.note(order_id, named)


def _note(names: OrderNames, exchange_order_id: str, order: Order) -> None:
    names.note(exchange_order_id, Name(client_order_id=order.client_order_id, side=order.side))
