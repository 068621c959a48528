"""Matching: trades of the market fill limit orders and fire conditional ones."""

from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from local.paper.core import rules
from local.paper.core.books import AlgoChanged, Books, OrderChanged
from local.paper.core.execution import Execution, taker_price
from local.paper.core.records import AlgoOrder, AlgoStatus, Order
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import OrderRequest
from local.paper.core.scripts import Scripts
from local.paper.core.triggers import fires, follow, working_price
from local.paper.core.venue_orders import VenueOrders
from local.paper.market.candles import Trade
from local.paper.market.funding import FUNDING_MS, next_funding_ms
from local.paper.market.quotes import Quote, Quotes

CATCH_UP_MS = 6 * 3_600_000
"""After a longer absence only the last six hours of the market are matched."""
_CHUNK_MS = 60_000


class _Passing(NamedTuple):
    """A trade of the market on its way past our orders."""

    ts_ms: int
    symbol: str
    trade: Trade


class Matching:
    """The one place where books and market meet."""

    def __init__(
        self,
        books: Books,
        quotes: Quotes,
        scripts: Scripts,
        execution: Execution,
        venue: VenueOrders,
    ) -> None:
        self._books = books
        self._quotes = quotes
        self._scripts = scripts
        self._execution = execution
        self._venue = venue
        self._funding_ms = 0

    def advance(self, now_ms: int) -> None:
        """Match every trade since the last call, in time order, then commit.

        The state on disk carries the time up to which it was matched, so a restarted exchange
        replays exactly the trades it was down for.
        """
        account = self._books.account
        start_ms = max(account.processed_ms + 1, now_ms - CATCH_UP_MS)
        self._funding_ms = next_funding_ms(start_ms - 1)
        while start_ms <= now_ms:
            end_ms = min(start_ms + _CHUNK_MS - 1, now_ms)
            self._match_span(start_ms, end_ms)
            start_ms = end_ms + 1
        account.processed_ms = max(account.processed_ms, now_ms)
        self._books.commit()

    def _match_span(self, start_ms: int, end_ms: int) -> None:
        trades = [
            _Passing(trade.ts_ms, symbol, trade)
            for symbol in sorted(self._books.symbols())
            for trade in self._quotes.recent(symbol, start_ms, end_ms)
        ]
        for ts_ms, symbol, trade in sorted(trades, key=lambda one: one.ts_ms):
            self._settle_until(ts_ms)
            self._match(symbol, trade)
        self._settle_until(end_ms)

    def _settle_until(self, until_ms: int) -> None:
        """What happens by the clock, not by a trade: scripted parts of orders, and funding."""
        while True:
            waiting = [one for one in self._books.open_orders.values() if one.due]
            first = min(waiting, key=lambda one: int(one.due[0][0])) if waiting else None
            due_ms = int(first.due[0][0]) if first else self._funding_ms
            if min(due_ms, self._funding_ms) > until_ms:
                return
            if first and due_ms < self._funding_ms:
                quote = self._quotes.quote(first.symbol, due_ms)
                self._execution.continue_parts(first, quote, due_ms)
            else:
                self._venue.settle_funding(self._funding_ms)
                self._funding_ms += FUNDING_MS

    def _match(self, symbol: str, trade: Trade) -> None:
        quote = self._quotes.around(symbol, trade.price_ticks, trade.ts_ms)
        self._match_resting(symbol, quote, trade)
        for algo in [one for one in self._books.open_algos.values() if one.symbol == symbol]:
            price = working_price(algo, quote.last, self._scripts)
            if follow(algo, price):
                self._books.keep_algo(algo)
            if fires(algo, price):
                self._trigger(algo, quote)
        self._venue.check(symbol, quote.last, quote.time_ms)

    def _match_resting(self, symbol: str, quote: Quote, trade: Trade) -> None:
        """Fill what rests at or beyond a trade's price, best price first, then oldest."""
        reached = [
            one
            for one in self._books.open_orders.values()
            if one.symbol == symbol and not one.due and _reached(one, quote)
        ]
        if not reached:
            return
        quantity = self._quotes.instruments[symbol].quantity(trade.quantity_steps)
        passing = self._execution.passing(symbol, quote, quantity)
        for order in sorted(reached, key=lambda one: (-one.side.sign * one.price, one.order_id)):
            if passing:
                passing = self._execution.rest(order, quote, passing)

    def accept(
        self,
        request: OrderRequest,
        quantity: Decimal,
        client_id: str,
        now_ms: int,
        born_of: AlgoOrder | None = None,
    ) -> Order:
        """Book a checked order as NEW; one that a conditional order became says so at once."""
        order = Order(
            order_id=self._books.next_id(), client_order_id=client_id, symbol=request.symbol,
            side=request.side, position_side=request.position_side, order_type=request.order_type,
            original_type=request.order_type, time_in_force=request.time_in_force,
            quantity=quantity, price=request.price, reduce_only=request.reduce_only,
            close_position=False, created_ms=now_ms, updated_ms=now_ms,
        )  # fmt: skip
        if born_of is not None:
            order.original_type, order.trigger_price = born_of.order_type, born_of.trigger_price
            order.close_position, order.parent_algo_id = born_of.close_position, born_of.algo_id
        self._books.keep_order(order)
        self._books.tell(OrderChanged(order=order.copy(), execution="NEW"))
        return order

    def fire(self, symbol: str, now_ms: int) -> int:
        """Fire every conditional order of a symbol, wherever the price is; how many they are."""
        quote = self._quotes.quote(symbol, now_ms)
        waiting = [one for one in self._books.open_algos.values() if one.symbol == symbol]
        for algo in waiting:
            self._trigger(algo, replace(quote, time_ms=now_ms))
        return len(waiting)

    def _trigger(self, algo: AlgoOrder, quote: Quote) -> None:
        """Turn a conditional order into a plain one, which carries its client id, as on Binance."""
        algo.triggered_ms = algo.updated_ms = quote.time_ms
        self._books.tell(AlgoChanged(algo=algo, status="TRIGGERING"))
        request = self._triggered_request(algo)
        try:
            if self._scripts.refuses(algo.symbol):
                raise RefusedError(Reason.MARGIN_INSUFFICIENT)
            quantity = rules.executable(self._books, request)
            price = request.price or taker_price(request.side, quote)
            rules.check_margin(
                self._books, request, quantity, price,
                lambda symbol: self._venue.mark_price(symbol, quote.time_ms),
            )  # fmt: skip
        except RefusedError as refusal:
            algo.status, algo.failure = AlgoStatus.REJECTED, refusal.reason.value
            self._finish(algo)
            return
        order = self.accept(request, quantity, algo.client_algo_id, quote.time_ms, algo)
        algo.status, algo.actual_order_id = AlgoStatus.FINISHED, order.order_id
        self._books.tell(AlgoChanged(algo=algo, status="TRIGGERED"))
        self._execution.execute(order, quote, quote.time_ms)
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


def _reached(order: Order, quote: Quote) -> bool:
    return order.side.sign * (order.price - quote.last) >= 0
