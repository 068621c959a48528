"""A position on a spot market: held, locked, sold; fees in what was bought."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.builders import a_wish, an_instrument, some_exits
from tests.desk_world import DeskWorld, with_settings
from tests.fake_venue import Faults
from tests.spot_venue import SPOT_FEE, SpotVenue

from engine.desk.spot import with_room_to_sell
from engine.events import SendUnclear, Unclear
from engine.ledger import Order, OrderState, Position, PositionStatus, Purpose
from engine.settings import Settings
from engine.values import CloseReason, Exits, Side

STEP = Decimal("0.0001")


def a_world(**changes: object) -> DeskWorld:
    return DeskWorld(spot=True, hedge=False, **changes)  # type: ignore[arg-type]


def venue_of(world: DeskWorld) -> SpotVenue:
    assert isinstance(world.venue, SpotVenue)
    return world.venue


def opened(world: DeskWorld, exits: Exits | None = None) -> Position:
    position = world.open(a_wish(exits=exits))
    world.run(2)
    return position


def live_sales(world: DeskWorld) -> list[Order]:
    return [row.order for row in world.venue.live() if row.order.reduce_only]


def test_a_short_is_refused_with_its_figures_and_nothing_is_sent() -> None:
    world = a_world()

    world.wish(a_wish(Side.SHORT))
    world.run(8)

    (done,) = world.store.consumed.values()
    assert (done.outcome, done.reason) == ("refused", "side_not_tradable")
    assert done.numbers == {"price": "100"}
    assert world.venue.arrived == []


def test_what_is_held_is_what_was_bought_less_the_fee_in_whole_steps() -> None:
    world = a_world()

    position = opened(world)

    (entry,) = world.orders(Purpose.ENTRY)
    bought = entry.filled_quantity
    arrived = bought * (1 - SPOT_FEE)
    assert position.quantity == position.entry_quantity == arrived - arrived % STEP
    assert 0 < position.residue < STEP
    assert position.quantity + position.residue == arrived
    assert position.fees == bought * SPOT_FEE * 100
    assert position.leverage == 1
    assert world.drift() == []


def test_one_stop_rests_and_no_target_could_lock_the_same_balance() -> None:
    world = a_world()

    position = opened(world)

    (stop,) = live_sales(world)
    assert stop.purpose is Purpose.STOP
    assert stop.quantity == position.quantity
    assert venue_of(world).free("BTCUSDT") == position.residue
    assert world.orders(Purpose.TARGET) == []


@pytest.mark.parametrize(
    ("price", "why"), [("100.9", CloseReason.TAKE_PROFIT), ("99.5", CloseReason.STOP_LOSS)]
)
def test_the_loop_takes_the_profit_and_the_venues_stop_the_loss(
    price: str, why: CloseReason
) -> None:
    world = a_world()
    opened(world)

    world.price(price)
    world.run_until(lambda: world.plan.idle)

    assert world.only_position().status is PositionStatus.CLOSED
    assert world.only_position().close_reason is why
    assert live_sales(world) == []
    assert not [o for o in world.store.orders.values() if o.state is OrderState.REJECTED]
    assert world.drift() == []


def test_a_sale_whose_answer_is_lost_is_looked_up_and_never_made_twice() -> None:
    world = a_world()
    opened(world)
    world.venue.faults = Faults(answer_lost=1.0)

    world.command("close_all")
    world.run(2)
    world.calm()
    world.run_until(lambda: world.plan.idle)

    (close,) = world.orders(Purpose.CLOSE)
    assert close.state is OrderState.FILLED
    assert world.drift() == []


def test_a_refused_sale_leaves_a_stop_until_it_is_tried_again() -> None:
    world = a_world()
    position = opened(world)
    venue = venue_of(world)
    venue.script = [lambda order: venue.refusal(order, "busy")]

    world.command("close_all")
    world.run_until(lambda: world.plan.idle)

    closes = world.orders(Purpose.CLOSE)
    assert [order.state for order in closes] == [OrderState.REJECTED, OrderState.FILLED]
    assert world.store.positions[position.position_id].status is PositionStatus.CLOSED
    assert world.drift() == []


def open_with_a_stop_of_unknown_fate(world: DeskWorld, arrives: bool) -> None:
    """Its entry fills; the answer to its first stop is lost, or the stop itself."""

    def strike(order: Order) -> SendUnclear | None:
        if order.purpose is not Purpose.STOP:
            return None
        venue.script.clear()
        venue.faults = Faults(event_dropped=1.0)
        if arrives:
            venue.accept(order)
        return venue._unclear(order.client_order_id, Unclear.TIMEOUT)

    venue = venue_of(world)
    world.run(4)
    venue.script = [strike, strike, strike]
    world.wish(a_wish(entry_close_ms=world.clock.now_ms()))
    world.run_until(lambda: bool(world.orders(Purpose.STOP)))


@pytest.mark.parametrize("arrives", [True, False])
def test_a_stop_of_unknown_fate_gets_a_second_one_where_only_one_of_them_can_be(
    arrives: bool,
) -> None:
    world = a_world()
    open_with_a_stop_of_unknown_fate(world, arrives)
    world.venue.faults = Faults(look_up_failed=1.0, snapshot_failed=1.0, event_dropped=1.0)
    world.run(4)

    tried = [order.state for order in world.orders(Purpose.STOP)]
    assert len(live_sales(world)) == 1
    assert tried[1:] == [OrderState.REJECTED if arrives else OrderState.OPEN]
    world.calm()
    world.run(30)
    assert len(live_sales(world)) == 1
    assert world.only_position().status is PositionStatus.OPEN
    assert world.drift() == []


def test_where_the_owner_holds_more_a_stop_of_unknown_fate_stays_alone() -> None:
    world = a_world()
    world.venue.positions["BTCUSDT", Side.LONG] = Decimal(1000)
    open_with_a_stop_of_unknown_fate(world, arrives=True)
    world.venue.faults = Faults(look_up_failed=1.0, snapshot_failed=1.0, event_dropped=1.0)
    world.run(4)

    assert len(world.orders(Purpose.STOP)) == 1
    world.calm()
    world.run(30)
    assert [order.purpose for order in live_sales(world)] == [Purpose.STOP]


def test_while_a_sale_is_of_unknown_fate_no_stop_may_take_its_balance() -> None:
    world = a_world()
    opened(world)
    venue = venue_of(world)
    venue.faults = Faults(send_lost=1.0)
    world.command("close_all")
    world.run(1)
    venue.faults = Faults()
    venue.cancel_now(live_sales(world)[0])
    world.run(4)

    stops = len(world.orders(Purpose.STOP))
    world.run_until(lambda: world.plan.idle)

    assert stops == 1
    closes = [order.state for order in world.orders(Purpose.CLOSE)]
    assert closes == [OrderState.REJECTED, OrderState.FILLED]
    assert world.drift() == []


def test_after_a_step_the_old_stop_is_gone_before_the_new_one_is_placed() -> None:
    world = a_world(settings=with_settings(dca_step_cooldown_s=0, risk_budget_pct=Decimal(100)))
    position = opened(world, some_exits(ladder=True))
    distance = world.settings.dca_distances_pct[0]

    world.price(str(100 - distance))
    world.run_until(lambda: world.only_position().entry_quantity > position.quantity)
    world.run_until(lambda: world.covered(world.only_position()))

    first, *_, last = world.orders(Purpose.STOP)
    assert first.state is OrderState.CANCELLED
    assert last.quantity == world.only_position().quantity
    assert not [o for o in world.orders(Purpose.STOP) if o.state is OrderState.REJECTED]
    assert world.longest_bare_ms <= world.settings.protection_deadline_ms
    assert [order.quantity for order in live_sales(world)] == [last.quantity]
    assert world.drift() == []


def test_profit_back_sells_a_part_and_the_rest_gets_a_stop_of_its_size() -> None:
    world = a_world(settings=with_settings(profit_back_on_exchange=True))
    position = opened(world, some_exits(profit_back=True))

    for price in ("99.75", "100.2"):
        world.price(price)
        world.run(4)
    world.run_until(lambda: world.covered(world.only_position()))

    (part,) = world.orders(Purpose.REDUCE)
    assert part.state is OrderState.FILLED
    rest = position.quantity - part.quantity
    assert [order.quantity for order in live_sales(world)] == [rest]
    assert world.only_position().quantity == rest
    assert world.drift() == []


def test_what_the_owner_holds_beside_our_shares_is_left_alone() -> None:
    world = a_world()
    world.venue.positions["BTCUSDT", Side.LONG] = Decimal(3)
    position = opened(world)

    world.run(120)
    world.command("close_all")
    world.run_until(lambda: world.plan.idle)

    assert not [line for line in world.log if "external" in line or "out_of_sync" in line]
    assert world.venue.quantity("BTCUSDT", Side.LONG) == 3 + position.residue


def test_what_somebody_sold_of_ours_comes_off_and_the_rest_is_protected() -> None:
    world = a_world()
    position = opened(world)

    half = world.only_position().quantity / 2 // STEP * STEP
    world.venue.trade_outside("BTCUSDT", Side.LONG, -half)
    world.run_until(lambda: world.only_position().quantity < position.quantity)
    world.run_until(lambda: world.covered(world.only_position()))

    assert world.only_position().quantity == position.quantity - half
    assert world.venue.stop_cover("BTCUSDT", Side.LONG) == position.quantity - half


def test_a_rest_too_small_for_the_venue_is_left_and_told() -> None:
    world = a_world()
    position = opened(world)
    venue = venue_of(world)
    spot = venue.instruments_by_symbol["BTCUSDT"]
    dear = replace(spot, min_notional=10 * position.quantity * 100)
    venue.instruments_by_symbol["BTCUSDT"] = dear

    world.command("close_all")
    world.run_until(lambda: world.only_position().status is PositionStatus.CLOSED)
    world.run(5)

    left = world.only_position()
    assert left.quantity == 0
    assert left.residue == position.quantity + position.residue
    assert left.close_reason is CloseReason.MANUAL
    assert [line for line in world.log if "residue_left" in line]
    assert live_sales(world) == []


@pytest.mark.parametrize("stranger", [False, True])
def test_no_more_positions_are_opened_than_the_venue_lets_stops_wait(stranger: bool) -> None:
    world = a_world()
    venue = venue_of(world)
    few = replace(venue.instruments_by_symbol["BTCUSDT"], max_stops=2)
    venue.instruments_by_symbol["BTCUSDT"] = few
    opened(world)
    if stranger:
        venue.positions["BTCUSDT", Side.LONG] += 100
        venue.copy_of(live_sales(world)[0], "by hand")
        world.run(110)  # until the next look at the venue
    else:
        world.open(a_wish(exits=some_exits("0.9"), entry_close_ms=world.clock.now_ms()))

    third = a_wish(exits=some_exits("1"), entry_close_ms=world.clock.now_ms())
    command = world.wish(third)
    world.run(4)

    done = world.store.consumed[command.command_id]
    assert done.reason == "stops_per_symbol"
    assert done.numbers == {"stops": "2", "limit": "2"}


def test_the_smallest_purchase_can_be_sold_at_its_stop_after_the_fee() -> None:
    spot = an_instrument(is_spot=True, quantity_step=STEP)
    price, exits = Decimal(100), some_exits(stop_loss="5")

    roomy = with_room_to_sell(spot, price, exits, Settings())
    least = roomy.min_notional / price
    left = spot.floor_quantity(least * (1 - 2 * Settings().taker_fee_pct / 100))

    assert left * 95 >= spot.min_notional
    assert left >= spot.min_quantity
    assert with_room_to_sell(an_instrument(), price, exits, Settings()) == an_instrument()
