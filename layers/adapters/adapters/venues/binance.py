"""Binance USD-M: routes, weights and parameters.

Conditional orders live on their own routes with their own ids; with hedge mode on, orders carry
`positionSide` and must not carry `reduceOnly`; a client id is unique among open orders only.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.limit_answers import OrderLimit
from adapters.names import Name, OrderNames
from adapters.venues import Caller, PrivateNews, Socket
from adapters.venues import binance_words as words
from adapters.venues.binance_market import BinanceMarket
from engine.errors import VenueRefusedError
from engine.events import Account, Funding, KeyRights, OrderUpdate, VenueOrder, VenuePosition
from engine.ledger import Fill, Order, OrderState
from engine.values import plain

_UNKNOWN_ORDER = frozenset({"-2011", "-2013"})
_NO_CHANGE = frozenset({"-4046", "-4059"})
_PAGE = 1000


class BinanceUsdm(BinanceMarket):
    """The dialect of Binance USD-M futures."""

    ccxt_id = "binanceusdm"
    weight_per_minute = 2400
    listed_apart = 8
    order_weights = (40, 1)
    errors = words.ERRORS
    order_limits: Mapping[str, OrderLimit] = {
        "X-MBX-ORDER-COUNT-10S": OrderLimit(interval_ms=10_000, most=300),
        "X-MBX-ORDER-COUNT-1M": OrderLimit(interval_ms=60_000, most=1_200),
    }

    def use_testnet(self, client: Any) -> None:
        """The futures testnet was replaced by demo trading."""
        client.enable_demo_trading(True)

    def adjust(self, client: Any) -> None:
        """Nothing: ccxt does as we need."""

    async def account(self, wire: Caller, *, now_ms: int) -> Account:
        return words.account(
            await wire.call("fapiPrivateV3GetAccount", weight=5, urgent=True), now_ms=now_ms
        )

    async def positions(self, wire: Caller) -> tuple[VenuePosition, ...]:
        rows = await wire.call("fapiPrivateV3GetPositionRisk", weight=5, urgent=True)
        found = (words.venue_position(row) for row in rows)
        return tuple(each for each in found if each is not None)

    async def _working(
        self, wire: Caller, params: Mapping[str, str], *, weight: int
    ) -> tuple[VenueOrder, ...]:
        plain_rows = await wire.call("fapiPrivateGetOpenOrders", params, weight=weight, urgent=True)
        conditional = await wire.call(
            "fapiPrivateGetOpenAlgoOrders", params, weight=weight, urgent=True
        )
        return tuple(words.venue_order(row) for row in (*plain_rows, *conditional))

    async def fills(self, wire: Caller, symbol: str, *, since_ms: int) -> tuple[Fill, ...]:
        params: dict[str, Any] = {"symbol": symbol, "startTime": since_ms, "limit": _PAGE}
        rows: list[Any] = []
        while True:
            page = await wire.call("fapiPrivateGetUserTrades", params, weight=5, urgent=True)
            rows += page
            if len(page) < _PAGE:
                break
            params = {"symbol": symbol, "fromId": int(page[-1]["id"]) + 1, "limit": _PAGE}
        named = await self._names(wire, symbol, {str(row["orderId"]) for row in rows})
        fills = (words.fill(row, named[str(row["orderId"])]) for row in rows)
        return tuple(sorted(fills, key=lambda each: (each.executed_at_ms, int(each.trade_id))))

    async def is_hedged(self, wire: Caller) -> bool:
        answer = await wire.call("fapiPrivateGetPositionSideDual", weight=30, urgent=True)
        return _true(answer["dualSidePosition"])

    async def funding(self, wire: Caller, *, since_ms: int) -> tuple[Funding, ...]:
        """Payments since then, oldest first; Binance does not say for which side they were."""
        params: dict[str, Any] = {
            "incomeType": "FUNDING_FEE",
            "startTime": since_ms,
            "limit": _PAGE,
        }
        found: dict[str, Funding] = {}
        while True:
            page = await wire.call("fapiPrivateGetIncome", params, weight=30, urgent=True)
            new = {each.funding_id: each for each in map(words.funding, page)}
            is_known = new.keys() <= found.keys()
            found |= new
            if len(page) < _PAGE or is_known:
                return tuple(sorted(found.values(), key=lambda each: each.at_ms))
            params["startTime"] = int(page[-1]["time"])  # the page may end amid a moment

    async def rights(self, wire: Caller) -> KeyRights:
        return words.rights(await self._restrictions(wire))

    async def prepare(
        self, wire: Caller, symbol: str, *, leverage: int, hedge: bool, cross: bool
    ) -> None:
        """Set and read back. Binance refuses to "change" what is so already: that is success."""
        if await self.is_hedged(wire) != hedge:
            await _set(wire, "fapiPrivatePostPositionSideDual", dualSidePosition=str(hedge).lower())
            if await self.is_hedged(wire) != hedge:
                raise VenueRefusedError(f"position mode did not become hedge={hedge}")
        margin = "CROSSED" if cross else "ISOLATED"
        await _set(wire, "fapiPrivatePostMarginType", symbol=symbol, marginType=margin)
        await _set(wire, "fapiPrivatePostLeverage", symbol=symbol, leverage=leverage)
        rows = await wire.call(
            "fapiPrivateGetSymbolConfig", {"symbol": symbol}, weight=5, urgent=True
        )
        config: Mapping[str, Any] = next((r for r in rows if r["symbol"] == symbol), {})
        now = (config.get("marginType"), int(config.get("leverage", 0)))
        if now != (margin, leverage):
            raise VenueRefusedError(
                f"{symbol}: margin and leverage must be {(margin, leverage)}, were {now}"
            )

    async def place(self, wire: Caller, order: Order, *, hedge: bool, valid_ms: int) -> OrderUpdate:
        params: dict[str, Any] = {
            "symbol": order.symbol,
            "side": order.order_side.value,
            "type": order.order_type.value,
            "quantity": plain(order.quantity),
            "recvWindow": valid_ms,
        }
        if hedge:
            params["positionSide"] = order.side.value
        elif order.reduce_only:
            params["reduceOnly"] = "true"
        if order.order_type.is_conditional:
            return await self._place_conditional(wire, order, params)
        params |= {"newClientOrderId": order.client_order_id, "newOrderRespType": "RESULT"}
        row = await wire.call("fapiPrivatePostOrder", params, weight=0, urgent=True)
        _note(wire.names, str(row["orderId"]), order)
        return words.order_update(row, order.client_order_id)

    async def cancel(self, wire: Caller, order: Order, *, valid_ms: int) -> OrderUpdate | None:
        """The state after the cancel, or None if the venue knows no such order any more."""
        try:
            if order.order_type.is_conditional:
                await wire.call(
                    "fapiPrivateDeleteAlgoOrder",
                    {"clientAlgoId": order.client_order_id, "recvWindow": valid_ms},
                    urgent=True,
                )
                return OrderUpdate(
                    client_order_id=order.client_order_id,
                    state=OrderState.CANCELLED,
                    exchange_order_id=order.exchange_order_id,
                )
            params = {
                "symbol": order.symbol,
                "origClientOrderId": order.client_order_id,
                "recvWindow": valid_ms,
            }
            row = await wire.call("fapiPrivateDeleteOrder", params, urgent=True)
            return words.order_update(row, order.client_order_id)
        except VenueRefusedError as error:
            if error.code not in _UNKNOWN_ORDER:
                raise
            return await self.find(wire, order)  # filled, triggered or cancelled meanwhile

    async def find(self, wire: Caller, order: Order) -> OrderUpdate | None:
        try:
            if order.order_type.is_conditional:
                return await self._find_conditional(wire, order)
            params = {"symbol": order.symbol, "origClientOrderId": order.client_order_id}
            row = await wire.call("fapiPrivateGetOrder", params, urgent=True)
        except VenueRefusedError as error:
            if error.code not in _UNKNOWN_ORDER:
                raise
            return None
        _note(wire.names, str(row["orderId"]), order)
        return words.order_update(row, order.client_order_id)

    def is_duplicate(self, code: str) -> bool:
        return code == "-4116"

    def market_socket(self, client: Any, symbols: Sequence[str], *, key: str) -> Socket:
        """Trades of all symbols on one socket, and a mark price each second: proof of life.

        Aggregates leave out what insurance fund and deleveraging print, and are numbered alike in
        the stream and in the list of the past.
        """
        names = [f"{symbol.lower()}@aggTrade" for symbol in symbols]
        names.append(f"{symbols[0].lower()}@markPrice@1s")
        url = f"{client.get_ws_url('linear', 'market')}/{client.stream('linear', key, len(names))}"
        return Socket(url=url, request={"method": "SUBSCRIBE", "params": names, "id": 1})

    async def private_socket(self, wire: Caller) -> Socket:
        answer = await wire.call("fapiPrivatePostListenKey", urgent=True)
        url = wire.client().get_private_ws_url("linear", answer["listenKey"])
        return Socket(url=url, request=None)

    async def keep_private_alive(self, wire: Caller) -> None:
        await wire.call("fapiPrivatePutListenKey", urgent=True)

    def read_private(self, message: Any, names: OrderNames, *, patient: bool) -> PrivateNews:
        return words.private_news(message, names, patient=patient)

    async def _place_conditional(
        self, wire: Caller, order: Order, params: dict[str, Any]
    ) -> OrderUpdate:
        if order.trigger_price is None:
            raise VenueRefusedError(f"{order.order_type} needs a trigger price, had none")
        params |= {
            "algoType": "CONDITIONAL",
            "clientAlgoId": order.client_order_id,
            "triggerPrice": plain(order.trigger_price),
            "workingType": "CONTRACT_PRICE",
        }
        row = await wire.call("fapiPrivatePostAlgoOrder", params, weight=0, urgent=True)
        return words.conditional_update(row)

    async def _find_conditional(self, wire: Caller, order: Order) -> OrderUpdate:
        row = await wire.call(
            "fapiPrivateGetAlgoOrder", {"clientAlgoId": order.client_order_id}, urgent=True
        )
        born = words.born_order_id(row)
        if not born:
            return words.conditional_update(row)
        _note(wire.names, born, order)
        params = {"symbol": order.symbol, "orderId": born}
        try:
            plain_row = await wire.call("fapiPrivateGetOrder", params, urgent=True)
        except VenueRefusedError as error:
            if error.code not in _UNKNOWN_ORDER:
                raise
            return words.conditional_update(row)  # born, but not visible yet: no "not found"
        return words.order_update(plain_row, order.client_order_id)

    async def _names(self, wire: Caller, symbol: str, order_ids: set[str]) -> dict[str, Name]:
        """The names of venue orders; unknown ones are asked for, born ones by their parents."""
        names = wire.names
        if any(names.get(each) is None for each in order_ids):
            rows = await wire.call(
                "fapiPrivateGetAllAlgoOrders", {"symbol": symbol}, weight=5, urgent=True
            )
            for row in filter(words.born_order_id, rows):
                names.note(words.born_order_id(row), words.name_of(row))
        found: dict[str, Name] = {}
        for each in order_ids:
            named = names.get(each)
            if named is None:
                params = {"symbol": symbol, "orderId": each}
                row = await wire.call("fapiPrivateGetOrder", params, urgent=True)
                named = names.note(each, words.name_of(row))
            found[each] = named
        return found


async def _set(wire: Caller, method: str, **params: Any) -> None:
    try:
        await wire.call(method, params, urgent=True)
    except VenueRefusedError as error:
        if error.code not in _NO_CHANGE:
            raise


def _note(names: OrderNames, exchange_order_id: str, order: Order) -> None:
    names.note(exchange_order_id, Name(client_order_id=order.client_order_id, side=order.side))


def _true(value: Any) -> bool:
    return value is True or value == "true"
