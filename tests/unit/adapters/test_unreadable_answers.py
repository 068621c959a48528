"""Answers that arrived and say nothing: pages, cut bodies, other shapes than promised."""

import asyncio
from typing import Any

import pytest
from tests.fakes import FakeClock

from adapters.access import Access, Network
from adapters.exchange import CcxtExchange
from adapters.failures import VenueUnclearError, understood
from adapters.private import PrivateStream
from adapters.streams import Patience
from adapters.venues.binance import BinanceUsdm
from adapters.wire import Wire

PAGES: list[Any] = [object(), [], {}, None, "<html>"]


class _Client:
    """A client of which every request is answered alike."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        async def request(*_: Any) -> Any:
            self.asked += 1
            return self._answer

        return request

    async def load_time_difference(self) -> Any:
        return 5 - self._answer.get("serverTime")  # as ccxt reads it


class _Wire(Wire):
    def __init__(self, answer: Any) -> None:
        access = Access(venue="binance", network=Network.LIVE)
        super().__init__(access, FakeClock(), BinanceUsdm())
        self.only = _Client(answer)

    def client(self) -> Any:
        return self.only


@pytest.mark.parametrize("page", PAGES)
async def test_a_clock_that_could_not_be_read_is_measured_again(page: Any) -> None:
    wire = _Wire(page)
    for _ in range(2):
        with pytest.raises(VenueUnclearError):
            await wire.set_clock()


@pytest.mark.parametrize("page", PAGES)
async def test_modes_that_could_not_be_read_are_prepared_again(page: Any) -> None:
    wire = _Wire(page)
    wire._clock_is_set = True
    exchange = CcxtExchange(wire, BinanceUsdm(), FakeClock())

    with pytest.raises(VenueUnclearError):
        await exchange.prepare("BTCUSDT", leverage=5, hedge=True, cross=True)


async def test_what_is_no_row_at_all_is_as_unreadable_as_one_that_lacks_a_key() -> None:
    async def reading() -> Any:
        return [].get("row")  # type: ignore[attr-defined]

    with pytest.raises(VenueUnclearError):
        await understood(reading())


async def test_a_stream_whose_key_could_not_be_read_is_dialled_again() -> None:
    wire, clock = _Wire([]), FakeClock()
    patience = Patience(first_retry_ms=1, last_retry_ms=1)
    private = PrivateStream(wire, BinanceUsdm(), clock, patience=patience)
    while wire.only.asked < 3:
        await asyncio.sleep(0)
        assert not private.stream._task.done()
    await private.close()
