"""The account's news where a venue tells them at two addresses: both must be heard."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.access import Access, Network
from adapters.clock import SystemClock
from adapters.private import PrivateStream
from adapters.streams import Patience
from adapters.venues import Caller, Socket
from adapters.venues.okx import OkxSwap
from adapters.wire import Listener, Wire
from engine.errors import VenueBusyError
from engine.events import OrderUpdate, StreamBroken
from engine.ledger import OrderState

QUICK = Patience(first_retry_ms=4, last_retry_ms=8)
PLAIN, CONDITIONAL = "wss://venue/private", "wss://venue/business"
CANCELLED = {
    "arg": {"channel": "orders-algo", "instType": "SWAP"},
    "data": [{"instId": "BTC-USDT-SWAP", "algoId": "5", "algoClOrdId": "mine", "side": "sell",
              "posSide": "net", "reduceOnly": "true", "state": "canceled", "uTime": "1"}],
}  # fmt: skip


class TwoLines(OkxSwap):
    """OKX with addresses of the test's own."""

    async def private_socket(self, wire: Caller) -> Socket:
        return Socket(url=PLAIN, request=None)

    async def second_private_socket(self, wire: Caller) -> Socket:
        return Socket(url=CONDITIONAL, request=None)


class Lines(Wire):
    """Sockets that open when the test lets them, and break when it says so."""

    def __init__(self) -> None:
        super().__init__(Access(venue="okx", network=Network.LIVE), SystemClock(), TwoLines())
        self.heard: dict[str, Listener] = {}
        self.faults = {url: asyncio.Event() for url in (PLAIN, CONDITIONAL)}
        self.is_open = dict.fromkeys((PLAIN, CONDITIONAL), True)

    def listen(self, url: str, listener: Listener | None) -> None:
        if listener is None:
            self.heard.pop(url, None)
        else:
            self.heard[url] = listener

    async def dial(self, socket: Socket) -> None:
        if self.is_open[socket.url]:
            self.heard[socket.url](socket.url, None)
            await self.faults[socket.url].wait()
        raise VenueBusyError("the line was cut")

    async def say(self, url: str, message: Mapping[str, Any]) -> None:
        del url, message

    async def hang_up(self, url: str) -> None:
        self.listen(url, None)

    def cut(self, url: str) -> None:
        self.is_open[url] = False
        self.faults[url].set()

    def mend(self, url: str) -> None:
        self.faults[url].clear()
        self.is_open[url] = True


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Lines, PrivateStream]]:
    lines = Lines()
    private = PrivateStream(lines, TwoLines(), SystemClock(), patience=QUICK)
    try:
        yield lines, private
    finally:
        await private.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(2):
        while not condition():
            await asyncio.sleep(0.001)


def broken(private: PrivateStream) -> list[StreamBroken]:
    return [event for event in private.drain() if isinstance(event, StreamBroken)]


async def test_news_are_whole_once_both_lines_are_open() -> None:
    async with listening() as (lines, private):
        lines.cut(CONDITIONAL)
        await until(lambda: PLAIN in lines.heard)
        while_one = broken(private)
        lines.mend(CONDITIONAL)
        told = await gathered(private, 1)

    assert while_one == []  # nothing is known to be whole yet
    assert len(told) == 1  # now it is: read what came before


async def gathered(private: PrivateStream, number: int) -> list[StreamBroken]:
    """The next so many words that news are missing."""
    told: list[StreamBroken] = []
    async with asyncio.timeout(2):
        while len(told) < number:
            told += broken(private)
            await asyncio.sleep(0.001)
    return told


@pytest.mark.parametrize("url", [PLAIN, CONDITIONAL])
async def test_a_break_of_either_line_is_told_and_so_is_its_return(url: str) -> None:
    async with listening() as (lines, private):
        await gathered(private, 1)
        lines.cut(url)
        (gone,) = await gathered(private, 1)
        lines.mend(url)
        (back,) = await gathered(private, 1)
        rest = broken(private)

    assert back.since_ms <= gone.since_ms <= gone.at_ms <= back.at_ms
    assert rest == []


async def test_what_the_second_line_says_is_news() -> None:
    async with listening() as (lines, private):
        await until(lambda: len(lines.heard) == 2)
        lines.heard[CONDITIONAL](CONDITIONAL, CANCELLED)
        events = private.drain()

    updates = [event for event in events if isinstance(event, OrderUpdate)]
    assert [(each.client_order_id, each.state) for each in updates] == [
        ("mine", OrderState.CANCELLED)
    ]
