"""What the position loop keeps to when workers freeze, die and take over from each other."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from tests.fake_venue import FakeVenue
from tests.fakes import FakeStore
from tests.position_world import Desk, VenueFeed, moved

from engine.cycles.burst import Outcome
from engine.cycles.position import PositionMemory
from engine.errors import StoreBusyError
from engine.events import CancelUnclear, NotFound, OrderUpdate, SendUnclear
from engine.ledger import Order, OrderState, PositionStatus, Purpose
from engine.records import Command, EngineRow, Facts, Lease, PositionTicks
from engine.values import Instrument, Loop, Side


async def test_a_memory_is_forgotten_once_another_worker_acted_and_died_before_its_journal(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.wish(Side.LONG)
    await desk.burst()
    ours, others = desk.memories, dict[str, PositionMemory]()

    def busy(store: FakeStore, lease: Lease, ticks: PositionTicks) -> Lease:
        raise StoreBusyError("journal: the store answered nothing")

    desk.memories = others
    desk.wish(Side.SHORT)
    with monkeypatch.context() as patched:
        patched.setattr(FakeStore, "write_position_ticks", busy)
        await desk.burst()
    desk.memories = ours
    await desk.burst()

    sides = {position.key.side for position in desk.memories["c1"].desk.positions.values()}
    assert sides == {Side.LONG, Side.SHORT}
    assert len(desk.venue.arrived) == len(set(desk.venue.arrived))


@pytest.mark.parametrize("side", Side)
async def test_whoever_takes_over_tells_the_exchange_of_the_orders_in_the_books(
    desk: Desk, side: Side
) -> None:
    desk.wish(side)
    await desk.burst()
    at_first = list(desk.venue.recalled)

    desk.memories.clear()
    stored = desk.store.held("c1").orders
    await desk.burst()

    assert at_first == []
    assert {order.purpose for order in stored} >= {Purpose.ENTRY, Purpose.STOP}
    assert desk.venue.recalled == list(stored)


async def test_a_memory_outlives_a_hand_over_to_the_next_execution(desk: Desk) -> None:
    desk.wish(Side.LONG)
    await desk.burst()
    before = desk.memories["c1"]
    row = desk.leases.read("c1", Loop.POSITION)

    desk.leases.change("c1", Loop.POSITION, owner="execution-2", token=row.token + 1)
    await desk.burst(execution_id="execution-2")

    assert desk.memories["c1"] is before


async def test_an_order_held_up_after_its_claim_past_the_send_window_is_never_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, send = FakeStore.claim, FakeVenue.send
    ages: list[int] = []

    def slow_for_targets(store: FakeStore, lease: Lease, order: Order) -> bool:
        if order.purpose is Purpose.TARGET and order.attempt == 0:
            desk.clock.advance(1_500)
        return claim(store, lease, order)

    async def sent(venue: FakeVenue, order: Order, *, valid_ms: int) -> OrderUpdate | SendUnclear:
        ages.append(desk.clock.now_ms() - order.submitting_at_ms)
        return await send(venue, order, valid_ms=valid_ms)

    monkeypatch.setattr(FakeStore, "claim", slow_for_targets)
    monkeypatch.setattr(FakeVenue, "send", sent)
    desk.wish(Side.LONG)
    for _ in range(2):
        await desk.burst()

    assert max(ages) <= desk.store.engine("c1").settings.send_window_ms
    (position,) = desk.store.positions.values()
    assert desk.venue.stop_cover("BTCUSDT", Side.LONG) == position.quantity > 0


@pytest.mark.parametrize("side", Side)
async def test_a_wanted_stop_waits_until_the_venue_holds_a_stop_for_every_position(
    desk: Desk, side: Side
) -> None:
    def passes(order: Order) -> None:
        assert order.purpose is Purpose.ENTRY

    def refused_while_the_operator_stops(order: Order) -> OrderUpdate:
        assert order.purpose is Purpose.STOP
        desk.leases.change("c1", Loop.POSITION, wanted="stop")
        return OrderUpdate(
            client_order_id=order.client_order_id,
            state=OrderState.REJECTED,
            reason="-1001 busy",
            at_ms=desk.clock.now_ms(),
        )

    desk.venue.script += [passes, refused_while_the_operator_stops]
    desk.wish(side)
    reports = [await desk.burst()]
    while reports[-1].outcome is Outcome.AGAIN:
        reports.append(await desk.burst())

    assert reports[-1].outcome is Outcome.STOPPED
    (position,) = desk.store.positions.values()
    assert position.status is PositionStatus.OPEN
    assert desk.venue.stop_cover("BTCUSDT", side) == position.quantity > 0


async def test_a_command_that_comes_while_the_loop_stops_is_still_obeyed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.wish(Side.LONG)
    await desk.burst()
    write = FakeStore.write_position_ticks
    close_all = Command(
        command_id="close", kind="close_all", created_at_ms=desk.clock.now_ms(), reason="operator"
    )

    def late_command(store: FakeStore, lease: Lease, ticks: PositionTicks) -> Lease:
        if "close" not in store.commands:
            store.put_command("c1", close_all)
        return write(store, lease, ticks)

    monkeypatch.setattr(FakeStore, "write_position_ticks", late_command)
    desk.leases.change("c1", Loop.POSITION, wanted="stop")
    reports = [await desk.burst()]
    while reports[-1].outcome is Outcome.AGAIN:
        reports.append(await desk.burst())

    assert reports[-1].outcome is Outcome.STOPPED
    assert desk.venue.quantity("BTCUSDT", Side.LONG) == 0
    assert desk.venue.live() == []


async def test_a_worker_frozen_past_its_lease_cancels_nothing_when_it_thaws(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, cancel = FakeStore.write_facts, FakeVenue.cancel
    cancelled: list[str] = []

    def freezes_after_the_close(store: FakeStore, lease: Lease, facts: Facts) -> None:
        write(store, lease, facts)
        if any(position.status is PositionStatus.CLOSED for position in facts.positions):
            desk.clock.advance(20_000)

    async def counted(venue: FakeVenue, order: Order) -> OrderUpdate | NotFound | CancelUnclear:
        cancelled.append(order.client_order_id)
        return await cancel(venue, order)

    monkeypatch.setattr(FakeVenue, "cancel", counted)
    desk.wish(Side.LONG)
    await desk.burst()
    monkeypatch.setattr(FakeStore, "write_facts", freezes_after_the_close)
    desk.feed.path = moved(Side.LONG, "0.5")
    report = await desk.burst()
    await asyncio.sleep(0)  # a task that was left behind runs with the container's next turn

    assert report.outcome is Outcome.LOST
    assert cancelled == []


async def test_a_feed_that_is_slow_to_follow_a_symbol_holds_up_no_tick(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = asyncio.Event()
    follow = VenueFeed.follow

    async def slow(feed: VenueFeed, instruments: Sequence[Instrument], *, private: bool) -> None:
        await follow(feed, instruments, private=private)
        if instruments:
            await answered.wait()

    def entered(order: Order) -> None:
        assert order.purpose is Purpose.ENTRY

    def protected(order: Order) -> None:
        assert order.purpose is Purpose.STOP
        answered.set()

    monkeypatch.setattr(VenueFeed, "follow", slow)
    desk.venue.script += [entered, protected]
    desk.wish(Side.SHORT)
    await asyncio.wait_for(desk.burst(), timeout=2)

    (position,) = desk.store.positions.values()
    assert desk.venue.stop_cover("BTCUSDT", Side.SHORT) == position.quantity > 0
    assert desk.feed.followed == ["BTCUSDT"]


async def test_trading_switched_off_amid_a_burst_refuses_the_next_wish(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_trade = [False, True]
    engine = FakeStore.engine

    def read_engine(store: FakeStore, connection_id: str) -> EngineRow:
        allowed = may_trade.pop() if len(may_trade) > 1 else may_trade[0]
        return replace(engine(store, connection_id), may_trade=allowed)

    monkeypatch.setattr(FakeStore, "engine", read_engine)
    wish = desk.wish(Side.LONG)
    await desk.burst()

    assert desk.store.consumed[wish.wish_id].reason == "not_trading"
    assert desk.venue.arrived == []
