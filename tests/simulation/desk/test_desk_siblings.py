"""Shares of one position of the venue: what one closes is not taken from another."""

from decimal import Decimal

import pytest
from tests.builders import a_wish, some_exits
from tests.desk_world import DeskWorld
from tests.fake_venue import Faults

from engine.events import CancelUnclear, OrderUpdate, SendUnclear
from engine.ledger import Order, OrderState, Position, PositionStatus, Purpose
from engine.values import CloseReason, Side

BOTH = pytest.mark.parametrize("side", list(Side))


def moved(side: Side, percent: str) -> str:
    return str(100 + side.sign * Decimal(percent))


def two_shares(side: Side, **faults: object) -> tuple[DeskWorld, Position, Position]:
    world = DeskWorld()
    one = world.open(a_wish(side))
    wide = a_wish(side, exits=some_exits("3", "2"), entry_close_ms=world.clock.now_ms())
    two = world.open(wide)
    world.run(3)
    return world, one, two


@BOTH
def test_near_its_stop_a_share_withdraws_it_before_it_closes(side: Side) -> None:
    world, one, two = two_shares(side)
    world.price(moved(side, "-0.35"))
    world.run()

    world.command("close_position", one.position_id)
    world.run()
    assert world.orders(Purpose.CLOSE) == []
    world.run(4)

    (close,) = world.orders(Purpose.CLOSE)
    stop = next(o for o in world.orders(Purpose.STOP) if o.position_id == one.position_id)
    assert stop.state is OrderState.CANCELLED
    assert stop.updated_at_ms <= close.created_at_ms
    assert world.store.positions[one.position_id].status is PositionStatus.CLOSED
    assert world.store.positions[two.position_id].quantity == two.quantity
    assert world.drift() == []


@BOTH
def test_far_from_its_exits_a_share_closes_at_once(side: Side) -> None:
    world, one, _ = two_shares(side)

    world.command("close_position", one.position_id)
    world.run()

    assert len(world.orders(Purpose.CLOSE)) == 1


@BOTH
def test_a_share_alone_closes_at_once_for_the_venue_takes_no_more_than_there_is(
    side: Side,
) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    world.price(moved(side, "-0.35"))
    world.run()

    world.command("close_all")
    world.run()

    assert len(world.orders(Purpose.CLOSE)) == 1


@BOTH
def test_a_stop_that_fires_while_it_is_withdrawn_takes_nothing_of_its_sibling(side: Side) -> None:
    world, one, two = two_shares(side)
    world.price(moved(side, "-0.35"))
    world.run()
    world.venue.faults = Faults(event_dropped=1.0)  # nobody hears that it fired
    world.command("close_position", one.position_id)
    world.price(moved(side, "-0.45"))
    world.run(12)

    assert world.orders(Purpose.CLOSE) == []
    assert world.store.positions[one.position_id].close_reason is CloseReason.STOP_LOSS
    assert world.store.positions[two.position_id].quantity == two.quantity
    assert world.is_protected()
    assert world.drift() == []


