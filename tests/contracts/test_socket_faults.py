"""What a client sees of each fault that strikes its sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import ccxt
import pytest
from tests.served_venue import KEY, ServedVenue, served

from local.paper.core.records import OrderSide, PositionSide
from local.paper.core.requests import OrderRequest
from local.paper.venues.binance.market_shapes import Json

BTC, TRADES = "BTC/USDT:USDT", "btcusdt@trade"
STREAM = "wss://fstream.binance.com/market/ws/"
LISTEN_KEY = "https://fapi.binance.com/fapi/v1/listenKey"
QUIET_S = 1.2  # two trades a second


@pytest.fixture
async def venue(tmp_path: Path) -> AsyncIterator[ServedVenue]:
    async with served(tmp_path) as made:
        yield made


class Listener:
    """A plain socket, and what came over it."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.events: list[Json] = []
        self.raw: list[str] = []
        self.ended = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self.socket:
            self.raw.append(message.data)
            try:
                self.events.append(json.loads(message.data))
            except ValueError:
                continue

    async def until(self, is_true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not is_true():
                await asyncio.sleep(0.01)

    @property
    def trade_ids(self) -> list[int]:
        return [one["t"] for one in self.events if one.get("e") == "trade"]

    @property
    def statuses(self) -> list[str]:
        orders = [one for one in self.events if one.get("e") == "ORDER_TRADE_UPDATE"]
        return [one["o"]["X"] for one in orders]

    @property
    def kinds(self) -> list[str]:
        return [one.get("e", "") for one in self.events]


async def public(venue: ServedVenue, stream: str = TRADES) -> Listener:
    return Listener(await venue.session().ws_connect(STREAM + stream))


async def private(venue: ServedVenue) -> Listener:
    session = venue.session()
    async with session.post(LISTEN_KEY, headers={"X-MBX-APIKEY": KEY}) as answer:
        key = (await answer.json())["listenKey"]
    return Listener(await session.ws_connect(STREAM + key))


def buy(venue: ServedVenue) -> None:
    """An order of the account; its events are NEW, then the account, then FILLED."""
    venue.exchange.place_order(
        OrderRequest(
            symbol="BTCUSDT",
            side=OrderSide.BUY,
            position_side=PositionSide.BOTH,
            order_type="MARKET",
            quantity=venue.exchange.instrument("BTCUSDT").step * 10,
        )
    )


async def test_the_market_comes_whole_while_no_rule_strikes(venue: ServedVenue) -> None:
    listener = await public(venue)

    await listener.until(lambda: len(listener.trade_ids) >= 3)

    assert listener.trade_ids == sorted(set(listener.trade_ids))


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"fault": "drop", "nth": 2}, ["NEW"]),
        ({"fault": "duplicate", "nth": 1}, ["NEW", "NEW", "FILLED"]),
        ({"fault": "reorder", "nth": 1, "with": {"by": 2}}, ["FILLED", "NEW"]),
        ({"fault": "delay_frame", "nth": 1, "with": {"by_ms": 150}}, ["FILLED", "NEW"]),
    ],
    ids=lambda one: one["fault"] if isinstance(one, dict) else "",
)
async def test_an_orders_events_are_lost_doubled_late_or_out_of_order(
    venue: ServedVenue, fault: dict[str, Any], expected: list[str]
) -> None:
    listener = await private(venue)
    await venue.rules({"topic": "private.order"} | fault)

    buy(venue)
    await listener.until(lambda: len(listener.statuses) >= len(expected))
    buy(venue)
    await listener.until(lambda: len(listener.statuses) >= len(expected) + 2)

    assert listener.statuses == [*expected, "NEW", "FILLED"]
    assert listener.kinds.count("ACCOUNT_UPDATE") == 2


async def test_a_frame_is_cut_in_its_middle(venue: ServedVenue) -> None:
    await venue.rules({"fault": "malformed_frame", "topic": TRADES, "nth": 1})
    listener = await public(venue)

    await listener.until(lambda: len(listener.raw) >= 2)

    assert len(listener.events) == len(listener.raw) - 1
    assert listener.raw[0].startswith('{"e"')


async def test_a_mute_stream_stays_open_and_says_nothing(venue: ServedVenue) -> None:
    listener = await public(venue)
    await listener.until(lambda: len(listener.trade_ids) >= 1)
    await venue.rules({"fault": "mute", "topic": TRADES})
    heard = len(listener.trade_ids)

    await asyncio.sleep(QUIET_S)

    assert len(listener.trade_ids) <= heard + 1
    assert not listener.ended.done()


