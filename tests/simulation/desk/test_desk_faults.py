"""A position when answers are lost, orders are refused, or somebody else trades."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from tests.builders import a_wish, some_exits
from tests.desk_world import CONNECTION, DeskWorld
from tests.fake_venue import FakeVenue, Faults

from engine.events import OrderUpdate, SendUnclear, Unclear
from engine.ledger import Fill, Order, OrderState, PositionStatus, Purpose
from engine.orders import client_order_id
from engine.values import CloseReason, Side

BOTH = pytest.mark.parametrize("side", list(Side))
SETTLED_TICKS = 30  # window, validity, visibility, skew and three spaced not-founds fit in

Answer = Callable[[Order], OrderUpdate | SendUnclear | None]


def lost(order: Order) -> SendUnclear:
    """The request never arrived, and nobody knows."""
    return SendUnclear(
        client_order_id=order.client_order_id, why=Unclear.TIMEOUT, text="timeout", at_ms=0
    )


def refused(venue: FakeVenue, purpose: Purpose) -> Answer:
    def answer(order: Order) -> OrderUpdate | None:
        return venue.refusal(order, "no") if order.purpose is purpose else None

    return answer


def moved(side: Side, percent: str) -> str:
    return str(100 + side.sign * Decimal(percent))


def an_open_world(side: Side) -> DeskWorld:
    world = DeskWorld()
    world.open(a_wish(side))
    world.run(2)
    return world


# --- unclear sends


@BOTH
def test_an_entry_accepted_without_an_answer_is_found_and_protected_and_not_sent_again(
    side: Side,
) -> None:
    world = DeskWorld(faults=Faults(answer_lost=1.0, event_dropped=1.0))

    world.wish(a_wish(side))
    world.run(4)
    world.calm()
    world.run(8)

    assert len(world.orders(Purpose.ENTRY)) == 1
    assert world.only_position().status is PositionStatus.OPEN
    assert world.is_protected()
    assert world.drift() == []


@BOTH
def test_an_entry_that_never_arrived_is_refused_only_after_spaced_evidence(side: Side) -> None:
    world = DeskWorld()
    world.run(2)
    world.venue.script = [lambda order: None, lost]
    world.venue.script = [lost]
    wish = a_wish(side, entry_close_ms=world.clock.now_ms())
    world.wish(wish)
    world.run(3)
    (entry,) = world.orders(Purpose.ENTRY)
    assert entry.state is OrderState.UNKNOWN

    world.run_until(lambda: world.orders(Purpose.ENTRY)[0].state.is_terminal)

    # window 800, validity 2000, visibility 1000 and skew 1000 have passed, then three not-founds
    assert world.clock.now_ms() - entry.submitting_at_ms >= 4800 + 2 * 500
    (entry,) = world.orders(Purpose.ENTRY)
    assert (entry.state, entry.reason) == (OrderState.REJECTED, "never arrived")
    world.run(2)
    assert world.store.consumed[wish.wish_id].reason == "never arrived"
    assert world.venue.arrived == []
    world.run_until(lambda: world.plan.idle)


@BOTH
def test_an_order_that_arrives_late_is_found_before_it_is_given_up(side: Side) -> None:
    world = DeskWorld()
    world.run(2)
    venue = world.venue

    def late(order: Order) -> SendUnclear:
        venue.arrive_at(world.clock.now_ms() + 1900, order)
        return lost(order)

    venue.script = [late]
    world.wish(a_wish(side, entry_close_ms=world.clock.now_ms()))
    world.run(SETTLED_TICKS)

    assert len(world.orders(Purpose.ENTRY)) == 1
    assert world.only_position().status is PositionStatus.OPEN
    assert world.is_protected()


@BOTH
def test_a_second_stop_covers_at_once_while_the_first_is_unknown_and_the_surplus_goes(
    side: Side,
) -> None:
    world = DeskWorld()
    world.venue.script = [lambda order: None, answer_lost_after_accept(world)]

    world.wish(a_wish(side))
    world.run_until(lambda: len(world.orders(Purpose.STOP)) == 2)
    assert world.orders(Purpose.STOP)[0].state is OrderState.UNKNOWN
    world.run(6)

    states = [order.state for order in world.orders(Purpose.STOP)]
    assert sorted(states) == [OrderState.CANCELLED, OrderState.OPEN]
    assert world.venue.stop_cover("BTCUSDT", side) == world.only_position().quantity
    assert world.drift() == []


def answer_lost_after_accept(world: DeskWorld) -> Answer:
    def answer(order: Order) -> SendUnclear:
        world.venue.accept(order)
        world.venue.events()  # and the stream said nothing either
        return lost(order)

    return answer


@BOTH
def test_a_close_of_unknown_fate_is_not_repeated_before_it_is_settled(side: Side) -> None:
    world = an_open_world(side)
    world.venue.script = [lost]

    world.command("close_all")
    world.run(10)
    assert len(world.orders(Purpose.CLOSE)) == 1
    world.run_until(lambda: world.only_position().status is PositionStatus.CLOSED)

    first, second = world.orders(Purpose.CLOSE)
    assert first.reason == "never arrived"
    assert second.client_order_id != first.client_order_id
    assert second.created_at_ms - first.submitting_at_ms >= 4800
    assert world.venue.quantity("BTCUSDT", side) == 0


# --- protection


@BOTH
def test_a_fill_that_cannot_be_protected_is_closed_at_the_deadline_with_an_alarm(
    side: Side,
) -> None:
    world = DeskWorld()
    world.venue.script = [lambda order: None, *[refused(world.venue, Purpose.STOP)] * 60]

    world.wish(a_wish(side))
    world.run_until(lambda: bool(world.orders(Purpose.CLOSE)))

    position = world.only_position()
    waited_ms = world.clock.now_ms() - position.opened_at_ms
    assert 5000 <= waited_ms <= 5600
    assert any(" unprotected " in line for line in world.log)
    world.run(3)
    assert world.only_position().close_reason is CloseReason.EMERGENCY
    assert world.venue.quantity("BTCUSDT", side) == 0


@BOTH
def test_a_stop_somebody_cancelled_is_made_again_at_once(side: Side) -> None:
    world = an_open_world(side)
    (stop,) = world.orders(Purpose.STOP)

    world.venue.cancel_now(stop)
    world.run(2)

    assert [o.state for o in world.orders(Purpose.STOP)] == [OrderState.CANCELLED, OrderState.OPEN]
    assert world.is_protected()


@BOTH
def test_a_stop_that_vanished_without_a_word_is_found_missing_and_made_again(side: Side) -> None:
    world = an_open_world(side)
    (stop,) = world.orders(Purpose.STOP)
    del world.venue.rows[stop.client_order_id]

    world.run(110)

    assert world.is_protected()
    assert world.orders(Purpose.STOP)[0].reason == "gone from the venue"
    assert world.drift() == []


@BOTH
def test_partial_fills_resize_the_protection_new_before_old(side: Side) -> None:
    world = DeskWorld(faults=Faults(partial=1.0))

    world.wish(a_wish(side))
    world.run(4)
    world.calm()
    world.run(12)

    stops = [o for o in world.orders(Purpose.STOP) if o.state is OrderState.OPEN]
    assert len(world.orders(Purpose.STOP)) > 1
    assert [stop.quantity for stop in stops] == [world.only_position().quantity]
    assert world.is_protected()
    assert world.drift() == []


@BOTH
def test_no_stop_is_sent_that_would_fire_at_once_the_position_is_closed_instead(
    side: Side,
) -> None:
    world = DeskWorld()
    world.wish(a_wish(side))
    world.run_until(lambda: bool(world.orders(Purpose.ENTRY)))

    world.price(moved(side, "-1"))
    world.run(4)

    assert world.orders(Purpose.STOP) == []
    assert world.only_position().status is PositionStatus.CLOSED
    assert world.only_position().close_reason is CloseReason.STOP_LOSS


@BOTH
def test_stop_and_close_filling_together_never_turn_the_position_around(side: Side) -> None:
    world = an_open_world(side)
    (stop,) = world.orders(Purpose.STOP)

    world.command("close_all")
    world.price(moved(side, "-0.5"))
    world.run(6)

    assert world.only_position().status is PositionStatus.CLOSED
    assert world.venue.quantity("BTCUSDT", side) == 0
    assert world.drift() == []
    assert stop.client_order_id in world.venue.rows


# --- fills


@BOTH
def test_doubled_and_late_fills_count_once(side: Side) -> None:
    world = an_open_world(side)
    (fill,) = world.store.fills.values()

    world.inbox += [(0, fill), (0, fill)]
    world.run(2)
    world.price(moved(side, "-0.5"))
    world.run(3)
    world.inbox += [(0, again) for again in world.venue.trades]
    world.run(2)

    assert len(world.store.fills) == 2
    assert world.only_position().entry_quantity == fill.quantity
    assert world.drift() == []


@BOTH
def test_an_exit_that_arrives_before_its_entry_waits_for_it(side: Side) -> None:
    world = DeskWorld(faults=Faults(partial=1.0, event_dropped=1.0))

    world.wish(a_wish(side))
    world.run(12)
    world.command("close_all")
    world.run(3)
    world.calm()
    world.run_until(lambda: world.plan.idle)

    assert world.drift() == []
    assert world.only_position().quantity == 0


# --- a new owner


@BOTH
@pytest.mark.parametrize("state", [OrderState.NEW, OrderState.SUBMITTING])
def test_a_new_owner_sends_nothing_of_the_former_one(side: Side, state: OrderState) -> None:
    world = DeskWorld()
    world.wish(a_wish(side))
    world.run_until(lambda: bool(world.plan.prepares))
    world.die_at(1 if state is OrderState.NEW else 2)

    world.tick()
    assert world.orders(Purpose.ENTRY)[0].state is state
    world.run()

    sealed = OrderState.CANCELLED if state is OrderState.NEW else OrderState.UNKNOWN
    assert world.orders(Purpose.ENTRY)[0].state is sealed
    world.run(SETTLED_TICKS)
    assert world.venue.arrived == []
    assert world.drift() == []
    assert world.only_position().status is PositionStatus.CLOSED


@BOTH
def test_a_new_owner_carries_on_with_an_open_position(side: Side) -> None:
    world = an_open_world(side)

    world.start()
    world.run(3)

    assert len(world.venue.arrived) == 3
    assert world.is_protected()
    world.price(moved(side, "0.9"))
    world.run(3)
    assert world.only_position().close_reason is CloseReason.TAKE_PROFIT


# --- the venue's truth


@BOTH
def test_what_somebody_else_closed_is_closed_here_after_two_snapshots_that_agree(
    side: Side,
) -> None:
    world = an_open_world(side)
    quantity = world.only_position().quantity
    world.venue.set_price("BTCUSDT", Decimal(moved(side, "0.2")))
    world.venue.trade_outside("BTCUSDT", side, -quantity)

    world.run(110)

    position = world.only_position()
    assert position.status is PositionStatus.CLOSED
    assert position.close_reason is CloseReason.RECONCILE_MISSING
    assert position.exit_price == Decimal(moved(side, "0.2"))
    assert position.realized_pnl == quantity * Decimal("0.2")
    assert not world.venue.live()


@BOTH
def test_what_somebody_else_holds_is_reported_and_never_touched(side: Side) -> None:
    world = an_open_world(side)
    world.venue.trade_outside("BTCUSDT", side, Decimal(1))
    world.venue.trade_outside("BTCUSDT", side.opposite, Decimal(2))

    world.run(110)
    assert sum("external_position" in line for line in world.log) == 2
    world.command("close_all")
    world.run(6)

    assert world.venue.quantity("BTCUSDT", side) == 1
    assert world.venue.quantity("BTCUSDT", side.opposite) == 2


@BOTH
def test_failed_snapshots_close_nothing(side: Side) -> None:
    world = an_open_world(side)
    world.venue.faults = Faults(snapshot_failed=1.0)

    world.run(220)

    assert world.only_position().status is PositionStatus.OPEN
    assert world.orders(Purpose.CLOSE) == []


@BOTH
def test_reducing_orders_of_positions_long_gone_are_cancelled(side: Side) -> None:
    world = an_open_world(side)
    (stop,) = world.orders(Purpose.STOP)
    orphan = world.venue.copy_of(stop, client_order_id(CONNECTION, "gone", 1, Purpose.STOP, 0))

    world.run(110)

    assert world.venue.rows[orphan].state is OrderState.CANCELLED
    assert world.venue.rows[stop.client_order_id].is_live


@BOTH
def test_stops_of_another_connection_on_the_same_account_are_left_alone(side: Side) -> None:
    world = an_open_world(side)
    (stop,) = world.orders(Purpose.STOP)
    others = client_order_id("paper-2", "a Set of theirs", 1, Purpose.STOP, 0)
    world.venue.copy_of(stop, others)

    world.run(110)

    assert world.venue.rows[others].is_live
    assert world.venue.rows[stop.client_order_id].is_live


@BOTH
def test_an_order_of_ours_that_the_store_forgot_is_adopted_onto_its_position(side: Side) -> None:
    world = an_open_world(side)
    (stop,) = world.orders(Purpose.STOP)
    del world.store.orders[stop.client_order_id]
    world.start()

    world.run(6)

    live = [row.order for row in world.venue.live() if row.order.purpose is Purpose.STOP]
    assert [order.quantity for order in live] == [world.only_position().quantity]
    assert world.drift() == []


@BOTH
def test_an_outside_fill_is_not_taken_for_ours(side: Side) -> None:
    world = an_open_world(side)
    before = world.only_position()

    world.venue.trade_outside("BTCUSDT", side, Decimal(1))
    world.run(2)

    assert world.only_position().quantity == before.quantity
    assert all(isinstance(fill, Fill) for fill in world.state.loose.values())
    assert len(world.state.loose) == 1


@BOTH
def test_one_bad_share_does_not_stop_the_others(side: Side) -> None:
    world = an_open_world(side)
    del world.venue.instruments_by_symbol["BTCUSDT"]
    world.run(2)
    world.venue.instruments_by_symbol = world.instruments()

    world.open(a_wish(side, exits=some_exits("3"), entry_close_ms=world.clock.now_ms()))

    assert world.is_protected()


@BOTH
def test_a_command_that_is_read_again_and_again_is_obeyed_once(side: Side) -> None:
    world = an_open_world(side)
    world.command("close_all")
    world.run_until(lambda: world.plan.idle)
    world.store.consumed.clear()  # the shell keeps handing in what it once read

    for _ in range(80):
        world.clock.advance(9000)
        world.tick()

    assert world.store.consumed == {}
