"""The exchange: accepts orders, matches them against the market, keeps the books."""

from collections.abc import Callable
from decimal import Decimal

from local.paper.core import margin, rules
from local.paper.core.books import AlgoChanged, Books, OrderChanged
from local.paper.core.execution import Execution, taker_price
from local.paper.core.matching import Matching
from local.paper.core.records import (
    ZERO,
    AlgoOrder,
    AlgoStatus,
    Order,
    OrderStatus,
    Position,
    PositionSide,
)
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import AlgoRequest, OrderRequest
from local.paper.core.scripts import Scripts
from local.paper.core.triggers import armed, working_price
from local.paper.core.venue_orders import VenueOrders
from local.paper.market.instruments import PaperInstrument
from local.paper.market.quotes import Quotes

Clock = Callable[[], int]


class PaperExchange:
    """Every public method first brings the books up to now, and ends in one journalled commit.

    Nothing here reads a clock but `clock`, nothing waits, and nothing is random: a simulation may
    hold thousands of these over a `MemoryJournal` and a `ScriptedMarket`, under its own time.
    `advance` costs a few microseconds per trade of a symbol that is held or waited for, and less
    than one where nothing is. A kill is `PaperExchange(Books(journal, balance), quotes, clock)`
    over the same journal: what was not committed is gone, and the market since then is matched.

    Attributes
    ----------
    scripts : Scripts
        Partial fills, thin books and mark prices as a test wants them.

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
        self.scripts = Scripts()
        quotes.scales = self.scripts.scales
        self._execution = Execution(books, quotes, self.scripts)
        self.venue = VenueOrders(books, quotes, self.scripts, self._execution)
        self._matching = Matching(books, quotes, self.scripts, self._execution, self.venue)

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

    def mark_price(self, symbol: str) -> Decimal:
        """The price that profit, margin and liquidation go by."""
        return self.venue.mark_price(symbol, self.now_ms())

    def available(self) -> Decimal:
        return margin.available(self.books, self.mark_price)

    def maintenance_margin(self, position: Position) -> Decimal:
        return margin.maintenance_margin(position, self.mark_price, self.venue.brackets)

    def uncoverable(self, symbol: str) -> Decimal:
        """How much of a holding may be too little for any order: nothing, but on spot."""
        return ZERO

    def liquidation_price(self, position: Position) -> Decimal:
        """Where the mark price liquidates a position, on the tick; zero if nowhere."""
        price = margin.liquidation_price(self.books, position, self.mark_price, self.venue.brackets)
        tick = self.instrument(position.symbol).tick
        return price // tick * tick

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
        price = request.price or taker_price(request.side, quote)
        rules.check_notional(instrument, request, quantity, price)
        rules.check_position_value(self.books, instrument, request, quantity, price)
        rules.check_margin(self.books, request, quantity, price, self.mark_price)
        self._execution.check_time_in_force(request, quantity, quote, now_ms)
        order = self._matching.accept(request, quantity, client_id, now_ms)
        self.books.count_client_id("order", client_id, order.order_id)
        self._execution.execute(order, quote, now_ms)
        self.books.commit()
        return order

    def cancel_order(self, order: Order) -> Order:
        now_ms = self.advance()
        if not order.is_open:
            raise RefusedError(Reason.UNKNOWN_ORDER)
        order.status, order.updated_ms, order.due = OrderStatus.CANCELED, now_ms, []
        self.books.keep_order(order)
        self.books.tell(OrderChanged(order=order.copy(), execution="CANCELED"))
        self.books.commit()
        return order

    def amend_order(self, order: Order, quantity: Decimal, price: Decimal) -> Order:
        """New quantity and price of an open limit order; it keeps its ids.

        A quantity that is filled already cancels it.
        """
        now_ms = self.advance()
        if not order.is_open:
            raise RefusedError(Reason.UNKNOWN_ORDER)
        instrument = self.instrument(order.symbol)
        rules.check_quantity(instrument, quantity)
        rules.check_price(instrument, price)
        if (quantity, price) == (order.quantity, order.price):
            raise RefusedError(Reason.NOTHING_TO_AMEND)
        if quantity <= order.filled:
            return self.cancel_order(order)
        order.quantity, order.price, order.updated_ms = quantity, price, now_ms
        self.books.keep_order(order)
        self.books.tell(OrderChanged(order=order.copy(), execution="AMENDMENT"))
        self._execution.execute(order, self.quotes.quote(order.symbol, now_ms), now_ms)
        self.books.commit()
        return order

    def place_algo(self, request: AlgoRequest) -> AlgoOrder:
        """Accept a conditional order; one that would fire at once is refused."""
        now_ms = self.advance()
        instrument = self.instrument(request.symbol)
        rules.check_algo(self.books, instrument, request)
        client_id = request.client_algo_id or f"paper_{self.books.account.next_id + 1}"
        rules.check_client_id(self.books, "algo", client_id)
        last = working_price(request, self.last_price(request.symbol), self.scripts)
        algo = armed(request, client_id, last, now_ms)
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

    def liquidate(self, symbol: str, position_side: PositionSide = PositionSide.BOTH) -> Order:
        """The venue closes a position now, whatever its margin, as if that were used up."""
        now_ms = self.advance()
        order = self.venue.liquidate(self._held(symbol, position_side), now_ms)
        self.books.commit()
        return order

    def deleverage(
        self,
        symbol: str,
        position_side: PositionSide = PositionSide.BOTH,
        percent: Decimal = Decimal(100),
    ) -> Order:
        """The venue takes part of a position (0 < percent <= 100) against another's bankruptcy."""
        now_ms = self.advance()
        position = self._held(symbol, position_side)
        step = self.instrument(symbol).step
        quantity = max(abs(position.quantity) * percent / 100 // step * step, step)
        order = self.venue.deleverage(position, quantity, now_ms)
        self.books.commit()
        return order

    def fire_conditionals(self, symbol: str) -> int:
        """Every conditional order of a symbol fires in this instant; how many they are."""
        now_ms = self.advance()
        count = self._matching.fire(self.instrument(symbol).symbol, now_ms)
        self.books.commit()
        return count

    def charge_funding(self, symbol: str = "", rate: Decimal | None = None) -> None:
        """Settle funding now, for one symbol or all, at a rate or at that of the period."""
        now_ms = self.advance()
        self.venue.settle_funding(now_ms, symbol, rate)
        self.books.commit()

    def _held(self, symbol: str, position_side: PositionSide) -> Position:
        position = self.books.position(self.instrument(symbol).symbol, position_side)
        if not position.quantity:
            raise RefusedError(Reason.NO_POSITION, symbol)
        return position