@BOTH
def test_a_venue_that_will_not_withdraw_does_not_keep_a_share_open_for_ever(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, one, _ = two_shares(side)
    world.price(moved(side, "-0.35"))
    world.run()

    def unclear(self: object, order: Order) -> CancelUnclear:
        now_ms = world.clock.now_ms()
        return CancelUnclear(client_order_id=order.client_order_id, text="timeout", at_ms=now_ms)

    monkeypatch.setattr(type(world.venue), "cancel_now", unclear)
    world.command("close_position", one.position_id)
    world.run(10)
    assert world.orders(Purpose.CLOSE) == []
    world.run(12)

    assert len(world.orders(Purpose.CLOSE)) == 1
    assert any("closed_beside_exits" in line for line in world.log)


@BOTH
def test_a_close_of_unknown_fate_brings_the_stop_back(side: Side) -> None:
    world, one, _ = two_shares(side)
    world.price(moved(side, "-0.35"))
    world.run()

    def lost(order: Order) -> SendUnclear | OrderUpdate:
        faults, world.venue.faults = world.venue.faults, Faults(send_lost=1.0)
        answer = world.venue.send_now(order, valid_ms=2000)
        world.venue.faults = faults
        return answer

    world.venue.script = [lost]
    world.command("close_position", one.position_id)
    world.run(6)

    closes = world.orders(Purpose.CLOSE)
    assert [order.state for order in closes] == [OrderState.UNKNOWN]
    assert world.is_protected()
    world.run(40)
    assert world.store.positions[one.position_id].status is PositionStatus.CLOSED
    assert world.drift() == []


@BOTH
def test_two_stops_of_one_share_that_fire_in_one_instant_leave_the_sibling_what_is_there(
    side: Side,
) -> None:
    """It cannot be excluded: the surplus is taken from the sibling, and booked so at once."""
    world, one, two = two_shares(side)
    stop = next(o for o in world.orders(Purpose.STOP) if o.position_id == one.position_id)
    world.venue.copy_of(stop, stop.client_order_id.replace("ctss0", "ctss1"))

    world.price(moved(side, "-0.45"))
    world.run(20)

    assert world.store.positions[one.position_id].status is PositionStatus.CLOSED
    rest = two.quantity - one.quantity
    assert world.venue.quantity("BTCUSDT", side) == rest
    assert world.store.positions[two.position_id].quantity == rest
    assert world.venue.stop_cover("BTCUSDT", side) == rest
    assert any("exit_beyond_share" in line for line in world.log)
    parts = [part for _, part in world.store.positions[two.position_id].settled]
    assert sum(parts) == one.quantity  # each kept with its execution, see `together`
    assert world.drift() == []


@BOTH
def test_an_exit_beyond_its_share_waits_for_an_entry_that_nobody_has_heard_of_yet(
    side: Side,
) -> None:
    world = DeskWorld()
    one = world.open(a_wish(side))
    (stop,) = world.orders(Purpose.STOP)
    world.venue.copy_of(stop, stop.client_order_id.replace("ctss0", "ctss1"))
    world.wish(a_wish(side, exits=some_exits("3", "2"), entry_close_ms=world.clock.now_ms()))
    world.venue.faults = Faults(answer_lost=1.0, event_dropped=1.0)
    world.run_until(lambda: world.venue.quantity("BTCUSDT", side) > one.quantity)

    world.venue.faults = Faults()
    world.price(moved(side, "-0.45"))
    world.run(30)

    two = next(p for p in world.store.positions.values() if p.position_id != one.position_id)
    assert two.entry_quantity - two.quantity == one.quantity
    assert two.exit_price is not None
    assert (
        two.realized_pnl
        == (two.exit_price - Decimal(str(two.entry_price))) * one.quantity * side.sign
    )
    assert not any("share_reduced" in line for line in world.log)
    assert world.drift() == []


# --- what nobody hears of


@BOTH
def test_an_entry_nobody_answers_for_is_looked_up_before_its_window_has_passed(side: Side) -> None:
    world = DeskWorld(faults=Faults(event_dropped=1.0))
    world.answer_delay_ms = 0
    world.wish(a_wish(side))
    world.run_until(lambda: bool(world.orders(Purpose.ENTRY)))
    world.inbox = []  # the answer never comes back
    world.run_until(lambda: world.orders(Purpose.ENTRY)[0].state is OrderState.FILLED, 9)
    world.run(3)

    (entry,) = world.orders(Purpose.ENTRY)
    assert entry.updated_at_ms - entry.submitting_at_ms < 2800
    assert world.only_position().status is PositionStatus.OPEN


@BOTH
def test_an_entry_filled_and_unheard_alarms_once_it_may_be_bare_too_long(side: Side) -> None:
    deaf = Faults(answer_lost=1.0, event_dropped=1.0, look_up_failed=1.0, fills_failed=1.0,
                  snapshot_failed=1.0)  # fmt: skip
    world = DeskWorld()
    world.run(2)
    world.venue.faults = deaf
    world.wish(a_wish(side, entry_close_ms=world.clock.now_ms()))
    world.run(30)

    alarms = [line for line in world.log if "entry_unheard" in line]
    assert len(alarms) == 1
    world.run(200)
    assert len([line for line in world.log if "unknown_too_long" in line]) == 1

    world.calm()
    world.run(20)
    assert world.is_protected()
    assert world.drift() == []
