"""The paper exchange under random trading: what must hold of its books, whatever happens."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from local.paper.core import margin, modes
from local.paper.core.books import Books
from local.paper.core.exchange import PaperExchange
from local.paper.core.journal import MemoryJournal
from local.paper.core.records import OrderSide, PositionSide
from local.paper.core.refusals import RefusedError
from local.paper.core.requests import AlgoRequest, OrderRequest
from local.paper.core.scripts import Part
from local.paper.market.instruments import instruments
from local.paper.market.quotes import Quotes
from local.paper.market.scripted import Jump, ScriptedMarket

LISTED = instruments(3)
SYMBOLS = [one.symbol for one in LISTED]
BALANCE = Decimal(2_000)
START_MS = 1_700_006_400_000 - 30_000  # half a minute before a funding settlement
STEPS = 150
SEEDS = pytest.mark.parametrize("seed", range(6))
HEDGED = pytest.mark.parametrize("hedged", [False, True], ids=["one-way", "hedged"])


def a_market(seed: int) -> ScriptedMarket:
    """Two symbols crash or leap at random, one of them twice."""
    draw = random.Random(seed)
    jumps = [
        Jump(symbol=symbol, at_ms=START_MS + draw.randrange(90_000), factor=draw.choice(factors))
        for symbol, factors in zip(
            (*SYMBOLS[:2], SYMBOLS[0]), ((0.9, 1.1), (0.85, 1.15), (0.97, 1.03)), strict=True
        )
    ]
    return ScriptedMarket(LISTED, seed, jumps=jumps)


@dataclass
class Trader:
    """Sends random orders at random moments, and may look at the market in between.

    Everything follows from the seed, so two traders of one seed ask the same, however often one
    of them looks, and whether or not its exchange is killed on the way.
    """

    seed: int
    hedged: bool
    looks: bool = False
    kills: bool = False
    now_ms: int = START_MS
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    after: Callable[[PaperExchange], None] = lambda exchange: None

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.market = a_market(self.seed)
        self.exchange = self.opened()
        if self.hedged:
            modes.set_hedge_mode(self.exchange.books, hedge_mode=True)
        modes.set_isolated(self.exchange.books, SYMBOLS[1], isolated=True)
        for symbol in SYMBOLS:
            modes.set_leverage(self.exchange.books, symbol, 50)

    def opened(self) -> PaperExchange:
        quotes = Quotes(self.market, seed=self.seed)
        exchange = PaperExchange(Books(self.journal, BALANCE), quotes, lambda: self.now_ms)
        self.script(exchange)
        return exchange

    def script(self, exchange: PaperExchange | None = None) -> None:
        """Thin books, and no parts left over from an order that was refused."""
        scripts = (exchange or self.exchange).scripts
        scripts.clear()
        for symbol in SYMBOLS:
            scripts.set_liquidity(symbol, Decimal("0.05"))

    def run(self) -> Books:
        for _ in range(STEPS):
            self.wait(self.draw.randrange(1_200))
            if self.kills:
                self.exchange = self.opened()
            try:
                self.act()
            except RefusedError:
                self.script()
            self.after(self.exchange)
        self.wait(5_000)
        self.exchange.advance()
        return self.exchange.books

    def wait(self, span_ms: int) -> None:
        until_ms = self.now_ms + span_ms
        while self.looks and self.now_ms + 70 < until_ms:
            self.now_ms += 70
            self.exchange.advance()
            self.after(self.exchange)
        self.now_ms = until_ms

    def act(self) -> None:
        kind = self.draw.choice(["market", "market", "limit", "stop", "trail", "cancel", "part"])
        one, side = self.draw.choice(LISTED), self.draw.choice(list(OrderSide))
        closes = self.draw.random() < 0.4
        sides: dict[str, Any] = {
            "symbol": one.symbol, "side": side, "position_side": PositionSide.BOTH,
            "reduce_only": closes and not self.hedged,
        }  # fmt: skip
        if self.hedged:
            opens = PositionSide.LONG if side is OrderSide.BUY else PositionSide.SHORT
            other = PositionSide.SHORT if side is OrderSide.BUY else PositionSide.LONG
            sides["position_side"] = other if closes else opens
        value = Decimal(self.draw.randrange(200, 30_000))
        last = self.exchange.last_price(one.symbol)
        sides["quantity"] = max(value / last // one.step * one.step, one.step)
        offset = Decimal(self.draw.randrange(-30, 30)) / 10_000
        price = last * (1 + offset) // one.tick * one.tick
        self.send(kind, sides, price)

    def send(self, kind: str, sides: dict[str, Any], price: Decimal) -> None:
        exchange = self.exchange
        exchange.advance()  # a stop that fires on the way must not take what is meant for now
        match kind:
            case "market":
                exchange.place_order(OrderRequest(order_type="MARKET", **sides))
            case "limit":
                exchange.place_order(OrderRequest(order_type="LIMIT", price=price, **sides))
            case "stop":
                exchange.place_algo(
                    AlgoRequest(order_type="STOP_MARKET", trigger_price=price, **sides)
                )
            case "trail":
                exchange.place_algo(
                    AlgoRequest(
                        order_type="TRAILING_STOP_MARKET", callback_rate=Decimal("0.2"), **sides
                    )
                )
            case "part":
                parts = [Part(percent=Decimal(40), after_ms=0)]
                parts.append(Part(percent=Decimal(50), after_ms=900))
                exchange.scripts.fill_in_parts(parts, sides["symbol"])
                exchange.place_order(OrderRequest(order_type="MARKET", **sides))
            case _:
                for order in list(exchange.books.open_orders.values())[:1]:
                    exchange.cancel_order(order)


def contents(books: Books) -> tuple[object, ...]:
    return (
        books.account.wallet, books.account.insurance, books.account.next_id, books.orders,
        books.algos, books.fills, books.incomes, books.positions, books.open_orders,
    )  # fmt: skip


def check_money(books: Books) -> None:
    """No cent appears or goes, and every position is its fills."""
    flows = sum((one.realized - one.fee for one in books.fills), Decimal(0))
    paid = sum((one.amount for one in books.incomes), Decimal(0))
    assert abs(books.account.wallet - (BALANCE + flows + paid)) < Decimal("1e-15")
    for (symbol, side), position in books.positions.items():
        moved = sum(
            (
                one.side.sign * one.quantity
                for one in books.fills
                if (one.symbol, one.position_side) == (symbol, side)
            ),
            Decimal(0),
        )
        assert position.quantity == moved


def check_margins(exchange: PaperExchange) -> None:
    """Nobody is past the end of his margin, and nothing is owed."""
    books = exchange.books
    exchange.advance()
    for one in margin.held(books):
        assert margin.slack(books, one, exchange.mark_price, exchange.venue.brackets) > 0
        assert one.margin >= 0
        assert (one.margin > 0) == (one.symbol == SYMBOLS[1])
        kept = {PositionSide.LONG: one.quantity > 0, PositionSide.SHORT: one.quantity < 0}
        assert kept.get(one.position_side, True)
    if not margin.held_cross(books):
        assert margin.cross_wallet(books) >= 0
    for order in books.open_orders.values():
        assert 0 <= order.filled < order.quantity


@SEEDS
@HEDGED
def test_money_and_positions_add_up_at_every_step(seed: int, hedged: bool) -> None:
    def check(exchange: PaperExchange) -> None:
        check_margins(exchange)
        check_money(exchange.books)

    books = Trader(seed, hedged, after=check).run()

    assert len(books.fills) > 60
    assert len(books.incomes) > 1


@SEEDS
@HEDGED
def test_how_often_one_looks_changes_nothing(seed: int, hedged: bool) -> None:
    seldom = Trader(seed, hedged).run()
    often = Trader(seed, hedged, looks=True).run()

    assert contents(often) == contents(seldom)


@SEEDS
@HEDGED
def test_a_kill_before_every_order_changes_nothing(seed: int, hedged: bool) -> None:
    lasting = Trader(seed, hedged).run()
    killed = Trader(seed, hedged, kills=True).run()

    assert contents(killed) == contents(lasting)


@SEEDS
@pytest.mark.parametrize("side", list(OrderSide))
def test_a_shared_wallet_ends_at_the_very_trade_that_uses_it_up(seed: int, side: OrderSide) -> None:
    """Liquidation is judged at every trade, though it is computed at few of them."""
    pair = LISTED[:2]
    market = ScriptedMarket(pair, seed, swing=4e-3)
    now_ms = start_ms = START_MS + 60_000  # the funding is settled
    exchange = PaperExchange(Books(MemoryJournal(), BALANCE), Quotes(market), lambda: now_ms)
    for one in pair:
        modes.set_leverage(exchange.books, one.symbol, 100)
        last = exchange.last_price(one.symbol)
        quantity = Decimal(90_000) / last // one.step * one.step
        exchange.place_order(
            OrderRequest(
                symbol=one.symbol, side=side, position_side=PositionSide.BOTH, order_type="MARKET",
                quantity=quantity,
            )
        )  # fmt: skip
    books = exchange.books
    held = [books.position(one.symbol, PositionSide.BOTH) for one in pair]
    wallet, terms = books.account.wallet, [(one.quantity, one.entry_price) for one in held]

    def slack(at_ms: int) -> Decimal:
        prices = [exchange.quotes.quote(one.symbol, at_ms).last for one in pair]
        value = wallet
        for (quantity, entry), price in zip(terms, prices, strict=True):
            value += (price - entry) * quantity - abs(quantity) * price * Decimal("0.004")
        return value

    moments = (start_ms // 1000 * 1000 + place for place in range(250, 6_000_000, 500))
    expected = next(each for each in moments if each > start_ms and slack(each) <= 0)
    while now_ms < expected + 2_000:
        now_ms += 300
        exchange.advance()

    forced = [one for one in books.fills if one.kind.value == "liquidation"]
    assert forced[0].time_ms == expected


@pytest.mark.parametrize("side", list(OrderSide))
def test_of_a_shared_wallet_the_worst_position_goes_first(side: OrderSide) -> None:
    """Its fee is more than the maintenance it frees, so here the others follow."""
    losing, calm = LISTED[:2]
    shock = Jump(symbol=losing.symbol, at_ms=START_MS + 60_000, factor=1 - 0.021 * side.sign)
    market = ScriptedMarket(LISTED[:2], 1, jumps=[shock], swing=0.0)
    now_ms = START_MS + 40_000
    exchange = PaperExchange(Books(MemoryJournal(), BALANCE), Quotes(market), lambda: now_ms)
    for one, value in ((calm, 20_000), (losing, 85_000)):
        modes.set_leverage(exchange.books, one.symbol, 100)
        quantity = Decimal(value) / exchange.last_price(one.symbol) // one.step * one.step
        exchange.place_order(
            OrderRequest(
                symbol=one.symbol, side=side, position_side=PositionSide.BOTH, order_type="MARKET",
                quantity=quantity,
            )
        )  # fmt: skip

    now_ms += 30_000
    exchange.advance()

    forced = [one.symbol for one in exchange.books.fills if one.kind.value == "liquidation"]
    assert forced[0] == losing.symbol
    assert forced[-1] == calm.symbol
    assert exchange.books.account.wallet >= 0
    check_margins(exchange)


@pytest.mark.parametrize("side", list(OrderSide))
def test_in_hedge_mode_two_closing_orders_never_open_the_other_side(side: OrderSide) -> None:
    trader = Trader(1, hedged=True)
    exchange, symbol = trader.exchange, SYMBOLS[0]
    opens, closes = side, OrderSide.SELL if side is OrderSide.BUY else OrderSide.BUY
    held = PositionSide.LONG if side is OrderSide.BUY else PositionSide.SHORT
    terms: dict[str, Any] = {
        "symbol": symbol, "position_side": held, "quantity": Decimal("0.01"),
    }  # fmt: skip
    exchange.place_order(OrderRequest(side=opens, order_type="MARKET", **terms))
    price = exchange.last_price(symbol) + closes.sign * Decimal(-40)
    far = exchange.last_price(symbol) + side.sign * Decimal(2_000)
    for each in (price, far):
        limit = each // Decimal("0.1") * Decimal("0.1")
        exchange.place_order(
            OrderRequest(side=closes, order_type="LIMIT", price=limit, **terms)
        )  # fmt: skip
    parts = [Part(percent=Decimal(50), after_ms=0), Part(percent=Decimal(50), after_ms=500)]
    exchange.scripts.fill_in_parts(parts, symbol)
    exchange.place_order(OrderRequest(side=closes, order_type="MARKET", **terms))

    trader.wait(60_000)
    exchange.advance()

    assert side.sign * exchange.books.position(symbol, held).quantity >= 0


def test_the_random_life_has_everything_in_it() -> None:
    """The seeds above are worth something only if what they try does happen."""
    met: set[str] = set()
    for seed in range(6):
        books = Trader(seed, hedged=False).run()
        met |= {one.kind.value for one in books.fills}
        met |= {one.kind.value for one in books.incomes}
        met |= {one.status.value for one in books.orders.values()}
        met |= {one.status.value for one in books.algos.values()}

    assert met >= {
        "trade", "liquidation", "FUNDING_FEE", "INSURANCE_CLEAR", "FILLED", "CANCELED", "EXPIRED",
        "FINISHED", "REJECTED",
    }  # fmt: skip
