"""The exchange: accepts orders, matches them against the market, keeps the books."""

from collections.abc import Callable
from decimal import Decimal

from local.paper.core import margin, rules
from local.paper.core.books import AlgoChanged, Books, OrderChanged
from local.paper.core.matching import Matching
from local.paper.core.records import AlgoOrder, AlgoStatus, Order, OrderStatus
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import AlgoRequest, OrderRequest
from local.paper.core.triggers import TRAILING, fires
from local.paper.market.instruments import PaperInstrument
from local.paper.market.quotes import Quotes

Clock = Callable[[], int]


class PaperExchange:
    """Every public method first brings the books up to now, and ends in one journalled commit.

    Raises
    ------
    RefusedError
        From every method that changes something; nothing has changed then.
    """

    def __init__(self, books: Books, quotes: Quotes, clock: Clock) -> None:
        self.books = books
        self.quotes = quotes
        self.now_ms = clock
        self.skew_ms = 0
        self._matching = Matching(books, quotes)

    def shown_ms(self) -> int:
        """The time the venue shows and measures stamps by; its books go by `now_ms`."""
        return self.now_ms() + self.skew_ms

    def instrument(self, symbol: str) -> PaperInstrument:
        found = self.quotes.instrument(symbol)
        if found is None:
            raise RefusedError(Reason.UNKNOWN_SYMBOL, symbol)
        return found

    def last_price(self, symbol: str) -> Decimal:
        return self.quotes.quote(symbol, self.now_ms()).last

    def available(self) -> Decimal:
        return margin.available(self.books, self.last_price)

    def advance(self) -> int:
        """Match the market's trades up to now; the time it is now."""
        now_ms = self.now_ms()
        self._matching.advance(now_ms)
        return now_ms

    def place_order(self, request: OrderRequest) -> Order:
        """Accept a MARKET or LIMIT order and execute what can be executed at once."""
        now_ms = self.advance()
        instrument = self.instrument(request.symbol)
        rules.check_position_side(
            self.books, request.position_side, reduce_only=request.reduce_only
        )
        rules.check_quantity(instrument, request.quantity)
        if request.order_type == "LIMIT":
            rules.check_price(instrument, request.price)
        client_id = request.client_order_id or f"paper_{self.books.account.next_id + 1}"
        rules.check_client_id(self.books, "order", client_id)
        quote = self.quotes.quote(request.symbol, now_ms)
        quantity = rules.executable(self.books, request)
        price = request.price or self._matching.taker_price(request.side, quote)
        rules.check_notional(instrument, request, quantity, price)
        rules.check_margin(self.books, request, quantity, price, self.last_price)
        self._matching.check_time_in_force(request, quote)
        order = self._matching.accept(request, quantity, client_id, now_ms)
        self.books.count_client_id("order", client_id, order.order_id)
        self._matching.execute(order, quote, now_ms)
        self.books.commit()
        return order

    def cancel_order(self, order: Order) -> Order:
        now_ms = self.advance()
        if not order.is_open:
            raise RefusedError(Reason.UNKNOWN_ORDER)
        order.status, order.updated_ms = OrderStatus.CANCELED, now_ms
        self.books.keep_order(order)
        self.books.tell(OrderChanged(order=order, execution="CANCELED"))
        self.books.commit()
        return order

    def amend_order(self, order: Order, quantity: Decimal, price: Decimal) -> Order:
        """New quantity and price of an open limit order; it keeps its ids."""
        now_ms = self.advance()
        if not order.is_open:
            raise RefusedError(Reason.UNKNOWN_ORDER)
        instrument = self.instrument(order.symbol)
        rules.check_quantity(instrument, quantity)
        rules.check_price(instrument, price)
        if (quantity, price) == (order.quantity, order.price):
            raise RefusedError(Reason.NOTHING_TO_AMEND)
        order.quantity, order.price, order.updated_ms = quantity, price, now_ms
        self.books.keep_order(order)
        self.books.tell(OrderChanged(order=order, execution="AMENDMENT"))
        self._matching.execute(order, self.quotes.quote(order.symbol, now_ms), now_ms)
        self.books.commit()
        return order

    def place_algo(self, request: AlgoRequest) -> AlgoOrder:
        """Accept a conditional order; one that would fire at once is refused."""
        now_ms = self.advance()
        instrument = self.instrument(request.symbol)
        rules.check_algo(self.books, instrument, request)
        client_id = request.client_algo_id or f"paper_{self.books.account.next_id + 1}"
        rules.check_client_id(self.books, "algo", client_id)
        last = self.quotes.quote(request.symbol, now_ms).last
        algo = _new_algo(request, client_id, now_ms)
        if algo.order_type == TRAILING:
            _start_trailing(algo, last)
        elif fires(algo, last):
            raise RefusedError(Reason.WOULD_TRIGGER)
        algo.algo_id = self.books.next_id()
        self.books.count_client_id("algo", client_id, algo.algo_id)
        self.books.keep_algo(algo)
        self.books.tell(AlgoChanged(algo=algo, status="NEW"))
        self.books.commit()
        return algo

    def cancel_algo(self, algo: AlgoOrder) -> AlgoOrder:
        now_ms = self.advance()
        if not algo.is_open:
            raise RefusedError(Reason.UNKNOWN_ORDER)
        algo.status, algo.updated_ms = AlgoStatus.CANCELED, now_ms
        self.books.keep_algo(algo)
        self.books.tell(AlgoChanged(algo=algo, status="CANCELED"))
        self.books.commit()
        return algo


def _start_trailing(algo: AlgoOrder, last: Decimal) -> None:
    """A trailing order without activation price is active now; one on the wrong side is refused."""
    if not algo.activate_price:
        algo.extreme = last
    elif algo.side.sign * (algo.activate_price - last) >= 0:
        raise RefusedError(Reason.WOULD_TRIGGER)


def _new_algo(request: AlgoRequest, client_id: str, now_ms: int) -> AlgoOrder:
    return AlgoOrder(
        algo_id=0, client_algo_id=client_id, symbol=request.symbol, side=request.side,
        position_side=request.position_side, order_type=request.order_type,
        time_in_force=request.time_in_force, quantity=request.quantity, price=request.price,
        trigger_price=request.trigger_price, callback_rate=request.callback_rate,
        activate_price=request.activate_price, reduce_only=request.reduce_only,
        close_position=request.close_position, working_type=request.working_type,
        created_ms=now_ms, updated_ms=now_ms,
    )  # fmt: skip
