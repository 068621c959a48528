"""The position loop turned through its ports: fakes that keep the real ones' conditions."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.fakes import FakeStore
from tests.position_world import BTC, SETTINGS, START, Desk, Lines, moved

from engine.cycles.burst import Outcome
from engine.events import OrderUpdate, SendUnclear, Unclear
from engine.ledger import Order, OrderState, PositionStatus, Purpose
from engine.records import Lease
from engine.values import CloseReason, Loop, Side


@pytest.mark.parametrize("side", Side)
async def test_a_wish_becomes_a_position_with_a_stop_and_a_target_of_its_own(
    desk: Desk, side: Side
) -> None:
    desk.wish(side)

    report = await desk.burst()

    assert report.outcome is Outcome.AGAIN
    (position,) = desk.store.positions.values()
    assert position.status is PositionStatus.OPEN
    assert desk.venue.quantity("BTCUSDT", side) == position.quantity > 0
    assert desk.venue.stop_cover("BTCUSDT", side) == position.quantity
    purposes = sorted(order.purpose for order in desk.store.orders.values())
    assert purposes == [Purpose.ENTRY, Purpose.STOP, Purpose.TARGET]


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("path", "trailing", "reason"),
    [
        (("0.1", "0.3", "0.5"), False, CloseReason.TAKE_PROFIT),
        (("-0.1", "-0.3"), False, CloseReason.STOP_LOSS),
        (("0.1", "0.3", "0.15"), True, CloseReason.TRAILING_STOP),
    ],
)
async def test_each_exit_closes_the_position_and_leaves_nothing_behind(
    desk: Desk, side: Side, path: tuple[str, ...], trailing: bool, reason: CloseReason
) -> None:
    desk.wish(side, trailing=trailing)
    await desk.burst()

    desk.feed.path = moved(side, *path)
    reports = [await desk.burst() for _ in range(8)]

    (position,) = desk.store.positions.values()
    assert (position.status, position.close_reason) == (PositionStatus.CLOSED, reason)
    assert desk.venue.quantity("BTCUSDT", side) == 0
    assert desk.venue.live() == []
    assert reports[-1].outcome in (Outcome.IDLE, Outcome.AGAIN)
    assert Outcome.IDLE in [report.outcome for report in reports]


async def test_a_lease_that_moves_between_facts_and_claim_sends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.wish(Side.LONG)
    claim = desk.store.claim

    def moved_before(lease: Lease, order: Order) -> bool:
        desk.leases.change("c1", Loop.POSITION, token=lease.token + 1, owner="successor")
        return claim(lease, order)

    monkeypatch.setattr(FakeStore, "claim", lambda store, lease, order: moved_before(lease, order))
    report = await desk.burst()

    assert report.outcome is Outcome.LOST
    assert desk.venue.arrived == []


async def test_a_lease_that_moves_between_claim_and_send_never_doubles_the_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.wish(Side.SHORT)
    claim = desk.store.claim
    stolen: list[str] = []

    def moved_after(store: FakeStore, lease: Lease, order: Order) -> bool:
        claimed = claim(lease, order)
        if not stolen:
            stolen.append(order.client_order_id)
            desk.leases.change("c1", Loop.POSITION, token=lease.token + 1, owner="")
        return claimed

    monkeypatch.setattr(FakeStore, "claim", moved_after)
    first = await desk.burst()
    for _ in range(6):
        await desk.burst()

    assert first.outcome is Outcome.LOST
    assert desk.venue.arrived.count(stolen[0]) == 1
    assert desk.venue.duplicates == 0
    (position,) = desk.store.positions.values()
    assert desk.venue.stop_cover("BTCUSDT", Side.SHORT) == position.quantity > 0


async def test_an_order_whose_answer_is_lost_is_looked_up_and_never_sent_again(
    desk: Desk,
) -> None:
    def lost_answer(order: Order) -> OrderUpdate | SendUnclear | None:
        desk.venue.accept(order)
        return SendUnclear(
            client_order_id=order.client_order_id,
            why=Unclear.TIMEOUT,
            text="the answer was lost",
            at_ms=desk.clock.now_ms(),
        )

    desk.venue.script.append(lost_answer)
    desk.wish(Side.LONG)
    for _ in range(3):
        await desk.burst()

    assert len(desk.venue.arrived) == len(set(desk.venue.arrived))
    states = {order.purpose: order.state for order in desk.store.orders.values()}
    assert states[Purpose.ENTRY] is OrderState.FILLED


async def test_a_position_is_told_as_unprotected_past_its_deadline_and_not_while_its_stop_is_sent(
    desk: Desk,
) -> None:
    begun_ms = desk.clock.now_ms()

    def never_arrives(order: Order) -> OrderUpdate | SendUnclear | None:
        if order.purpose is Purpose.ENTRY:
            return None
        return SendUnclear(
            client_order_id=order.client_order_id,
            why=Unclear.TIMEOUT,
            text="nothing came back",
            at_ms=desk.clock.now_ms(),
        )

    desk.venue.script += [never_arrives] * 100
    desk.wish(Side.LONG)
    told: list[bool] = []
    while not any(told) and desk.clock.now_ms() < begun_ms + 30_000:
        await desk.burst()
        told = [counts["unprotected"] > 0 for counts in desk.store.heartbeats]
        if desk.clock.now_ms() < begun_ms + SETTINGS.protection_deadline_ms:
            assert desk.memories["c1"].desk.bare_since
            assert not any(told)

    assert any(told)


async def test_a_stop_that_is_wanted_ends_the_loop_and_leaves_the_position_protected(
    desk: Desk,
) -> None:
    desk.wish(Side.LONG)
    await desk.burst()

    desk.leases.change("c1", Loop.POSITION, wanted="stop")
    report = await desk.burst()

    assert report.outcome is Outcome.STOPPED
    assert desk.leases.read("c1", Loop.POSITION).owner == ""
    (position,) = desk.store.positions.values()
    assert desk.venue.stop_cover("BTCUSDT", Side.LONG) == position.quantity


async def test_a_worker_whose_memory_the_store_does_not_confirm_begins_from_the_store(
    desk: Desk,
) -> None:
    desk.wish(Side.LONG)
    await desk.burst()
    desk.memories["c1"].last_slot_ms -= 300
    forgotten = desk.memories["c1"].desk

    await desk.burst()

    assert desk.memories["c1"].desk is not forgotten
    (position,) = desk.store.positions.values()
    assert desk.venue.quantity("BTCUSDT", Side.LONG) == position.quantity


async def test_every_tick_is_journalled_once(desk: Desk) -> None:
    desk.wish(Side.LONG)
    reports = [await desk.burst() for _ in range(2)]

    slots = [tick[0] for piece in desk.store.position_ticks for tick in piece.ticks]

    assert len(slots) == len(set(slots)) == sum(report.ticks for report in reports)


async def test_the_connections_volume_factor_scales_what_is_opened(desk: Desk) -> None:
    assert desk.store.engine_row is not None
    desk.store.engine_row = replace(desk.store.engine_row, volume_factor=Decimal(2))
    desk.wish(Side.LONG)
    await desk.burst()

    (position,) = desk.store.positions.values()
    intended = Decimal(10_000) * 2 / SETTINGS.positions_average
    assert position.quantity == BTC.floor_quantity(intended / START)


async def test_the_exchange_an_engine_trades_on_limits_its_positions(desk: Desk) -> None:
    assert desk.store.engine_row is not None
    one = replace(SETTINGS, max_positions_binance=1)
    desk.store.engine_row = replace(desk.store.engine_row, exchange="binance", settings=one)
    first, second = desk.wish(Side.LONG), desk.wish(Side.SHORT)

    await desk.burst()

    outcomes = {desk.store.consumed[wish.wish_id].reason for wish in (first, second)}
    assert outcomes == {"", "max_open_positions"}


async def test_the_figures_of_the_account_are_stored_and_outlive_the_worker(desk: Desk) -> None:
    desk.wish(Side.LONG)
    await desk.burst()
    assert desk.store.risk is not None
    desk.store.risk = replace(desk.store.risk, equity_peak=10 * desk.store.risk.equity_peak)

    desk.memories.clear()
    refused = desk.wish(Side.SHORT)
    await desk.burst()

    assert desk.store.consumed[refused.wish_id].reason == "trading_state_reducing"
    assert isinstance(desk.world.log, Lines)
    assert desk.world.log.problems == ["trading_state"]