async def test_one_topic_is_mute_and_the_others_speak(venue: ServedVenue) -> None:
    await venue.rules({"fault": "mute", "topic": TRADES})
    listener = await public(venue, f"?streams={TRADES}/btcusdt@bookTicker")

    await listener.until(lambda: listener.kinds.count("bookTicker") >= 2)

    assert "trade" not in listener.kinds


async def test_only_private_news_is_mute_and_returns(venue: ServedVenue) -> None:
    listener, market = await private(venue), await public(venue)
    await venue.rules({"fault": "mute", "topic": "private*", "nth": 1, "with": {"for_ms": 300}})

    buy(venue)
    heard = len(market.trade_ids)
    await market.until(lambda: len(market.trade_ids) > heard)
    assert listener.events == []
    await asyncio.sleep(0.3)
    buy(venue)
    await listener.until(lambda: listener.statuses == ["NEW", "FILLED"])


async def test_every_socket_can_be_muted_at_once(venue: ServedVenue) -> None:
    listener, market = await private(venue), await public(venue)
    await market.until(lambda: len(market.trade_ids) >= 1)

    assert await venue.now("mute") == "2 sockets"
    buy(venue)
    heard = len(market.trade_ids)
    await asyncio.sleep(QUIET_S)

    assert listener.events == []
    assert len(market.trade_ids) <= heard + 1


async def test_a_socket_is_closed_with_the_code_of_the_rule(venue: ServedVenue) -> None:
    listener = await public(venue)
    await venue.rules({"fault": "close", "topic": TRADES, "nth": 2, "with": {"code": 1001}})

    await asyncio.wait_for(listener.ended, 10)

    assert listener.socket.close_code == 1001
    assert len(listener.trade_ids) >= 2


async def test_ccxt_fails_what_it_watches_when_a_socket_is_cut_and_dials_again(
    venue: ServedVenue,
) -> None:
    client = venue.client()
    await client.load_markets()
    await client.watch_trades(BTC)
    await venue.rules({"fault": "abort_socket", "nth": 1})

    with pytest.raises(ccxt.NetworkError):
        while True:
            await client.watch_trades(BTC)

    assert await client.watch_trades(BTC)


async def test_a_quiet_private_socket_can_be_closed_or_cut_at_once(venue: ServedVenue) -> None:
    first, second, market = await private(venue), await private(venue), await public(venue)

    assert await venue.now("close") == "3 sockets"
    await asyncio.wait_for(asyncio.gather(first.ended, second.ended, market.ended), 10)

    assert {first.socket.close_code, market.socket.close_code} == {1000}


async def test_new_sockets_are_refused_so_many_times(venue: ServedVenue) -> None:
    await venue.rules({"fault": "refuse_connect", "most": 2})

    for _ in range(2):
        with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
            await public(venue)
        assert raised.value.status == 503
    listener = await public(venue)

    await listener.until(lambda: len(listener.trade_ids) >= 1)


async def test_pings_go_unanswered(venue: ServedVenue) -> None:
    url, context = STREAM + TRADES, venue.session()
    async with context.ws_connect(url, autoping=False) as socket:
        await socket.ping(b"first")
        while (message := await socket.receive(5)).type is not aiohttp.WSMsgType.PONG:
            pass
        await venue.rules({"fault": "drop_pongs"})
        await socket.ping(b"second")
        kinds = {(await socket.receive(5)).type for _ in range(3)}

    assert message.data == b"first"
    assert kinds == {aiohttp.WSMsgType.TEXT}
    assert await venue.strikes() == [1]


async def test_a_new_private_socket_hears_old_news_again(venue: ServedVenue) -> None:
    before = await private(venue)
    buy(venue)
    await before.until(lambda: before.statuses == ["NEW", "FILLED"])
    await venue.rules({"fault": "replay", "with": {"frames": 1}})

    after = await private(venue)

    await after.until(lambda: after.statuses == ["FILLED"])


async def test_an_expired_listen_key_says_so_and_is_dead(venue: ServedVenue) -> None:
    listener = await private(venue)

    assert await venue.now("expire_session") == "sessions expired"
    await listener.until(lambda: listener.kinds == ["listenKeyExpired"])
    buy(venue)
    headers = {"X-MBX-APIKEY": KEY}
    async with venue.session().put(LISTEN_KEY, headers=headers) as answer:
        assert (await answer.json())["code"] == -1125

    assert listener.statuses == []


async def test_a_session_expires_at_its_moment(venue: ServedVenue) -> None:
    listener = await private(venue)
    at_ms = venue.exchange.now_ms() + 100

    await venue.rules({"fault": "expire_session", "at_ms": at_ms})

    await listener.until(lambda: listener.kinds == ["listenKeyExpired"])
