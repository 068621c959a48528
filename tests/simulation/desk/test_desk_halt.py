"""An emergency stop at the desk: what is closed, what stays, and when the end is believed."""

from decimal import Decimal

import pytest
from tests.builders import a_wish
from tests.desk_world import DeskWorld
from tests.fake_venue import Faults

from engine.desk import HaltProof
from engine.ledger import OrderState, PositionStatus, Purpose
from engine.values import CloseReason, Side

BOTH = pytest.mark.parametrize("side", list(Side))
NOTHING_ARRIVES_AFTER_MS = 800 + 2_000 + 1_000


def halted(world: DeskWorld, *, flatten: bool = True) -> None:
    world.halt, world.flatten = True, flatten


def proven(world: DeskWorld, ticks: int = 100) -> HaltProof:
    world.run_until(lambda: world.plan.halt_proof is not None, ticks)
    assert world.plan.halt_proof is not None
    return world.plan.halt_proof


@BOTH
def test_everything_is_closed_reduce_only_and_nothing_of_ours_stays(side: Side) -> None:
    world = DeskWorld(symbols=("BTCUSDT", "ETHUSDT"))
    for symbol in world.symbols:
        world.open(a_wish(side, symbol=symbol, entry_close_ms=world.clock.now_ms()))

    halted(world)
    proof = proven(world)

    assert (proof.open_positions, proof.left) == (0, ())
    closed = list(world.store.positions.values())
    assert {one.close_reason for one in closed} == {CloseReason.EMERGENCY}
    assert {one.status for one in closed} == {PositionStatus.CLOSED}
    assert all(order.reduce_only for order in world.orders(Purpose.CLOSE))
    assert world.venue.live() == []
    assert world.venue.quantity("BTCUSDT", side) == world.venue.quantity("ETHUSDT", side) == 0


@BOTH
def test_flat_is_believed_after_two_readings_the_first_later_than_anything_sent_can_arrive(
    side: Side,
) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    began_ms = world.clock.now_ms()

    halted(world)
    first, second = proven(world).reads_ms

    assert first > began_ms + NOTHING_ARRIVES_AFTER_MS
    assert second > first
    world.run(3)
    assert world.plan.halt_proof is not None
    assert world.plan.halt_proof.reads_ms == (first, second)


@BOTH
@pytest.mark.parametrize("late_ms", [300, 1_500, 2_700])
def test_an_entry_that_a_dead_worker_had_sent_is_waited_for_and_closed(
    side: Side, late_ms: int
) -> None:
    world = DeskWorld()
    world.wish(a_wish(side, entry_close_ms=world.clock.now_ms()))
    world.run_until(lambda: bool(world.venue.leverages))
    world.die_at(2)
    world.run_until(lambda: any(o.submitting_at_ms for o in world.orders(Purpose.ENTRY)))
    (entry,) = world.orders(Purpose.ENTRY)
    world.venue.arrive_at(entry.submitting_at_ms + late_ms, entry)

    halted(world)
    proof = proven(world)

    assert world.only_position().close_reason is CloseReason.EMERGENCY
    assert world.only_position().entry_quantity == entry.quantity
    assert world.venue.quantity("BTCUSDT", side) == 0
    assert proof.reads_ms[0] > world.only_position().closed_at_ms


@BOTH
@pytest.mark.parametrize("step", range(4))
def test_a_worker_that_dies_amid_closing_leaves_it_to_the_next_one(side: Side, step: int) -> None:
    world = DeskWorld()
    world.open(a_wish(side))

    halted(world)
    world.die_at(step)
    proof = proven(world)

    assert proof.open_positions == 0
    assert world.venue.quantity("BTCUSDT", side) == 0
    assert world.venue.live() == []
    assert world.drift() == []


@BOTH
def test_without_flatten_a_position_keeps_its_stop_and_its_entry_takes_no_more(side: Side) -> None:
    world = DeskWorld(seed=4, faults=Faults(partial=1.0))
    world.wish(a_wish(side, entry_close_ms=world.clock.now_ms()))
    world.run_until(lambda: any(o.filled_quantity for o in world.orders(Purpose.ENTRY)))
    assert not world.orders(Purpose.ENTRY)[0].state.is_terminal

    halted(world, flatten=False)
    proof = proven(world)

    (entry,) = world.orders(Purpose.ENTRY)
    assert entry.state is OrderState.CANCELLED
    assert 0 < entry.filled_quantity < entry.quantity
    assert proof.open_positions == 1
    held = world.venue.quantity("BTCUSDT", side)
    assert held == entry.filled_quantity == world.venue.stop_cover("BTCUSDT", side)
    world.run(40)
    assert world.only_position().status is PositionStatus.OPEN


@BOTH
def test_a_position_whose_stop_is_gone_is_not_called_protected(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    world.venue.faults = Faults(send_refused=1.0)
    for row in world.venue.live():
        row.state = OrderState.CANCELLED

    halted(world, flatten=False)
    world.run(40)
    assert world.plan.halt_proof is None

    world.calm()
    proven(world, ticks=200)
    assert world.is_protected()


@BOTH
def test_what_strangers_hold_is_told_and_left_alone(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    world.venue.trade_outside("BTCUSDT", side, Decimal(2))

    halted(world)
    proof = proven(world)

    assert proof.left == (f"BTCUSDT {side} 2",)
    assert world.venue.quantity("BTCUSDT", side) == 2


@BOTH
def test_a_position_that_the_books_lost_is_known_by_its_stop_and_closed(side: Side) -> None:
    world = DeskWorld()
    lost = world.open(a_wish(side))
    for table in (world.store.positions, world.store.orders, world.store.short_keys):
        table.clear()
    world.start()

    halted(world)
    proof = proven(world, ticks=200)

    assert world.only_position().position_id == lost.position_id
    assert (proof.open_positions, proof.left) == (0, ())
    assert world.venue.quantity("BTCUSDT", side) == 0


@BOTH
def test_a_venue_that_cannot_be_read_proves_nothing(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    world.venue.faults = Faults(snapshot_failed=1.0)

    halted(world)
    world.run(60)
    assert world.venue.quantity("BTCUSDT", side) == 0
    assert world.plan.halt_proof is None

    world.calm()
    assert proven(world).open_positions == 0


@BOTH
def test_a_halt_that_comes_to_close_everything_later_begins_anew(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    halted(world, flatten=False)
    assert proven(world).open_positions == 1

    world.flatten = True
    world.tick()
    assert world.plan.halt_proof is None

    assert proven(world).open_positions == 0
    assert world.venue.quantity("BTCUSDT", side) == 0
