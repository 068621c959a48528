"""Orders against the market's book: what takes, walks its levels; what it lacks, stays or ends."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from decimal import Decimal

from local.paper.core import rules
from local.paper.core.books import Books, OrderChanged
from local.paper.core.filling import fill
from local.paper.core.records import ZERO, FillKind, Order, OrderSide, OrderStatus
from local.paper.core.refusals import Reason, RefusedError
from local.paper.core.requests import OrderRequest
from local.paper.core.scripts import Scripts
from local.paper.market.quotes import Quote, Quotes

_RESTS_NEVER = ("IOC", "FOK")


class Taking(ABC):
    """Fills orders at the book's prices, at once or in the parts a script wants."""

    def __init__(self, books: Books, quotes: Quotes, scripts: Scripts) -> None:
        self._books = books
        self._quotes = quotes
        self._scripts = scripts

    def execute(self, order: Order, quote: Quote, now_ms: int) -> None:
        """Fill an order against the market if it takes; what may not rest expires."""
        if order.order_type == "MARKET" or takes(order.side, order.price, quote):
            instrument = self._quotes.instruments[order.symbol]
            order.due = self._scripts.take_parts(order, instrument, now_ms)
            if order.due:
                self.continue_parts(order, quote, now_ms)
                return
            self.take(order, quote, now_ms)
        self.expire_rest(order, now_ms)

    @abstractmethod
    def take(self, order: Order, quote: Quote, now_ms: int) -> object:
        """Walk the book as deep as the order wants and its price allows."""

    @abstractmethod
    def continue_parts(self, order: Order, quote: Quote, now_ms: int) -> None:
        """Execute the scripted parts that are due."""

    def expire_rest(self, order: Order, now_ms: int) -> None:
        """End what may not rest."""
        if order.is_open and (order.order_type == "MARKET" or order.time_in_force in _RESTS_NEVER):
            self.expire(order, now_ms)

    def expire(self, order: Order, now_ms: int) -> None:
        order.status, order.updated_ms, order.due = OrderStatus.EXPIRED, now_ms, []
        self._books.keep_order(order)
        self._books.tell(OrderChanged(order=order.copy(), execution="EXPIRED"))


class Execution(Taking):
    """Orders for contracts, which may close no more than is held."""

    def check_time_in_force(
        self, request: OrderRequest, quantity: Decimal, quote: Quote, now_ms: int
    ) -> None:
        """Refuse a post-only order that would take, and fill-or-kill that would not fill whole."""
        if request.order_type != "LIMIT":
            return
        if request.time_in_force == "GTX" and takes(request.side, request.price, quote):
            raise RefusedError(Reason.POST_ONLY_WOULD_TAKE)
        if request.time_in_force == "FOK":
            offers = self._offers(request.symbol, request.side, quote, now_ms, request.price)
            if sum((size for _, size in offers), ZERO) < quantity:
                raise RefusedError(Reason.FILL_OR_KILL)

    def take(
        self, order: Order, quote: Quote, now_ms: int, kind: FillKind = FillKind.TRADE
    ) -> Decimal:
        """Walk the book as deep as the order wants and its price allows; the last price paid."""
        price = ZERO
        for price, size in self._offers(order.symbol, order.side, quote, now_ms, order.price):
            part = min(order.quantity - order.filled, size)
            fill(
                self._books, order, price=price, quantity=part, maker=False, now_ms=now_ms,
                kind=kind,
            )  # fmt: skip
            if order.filled >= order.quantity:
                break
        return price

    def _offers(
        self, symbol: str, side: OrderSide, quote: Quote, now_ms: int, limit: Decimal
    ) -> Iterator[tuple[Decimal, Decimal]]:
        """What a taker meets down to its limit; zero is no limit."""
        for price, size in self._quotes.offers(symbol, side.sign, quote, now_ms):
            if limit and side.sign * (price - limit) > 0:
                return
            yield price, size

    def continue_parts(self, order: Order, quote: Quote, now_ms: int) -> None:
        """Execute the scripted parts that are due."""
        while order.is_open and order.due and int(order.due[0][0]) <= now_ms:
            wanted, order.due = Decimal(order.due[0][1]), order.due[1:]
            quantity = min(wanted, self.room(order))
            if not quantity:
                self.expire(order, now_ms)
                return
            price = taker_price(order.side, quote)
            if order.order_type == "LIMIT" and not takes(order.side, order.price, quote):
                price = order.price
            fill(self._books, order, price=price, quantity=quantity, maker=False, now_ms=now_ms)
        if not order.due:
            self.expire_rest(order, now_ms)
        self._books.keep_order(order)

    def room(self, order: Order) -> Decimal:
        """How much of an open order may still execute: one that closes never opens."""
        rest, sides = order.quantity - order.filled, (order.side, order.position_side)
        if not (order.reduce_only or rules.is_closing(*sides)):
            return rest
        return min(rest, rules.closable(self._books, order.symbol, *sides))

    def rest(self, order: Order, quote: Quote, passing: Decimal) -> Decimal:
        """Fill a resting order from a trade that passed its price; what is left of the trade."""
        room = self.room(order)
        if room == 0:
            self.expire(order, quote.time_ms)
            return passing
        order.quantity = order.filled + room
        part = min(room, passing)
        fill(
            self._books, order, price=order.price, quantity=part, maker=True, now_ms=quote.time_ms
        )  # fmt: skip
        return passing - part

    def passing(self, symbol: str, quote: Quote, quantity: Decimal) -> Decimal:
        """How much of our orders a trade can fill: its size, at least the best level's."""
        step, scale = self._quotes.instruments[symbol].step, self._scripts.liquidity(symbol)
        offers = self._quotes.offers(symbol, +1, quote, quote.time_ms)
        return max(quantity * scale // step * step, next(offers)[1])


def takes(side: OrderSide, price: Decimal, quote: Quote) -> bool:
    """Whether a limit price reaches the other side of the market."""
    return price >= quote.ask if side is OrderSide.BUY else price <= quote.bid


def taker_price(side: OrderSide, quote: Quote) -> Decimal:
    """The best price one who takes gets."""
    return quote.ask if side is OrderSide.BUY else quote.bid
