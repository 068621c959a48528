"""Any venue through ccxt's unified methods: basic trading where no dialect of its own exists.

One net position a symbol, prices and the account by asking again and again. An order that a
triggered stop turned into may carry a name we never gave; then its fills are found by quantity, as
those of a stranger. Requests carry the validity of the client's default, not of the order.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from adapters.failures import OrderUnknownError, VenueUnclearError
from adapters.names import Name, OrderNames
from adapters.venues import Caller, PrivateNews, Socket, Trade
from adapters.venues import unified_calls as calls
from adapters.venues import unified_words as words
from adapters.venues.naming import told_as
from adapters.venues.unified_reading import UnifiedReading
from engine.errors import RefusedError, VenueRefusedError
from engine.events import OrderUpdate, Unclear
from engine.ledger import Order, OrderState, OrderType
from engine.values import OrderSide, plain


class UnifiedSwap(UnifiedReading):
    """A dialect of perpetuals settled in USDT, over ccxt's unified methods."""

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
            params = dict(self.venue.leverage)
            await calls.make_so(wire, "set_leverage", leverage=leverage, symbol=name, params=params)
            now = await self._leverages(wire, name)
            if now and now != {leverage}:
                raise VenueRefusedError(f"{symbol}: leverage must be {leverage}, was {now}")
        self.symbols.add(symbol)

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
        if not row.get("id"):
            raise VenueUnclearError("the answer names no order", why=Unclear.VENUE)
        update = words.order_update(row, order.client_order_id, size)
        self.symbols.add(order.symbol)
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
        try:
            await calls.ask(
                wire,
                "cancel_order",
                id=there.exchange_order_id,
                symbol=market["symbol"],
                params=calls.apart(wire, self.venue, order, "fetchOpenOrders"),
                urgent=True,
            )
        except OrderUnknownError:  # filled, triggered or cancelled meanwhile
            return await self.find(wire, order)
        after = await self.find(wire, order)
        if after is not None and after.state.is_terminal:
            return after
        return replace(there, state=OrderState.CANCELLED)  # the lists lag behind the answer

    async def find(self, wire: Caller, order: Order) -> OrderUpdate | None:
        market = await calls.market_of(wire, order.symbol)
        row = await calls.found(wire, self.venue, order)
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
        given = {"leverage": leverage} if self.venue.margin_with_leverage else {}
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
        params: dict[str, Any] = {
            "clientOrderId": told_as(order.client_order_id, self.venue.naming)
        }
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
