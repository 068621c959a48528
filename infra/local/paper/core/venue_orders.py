"""What the venue does to an account on its own: liquidation, deleveraging, funding."""

from decimal import Decimal

from local.paper.core import margin
from local.paper.core.books import AlgoChanged, Books, OrderChanged
from local.paper.core.execution import Execution
from local.paper.core.filling import clear, cover, fill, pay
from local.paper.core.margin import Price
from local.paper.core.records import (
    ZERO,
    AlgoStatus,
    FillKind,
    Income,
    IncomeKind,
    Order,
    OrderSide,
    OrderStatus,
    Position,
)
from local.paper.core.scripts import Scripts
from local.paper.market.brackets import Bracket
from local.paper.market.quotes import Quotes

LIQUIDATION = "LIQUIDATION"
LIQUIDATION_FEE = Decimal("0.0125")
"""Of the value closed, to the insurance fund, as far as the margin reaches."""
AUTOCLOSE = "autoclose-"
ADL_AUTOCLOSE = "adl_autoclose"
_STEEPEST = Decimal("1.5")  # a price step costs itself and at most half of it as maintenance
_CENTS = Decimal("1e-8")

Band = tuple[Decimal, Decimal]


class VenueOrders:
    """Forced orders and payments. The caller commits."""

    def __init__(
        self, books: Books, quotes: Quotes, scripts: Scripts, execution: Execution
    ) -> None:
        self._books = books
        self._quotes = quotes
        self._scripts = scripts
        self._execution = execution
        self._bands: dict[str, Band] = {}
        self._bands_of = (-1, -1)

    def mark_price(self, symbol: str, at_ms: int) -> Decimal:
        """The price that profit, margin and liquidation go by."""
        return self._scripts.mark(symbol, self._quotes.quote(symbol, at_ms).last)

    def brackets(self, symbol: str) -> tuple[Bracket, ...]:
        return self._quotes.instruments[symbol].brackets

    def check(self, symbol: str, last: Decimal, at_ms: int) -> None:
        """Liquidate what a trade of this symbol leaves without its maintenance margin.

        As long as every held symbol stays in its band, no position can have reached its end: the
        bands of positions that share a wallet share its slack. Only outside is it computed anew.
        """
        if self._bands_of != (self._books.version, self._scripts.version):
            self._measure(at_ms)
        band = self._bands.get(symbol)
        if band is None or band[0] < self._scripts.mark(symbol, last) < band[1]:
            return
        prices = self._prices(at_ms)
        while doomed := self._doomed(prices):
            worst = min(doomed, key=lambda one: (one.unrealized(prices(one.symbol)), one.symbol))
            self.liquidate(worst, at_ms)
        self._measure(at_ms)

    def _doomed(self, prices: Price) -> list[Position]:
        books = self._books
        held = margin.held(books)
        return [one for one in held if margin.slack(books, one, prices, self.brackets) <= 0]

    def _measure(self, at_ms: int) -> None:
        """The bands of mark prices in which nobody can be liquidated."""
        books, prices = self._books, self._prices(at_ms)
        cross = len(margin.held_cross(books))
        self._bands = {}
        for one in margin.held(books):
            shares = 1 if books.config(one.symbol).isolated else cross
            slack = margin.slack(books, one, prices, self.brackets) / shares
            room, price = slack / (abs(one.quantity) * _STEEPEST), prices(one.symbol)
            low, high = self._bands.get(one.symbol, (ZERO, price * 1000))
            self._bands[one.symbol] = max(low, price - room), min(high, price + room)
        self._bands_of = (books.version, self._scripts.version)

    def _prices(self, at_ms: int) -> Price:
        return lambda symbol: self.mark_price(symbol, at_ms)

    def liquidate(self, position: Position, now_ms: int) -> Order:
        """Close a position at the market for the venue, and settle with the insurance fund.

        Open orders of the symbol end first: they expire. The fee is taken as far as margin is left;
        what the margin lacks, the fund pays, so the wallet does not end below zero.
        """
        books, wallet, own = self._books, self._books.account.wallet, position.margin
        isolated = books.config(position.symbol).isolated
        self._end_all(position.symbol, now_ms)
        quote = self._quotes.quote(position.symbol, now_ms)
        order = self._accept(position, abs(position.quantity), now_ms, f"{AUTOCLOSE}{now_ms}")
        price = self._execution.take(order, quote, now_ms, FillKind.LIQUIDATION)
        if order.is_open:
            self._fill(order, price, FillKind.LIQUIDATION, now_ms)
        left = own + books.account.wallet - wallet if isolated else margin.cross_wallet(books)
        fee = min(order.filled_quote * LIQUIDATION_FEE, max(left, ZERO))
        clear(books, position, -fee, now_ms)
        if isolated:
            clear(books, position, max(-left, ZERO), now_ms)
        else:
            cover(books, position, now_ms)
        return order

    def deleverage(self, position: Position, quantity: Decimal, now_ms: int) -> Order:
        """Close part of a position at the mark price against somebody's bankruptcy; no fee."""
        tick = self._quotes.instruments[position.symbol].tick
        price = self.mark_price(position.symbol, now_ms) // tick * tick
        order = self._accept(position, quantity, now_ms, ADL_AUTOCLOSE)
        self._fill(order, price, FillKind.DELEVERAGING, now_ms)
        return order

    def settle_funding(self, at_ms: int, symbol: str = "", rate: Decimal | None = None) -> None:
        """Longs pay shorts the rate of this moment on their value, or get it if it is negative."""
        for one in margin.held(self._books):
            if symbol in ("", one.symbol):
                settled = self._quotes.funding_rate(one.symbol, at_ms) if rate is None else rate
                self._fund(one, settled, at_ms)

    def _fund(self, position: Position, rate: Decimal, at_ms: int) -> None:
        price = self.mark_price(position.symbol, at_ms)
        amount = (-position.quantity * price * rate).quantize(_CENTS)
        if not amount:
            return
        income = Income(
            income_id=self._books.next_id(), kind=IncomeKind.FUNDING_FEE, symbol=position.symbol,
            position_side=position.position_side, amount=amount, time_ms=at_ms,
            quantity=position.quantity, price=price, rate=rate,
        )  # fmt: skip
        pay(self._books, position, income)

    def _fill(self, order: Order, price: Decimal, kind: FillKind, now_ms: int) -> None:
        rest = order.quantity - order.filled
        fill(self._books, order, price=price, quantity=rest, maker=False, now_ms=now_ms, kind=kind)

    def _accept(self, position: Position, quantity: Decimal, now_ms: int, client_id: str) -> Order:
        side = OrderSide.SELL if position.quantity > 0 else OrderSide.BUY
        order = Order(
            order_id=self._books.next_id(), client_order_id=client_id, symbol=position.symbol,
            side=side, position_side=position.position_side, order_type=LIQUIDATION,
            original_type=LIQUIDATION, time_in_force="IOC", quantity=quantity, price=ZERO,
            reduce_only=True, close_position=False, created_ms=now_ms, updated_ms=now_ms,
        )  # fmt: skip
        self._books.keep_order(order)
        self._books.tell(OrderChanged(order=order.copy(), execution="NEW"))
        return order

    def _end_all(self, symbol: str, now_ms: int) -> None:
        books = self._books
        for order in [one for one in books.open_orders.values() if one.symbol == symbol]:
            order.status, order.updated_ms, order.due = OrderStatus.EXPIRED, now_ms, []
            books.keep_order(order)
            books.tell(OrderChanged(order=order.copy(), execution="EXPIRED", liquidated=True))
        for algo in [one for one in books.open_algos.values() if one.symbol == symbol]:
            algo.status, algo.updated_ms = AlgoStatus.CANCELED, now_ms
            books.keep_algo(algo)
            books.tell(AlgoChanged(algo=algo, status="CANCELED"))
