"""Trades of the market against spot orders: what rests fills, what waits fires."""

from decimal import Decimal

from local.paper.core.execution import Taking, taker_price
from local.paper.core.matching import CATCH_UP_MS
from local.paper.core.records import ZERO, Order, OrderSide
from local.paper.core.spot_balances import Execution, quote_balance, settle
from local.paper.market.candles import Trade
from local.paper.market.quotes import Quote

WAITING = {
    "STOP_LOSS": "MARKET",
    "STOP_LOSS_LIMIT": "LIMIT",
    "TAKE_PROFIT": "MARKET",
    "TAKE_PROFIT_LIMIT": "LIMIT",
}
"""Types that wait for their trigger price, and what each becomes then."""

_CHUNK_MS = 60_000
_BNB = "BNBUSDT"


class SpotMatching(Taking):
    """Orders for assets, which may cost no more than is there."""

    def advance(self, now_ms: int) -> None:
        """Match every trade since the last call, in time order, then commit."""
        account = self._books.account
        start_ms = max(account.processed_ms + 1, now_ms - CATCH_UP_MS)
        while start_ms <= now_ms and self._books.open_orders:
            end_ms = min(start_ms + _CHUNK_MS - 1, now_ms)
            self._match_span(start_ms, end_ms)
            start_ms = end_ms + 1
        account.processed_ms = max(account.processed_ms, now_ms)
        self._books.commit()

    def fire(self, symbol: str, now_ms: int) -> int:
        """Fire every order of a symbol that waits for its price; how many they are."""
        quote = self._quotes.quote(symbol, now_ms)
        waiting = [
            one
            for one in self._books.open_orders.values()
            if one.symbol == symbol and one.order_type in WAITING
        ]
        for order in waiting:
            self._fire(order, quote)
        return len(waiting)

    def _match_span(self, start_ms: int, end_ms: int) -> None:
        symbols = sorted({one.symbol for one in self._books.open_orders.values()})
        trades = [
            (trade.ts_ms, symbol, trade)
            for symbol in symbols
            for trade in self._quotes.recent(symbol, start_ms, end_ms)
        ]
        for ts_ms, symbol, trade in sorted(trades, key=lambda one: one[0]):
            self._continue_until(ts_ms)
            self._match(symbol, trade)
        self._continue_until(end_ms)

    def _match(self, symbol: str, trade: Trade) -> None:
        quote = self._quotes.around(symbol, trade.price_ticks, trade.ts_ms)
        for order in [one for one in self._books.open_orders.values() if one.symbol == symbol]:
            if order.due:
                continue
            if order.order_type in WAITING:
                if fires(order.order_type, order.side, order.trigger_price, quote.last):
                    self._fire(order, quote)
            elif order.side.sign * (order.price - quote.last) >= 0:
                rest = order.quantity - order.filled
                self._fill(order, order.price, rest, maker=True, now_ms=quote.time_ms)

    def _fire(self, order: Order, quote: Quote) -> None:
        """The order goes to the market under its own id, as on Binance."""
        order.order_type, order.updated_ms = WAITING[order.order_type], quote.time_ms
        self._books.keep_order(order)
        if self._scripts.refuses(order.symbol):
            self.expire(order, quote.time_ms)
            return
        self.execute(order, quote, quote.time_ms)

    def take(self, order: Order, quote: Quote, now_ms: int) -> None:
        sign = order.side.sign
        for price, size in self._quotes.offers(order.symbol, sign, quote, now_ms):
            beyond = order.price and sign * (price - order.price) > 0
            part = min(order.quantity - order.filled, size, self._affordable(order, price))
            if beyond or part <= 0:
                return
            self._fill(order, price, part, maker=False, now_ms=now_ms)
            if not order.is_open:
                return

    def _affordable(self, order: Order, price: Decimal) -> Decimal:
        """How much of a buy its own lock and the free quote pay for; a sale is always covered."""
        rest = order.quantity - order.filled
        if order.side is OrderSide.SELL:
            return rest
        others = quote_balance(self._books).locked - rest * (order.price or order.trigger_price)
        step = Decimal("1e-8")
        return max((self._books.account.wallet - others) / price // step * step, ZERO)

    def _continue_until(self, until_ms: int) -> None:
        """Scripted parts of orders that are due."""
        for order in [one for one in self._books.open_orders.values() if one.due]:
            while order.is_open and order.due and int(order.due[0][0]) <= until_ms:
                due_ms = int(order.due[0][0])
                self.continue_parts(order, self._quotes.quote(order.symbol, due_ms), due_ms)

    def continue_parts(self, order: Order, quote: Quote, now_ms: int) -> None:
        while order.is_open and order.due and int(order.due[0][0]) <= now_ms:
            wanted, order.due = Decimal(order.due[0][1]), order.due[1:]
            price = order.price or taker_price(order.side, quote)
            self._fill(order, price, wanted, maker=False, now_ms=now_ms)
        if not order.due:
            self.expire_rest(order, now_ms)
        self._books.keep_order(order)

    def _fill(
        self, order: Order, price: Decimal, quantity: Decimal, *, maker: bool, now_ms: int
    ) -> None:
        done = Execution(price=price, quantity=quantity, maker=maker, now_ms=now_ms)
        instrument = self._quotes.instruments[order.symbol]
        settle(self._books, order, instrument, done, lambda: self._bnb_price(now_ms))

    def _bnb_price(self, now_ms: int) -> Decimal | None:
        return self._quotes.quote(_BNB, now_ms).last if _BNB in self._quotes.instruments else None


def fires(kind: str, side: OrderSide, trigger: Decimal, price: Decimal) -> bool:
    """Whether a trade at this price fires an order that waits: mirrored for buys and for profit."""
    direction = -side.sign if kind.startswith("TAKE_PROFIT") else side.sign
    return direction * (price - trigger) >= 0
