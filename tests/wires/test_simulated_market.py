"""What a simulation runs on: a scripted market and a journal in memory."""

from decimal import Decimal

import pytest
from tests.wires.scripted import START_S

from local.paper.core.books import Books
from local.paper.core.exchange import PaperExchange
from local.paper.core.journal import MemoryJournal
from local.paper.core.records import OrderSide, PositionSide
from local.paper.core.requests import OrderRequest
from local.paper.market.instruments import instruments
from local.paper.market.quotes import Quotes
from local.paper.market.scripted import Jump, ScriptedMarket

LISTED = instruments(2)
BTC = LISTED[0].symbol
START_MS = START_S * 1000


def a_market(seed: int = 7, **more: object) -> ScriptedMarket:
    return ScriptedMarket(LISTED, seed, **more)  # type: ignore[arg-type]


def test_any_second_is_the_same_however_it_is_asked() -> None:
    forward, backward = a_market(), a_market()
    seconds = range(START_S, START_S + 600)

    one = [forward.trades(BTC, second) for second in seconds]
    other = [backward.trades(BTC, second) for second in reversed(seconds)]

    assert one == other[::-1]
    assert one != [a_market(8).trades(BTC, second) for second in seconds]


def test_the_candles_are_those_of_the_trades() -> None:
    market = a_market()

    candles = market.seconds(BTC, START_S, START_S + 300)

    for place in range(300):
        prices = [one.price_ticks for one in market.trades(BTC, START_S + place)]
        assert candles.open[place] == prices[0]
        assert candles.close[place] == prices[-1]
        assert (candles.low[place], candles.high[place]) == (min(prices), max(prices))
    minutes = market.minutes(BTC, START_S // 60 * 60, START_S // 60 * 60 + 120)
    assert len(minutes) == 2


def test_the_walk_moves_a_little_at_a_time_and_stays_about_its_level() -> None:
    closes = a_market().seconds(BTC, START_S, START_S + 3000).close
    moves = abs(closes[1:] / closes[:-1] - 1)

    assert 1e-4 < moves.mean() < 1e-3
    assert moves.max() < 3e-3
    assert abs(closes.mean() * 0.1 / LISTED[0].start_price - 1) < 0.05


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_jump_holds_from_its_millisecond_on(factor: float) -> None:
    calm = a_market(swing=0.0)
    shaken = a_market(swing=0.0, jumps=(Jump(symbol=BTC, at_ms=START_MS + 1500, factor=factor),))
    second = START_S + 1
    level = calm.trades(BTC, second)[0].price_ticks

    prices = [one.price_ticks for one in shaken.trades(BTC, second)]

    assert prices == [level, round(level * factor)]
    assert shaken.trades(LISTED[1].symbol, second) == calm.trades(LISTED[1].symbol, second)


def a_buy(client_id: str) -> OrderRequest:
    return OrderRequest(
        symbol=BTC, side=OrderSide.BUY, position_side=PositionSide.BOTH, order_type="MARKET",
        quantity=Decimal("0.01"), client_order_id=client_id,
    )  # fmt: skip


def an_exchange(journal: MemoryJournal) -> PaperExchange:
    books = Books(journal, Decimal(10_000))
    return PaperExchange(books, Quotes(a_market()), lambda: START_MS)


def test_books_in_memory_come_back_from_a_kill_with_what_was_committed() -> None:
    journal = MemoryJournal()
    before = an_exchange(journal)
    before.place_order(a_buy("one"))
    then = journal.copy()
    before.place_order(a_buy("two"))
    before.books.account.wallet = Decimal(1)  # known to the process alone

    after, earlier = an_exchange(journal).books, an_exchange(then).books

    assert [one.client_order_id for one in after.orders.values()] == ["one", "two"]
    assert after.orders == before.books.orders
    assert after.account.wallet == 10_000 - sum(one.fee for one in after.fills)
    assert [one.client_order_id for one in earlier.orders.values()] == ["one"]
