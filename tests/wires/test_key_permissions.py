"""What a key may do, as each venue tells it to the adapter's own dialect."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from tests.wires.scripted import BTC, START_S

from adapters.venues import binance_spot_words, binance_words, bybit_words, okx_words
from engine.events import KeyRights
from local.paper.core.books import Books
from local.paper.core.exchange import PaperExchange
from local.paper.core.journal import MemoryJournal
from local.paper.core.scripts import KeyPermissions
from local.paper.market.instruments import by_symbol
from local.paper.market.quotes import Quotes
from local.paper.market.scripted import ScriptedMarket
from local.paper.venues.binance import restrictions
from local.paper.venues.binance.parameters import Parameters
from local.paper.venues.bybit import account as bybit_account
from local.paper.venues.bybit.parameters import of_query
from local.paper.venues.okx import account as okx_account
from local.paper.venues.okx.parameters import of_query as of_okx_query

TOLD: dict[str, Callable[[PaperExchange], KeyRights]] = {
    "binance": lambda one: binance_words.rights(restrictions.of_key(one, Parameters({}))),
    "binance_spot": lambda one: binance_spot_words.rights(restrictions.of_key(one, Parameters({}))),
    "bybit": lambda one: bybit_words.rights(bybit_account.query_api(one, of_query(""))),
    "okx": lambda one: okx_words.rights(okx_account.config(one, of_okx_query(""))[0]),
}


@pytest.mark.parametrize("venue", TOLD)
@pytest.mark.parametrize("can_trade", [True, False])
@pytest.mark.parametrize("can_withdraw", [True, False])
@pytest.mark.parametrize("is_address_bound", [True, False])
def test_the_rights_of_a_key_are_those_that_the_script_gave_it(
    venue: str, can_trade: bool, can_withdraw: bool, is_address_bound: bool
) -> None:
    rights = {
        "can_trade": can_trade, "can_withdraw": can_withdraw, "is_address_bound": is_address_bound,
    }  # fmt: skip
    quotes = Quotes(ScriptedMarket((by_symbol(BTC),), 1))
    books = Books(MemoryJournal(), Decimal(100))
    exchange = PaperExchange(books, quotes, lambda: START_S * 1000)
    exchange.scripts.key = KeyPermissions(**rights)

    assert TOLD[venue](exchange) == KeyRights(**rights)
