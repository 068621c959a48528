"""What the feed, and every call beside it, does about a venue that bans, mutes, drops and cuts."""

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from tests.feed_watch import Watch, assert_same, kinds, watching
from tests.paper_venue import PaperProcess
from tests.venue_cases import SPOT, VENUES, VenueCase

from adapters.clock import SystemClock
from adapters.exchange import CcxtExchange
from adapters.private import PrivateStream
from adapters.wire import Wire
from engine.errors import RestrictedLocationError, VenueBusyError
from engine.events import Account, OrderUpdate, SnapshotFailed, StreamBroken
from engine.ledger import Order, OrderState, OrderType, Purpose
from engine.market import Kind
from engine.orders import order_name
from engine.values import Side

BINANCE = VENUES[0]
ON_EACH = pytest.mark.parametrize("venue", VENUES, ids=lambda venue: str(venue.name))


def control(paper: PaperProcess, method: str, **body: Any) -> dict[str, Any]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{paper.control_port}/faults",
        method=method,
        data=json.dumps(body).encode() if body else None,
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        told: dict[str, Any] = json.load(answer)
        return told


@asynccontextmanager
async def struck(paper: PaperProcess, *rules: dict[str, Any]) -> AsyncIterator[Callable[[], Any]]:
    """The paper exchange under these rules; gives what each has done so far."""
    await asyncio.to_thread(control, paper, "POST", seed=1, rules=list(rules))
    try:
        yield lambda: control(paper, "GET")["rules"]
    finally:
        await asyncio.to_thread(control, paper, "DELETE")


async def until(reached: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not reached():
            await asyncio.sleep(0.05)


def an_entry(number: int) -> Order:
    return Order(
        client_order_id=order_name(f"{number:025d}", Purpose.ENTRY, 0),
        position_id="p",
        purpose=Purpose.ENTRY,
        attempt=0,
        symbol="BTCUSDT",
        side=Side.LONG,
        order_type=OrderType.MARKET,
        quantity=Decimal("0.010"),
    )


@asynccontextmanager
async def an_exchange(paper: PaperProcess) -> AsyncIterator[tuple[CcxtExchange, Wire]]:
    """A client of its own, so that what it was told of bans is forgotten with it."""
    clock, dialect = SystemClock(), BINANCE.dialect()
    wire = Wire(paper.access("binance"), clock, dialect, timeout_ms=1_500)
    exchange = CcxtExchange(wire, dialect, clock, hedge=False)
    try:
        await exchange.account()
        yield exchange, wire
    finally:
        await exchange.close()


# --- demands for silence ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "ban", "with": {"for_ms": 3_000}},
        {"fault": "rate_limit", "with": {"retry_after_ms": 3_000}},
    ],
)
async def test_nothing_is_sent_before_a_ban_ends_orders_included(
    paper: PaperProcess, fault: dict[str, Any]
) -> None:
    async with an_exchange(paper) as (exchange, wire), struck(paper, fault | {"most": 1}) as told:
        with pytest.raises(VenueBusyError) as banned:
            await exchange.account()
        until_ms = banned.value.until_ms or wire.limits.silent_until_ms
        while SystemClock().now_ms() < until_ms - 100:
            sent = await exchange.send(an_entry(1), valid_ms=2_000)
            assert isinstance(sent, OrderUpdate)
            assert sent.state is OrderState.REJECTED  # surely not sent: no look-up is owed
            assert isinstance(await exchange.snapshot(), SnapshotFailed)
            with pytest.raises(VenueBusyError):
                await exchange.account()
            await asyncio.sleep(0.1)
        during = (await asyncio.to_thread(told))[0]
        await SystemClock().sleep_until_ms(wire.limits.silent_until_ms + 1)
        after = await exchange.account()

    assert (during["strikes"], during["while_lasting"], during["matched"]) == (1, 0, 1)
    assert isinstance(after, Account)


async def test_streams_are_not_dialled_and_prices_not_asked_for_during_a_ban(
    paper: PaperProcess,
) -> None:
    async with watching(paper, BINANCE, stream=False) as it:
        await it.follow(private=True)
        await it.seconds(2)
        rules = ({"fault": "ban", "with": {"for_ms": 4_000}, "most": 1},)
        async with struck(paper, *rules) as told:
            await until(lambda: it.wire.limits.silent_until_ms > it.clock.now_ms())
            silent = await it.seconds(2)
            during = (await asyncio.to_thread(told))[0]
            with pytest.raises(VenueBusyError):
                await it.wire.dial(it.dialect.market_socket(it.wire.client(), ["BTCUSDT"], key="x"))

    assert Kind.GAP in kinds(silent[1:])
    assert (during["strikes"], during["while_lasting"], during["matched"]) == (1, 0, 1)


async def test_a_firewalls_page_is_heeded_as_a_ban(paper: PaperProcess) -> None:
    async with (
        an_exchange(paper) as (exchange, wire),
        struck(paper, {"fault": "forbidden"}) as told,
    ):
        for _ in range(3):
            assert isinstance(await exchange.snapshot(), SnapshotFailed)
        strikes = (await asyncio.to_thread(told))[0]["strikes"]
        silent_ms = wire.limits.silent_until_ms - SystemClock().now_ms()

    assert strikes == 1
    assert 50_000 < silent_ms <= 60_000


async def test_where_the_venue_serves_nobody_it_is_asked_once(paper: PaperProcess) -> None:
    async with (
        an_exchange(paper) as (exchange, _),
        struck(paper, {"fault": "restricted"}) as told,
    ):
        for _ in range(3):
            with pytest.raises(RestrictedLocationError):
                await exchange.account()
        sent = await exchange.send(an_entry(2), valid_ms=2_000)
        strikes = (await asyncio.to_thread(told))[0]["strikes"]

    assert strikes == 1
    assert isinstance(sent, OrderUpdate)
    assert sent.state is OrderState.REJECTED


