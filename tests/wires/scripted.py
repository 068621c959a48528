"""A paper exchange under a scripted market and a hand-set clock."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from local.paper.core.books import Books
from local.paper.core.exchange import PaperExchange
from local.paper.core.journal import MemoryJournal, Records
from local.paper.core.records import OrderSide, PositionSide
from local.paper.core.requests import AlgoRequest, OrderRequest
from local.paper.market.candles import Candles, Trade
from local.paper.market.instruments import PaperInstrument, by_symbol
from local.paper.market.quotes import Quotes

START_S = 1_700_000_000
BTC = "BTCUSDT"
D = Decimal
SIDES = pytest.mark.parametrize("side", [OrderSide.BUY, OrderSide.SELL])


def opposite(side: OrderSide) -> OrderSide:
    return OrderSide.SELL if side is OrderSide.BUY else OrderSide.BUY


class ScriptedMarket:
    """Whole-dollar BTC prices, a trade in the middle of each second; the last one stands."""

    def __init__(self, *dollars: int) -> None:
        self.instruments: tuple[PaperInstrument, ...] = (by_symbol(BTC),)
        self._ticks = [dollar * 10 for dollar in dollars]

    def _price(self, second: int) -> int:
        return self._ticks[min(max(second - START_S, 0), len(self._ticks) - 1)]

    def seconds(self, symbol: str, start_s: int, end_s: int) -> Candles:
        column = np.array([self._price(one) for one in range(start_s, end_s)], dtype=np.int64)
        return Candles(
            start_s=start_s, span_s=1, open=column, high=column, low=column, close=column,
            volume=np.full_like(column, 5),
        )  # fmt: skip

    def minutes(self, symbol: str, start_s: int, end_s: int) -> Candles:
        return self.seconds(symbol, start_s, end_s).aggregate(60)

    def trades(self, symbol: str, second: int) -> tuple[Trade, ...]:
        if second < START_S:
            return ()
        return (Trade(second * 4096, second * 1000 + 500, self._price(second), 5, False),)


@dataclass
class Stage:
    """The exchange and the second it is at."""

    exchange: PaperExchange
    second: int = 0

    def now_ms(self) -> int:
        return (START_S + self.second) * 1000 + 900

    def at(self, second: int) -> PaperExchange:
        """The exchange at the end of a scripted second."""
        self.second = second
        self.exchange.advance()
        return self.exchange

    def held(self, side: PositionSide = PositionSide.BOTH) -> Decimal:
        return self.exchange.books.position(BTC, side).quantity


_JOURNALS: dict[Path, MemoryJournal] = {}


def journal_in(directory: Path) -> MemoryJournal:
    """A journal in memory, the same for the same directory: files would cost more than the test."""
    return _JOURNALS.setdefault(directory, MemoryJournal())


def a_stage(
    directory: Path, *dollars: int, second: int = 0, journal: Records | None = None
) -> Stage:
    """An exchange on a directory; the same directory twice is a restart."""
    quotes = Quotes(ScriptedMarket(*dollars))
    books = Books(journal or journal_in(directory), D(10_000))
    stage = Stage(exchange=PaperExchange(books, quotes, lambda: 0), second=second)
    stage.exchange.now_ms = stage.now_ms
    return stage


def a_market_order(side: OrderSide, quantity: str = "0.01", **more: Any) -> OrderRequest:
    fields: dict[str, Any] = {
        "symbol": BTC, "side": side, "position_side": PositionSide.BOTH, "order_type": "MARKET",
        "quantity": D(quantity),
    }  # fmt: skip
    return OrderRequest(**{**fields, **more})


def a_limit_order(side: OrderSide, price: int, **more: Any) -> OrderRequest:
    fields: dict[str, Any] = {"order_type": "LIMIT", "price": D(price), **more}
    return a_market_order(side, **fields)


def an_algo(side: OrderSide, kind: str, **more: Any) -> AlgoRequest:
    """A reduce-only conditional order of 0.01 BTC."""
    fields: dict[str, Any] = {
        "symbol": BTC, "side": side, "position_side": PositionSide.BOTH, "order_type": kind,
        "quantity": D("0.01"), "reduce_only": True,
    }  # fmt: skip
    return AlgoRequest(**{**fields, **more})
