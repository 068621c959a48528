"""Which symbols an engine trades."""

from decimal import Decimal

import pytest
from tests.builders import an_instrument

from adapters.symbol_choice import choose, groups
from engine.errors import RefusedError
from engine.settings import Settings, with_values
from engine.values import Instrument

VOLUMES = {"BTC": 900, "ETH": 800, "SOL": 700, "XRP": 50, "ADA": 40, "BCH": 1}


def _venue(quote: str = "USDT") -> list[Instrument]:
    return [
        an_instrument(f"{base}{quote}", base=base, quote=quote, volume_24h_quote=Decimal(volume))
        for base, volume in sorted(VOLUMES.items())
    ]


def _symbols(**values: object) -> list[str]:
    choice = choose(_venue(), with_values(Settings(), values))
    return [one.symbol for one in choice.instruments]


def test_forced_symbols_stand_first_then_the_most_traded_up_to_the_number() -> None:
    assert _symbols(numberOfSymbolsToSelect=4) == ["XRPUSDT", "BCHUSDT", "BTCUSDT", "ETHUSDT"]


def test_a_forced_symbol_that_is_also_at_the_top_counts_once() -> None:
    wished = _symbols(numberOfSymbolsToSelect=3, forcedSymbols=["ETH"])

    assert wished == ["ETHUSDT", "BTCUSDT", "SOLUSDT"]


def test_the_order_may_be_alphabetical() -> None:
    wished = _symbols(
        numberOfSymbolsToSelect=3, forcedSymbols=["XRP"], symbolOrderType="alphabetical"
    )

    assert wished == ["XRPUSDT", "ADAUSDT", "BCHUSDT"]


def test_symbols_of_open_positions_are_kept_whatever_the_settings_say() -> None:
    settings = with_values(Settings(), {"numberOfSymbolsToSelect": 2, "forcedSymbols": ["XRP"]})

    choice = choose(_venue(), settings, held={"ADAUSDT", "BTCUSDT", "LUNAUSDT"})

    assert [one.symbol for one in choice.instruments] == ["XRPUSDT", "BTCUSDT", "ADAUSDT"]
    assert choice.dropped == ("LUNAUSDT",)


def test_main_symbols_replace_the_top() -> None:
    wished = _symbols(useMainSymbols=True, mainSymbols=["SOL", "BTC"], forcedSymbols=["ADA"])

    assert wished == ["ADAUSDT", "SOLUSDT", "BTCUSDT"]


def test_what_the_venue_does_not_trade_is_dropped_and_told() -> None:
    settings = with_values(Settings(), {"forcedSymbols": ["LUNA", "BTC"]})

    choice = choose(_venue(), settings)

    assert choice.dropped == ("LUNAUSDT",)
    assert choice.instruments[0].symbol == "BTCUSDT"


def test_only_the_wanted_quote_is_traded() -> None:
    with pytest.raises(RefusedError, match="USDC"):
        choose(_venue(), with_values(Settings(), {"quoteAsset": "USDC"}))


def test_more_symbols_than_the_venue_has_are_all_of_them() -> None:
    assert len(_symbols(numberOfSymbolsToSelect=50)) == len(VOLUMES)


def test_groups_keep_order_and_lose_nothing() -> None:
    assert groups(["a", "b", "c", "d", "e"], size=2) == [["a", "b"], ["c", "d"], ["e"]]