# --- the market's stream ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "drop", "every": 7},
        {"fault": "duplicate", "every": 3},
        {"fault": "reorder", "every": 6, "with": {"by": 1}},
        {"fault": "malformed_frame", "nth": 5},
    ],
    ids=lambda fault: str(fault["fault"]),
)
@pytest.mark.parametrize(
    ("venue", "topic"),
    [
        (VENUES[0], "btcusdt@aggTrade"),
        (VENUES[2], "trades:BTC-USDT-SWAP"),
        (SPOT, "btcusdt@aggTrade"),
    ],
    ids=lambda case: getattr(case, "name", ""),
)
async def test_where_trades_are_numbered_lost_repeated_and_misplaced_ones_make_no_wrong_candle(
    paper: PaperProcess, venue: VenueCase, topic: str, fault: dict[str, Any]
) -> None:
    async with watching(paper, venue, symbols=2) as it:
        await it.follow()
        await it.until_streaming()
        rule = fault | {"topic": topic, "venue": venue.name}
        async with struck(paper, rule) as told:
            made = await it.seconds(6)
            strikes = (await asyncio.to_thread(told))[0]["strikes"]
        truth = await it.truth(int(made[0].close_ms[0]) - 1000, int(made[-1].close_ms[0]))

    assert strikes >= 1
    assert_same(made, truth)
    assert sum(int((each.kind == Kind.GAP).sum()) for each in made) <= 4


@pytest.mark.parametrize("code", [1000, 1001, 1006, 4000])
async def test_a_socket_the_venue_closes_is_replaced(paper: PaperProcess, code: int) -> None:
    fault: dict[str, Any] = {"fault": "abort_socket"} if code == 1006 else {"fault": "close"}
    if code != 1006:
        fault["with"] = {"code": code}
    async with watching(paper, BINANCE, symbols=2) as it:
        await it.follow()
        await it.until_streaming()
        async with struck(paper, fault | {"most": 1, "topic": "*@*"}):
            await until(lambda: it.feed.breaks >= 1)
        closed = await it.seconds(1)
        await it.until_streaming()
        truth = await it.truth(int(closed[0].close_ms[0]) - 1000, int(closed[-1].close_ms[0]))

    assert_same(closed, truth)


async def test_a_venue_that_refuses_sockets_many_times_is_polled_until_it_takes_one(
    paper: PaperProcess,
) -> None:
    refusing = {"fault": "refuse_connect", "most": 5}
    async with struck(paper, refusing) as told, watching(paper, BINANCE, symbols=2) as it:
        await it.follow()
        await it.seconds(1)
        refused = await it.seconds(1)
        polled = it.feed.sources()["polling"]
        await it.until_streaming()
        strikes = (await asyncio.to_thread(told))[0]["strikes"]

    assert strikes == 5
    assert polled > 0
    assert kinds(refused) <= {Kind.TRADED, Kind.FLAT}


# --- the account's stream ---------------------------------------------------------------------


def private_stream(it: Watch) -> PrivateStream:
    stream = it.feed._private
    assert isinstance(stream, PrivateStream)
    return stream


async def trading_privately(it: Watch) -> tuple[CcxtExchange, PrivateStream]:
    """An exchange ready for orders, and the account's stream, live for a while."""
    exchange = CcxtExchange(it.wire, it.dialect, it.clock, hedge=False)
    await exchange.prepare("BTCUSDT", leverage=10, hedge=False, cross=True)
    await it.follow(private=True)
    await it.until_streaming()
    private = private_stream(it)
    await until(lambda: private.stream.is_live)
    await asyncio.sleep(1.1)  # evidence must be younger than the stream by two clocks' doubt
    return exchange, private


@ON_EACH
async def test_a_private_stream_that_is_mute_is_found_out_by_what_rest_tells(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with watching(paper, venue, symbols=1) as it:
        exchange, private = await trading_privately(it)
        it.feed.events()
        mute = {"fault": "mute", "topic": "private.*", "venue": venue.name}
        async with struck(paper, mute):
            order = an_entry(30)
            answer = await exchange.send(order, valid_ms=2_000)
            found = await exchange.look_up(order)
            await until(lambda: private.stream.breaks == 1)
        await until(lambda: private.stream.is_live)
        events = it.feed.events()

    assert isinstance(answer, OrderUpdate)
    assert isinstance(found, OrderUpdate)
    assert order.client_order_id in private.stream.last_problem
    assert [type(event) for event in events].count(StreamBroken) == 2  # then the account is read


@ON_EACH
async def test_a_private_stream_that_tells_its_fills_is_left_alone(
    paper: PaperProcess, venue: VenueCase
) -> None:
    async with watching(paper, venue, symbols=1) as it:
        exchange, private = await trading_privately(it)
        since_ms = it.clock.now_ms()
        for number in (40, 41):
            await exchange.send(an_entry(number), valid_ms=2_000)
            await exchange.look_up(an_entry(number))
        await exchange.fills("BTCUSDT", since_ms=since_ms)
        await asyncio.sleep(3.5)
        breaks = private.stream.breaks

    assert breaks == 0


async def test_a_private_stream_whose_pings_are_not_answered_is_dialled_anew(
    paper: PaperProcess,
) -> None:
    async with watching(paper, BINANCE, symbols=1) as it:
        await it.follow(private=True)
        private = private_stream(it)
        await until(lambda: private.stream.is_live)
        async with struck(paper, {"fault": "drop_pongs"}):
            await until(lambda: private.stream.breaks >= 1, seconds=15)
        await until(lambda: private.stream.is_live)
