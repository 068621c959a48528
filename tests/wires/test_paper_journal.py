"""The books outlive the process."""

import sqlite3
from pathlib import Path

import pytest
from tests.wires.scripted import (
    BTC,
    D,
    Stage,
    a_limit_order,
    a_market_order,
    a_stage,
    an_algo,
)

from local.paper.core import modes
from local.paper.core.books import Books, Event
from local.paper.core.journal import Journal
from local.paper.core.records import AlgoStatus, OrderSide, PositionSide
from local.paper.market.instruments import instruments
from local.paper.market.market import GeneratedMarket
from local.paper.market.quotes import Quotes
from local.paper.opening import check_listed, market_anchor

PRICES = (100_000, 99_000, 98_000)


def on_disk(directory: Path, *prices: int, second: int = 0) -> Stage:
    return a_stage(directory, *prices, second=second, journal=Journal(directory / "books.sqlite"))


def contents(books: Books) -> tuple[object, ...]:
    return (
        books.account.wallet, books.orders, books.algos, books.fills, books.positions,
        books.configs, books.client_ids, books.open_orders, books.open_algos,
    )  # fmt: skip


def a_busy_stage(directory: Path) -> Stage:
    stage = on_disk(directory, *PRICES)
    modes.set_leverage(stage.exchange.books, BTC, 5)
    stage.exchange.place_order(a_market_order(OrderSide.BUY, client_order_id="entry"))
    stage.exchange.place_order(a_limit_order(OrderSide.BUY, 90_000, client_order_id="rest"))
    stage.exchange.place_algo(an_algo(OrderSide.SELL, "STOP_MARKET", trigger_price=D(98_500)))
    return stage


def test_a_restart_without_any_goodbye_restores_everything(tmp_path: Path) -> None:
    before = a_busy_stage(tmp_path).exchange.books

    after = on_disk(tmp_path, *PRICES).exchange.books

    assert contents(after) == contents(before)
    assert after.next_id() > max(before.orders)


@pytest.mark.parametrize("opening", [OrderSide.BUY, OrderSide.SELL])
def test_what_the_market_did_while_the_exchange_was_down_is_matched_on_return(
    tmp_path: Path, opening: OrderSide
) -> None:
    stop = 100_000 - 500 * opening.sign
    prices = (100_000, 100_000 - 1_000 * opening.sign, 100_000)
    closing = OrderSide.SELL if opening is OrderSide.BUY else OrderSide.BUY
    stage = on_disk(tmp_path, *prices)
    stage.exchange.place_order(a_market_order(opening))
    algo = stage.exchange.place_algo(an_algo(closing, "STOP_MARKET", trigger_price=D(stop)))

    back = on_disk(tmp_path, *prices, second=2).at(2)

    found = back.books.algos[algo.algo_id]
    assert found.status is AlgoStatus.FINISHED
    assert found.triggered_ms == 1_700_000_001_500


def test_a_change_is_on_disk_before_anybody_hears_of_it(tmp_path: Path) -> None:
    stage = on_disk(tmp_path, *PRICES)
    seen: list[int] = []

    def look(event: Event) -> None:
        with sqlite3.connect(tmp_path / "books.sqlite") as other:
            rows = other.execute("SELECT count(*) FROM records WHERE kind = 'fill'").fetchone()
        other.close()
        seen.append(rows[0])

    stage.exchange.books.listener = look
    stage.exchange.place_order(a_market_order(OrderSide.BUY))

    assert seen
    assert set(seen) == {1}


def test_a_tape_keeps_the_moment_it_first_started(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "books.sqlite")

    assert market_anchor(journal, "a.csv", 1_000) == 1_000
    assert market_anchor(Journal(tmp_path / "books.sqlite"), "a.csv", 2_000) == 1_000
    assert market_anchor(journal, "b.csv", 2_000) == 2_000


def test_a_market_that_does_not_list_what_the_books_hold_is_refused(tmp_path: Path) -> None:
    books = a_busy_stage(tmp_path).exchange.books
    check_listed(books, Quotes(GeneratedMarket(instruments(1), 7)))
    books.position(BTC, PositionSide.BOTH).symbol = "ZZZUSDT"

    with pytest.raises(ValueError, match="the books hold ZZZUSDT"):
        check_listed(books, Quotes(GeneratedMarket(instruments(1), 7)))
