"""How strategies end or lighten a position: trailing alone, time limits, turns, profit-back."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.builders import a_wish, an_instrument, on, some_exits
from tests.desk_world import TICK_MS, DeskWorld, with_settings
from tests.fake_venue import Faults

from engine.desk import may_leave
from engine.events import OrderUpdate
from engine.ledger import Order, OrderState, Position, PositionStatus, Purpose, Recovery
from engine.orders import position_id
from engine.settings import Settings
from engine.values import CloseReason, IndicationType, Instrument, Side, Variant, Wish

BOTH = pytest.mark.parametrize("side", list(Side))
HOUR_MS = 3_600_000


def at(world: DeskWorld, side: Side, price: str, ticks: int = 3) -> Position:
    world.price(str(on(side, price)))
    world.run(ticks)
    return world.only_position()


# --- trailing alone


class FineWorld(DeskWorld):
    """A world whose prices have four decimals."""

    def instruments(self) -> dict[str, Instrument]:
        return {name: an_instrument(name, price_tick=Decimal("0.0001")) for name in self.symbols}


@BOTH
def test_trailing_alone_arms_at_100_6_follows_to_101_and_closes_at_100_79(side: Side) -> None:
    world = FineWorld()
    exits = some_exits("0.8", "0.4", ("0.6", "0.2"), trailing_only=True)
    world.open(a_wish(side, exits=exits))

    assert not at(world, side, "100.5").trail_armed
    armed = at(world, side, "100.6")
    assert (armed.trail_armed, armed.best_price) == (True, on(side, "100.6"))
    assert (
        armed.stop_price == {Side.LONG: Decimal("100.3988"), Side.SHORT: Decimal("99.5988")}[side]
    )
    best = at(world, side, "101.0")  # beyond what would be the target
    assert best.status is PositionStatus.OPEN
    assert best.stop_price == {Side.LONG: Decimal("100.798"), Side.SHORT: Decimal("99.198")}[side]
    ended = at(world, side, "100.79")

    assert ended.close_reason is CloseReason.TRAILING_STOP
    assert ended.status is PositionStatus.CLOSED
    assert world.orders(Purpose.TARGET) == []
    assert world.drift() == []


# --- the time limit


def preset(wish: Wish) -> Wish:
    key = replace(wish.key, indication=IndicationType.PRESET, parameter=0)
    return replace(wish, key=key)


@BOTH
@pytest.mark.parametrize("mode", ["main", "preset"])
def test_a_position_ends_when_its_mode_s_time_is_over(side: Side, mode: str) -> None:
    settings = with_settings(main_timeout_h=3, preset_timeout_h=2)
    hours = 3 if mode == "main" else 2
    world = DeskWorld(settings=settings, may_trade_preset=True)
    wish = a_wish(side) if mode == "main" else preset(a_wish(side))
    opened = world.open(wish)

    world.clock.advance(
        opened.entry_close_ms + hours * HOUR_MS - 2 * TICK_MS - world.clock.now_ms()
    )
    world.start()
    world.run()
    assert world.only_position().status is PositionStatus.OPEN
    world.run(4)

    assert world.only_position().close_reason is CloseReason.TIMEOUT
    assert world.venue.quantity("BTCUSDT", side) == 0
    assert world.drift() == []


def test_without_a_limit_a_position_may_live_for_ever() -> None:
    world = DeskWorld(settings=with_settings(main_timeout_h=0))
    world.open(a_wish())

    world.clock.advance(1000 * HOUR_MS)
    world.start()
    world.run(5)

    assert world.only_position().status is PositionStatus.OPEN


@BOTH
def test_the_time_limit_holds_without_a_fresh_price(side: Side) -> None:
    world = DeskWorld(settings=with_settings(main_timeout_h=1))
    world.open(a_wish(side))
    world.clock.advance(HOUR_MS)
    world.start()
    world.quote_age_ms = 60_000

    world.run(5)

    assert world.only_position().close_reason is CloseReason.TIMEOUT
    assert world.drift() == []


# --- turns


@BOTH
def test_a_turn_closes_every_position_of_its_kind_and_no_other(side: Side) -> None:
    world = DeskWorld()
    now_ms = world.clock.now_ms()
    turned = a_wish(side, entry_close_ms=now_ms)
    also = a_wish(side, exits=some_exits("3"), entry_close_ms=now_ms)
    others = [
        a_wish(side.opposite, entry_close_ms=now_ms),
        a_wish(side, parameter=8, exits=some_exits("4"), entry_close_ms=now_ms),
        replace(
            a_wish(side, exits=some_exits("6"), entry_close_ms=now_ms),
            key=replace(a_wish(side, exits=some_exits("6")).key, variant=Variant(market_change=3)),
        ),
    ]
    for wish in (turned, also, *others):
        world.wish(wish)
    world.run_until(lambda: len(world.store.positions) == 5 and world.is_protected())
    world.run(3)

    command = world.turn(turned.key)
    world.run(4)

    reasons = {p.key.text: p.close_reason for p in world.store.positions.values()}
    assert reasons == {
        turned.key.text: CloseReason.STRATEGY_EXIT,
        also.key.text: CloseReason.STRATEGY_EXIT,
    } | {wish.key.text: None for wish in others}
    assert world.store.consumed[command.command_id].outcome == "done"
    assert world.drift() == []


@BOTH
def test_a_turn_that_comes_late_leaves_what_was_opened_after_it(side: Side) -> None:
    world = DeskWorld()
    turned_ms = world.clock.now_ms()
    opened = world.open(a_wish(side, entry_close_ms=turned_ms + TICK_MS))

    command = world.turn(opened.key, turned_ms)
    world.run(3)

    assert world.only_position().status is PositionStatus.OPEN
    assert world.store.consumed[command.command_id].reason == "no_position"


def test_a_turn_without_a_position_is_refused() -> None:
    world = DeskWorld()

    command = world.turn(a_wish().key)
    world.run(2)

    done = world.store.consumed[command.command_id]
    assert (done.outcome, done.reason) == ("refused", "no_position")


@BOTH
def test_a_turn_also_stops_a_wish_it_overtook_and_leaves_a_later_one(side: Side) -> None:
    world = DeskWorld()
    early = a_wish(side, entry_close_ms=world.clock.now_ms())
    world.wish(early)
    world.clock.advance(TICK_MS)
    turn = world.turn(early.key)
    late = a_wish(side, exits=some_exits("3"), entry_close_ms=world.clock.now_ms())
    world.wish(late)

    world.run(6)

    assert world.store.consumed[early.wish_id].reason == "strategy_exit"
    assert world.store.consumed[turn.command_id].outcome == "done"
    assert world.only_position().key == late.key
    assert world.only_position().status is PositionStatus.OPEN


@BOTH
def test_a_turn_closes_an_entry_that_is_still_on_its_way(side: Side) -> None:
    world = DeskWorld(faults=Faults(answer_lost=1.0, event_dropped=1.0))
    wish = a_wish(side, entry_close_ms=world.clock.now_ms())
    world.wish(wish)
    world.run_until(lambda: bool(world.orders(Purpose.ENTRY)))
    world.turn(wish.key)
    world.calm()

    world.run_until(lambda: world.plan.idle)

    assert world.only_position().close_reason is CloseReason.STRATEGY_EXIT
    assert world.store.consumed[wish.wish_id].outcome == "done"  # it was opened, and closed again
    assert world.venue.quantity("BTCUSDT", side) == 0
    assert world.drift() == []


# --- profit-back

BACK_ON = with_settings(profit_back_on_exchange=True)


def a_recovering_world(side: Side, settings: Settings = BACK_ON) -> DeskWorld:
    """Half the stop under water once; profit-back is on where the settings say so."""
    world = DeskWorld(settings=settings)
    world.open(a_wish(side, exits=some_exits("0.8", "0.4", profit_back=True)))
    world.run(2)
    at(world, side, "99.8")
    return world


@BOTH
def test_back_at_break_even_half_is_closed_and_the_rest_trails(side: Side) -> None:
    world = a_recovering_world(side)
    whole = world.only_position().quantity
    assert world.only_position().recovery is Recovery.UNDER

    position = at(world, side, "100.2", ticks=5)

    assert position.recovery is Recovery.BACK
    assert position.quantity == whole / 2
    assert position.trail_armed
    assert position.target_price == on(side, "100.4")
    live = {row.order.purpose: row.order for row in world.venue.live()}
    assert {p: o.quantity for p, o in live.items()} == {
        Purpose.STOP: whole / 2,
        Purpose.TARGET: whole / 2,
    }
    assert live[Purpose.TARGET].trigger_price == on(side, "100.4")
    assert world.drift() == []
    ended = at(world, side, "99.9", ticks=4)
    assert ended.close_reason is CloseReason.TRAILING_STOP
    assert len(world.orders(Purpose.REDUCE)) == 1
    assert world.drift() == []


@BOTH
def test_profit_back_is_off_unless_switched_on_for_the_exchange(side: Side) -> None:
    world = a_recovering_world(side, Settings())

    position = at(world, side, "100.2")

    assert position.recovery is Recovery.NONE
    assert world.orders(Purpose.REDUCE) == []


def test_a_share_too_small_for_the_venue_stays_and_all_of_it_trails() -> None:
    world = a_recovering_world(Side.LONG)
    whole = world.only_position().quantity
    world.venue.instruments_by_symbol = {"BTCUSDT": an_instrument(min_quantity=whole)}

    position = at(world, Side.LONG, "100.2", ticks=5)

    assert position.recovery is Recovery.BACK
    assert position.trail_armed
    assert position.quantity == whole
    assert world.orders(Purpose.REDUCE) == []


@BOTH
def test_a_price_past_the_halved_target_closes_all_of_it_at_once(side: Side) -> None:
    world = a_recovering_world(side)

    position = at(world, side, "100.5", ticks=12)

    assert position.close_reason is CloseReason.TAKE_PROFIT
    assert world.orders(Purpose.REDUCE) == []
    assert world.drift() == []


@BOTH
def test_no_share_is_taken_before_the_entry_has_filled_whole(side: Side) -> None:
    world = DeskWorld(settings=BACK_ON, faults=Faults(partial=1.0))
    world.wish(a_wish(side, exits=some_exits(profit_back=True)))
    world.run_until(lambda: world.venue.quantity("BTCUSDT", side) > 0)
    (entry,) = world.venue.rows.values()
    entry.next_piece_ms = 2**60
    world.calm()
    at(world, side, "99.8")
    at(world, side, "100.2", ticks=5)
    assert world.only_position().recovery is Recovery.BACK
    assert world.orders(Purpose.REDUCE) == []
    assert not may_leave(world.state)  # the entry may still fill

    entry.next_piece_ms = 0
    world.run(5)

    (share,) = world.orders(Purpose.REDUCE)
    assert share.quantity == entry.order.quantity / 2


@BOTH
def test_a_share_accepted_without_an_answer_is_found_and_not_taken_twice(side: Side) -> None:
    world = a_recovering_world(side)
    whole = world.only_position().quantity
    world.faults = world.venue.faults = Faults(answer_lost=1.0, event_dropped=1.0)
    at(world, side, "100.2", ticks=2)
    world.calm()

    world.run(20)

    assert len(world.orders(Purpose.REDUCE)) == 1
    assert world.only_position().quantity == whole / 2
    assert world.drift() == []


@BOTH
def test_a_refused_share_is_tried_a_few_times_and_then_left(side: Side) -> None:
    world = a_recovering_world(side)
    venue = world.venue

    def refused(order: Order) -> OrderUpdate | None:
        return venue.refusal(order, "no") if order.purpose is Purpose.REDUCE else None

    venue.script = [refused] * 1000
    at(world, side, "100.2", ticks=60)

    assert [o.state for o in world.orders(Purpose.REDUCE)] == [OrderState.REJECTED] * 3
    assert world.is_protected()
    assert world.drift() == []


@BOTH
@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_wherever_the_worker_dies_the_share_is_taken_once(side: Side, step: int) -> None:
    world = a_recovering_world(side)
    whole = world.only_position().quantity
    world.price(str(on(side, "100.2")))
    world.die_at(step)

    world.run(40)

    assert world.only_position().quantity == whole / 2
    assert world.venue.duplicates == 0
    assert world.drift() == []


@BOTH
def test_a_close_while_a_share_is_on_its_way_takes_the_rest_and_nothing_of_others(
    side: Side,
) -> None:
    world = a_recovering_world(side)
    name = world.only_position().position_id
    whole = world.only_position().quantity
    other = a_wish(side, exits=some_exits("3"), entry_close_ms=world.clock.now_ms())
    world.open(other)
    kept = world.store.positions[position_id("paper-1", other.key.text, other.entry_close_ms)]
    world.faults = world.venue.faults = Faults(answer_lost=1.0, event_dropped=1.0)
    world.price(str(on(side, "100.2")))
    world.run(1)
    world.command("close_position", name)
    world.run(2)
    world.calm()

    world.run(30)

    closes = world.orders(Purpose.CLOSE)
    assert [order.quantity for order in closes] == [whole / 2]
    assert world.store.positions[name].status is PositionStatus.CLOSED
    assert world.store.positions[kept.position_id].quantity == kept.quantity
    assert world.drift() == []


def test_after_it_came_back_no_step_is_added_any_more() -> None:
    loose = with_settings(profit_back_on_exchange=True, profit_back_trail_pct=Decimal(2))
    world = DeskWorld(settings=loose)
    world.open(a_wish(exits=some_exits("3", "0.4", ladder=True, profit_back=True)))
    world.run(2)
    at(world, Side.LONG, "99.7")
    at(world, Side.LONG, "100.2")

    position = at(world, Side.LONG, "99.5", ticks=6)

    assert position.recovery is Recovery.BACK
    assert position.status is PositionStatus.OPEN
    assert world.orders(Purpose.ADD) == []
