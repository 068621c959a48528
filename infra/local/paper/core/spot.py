"""A spot exchange: the same market and journal, but assets in place of positions and margin."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from local.paper.core import rules
from local.paper.core.books import Books, OrderChanged
from local.paper.core.exchange import Clock, PaperExchange
from local.paper.core.execution import taker_price, takes
from local.paper.core.records import Order, OrderSide, OrderStatus, Position, PositionSide
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import OrderRequest
from local.paper.core.spot_balances import Balance, base_balance, quote_balance
from local.paper.core.spot_matching import WAITING, SpotMatching, fires
from local.paper.market.instruments import PaperInstrument
from local.paper.market.quotes import Quote, Quotes

MAX_WAITING = 5
"""Orders of a symbol that may wait for their trigger price, as on the venue."""
_LARGEST = Decimal(9_000_000)  # of the perpetual's steps
_FINER = 100  # spot trades in smaller steps than the perpetual of the same asset
_MIN_NOTIONAL = Decimal(5)
_HIGHEST_LISTED = Decimal(50)  # least value of any perpetual; a script may raise it


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """What an order of a symbol must fit: price tick, quantity step and bounds, least value."""

    tick: Decimal
    step: Decimal
    max_quantity: Decimal
    min_notional: Decimal

    @property
    def min_quantity(self) -> Decimal:
        return self.step


def lot_of(one: PaperInstrument) -> Lot:
    """The filters of a symbol: what is listed for its perpetual, finer; a raised minimum stays."""
    raised = one.min_notional > _HIGHEST_LISTED
    return Lot(
        tick=one.tick,
        step=one.step / _FINER,
        max_quantity=_LARGEST * one.step,
        min_notional=one.min_notional if raised else _MIN_NOTIONAL,
    )


class SpotExchange(PaperExchange):
    """Orders against balances; it has neither leverage, nor funding, nor liquidation.

    Orders that wait for a trigger price keep their id when they fire.
    """

    def __init__(self, books: Books, quotes: Quotes, clock: Clock) -> None:
        super().__init__(books, quotes, clock)
        self.spot = SpotMatching(books, quotes, self.scripts)

    def advance(self) -> int:
        now_ms = self.now_ms()
        self.spot.advance(now_ms)
        return now_ms

    def available(self) -> Decimal:
        """USDT that is not locked."""
        return quote_balance(self.books).free

    def balances(self) -> Mapping[str, Balance]:
        """USDT and every asset of the market."""
        found = [quote_balance(self.books)]
        found += [base_balance(self.books, one) for one in self.quotes.instruments.values()]
        return {one.asset: one for one in found}

    def uncoverable(self, symbol: str) -> Decimal:
        """Fees leave less than a step of each purchase, which can neither be stopped nor sold."""
        bought = [
            one
            for one in self.books.orders.values()
            if (one.symbol, one.side) == (symbol, OrderSide.BUY) and one.filled
        ]
        return len(bought) * lot_of(self.instrument(symbol)).step

    def fire_conditionals(self, symbol: str) -> int:
        """Every order that waits for its price fires in this instant; how many they are."""
        now_ms = self.advance()
        count = self.spot.fire(self.instrument(symbol).symbol, now_ms)
        self.books.commit()
        return count

    def place_order(self, request: OrderRequest) -> Order:
        """Accept an order and execute what can be executed at once.

        One that is to reduce sells as one does by hand: what is locked is freed first.
        """
        now_ms = self.advance()
        instrument = self.instrument(request.symbol)
        if request.reduce_only:
            request = self._freed(request)
        quote = self.quotes.quote(request.symbol, now_ms)
        self._check_shape(request, instrument, quote)
        client_id = request.client_order_id or f"paper_{self.books.account.next_id + 1}"
        rules.check_client_id(self.books, "order", client_id)
        self._check_trigger(request, quote)
        self._check_balance(request, instrument, quote)
        if request.time_in_force == "GTX" and takes(request.side, request.price, quote):
            raise RefusedError(Reason.POST_ONLY_WOULD_TAKE)
        order = self._accept(request, client_id, now_ms)
        if request.order_type not in WAITING:
            self.spot.execute(order, quote, now_ms)
        self.books.commit()
        return order

    def charge_funding(self, symbol: str = "", rate: Decimal | None = None) -> None:
        """Nothing: nothing is borrowed."""

    def _held(self, symbol: str, position_side: PositionSide) -> Position:
        raise RefusedError(Reason.NO_POSITION, symbol)

    def _freed(self, request: OrderRequest) -> OrderRequest:
        for order in [*self.books.open_orders.values()]:
            if (order.symbol, order.side) == (request.symbol, OrderSide.SELL):
                self.cancel_order(order)
        step = lot_of(self.instrument(request.symbol)).step
        return replace(request, quantity=request.quantity // step * step, reduce_only=False)

    def _check_shape(
        self, request: OrderRequest, instrument: PaperInstrument, quote: Quote
    ) -> None:
        lot = lot_of(instrument)
        rules.check_quantity(replace(instrument, step=lot.step), request.quantity)
        if request.quantity > lot.max_quantity:
            raise RefusedError(Reason.QUANTITY_TOO_SMALL)
        for price in (request.price, request.trigger_price):
            if price:
                rules.check_price(instrument, price)
        if request.quantity * self._price(request, quote) < lot.min_notional:
            raise RefusedError(Reason.NOTIONAL_TOO_SMALL)

    def _check_trigger(self, request: OrderRequest, quote: Quote) -> None:
        if request.order_type not in WAITING:
            return
        waiting = [
            one
            for one in self.books.open_orders.values()
            if one.symbol == request.symbol and one.order_type in WAITING
        ]
        if len(waiting) >= MAX_WAITING:
            raise RefusedError(Reason.TOO_MANY_CONDITIONAL)
        if fires(request.order_type, request.side, request.trigger_price, quote.last):
            raise RefusedError(Reason.WOULD_TRIGGER)

    def _check_balance(
        self, request: OrderRequest, instrument: PaperInstrument, quote: Quote
    ) -> None:
        """Whatever an order may give away must be free."""
        if request.side is OrderSide.SELL:
            short = base_balance(self.books, instrument).free < request.quantity
        else:
            cost = request.quantity * self._price(request, quote)
            short = quote_balance(self.books).free < cost
        if short:
            raise RefusedError(Reason.MARGIN_INSUFFICIENT)

    def _price(self, request: OrderRequest, quote: Quote) -> Decimal:
        price = request.price or request.trigger_price
        return price or taker_price(request.side, quote)

    def _accept(self, request: OrderRequest, client_id: str, now_ms: int) -> Order:
        order = Order(
            order_id=self.books.next_id(), client_order_id=client_id, symbol=request.symbol,
            side=request.side, position_side=PositionSide.BOTH, order_type=request.order_type,
            original_type=request.order_type, time_in_force=request.time_in_force,
            quantity=request.quantity, price=request.price, reduce_only=False,
            close_position=False, created_ms=now_ms, updated_ms=now_ms,
            trigger_price=request.trigger_price, status=OrderStatus.NEW,
        )  # fmt: skip
        self.books.keep_order(order)
        self.books.count_client_id("order", client_id, order.order_id)
        self.books.tell(OrderChanged(order=order.copy(), execution="NEW"))
        return order
