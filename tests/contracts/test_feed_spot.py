"""The account's news on Binance spot, by the signed subscription on the socket of the API."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

from tests.feed_watch import Watch, watching
from tests.paper_venue import Line, PaperProcess
from tests.venue_cases import SPOT

from adapters.exchange import CcxtExchange
from engine.events import Event, OrderUpdate, StreamBroken
from engine.ledger import Fill, Order, OrderState, OrderType, Purpose
from engine.orders import order_name
from engine.values import Side

TYPES = {Purpose.STOP: OrderType.STOP_MARKET}


def an_order(
    number: int, purpose: Purpose, quantity: str = "0.010", trigger: Decimal | None = None
) -> Order:
    """Orders of one number are of one position."""
    return Order(
        client_order_id=order_name(f"{number:025d}", purpose, 0),
        position_id="p",
        purpose=purpose,
        attempt=0,
        symbol="BTCUSDT",
        side=Side.LONG,
        order_type=TYPES.get(purpose, OrderType.MARKET),
        quantity=Decimal(quantity),
        trigger_price=trigger,
    )


async def until(it: Watch, events: list[Event], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            events += it.feed.events()
            await asyncio.sleep(0.05)


def states(events: list[Event], order: Order) -> list[OrderState]:
    return [
        event.state
        for event in events
        if isinstance(event, OrderUpdate) and event.client_order_id == order.client_order_id
    ]


async def test_orders_fills_and_what_a_sale_replaced_arrive_as_rest_tells_them(
    paper: PaperProcess,
) -> None:
    async with watching(paper, SPOT, symbols=1) as it:
        exchange = CcxtExchange(it.wire, it.dialect, it.clock)
        await it.follow(private=True)
        await it.until_streaming()
        events: list[Event] = []
        since_ms = it.clock.now_ms() - 1000
        entry = an_order(31, Purpose.ENTRY)
        await exchange.send(entry, valid_ms=2_000)
        await until(it, events, lambda: OrderState.FILLED in states(events, entry))
        price = it.feed.quotes()["BTCUSDT"].price * Decimal("0.9")
        trigger = it.instruments[0].to_price(it.instruments[0].to_ticks(price))
        stop = an_order(31, Purpose.STOP, "0.00999", trigger)
        close = an_order(31, Purpose.CLOSE, "0.00999")
        for order in (stop, close):
            await exchange.send(order, valid_ms=2_000)
        await until(it, events, lambda: OrderState.FILLED in states(events, close))
        await until(it, events, lambda: OrderState.CANCELLED in states(events, stop))
        fetched = await exchange.fills("BTCUSDT", since_ms=since_ms)

    streamed = {event.key: event for event in events if isinstance(event, Fill)}
    assert streamed == {fill.key: fill for fill in fetched}
    assert {fill.client_order_id for fill in fetched} == {
        entry.client_order_id,
        close.client_order_id,
    }
    assert states(events, stop)[0] is OrderState.OPEN


def breaks(events: list[Event]) -> int:
    return sum(isinstance(event, StreamBroken) for event in events)


async def test_a_cut_subscription_is_told_and_made_anew(paper: PaperProcess) -> None:
    async with Line(paper.port) as line, watching(paper, SPOT, port=line.port, symbols=1) as it:
        exchange = CcxtExchange(it.wire, it.dialect, it.clock)
        await it.follow(private=True)
        await it.until_streaming()
        events: list[Event] = []
        await until(it, events, lambda: breaks(events) > 0)  # what was before it began
        events.clear()
        line.cut()
        await until(it, events, lambda: breaks(events) > 1)  # once it broke, once it is back
        entry, close = an_order(41, Purpose.ENTRY), an_order(41, Purpose.CLOSE, "0.00999")
        await exchange.send(entry, valid_ms=2_000)
        await until(it, events, lambda: OrderState.FILLED in states(events, entry))
        await exchange.send(close, valid_ms=2_000)

    assert {one.client_order_id for one in events if isinstance(one, Fill)} == {
        entry.client_order_id
    }
