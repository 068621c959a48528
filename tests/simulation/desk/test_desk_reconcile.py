"""Books and venue come together, or say where they do not: what others do, and what is lost."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.builders import a_wish, some_exits
from tests.desk_world import CONNECTION, DeskWorld, with_settings
from tests.fake_venue import Faults
from tests.fakes import FakeStore

from engine.events import StreamBroken
from engine.ledger import Order, OrderState, OrderType, Position, PositionStatus, Purpose
from engine.orders import order_name, position_id
from engine.values import CloseReason, IndicationType, Loop, Side, Wish

BOTH = pytest.mark.parametrize("side", list(Side))
ADOPT = with_settings(external_positions="adopt")
IGNORE = with_settings(external_positions="ignore")
QUANTITY = Decimal("1.5")


def moved(side: Side, percent: str) -> str:
    return str(100 + side.sign * Decimal(percent))


def now(world: DeskWorld, side: Side, **changes: object) -> Wish:
    exits = changes.pop("exits", None) or some_exits("3", "1")
    return a_wish(side, exits=exits, entry_close_ms=world.clock.now_ms(), **changes)  # type: ignore[arg-type]


def held_outside(side: Side, **world: object) -> DeskWorld:
    """Somebody holds a position on the account, and the books have agreed that it is so."""
    made = DeskWorld(**world)  # type: ignore[arg-type]
    made.venue.trade_outside("BTCUSDT", side, QUANTITY)
    made.run(12)
    return made


def outcome(world: DeskWorld, wish: Wish, ticks: int = 14) -> str:
    """What became of a wish: a reason code, or `done`."""
    world.wish(wish)
    world.run(ticks)
    consumed = world.store.consumed[wish.wish_id]
    return consumed.reason or consumed.outcome


def alarms(world: DeskWorld, event: str) -> int:
    return sum(f" {event} " in line for line in world.log)


def tables_lost(world: DeskWorld) -> None:
    """Orders, positions, executions, commands: all of it is gone, and a new owner begins."""
    world.store = FakeStore(clock=world.clock, leases=world.leases)
    world.start()


# --- what somebody else opened


@BOTH
def test_an_external_position_is_quarantined_nothing_opens_on_its_side_and_it_alarms(
    side: Side,
) -> None:
    world = held_outside(side)

    assert outcome(world, now(world, side)) == "external_position"
    assert alarms(world, "external_position") == 1
    assert outcome(world, now(world, side.opposite)) == "done"
    assert world.venue.quantity("BTCUSDT", side) == QUANTITY


@BOTH
def test_an_external_position_can_be_ignored_and_is_never_touched(side: Side) -> None:
    world = held_outside(side, settings=IGNORE)

    assert outcome(world, now(world, side)) == "done"
    world.command("close_all")
    world.run(10)
    assert world.venue.quantity("BTCUSDT", side) == QUANTITY


@BOTH
def test_an_external_position_can_be_adopted_with_a_stop_of_its_own(side: Side) -> None:
    world = held_outside(side, settings=ADOPT)

    adopted = world.only_position()
    (stop,) = world.orders(Purpose.STOP)
    assert (adopted.status, adopted.quantity) == (PositionStatus.OPEN, QUANTITY)
    assert adopted.key.indication is IndicationType.EXTERNAL
    assert stop.trigger_price == 100 - side.sign * 2
    assert world.orders(Purpose.TARGET) == world.orders(Purpose.ENTRY) == []
    assert world.is_protected()
    assert alarms(world, "position_adopted") == 1

    world.price(moved(side, "-2.1"))
    world.run(4)
    assert world.only_position().close_reason is CloseReason.STOP_LOSS
    assert world.venue.quantity("BTCUSDT", side) == 0


@BOTH
def test_the_stop_of_what_is_adopted_in_a_loss_counts_from_the_present_price(side: Side) -> None:
    world = DeskWorld(settings=ADOPT)
    world.venue.trade_outside("BTCUSDT", side, QUANTITY)
    world.venue.entry_price = 100 + side.sign * Decimal(10)
    world.run(14)

    adopted = world.only_position()
    assert adopted.status is PositionStatus.OPEN
    assert adopted.entry_price == 100 + side.sign * 10
    assert adopted.stop_price == 100 - side.sign * 2


@BOTH
def test_an_adopted_position_lives_as_long_as_its_owner_wants(side: Side) -> None:
    settings = with_settings(external_positions="adopt", main_timeout_h=Decimal("0.001"))
    world = held_outside(side, settings=settings)
    world.run(60)
    assert world.only_position().status is PositionStatus.OPEN

    world.venue.trade_outside("BTCUSDT", side, -QUANTITY)
    world.run(120)
    assert world.only_position().close_reason is CloseReason.RECONCILE_MISSING
    assert not world.venue.live()


@BOTH
def test_what_is_added_by_hand_is_quarantined_and_ours_keeps_its_own_stop(side: Side) -> None:
    world = DeskWorld()
    ours = world.open(a_wish(side))
    world.venue.trade_outside("BTCUSDT", side, QUANTITY)
    world.run(120)

    assert world.store.positions[ours.position_id].quantity == ours.quantity
    assert world.venue.stop_cover("BTCUSDT", side) == ours.quantity
    assert outcome(world, now(world, side)) == "external_position"


@BOTH
def test_what_is_added_by_hand_can_be_adopted_beside_ours(side: Side) -> None:
    world = DeskWorld(settings=ADOPT)
    ours = world.open(a_wish(side))
    world.venue.trade_outside("BTCUSDT", side, QUANTITY)
    world.run(120)

    assert world.store.positions[ours.position_id].quantity == ours.quantity
    (adopted,) = [p for n, p in world.store.positions.items() if n != ours.position_id]
    assert adopted.quantity == QUANTITY
    assert world.venue.stop_cover("BTCUSDT", side) == ours.quantity + QUANTITY
    assert world.drift() == []


@BOTH
def test_what_is_taken_away_by_hand_comes_off_the_oldest_share_at_its_price(side: Side) -> None:
    world = DeskWorld()
    one = world.open(a_wish(side))
    two = world.open(now(world, side, exits=some_exits("3", "2")))
    half = (one.quantity / 2).quantize(Decimal("0.001"))
    world.price(moved(side, "0.1"))
    world.venue.trade_outside("BTCUSDT", side, -half)
    world.run(120)

    after = world.store.positions[one.position_id]
    assert (after.quantity, after.realized_pnl) == (one.quantity - half, half / 10)
    assert world.store.positions[two.position_id].quantity == two.quantity
    assert alarms(world, "share_reduced") == 1
    assert world.is_protected()
    assert world.drift() == []


@BOTH
def test_a_position_flipped_by_hand_is_closed_here_and_its_other_side_is_external(
    side: Side,
) -> None:
    world = DeskWorld(hedge=False)
    ours = world.open(a_wish(side))
    world.venue.trade_outside("BTCUSDT", side, -ours.quantity)
    world.venue.trade_outside("BTCUSDT", side.opposite, ours.quantity)
    world.run(120)

    assert world.store.positions[ours.position_id].status is PositionStatus.CLOSED
    assert outcome(world, now(world, side.opposite)) == "external_position"
    assert outcome(world, now(world, side)) == "one_way_mode"


@BOTH
def test_with_one_position_a_symbol_nothing_opens_against_what_somebody_else_holds(
    side: Side,
) -> None:
    world = held_outside(side, hedge=False, settings=IGNORE)

    assert outcome(world, now(world, side.opposite)) == "one_way_mode"


@BOTH
def test_a_wish_waits_while_a_difference_is_young(side: Side) -> None:
    world = DeskWorld()
    world.venue.trade_outside("BTCUSDT", side, QUANTITY)
    world.wish(now(world, side))
    world.run(2)

    assert world.state.pending
    assert world.orders(Purpose.ENTRY) == []


@BOTH
def test_a_surplus_that_goes_away_frees_the_symbol(side: Side) -> None:
    world = held_outside(side)
    world.venue.trade_outside("BTCUSDT", side, -QUANTITY)
    world.run(120)

    assert world.state.mismatches == {}
    assert outcome(world, now(world, side)) == "done"


# --- another connection on the same account


@BOTH
def test_what_another_connection_guards_is_neither_external_nor_ours(side: Side) -> None:
    world = DeskWorld(settings=ADOPT)
    world.run(3)
    world.venue.trade_outside("BTCUSDT", side, QUANTITY)
    theirs = order_name(position_id("another", "set", 1), Purpose.STOP, 0)
    world.venue.accept(a_stop(theirs, side, QUANTITY))
    world.run(120)

    assert not world.store.positions
    assert outcome(world, now(world, side)) == "done"
    assert theirs in [row.order.client_order_id for row in world.venue.live()]


def a_stop(name: str, side: Side, quantity: Decimal, purpose: Purpose = Purpose.STOP) -> Order:
    away = Decimal(1) if purpose is Purpose.TARGET else Decimal(-1)
    types = {Purpose.STOP: OrderType.STOP_MARKET, Purpose.TARGET: OrderType.TAKE_PROFIT_MARKET}
    return Order(
        client_order_id=name,
        position_id="",
        purpose=purpose,
        attempt=0,
        symbol="BTCUSDT",
        side=side,
        order_type=types[purpose],
        quantity=quantity,
        trigger_price=100 + side.sign * away,
    )


# --- orders others touched


@BOTH
def test_a_stop_edited_by_hand_is_replaced_by_one_that_fits(side: Side) -> None:
    world = DeskWorld()
    position = world.open(a_wish(side))
    (stop,) = world.orders(Purpose.STOP)
    row = world.venue.rows[stop.client_order_id]
    row.order = replace(row.order, quantity=position.quantity / 2)
    world.run(120)

    live = [row.order for row in world.venue.live() if row.order.purpose is Purpose.STOP]
    assert [(o.quantity, o.trigger_price) for o in live] == [
        (position.quantity, stop.trigger_price)
    ]
    assert alarms(world, "order_edited") == 1
    assert world.drift() == []


@BOTH
def test_a_stop_moved_by_hand_is_moved_back(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    (stop,) = world.orders(Purpose.STOP)
    row = world.venue.rows[stop.client_order_id]
    row.order = replace(row.order, trigger_price=Decimal(moved(side, "-5")))
    world.run(120)

    live = [row.order for row in world.venue.live() if row.order.purpose is Purpose.STOP]
    assert [order.trigger_price for order in live] == [stop.trigger_price]


@BOTH
@pytest.mark.parametrize("purpose", [Purpose.STOP, Purpose.TARGET])
def test_an_exit_doubled_on_the_venue_leaves_one(side: Side, purpose: Purpose) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    world.run(2)
    (order,) = world.orders(purpose)
    again = order_name(order.position_id, purpose, 5)
    world.venue.copy_of(order, again)
    world.run(120)

    live = [row.order for row in world.venue.live() if row.order.purpose is purpose]
    assert len(live) == 1
    assert world.drift() == []


@BOTH
def test_a_target_somebody_cancelled_is_made_again(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    world.run(2)
    (target,) = world.orders(Purpose.TARGET)
    world.venue.cancel_now(target)
    world.run(3)

    assert [o.state for o in world.orders(Purpose.TARGET)] == [
        OrderState.CANCELLED,
        OrderState.OPEN,
    ]


# --- the venue itself changed


@BOTH
def test_a_position_mode_flipped_by_hand_alarms_and_is_prepared_anew(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    world.venue.mode_seen = False
    world.run(110)
    assert alarms(world, "position_mode_flipped") == 1
    assert world.state.prepared == {}
    assert world.is_protected()

    world.venue.unpreparable.add("BTCUSDT")  # it cannot be changed under an open position
    assert outcome(world, now(world, side)) in {"not_prepared", "prepare_refused", "stale_wish"}


@BOTH
def test_a_symbol_that_was_delisted_alarms_and_its_stop_stays_where_it_is(side: Side) -> None:
    world = DeskWorld()
    position = world.open(a_wish(side))
    del world.venue.instruments_by_symbol["BTCUSDT"]
    world.run(10)

    assert alarms(world, "unguarded_symbol") == 1
    assert world.venue.stop_cover("BTCUSDT", side) == position.quantity


@BOTH
def test_filters_that_changed_refuse_an_entry_and_leave_nothing_behind(side: Side) -> None:
    world = DeskWorld()
    world.run(3)
    world.venue.script = [lambda order: world.venue.refusal(order, "-1111 precision")]

    assert outcome(world, now(world, side)) == "-1111 precision"
    assert world.drift() == []


def changed(world: DeskWorld, **filters: Any) -> None:
    """The venue changes steps and limits; what the engine read at its start is out of date."""
    world.listed = dict(world.venue.instruments_by_symbol)
    venue_now = replace(world.listed["BTCUSDT"], **filters)
    world.venue.instruments_by_symbol["BTCUSDT"] = venue_now


@BOTH
def test_after_a_refusal_orders_go_in_the_steps_that_the_venue_takes_now(side: Side) -> None:
    world = DeskWorld()
    world.run(3)
    changed(world, price_tick=Decimal("0.7"), quantity_step=Decimal("0.3"))

    assert outcome(world, now(world, side)) == "-1111 precision"
    position = world.open(now(world, side))
    world.run(3)

    working = [o for o in world.store.orders.values() if o.state.is_working]
    assert {order.purpose for order in working} == {Purpose.STOP, Purpose.TARGET}
    assert position.quantity % Decimal("0.3") == 0
    assert all((o.trigger_price or Decimal(1)) % Decimal("0.7") == 0 for o in working)
    assert alarms(world, "filters_changed") == 1
    assert world.drift() == []


@BOTH
def test_an_open_position_goes_on_protected_in_the_new_ticks(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    world.run(2)
    changed(world, price_tick=Decimal("0.7"))
    (stop,) = world.orders(Purpose.STOP)
    world.venue.cancel_now(stop)  # somebody did: it has to be made again
    world.run(20)

    live = [o for o in world.orders(Purpose.STOP) if o.state.is_working]
    assert [(o.trigger_price or Decimal(1)) % Decimal("0.7") for o in live] == [0]
    assert world.longest_bare_ms < world.settings.protection_deadline_ms
    assert world.only_position().status is PositionStatus.OPEN


def test_an_order_that_was_held_back_has_no_instruments_read() -> None:
    world = DeskWorld()
    world.run(3)
    world.venue.script = [lambda order: world.venue.refusal(order, "not sent: too late")]

    outcome(world, now(world, Side.LONG))

    assert world.state.filters_asked_ms == 0


def test_instruments_are_read_again_at_most_once_a_minute() -> None:
    world = DeskWorld()
    world.run(3)
    asked_ms = set()
    for _ in range(50):
        world.venue.script = [lambda order: world.venue.refusal(order, "-2019 margin")]
        world.wish(now(world, Side.LONG))
        world.run(6)
        asked_ms.add(world.state.filters_asked_ms)

    first, second = sorted(asked_ms)
    assert second - first >= 60_000


@BOTH
def test_what_is_closed_by_hand_while_a_trailing_stop_follows_the_price_is_found(
    side: Side,
) -> None:
    world = DeskWorld()
    position = world.open(a_wish(side, exits=some_exits("30", "5", trailing=("0.2", "2"))))
    world.run(3)
    world.venue.faults = Faults(event_dropped=1.0)
    world.venue.trade_outside("BTCUSDT", side, -position.quantity)
    for tick in range(130):  # 39 s, one interval of comparisons and some
        world.price(moved(side, str(Decimal("0.3") + tick * Decimal("0.02"))))
        world.run()

    assert world.only_position().trail_armed
    assert world.only_position().close_reason is CloseReason.RECONCILE_MISSING


@BOTH
def test_a_venue_put_back_to_before_the_entry_closes_the_share(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    world.run(2)
    world.venue.rows.clear()
    world.venue.positions.clear()
    world.run(160)

    assert world.only_position().close_reason is CloseReason.RECONCILE_MISSING
    unsettled = [o for o in world.store.orders.values() if not o.state.is_terminal]
    assert unsettled == []
    assert world.venue.duplicates == 0


@BOTH
def test_a_venue_put_back_to_before_the_exit_holds_what_is_external(side: Side) -> None:
    world = DeskWorld()
    position = world.open(a_wish(side))
    world.command("close_all")
    world.run_until(lambda: world.plan.idle)
    world.venue.positions["BTCUSDT", side] = position.quantity
    world.run(120)

    assert alarms(world, "external_position") == 1
    assert outcome(world, now(world, side)) == "external_position"


# --- every table lost


def lost_with_a_position(side: Side, **world: object) -> tuple[DeskWorld, Position]:
    made = DeskWorld(**world)  # type: ignore[arg-type]
    position = made.open(a_wish(side))
    made.run(2)
    tables_lost(made)
    return made, position


@BOTH
def test_with_every_table_lost_our_stop_goes_on_guarding_and_nothing_is_sent(side: Side) -> None:
    world, position = lost_with_a_position(side)
    before = list(world.venue.arrived)
    world.run(60)

    assert world.venue.arrived == before
    assert world.venue.stop_cover("BTCUSDT", side) == position.quantity
    assert alarms(world, "lost_position_guarded") == 2
    assert outcome(world, now(world, side)) == "external_position"
    assert world.venue.arrived == before


@BOTH
def test_with_every_table_lost_a_position_is_adopted_under_its_own_id_and_exits(
    side: Side,
) -> None:
    world, position = lost_with_a_position(side, settings=ADOPT)
    before = list(world.venue.arrived)
    world.run(60)

    restored = world.only_position()
    assert restored.position_id == position.position_id
    assert (restored.quantity, restored.stop_price) == (position.quantity, position.stop_price)
    assert restored.target_price == position.target_price
    assert world.venue.arrived == before  # the orders that guard it are its own again
    assert len(world.store.orders) == 2

    world.price(moved(side, "0.9"))
    world.run(8)
    assert world.only_position().close_reason is CloseReason.TAKE_PROFIT
    assert not world.venue.live()
    assert world.venue.quantity("BTCUSDT", side) == 0


@BOTH
def test_with_every_table_lost_and_nothing_held_our_reducing_orders_are_cancelled(
    side: Side,
) -> None:
    world, position = lost_with_a_position(side)
    world.venue.positions["BTCUSDT", side] = Decimal(0)
    world.run(20)

    assert not world.venue.live()
    assert position.position_id not in world.store.positions


@BOTH
def test_with_every_table_lost_amid_an_entry_it_is_sent_no_second_time(side: Side) -> None:
    world = DeskWorld(settings=ADOPT)
    world.run(3)
    wish = now(world, side)
    world.wish(wish)
    world.run(1)
    tables_lost(world)
    world.wish(wish)
    world.run(60)

    assert [name[3] for name in world.venue.arrived].count("e") == 1
    assert world.venue.duplicates == 0
    assert world.is_protected()


# --- what does not come together


@BOTH
def test_a_difference_that_never_settles_stops_entries_alarms_and_ends_when_it_does(
    side: Side,
) -> None:
    world = DeskWorld(settings=with_settings(unreconciled_after_s=10))
    world.open(a_wish(side))
    world.venue.faults = Faults(fills_failed=1.0)  # nothing can explain it
    world.venue.trade_outside("BTCUSDT", side, QUANTITY)
    world.run(200)

    assert world.plan.unreconciled == {"BTCUSDT": "quantity"}
    assert alarms(world, "unreconciled") == 1
    assert outcome(world, now(world, side)) == "unreconciled"
    assert outcome(world, now(world, side.opposite)) == "unreconciled"

    world.venue.trade_outside("BTCUSDT", side, -QUANTITY)
    world.calm()
    world.run(20)
    assert world.plan.unreconciled == {}
    assert alarms(world, "reconciled") == 1


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        (Faults(snapshot_failed=1.0), "venue_unread"),
        (Faults(fills_failed=1.0, event_dropped=1.0), "missing_fills"),
        (Faults(send_lost=1.0, snapshot_failed=1.0), "unknown_order"),
    ],
)
def test_every_doubt_that_lasts_is_named(faults: Faults, reason: str) -> None:
    settings = with_settings(unreconciled_after_s=10, reconcile_interval_s=20)
    world = DeskWorld(settings=settings)
    world.run(3)
    world.venue.faults = faults
    world.wish(now(world, Side.LONG))
    world.run_until(lambda: world.plan.unreconciled != {}, 400)

    assert world.plan.unreconciled["BTCUSDT"] == reason


def test_another_symbol_trades_on_beside_one_in_doubt() -> None:
    world = DeskWorld(symbols=("BTCUSDT", "ETHUSDT"))
    world.venue.trade_outside("BTCUSDT", Side.LONG, QUANTITY)
    world.run(12)

    assert outcome(world, now(world, Side.LONG, symbol="ETHUSDT")) == "done"


@BOTH
def test_after_a_broken_stream_books_are_compared_before_the_next_interval(side: Side) -> None:
    world = DeskWorld()
    position = world.open(a_wish(side))
    world.run(3)
    world.venue.faults = Faults(event_dropped=1.0)
    world.venue.trade_outside("BTCUSDT", side, -position.quantity)
    now_ms = world.clock.now_ms()
    world.inbox.append((0, StreamBroken(since_ms=now_ms, at_ms=now_ms)))
    world.run(12)

    assert world.only_position().status is PositionStatus.CLOSED


@BOTH
def test_what_a_restored_position_sends_has_names_that_were_never_used(side: Side) -> None:
    world, position = lost_with_a_position(side, settings=ADOPT)
    world.run(12)
    (stop,) = world.orders(Purpose.STOP)
    world.venue.cancel_now(stop)  # its next attempt would be the first again
    world.command("close_position", position.position_id)
    world.run(12)

    assert world.only_position().status is PositionStatus.CLOSED
    assert world.venue.duplicates == 0
    assert len(set(world.venue.arrived)) == len(world.venue.arrived)
    assert all(order.attempt >= 1000 for order in world.orders(Purpose.CLOSE))


@BOTH
def test_an_order_nobody_answers_for_makes_the_books_be_compared(side: Side) -> None:
    world = DeskWorld(faults=Faults(invisible_ms=9_000, event_dropped=1.0))
    world.wish(a_wish(side))
    world.run_until(lambda: bool(world.orders(Purpose.ENTRY)))
    world.inbox = []  # the answer never comes back
    asked_ms = world.state.snapshot_asked_ms
    world.run(12)

    assert world.orders(Purpose.ENTRY)[0].reason == "no answer"
    assert world.state.snapshot_asked_ms > asked_ms


def test_what_lasts_is_told_again_after_an_hour() -> None:
    world = held_outside(Side.LONG)
    world.clock.advance(3_600_000)
    world.leases.change(CONNECTION, Loop.POSITION, expires_at_ms=world.clock.now_ms() + 60_000)
    world.run(12)

    assert alarms(world, "external_position") == 2


@BOTH
def test_a_close_goes_at_once_when_what_was_refused_had_been_too_much(side: Side) -> None:
    world = DeskWorld()
    position = world.open(a_wish(side))
    world.venue.script = [lambda order: world.venue.refusal(order, "-2022 too much")] * 4
    world.command("close_all")
    world.run_until(lambda: not world.venue.script)
    half = (position.quantity / 2).quantize(Decimal("0.001"))
    world.venue.trade_outside("BTCUSDT", side, -half)

    world.run_until(lambda: alarms(world, "share_reduced") == 1, 40)
    world.run(2)

    assert world.store.positions[position.position_id].status is PositionStatus.CLOSED
