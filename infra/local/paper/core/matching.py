"""Matching: trades of the market fill limit orders and fire conditional ones."""

from decimal import Decimal

from local.paper.core import rules
from local.paper.core.books import AlgoChanged, Books, OrderChanged
from local.paper.core.filling import fill
from local.paper.core.margin import Price
from local.paper.core.records import AlgoOrder, AlgoStatus, Order, OrderSide, OrderStatus
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import OrderRequest
from local.paper.core.triggers import fires, follow
from local.paper.market.quotes import Quote, Quotes

CATCH_UP_MS = 6 * 3_600_000
"""After a longer absence only the last six hours of the market are matched."""
_CHUNK_MS = 60_000


class Matching:
    """The one place where books and market meet. Market liquidity is unlimited at bid and ask."""

    def __init__(self, books: Books, quotes: Quotes) -> None:
        self._books = books
        self._quotes = quotes

    def advance(self, now_ms: int) -> None:
        """Match every trade since the last call, in time order, then commit.

        The state on disk carries the time up to which it was matched, so a restarted exchange
        replays exactly the trades it was down for.
        """
        account = self._books.account
        start_ms = max(account.processed_ms + 1, now_ms - CATCH_UP_MS)
        while start_ms <= now_ms:
            end_ms = min(start_ms + _CHUNK_MS - 1, now_ms)
            self._match_span(start_ms, end_ms)
            start_ms = end_ms + 1
        account.processed_ms = max(account.processed_ms, now_ms)
        self._books.commit()

    def _match_span(self, start_ms: int, end_ms: int) -> None:
        waiting: list[Order | AlgoOrder] = [
            *self._books.open_orders.values(),
            *self._books.open_algos.values(),
        ]
        trades = [
            (trade.ts_ms, symbol, trade.price_ticks)
            for symbol in sorted({one.symbol for one in waiting})
            for trade in self._quotes.recent(symbol, start_ms, end_ms)
        ]
        for ts_ms, symbol, ticks in sorted(trades, key=lambda one: one[0]):
            self._match(symbol, self._quotes.around(symbol, ticks, ts_ms))

    def _match(self, symbol: str, quote: Quote) -> None:
        for order in [one for one in self._books.open_orders.values() if one.symbol == symbol]:
            if order.side.sign * (order.price - quote.last) >= 0:
                self._fill_resting(order, quote.time_ms)
        for algo in [one for one in self._books.open_algos.values() if one.symbol == symbol]:
            if follow(algo, quote.last):
                self._books.keep_algo(algo)
            if fires(algo, quote.last):
                self._trigger(algo, quote)

    def _fill_resting(self, order: Order, now_ms: int) -> None:
        rest = order.quantity - order.filled
        if order.reduce_only:
            room = rules.closable(self._books, order.symbol, order.side, order.position_side)
            if room == 0:
                self._expire(order, now_ms)
                return
            rest = min(rest, room)
            order.quantity = order.filled + rest
        fill(self._books, order, price=order.price, quantity=rest, maker=True, now_ms=now_ms)

    def taker_price(self, side: OrderSide, quote: Quote) -> Decimal:
        return quote.ask if side is OrderSide.BUY else quote.bid

    def check_time_in_force(self, request: OrderRequest, quote: Quote) -> None:
        """Refuse a post-only order that would take, and fill-or-kill that would rest."""
        if request.order_type != "LIMIT":
            return
        takes = _takes(request.side, request.price, quote)
        if request.time_in_force == "GTX" and takes:
            raise RefusedError(Reason.POST_ONLY_WOULD_TAKE)
        if request.time_in_force == "FOK" and not takes:
            raise RefusedError(Reason.FILL_OR_KILL)

    def accept(
        self, request: OrderRequest, quantity: Decimal, client_id: str, now_ms: int
    ) -> Order:
        """Book a checked order as NEW."""
        order = Order(
            order_id=self._books.next_id(), client_order_id=client_id, symbol=request.symbol,
            side=request.side, position_side=request.position_side, order_type=request.order_type,
            original_type=request.order_type, time_in_force=request.time_in_force,
            quantity=quantity, price=request.price, reduce_only=request.reduce_only,
            close_position=False, created_ms=now_ms, updated_ms=now_ms,
        )  # fmt: skip
        self._books.keep_order(order)
        self._books.tell(OrderChanged(order=order.copy(), execution="NEW"))
        return order

    def execute(self, order: Order, quote: Quote, now_ms: int) -> None:
        """Fill an order against the market if it takes; what may not rest expires."""
        market = order.order_type == "MARKET"
        if market or _takes(order.side, order.price, quote):
            price = self.taker_price(order.side, quote)
            rest = order.quantity - order.filled
            fill(self._books, order, price=price, quantity=rest, maker=False, now_ms=now_ms)
        elif order.time_in_force == "IOC":
            self._expire(order, now_ms)

    def _expire(self, order: Order, now_ms: int) -> None:
        order.status, order.updated_ms = OrderStatus.EXPIRED, now_ms
        self._books.keep_order(order)
        self._books.tell(OrderChanged(order=order, execution="EXPIRED"))

    def _trigger(self, algo: AlgoOrder, quote: Quote) -> None:
        """Turn a conditional order into a plain one, which carries its client id, as on Binance."""
        algo.triggered_ms = algo.updated_ms = quote.time_ms
        self._books.tell(AlgoChanged(algo=algo, status="TRIGGERING"))
        request = self._triggered_request(algo)
        try:
            quantity = rules.executable(self._books, request)
            price = request.price or self.taker_price(request.side, quote)
            last = self._last_prices(quote)
            rules.check_margin(self._books, request, quantity, price, last)
        except RefusedError as refusal:
            algo.status, algo.failure = AlgoStatus.REJECTED, refusal.reason.value
            self._finish(algo)
            return
        order = self.accept(request, quantity, algo.client_algo_id, quote.time_ms)
        order.original_type, order.trigger_price = algo.order_type, algo.trigger_price
        order.close_position = algo.close_position
        algo.status, algo.actual_order_id = AlgoStatus.FINISHED, order.order_id
        self._books.tell(AlgoChanged(algo=algo, status="TRIGGERED"))
        self.execute(order, quote, quote.time_ms)
        algo.actual_price = order.average_price
        self._finish(algo)

    def _finish(self, algo: AlgoOrder) -> None:
        self._books.keep_algo(algo)
        self._books.tell(AlgoChanged(algo=algo, status=algo.status.value))

    def _triggered_request(self, algo: AlgoOrder) -> OrderRequest:
        sides = (algo.side, algo.position_side)
        quantity, room = algo.quantity, rules.closable(self._books, algo.symbol, *sides)
        if algo.close_position:
            quantity = room
        elif rules.is_closing(*sides):
            quantity = min(quantity, room)
        market = algo.order_type.endswith("_MARKET")
        one_way = algo.position_side == "BOTH"
        return OrderRequest(
            symbol=algo.symbol, side=algo.side, position_side=algo.position_side,
            order_type="MARKET" if market else "LIMIT", quantity=quantity, price=algo.price,
            time_in_force=algo.time_in_force,
            reduce_only=algo.reduce_only or (algo.close_position and one_way),
            client_order_id=algo.client_algo_id,
        )  # fmt: skip

    def _last_prices(self, quote: Quote) -> Price:
        return lambda symbol: self._quotes.quote(symbol, quote.time_ms).last


def _takes(side: OrderSide, price: Decimal, quote: Quote) -> bool:
    """Whether a limit price reaches the other side of the market."""
    return price >= quote.ask if side is OrderSide.BUY else price <= quote.bid
