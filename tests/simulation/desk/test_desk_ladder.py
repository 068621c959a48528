"""A ladder: steps added to a losing position, each exactly once, within every limit."""

from decimal import Decimal

import pytest
from tests.builders import a_wish, an_instrument, on, some_exits
from tests.desk_world import TICK_MS, DeskWorld, with_settings
from tests.fake_venue import Faults

from engine.events import OrderUpdate, SendUnclear, Unclear
from engine.ledger import Order, OrderState, Position, PositionStatus, Purpose
from engine.orders import TRIES_PER_STEP
from engine.records import Facts
from engine.settings import Settings
from engine.values import CloseReason, Instrument, Side

BOTH = pytest.mark.parametrize("side", list(Side))
COOLDOWN_MS = 30_000


def a_ladder_world(side: Side, settings: Settings | None = None, **changes: object) -> DeskWorld:
    """One open, protected position of a ladder Set, entered at 100."""
    world = DeskWorld(settings=settings or Settings(), **changes)  # type: ignore[arg-type]
    world.open(a_wish(side, exits=some_exits(ladder=True)))
    world.run(2)
    return world


def at(world: DeskWorld, side: Side, price: str, ticks: int = 5) -> Position:
    world.price(str(on(side, price)))
    world.run(ticks)
    return world.only_position()


def after_cooldown(world: DeskWorld) -> None:
    world.run(COOLDOWN_MS // TICK_MS)


def refusals(world: DeskWorld) -> list[str]:
    return [
        line.split("'reason': '")[1].split("'")[0] for line in world.log if "add_refused" in line
    ]


@BOTH
def test_each_step_adds_its_share_and_moves_average_target_and_protection(side: Side) -> None:
    world = a_ladder_world(side)
    first = world.only_position().quantity

    once = at(world, side, "99.5")

    assert once.quantity == first * Decimal("2.5")
    assert once.entry_price == on(side, "99.7")
    after_cooldown(world)
    twice = at(world, side, "99.0")
    assert twice.quantity == first * Decimal("4.5")
    assert twice.entry_price is not None
    assert twice.entry_price.quantize(Decimal("0.0001")) == on(side, "99.3889")
    assert (twice.first_price, twice.first_quantity) == (Decimal(100), first)
    (stop,) = [row for row in world.venue.live() if row.order.purpose is Purpose.STOP]
    (target,) = [row for row in world.venue.live() if row.order.purpose is Purpose.TARGET]
    assert stop.order.quantity == target.order.quantity == twice.quantity
    assert stop.order.trigger_price == on(
        side, "98.8"
    )  # beyond the last step, from the first entry
    assert target.order.trigger_price == on(side, "100.2")  # the average and 0.8 percent
    assert world.longest_bare_ms < world.settings.protection_deadline_ms
    assert world.drift() == []


@BOTH
def test_a_step_begins_at_the_first_tick_that_far_and_not_before(side: Side) -> None:
    world = a_ladder_world(side)

    at(world, side, "99.6", ticks=10)
    assert world.orders(Purpose.ADD) == []
    at(world, side, "99.5")

    assert len(world.orders(Purpose.ADD)) == 1


@BOTH
def test_two_steps_passed_at_once_are_taken_one_after_the_other(side: Side) -> None:
    world = a_ladder_world(side)

    at(world, side, "99.0", ticks=2)
    world.run_until(lambda: len(world.orders(Purpose.ADD)) == 2)

    one, two = world.orders(Purpose.ADD)
    assert (one.attempt, two.attempt) == (0, TRIES_PER_STEP)
    assert two.quantity / one.quantity == Decimal(2) / Decimal("1.5")
    assert 0 <= two.created_at_ms - one.created_at_ms - COOLDOWN_MS < TICK_MS


@BOTH
def test_no_step_goes_beyond_the_largest_total_and_the_stop_ends_the_ladder(side: Side) -> None:
    world = a_ladder_world(side)
    at(world, side, "99.0")
    after_cooldown(world)
    first = world.only_position().first_quantity

    at(world, side, "98.9", ticks=2 * COOLDOWN_MS // TICK_MS)
    assert world.only_position().quantity == first * Decimal("4.5")
    position = at(world, side, "98.7")

    assert position.close_reason is CloseReason.STOP_LOSS
    assert len(world.orders(Purpose.ADD)) == 2
    assert world.drift() == []


@BOTH
def test_the_trailing_of_a_ladder_follows_from_the_average(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side, exits=some_exits("8", "0.4", ("0.6", "0.2"), ladder=True)))
    at(world, side, "99.5")

    at(world, side, "100.2")
    assert not world.only_position().trail_armed
    at(world, side, "100.4")  # more than 0.6 percent from 99.7

    assert world.only_position().trail_armed


# --- when nothing is added


@BOTH
def test_a_price_beyond_the_stop_adds_nothing(side: Side) -> None:
    world = a_ladder_world(side)
    for row in world.venue.live():
        row.next_piece_ms = 2**60  # the venue's own stop is stuck

    position = at(world, side, "98.7", ticks=12)

    assert world.orders(Purpose.ADD) == []
    assert position.close_reason is CloseReason.STOP_LOSS


def test_without_the_flag_nothing_is_added() -> None:
    world = DeskWorld()
    world.open(a_wish(exits=some_exits("8", "1")))

    at(world, Side.LONG, "99.2")

    assert world.orders(Purpose.ADD) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"may_trade": False}, "not_trading"),
        ({"wanted": "stop"}, "not_trading"),
        ({"wanted": "pause"}, "paused"),
        ({"halt": True}, "trading_state_halted"),
    ],
)
def test_a_step_that_may_not_be_taken_is_refused_and_comes_up_again_after_the_cooldown(
    change: dict[str, object], reason: str
) -> None:
    world = a_ladder_world(Side.LONG)
    for name, value in change.items():
        setattr(world, name, value)

    at(world, Side.LONG, "99.5", ticks=COOLDOWN_MS // TICK_MS - 1)
    assert refusals(world) == [reason]
    world.run(5)
    assert refusals(world) == [reason, reason]
    world.may_trade, world.wanted, world.halt = True, "run", False
    assert world.orders(Purpose.ADD) == []
    after_cooldown(world)

    assert len(world.orders(Purpose.ADD)) == 1


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("max_symbol_exposure_pct", Decimal(3), "symbol_exposure"),
        ("risk_budget_pct", Decimal("0.5"), "risk_budget"),
        ("margin_share_pct", Decimal("0.2"), "free_margin"),
        ("max_position_size", Decimal(250), "max_position_size"),
        ("exchange_dca", False, "exchangeDcaEnabled"),
    ],
)
def test_limits_and_switches_hold_for_steps_too(name: str, value: object, reason: str) -> None:
    world = a_ladder_world(Side.LONG)
    world.settings = with_settings(**{name: value})

    position = at(world, Side.LONG, "99.5")

    assert refusals(world) == [reason]
    assert position.quantity == position.first_quantity


@pytest.mark.parametrize(
    ("instrument", "reason"),
    [
        (an_instrument(min_notional=Decimal(400)), "below_minimum"),
        (an_instrument(min_quantity=Decimal(4)), "below_minimum"),
        (an_instrument(max_quantity=Decimal("2.5")), "above_maximum"),
    ],
)
def test_a_step_the_venue_would_not_take_is_not_sent(instrument: Instrument, reason: str) -> None:
    world = a_ladder_world(Side.LONG)
    world.venue.instruments_by_symbol = {"BTCUSDT": instrument}

    at(world, Side.LONG, "99.5")

    assert refusals(world) == [reason]
    assert world.orders(Purpose.ADD) == []


def test_steps_of_changed_settings_stay_within_the_largest_total_of_what_is_held() -> None:
    world = a_ladder_world(Side.LONG)
    at(world, Side.LONG, "99.5")
    world.settings = with_settings(
        dca_volumes=tuple(map(Decimal, ("0.5", "2", "2", "2"))), dca_max_total_ratio=Decimal("3.5")
    )

    after_cooldown(world)
    position = at(world, Side.LONG, "99.0")

    assert refusals(world) == ["ladder_total"]
    assert position.quantity == position.first_quantity * Decimal("2.5")


@BOTH
def test_nothing_is_added_while_the_venue_holds_what_nobody_explains(side: Side) -> None:
    world = a_ladder_world(side)
    world.venue.trade_outside("BTCUSDT", side, Decimal(1))
    world.run_until(lambda: bool(world.state.mismatches))

    at(world, side, "99.5")

    assert refusals(world) == ["out_of_sync"]
    assert world.orders(Purpose.ADD) == []


def test_the_number_of_positions_does_not_limit_steps() -> None:
    world = a_ladder_world(Side.LONG, with_settings(max_open_positions=1))

    at(world, Side.LONG, "99.5")

    assert len(world.orders(Purpose.ADD)) == 1


@BOTH
def test_nothing_is_added_while_the_stop_is_not_on_the_venue(side: Side) -> None:
    world = a_ladder_world(side)
    venue = world.venue

    def no_stop(order: Order) -> OrderUpdate | None:
        return venue.refusal(order, "no") if order.purpose is Purpose.STOP else None

    venue.script = [no_stop] * 100
    for row in venue.live():
        if row.order.purpose is Purpose.STOP:
            venue.cancel_now(row.order)
    world.run(2)
    position = at(world, side, "99.5", ticks=40)

    assert world.orders(Purpose.ADD) == []
    assert position.close_reason is CloseReason.EMERGENCY


def test_nothing_is_added_before_the_entry_has_filled_whole() -> None:
    world = DeskWorld(faults=Faults(partial=1.0))
    world.wish(a_wish(exits=some_exits(ladder=True)))
    world.run_until(lambda: world.venue.quantity("BTCUSDT", Side.LONG) > 0)
    for row in world.venue.rows.values():
        row.next_piece_ms = 2**60
    world.calm()

    at(world, Side.LONG, "99.5", ticks=10)

    assert world.orders(Purpose.ENTRY)[0].state is OrderState.PARTIALLY_FILLED
    assert world.is_protected()
    assert world.orders(Purpose.ADD) == []


def test_an_old_price_adds_nothing() -> None:
    world = a_ladder_world(Side.LONG)
    world.quote_age_ms = 3001

    at(world, Side.LONG, "99.5")

    assert world.orders(Purpose.ADD) == []


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"risk_budget_pct": Decimal("8.5"), "negative_change_pct": Decimal(100)}, "risk_budget"),
        ({"margin_share_pct": Decimal("0.3")}, "free_margin"),
    ],
)
def test_steps_on_their_way_count_for_each_other_and_for_the_margin(
    limits: dict[str, Decimal], reason: str
) -> None:
    """Two ladders fall at once; the account has room for one step: 299 on top of 398, of 850."""
    world = DeskWorld(symbols=("BTCUSDT", "ETHUSDT"))
    for symbol in world.symbols:
        world.open(a_wish(symbol=symbol, exits=some_exits(ladder=True)))
    world.run(2)
    world.settings = with_settings(**limits)
    for symbol in world.symbols:
        world.price("99.5", symbol)

    world.run(3)

    assert len(world.orders(Purpose.ADD)) == 1
    assert refusals(world) == [reason]


def test_a_new_owner_adds_nothing_before_it_read_the_venue_and_then_at_once() -> None:
    world = a_ladder_world(Side.LONG)
    world.start()
    world.faults = world.venue.faults = Faults(snapshot_failed=1.0)

    at(world, Side.LONG, "99.5", ticks=20)
    assert world.orders(Purpose.ADD) == []
    world.calm()
    world.run(12)

    assert len(world.orders(Purpose.ADD)) == 1


def test_a_refusal_is_forgotten_with_its_position() -> None:
    world = a_ladder_world(Side.LONG)
    world.may_trade = False
    at(world, Side.LONG, "99.5")
    assert world.state.add_refused

    world.command("close_all")
    world.run(5)

    assert not world.state.add_refused


def test_the_leverage_of_a_ladder_keeps_liquidation_beyond_its_own_stop() -> None:
    settings = with_settings(use_maximal_leverage=True, max_leverage=125)

    world = a_ladder_world(Side.LONG, settings)

    assert world.venue.leverages == {"BTCUSDT": 66}  # 80 percent of the way, for 1.2 percent


# --- exactly once


def lost(order: Order) -> SendUnclear | None:
    if order.purpose is not Purpose.ADD:
        return None
    return SendUnclear(
        client_order_id=order.client_order_id, why=Unclear.TIMEOUT, text="timeout", at_ms=0
    )


@BOTH
def test_a_step_accepted_without_an_answer_is_found_and_not_sent_again(side: Side) -> None:
    world = a_ladder_world(side)
    world.faults = world.venue.faults = Faults(answer_lost=1.0, event_dropped=1.0)
    at(world, side, "99.5", ticks=2)
    world.calm()

    world.run(20)

    assert len(world.orders(Purpose.ADD)) == 1
    position = world.only_position()
    assert position.quantity == position.first_quantity * Decimal("2.5")
    assert world.is_protected()
    assert world.drift() == []


@BOTH
def test_a_step_that_never_arrived_is_tried_again_under_a_name_of_its_own_after_the_cooldown(
    side: Side,
) -> None:
    world = a_ladder_world(side)
    world.venue.script = [lost]
    at(world, side, "99.5", ticks=2)
    assert world.orders(Purpose.ADD)[0].state is OrderState.UNKNOWN

    world.run_until(lambda: world.orders(Purpose.ADD)[0].state is OrderState.REJECTED)
    settled_ms = world.clock.now_ms()
    world.run_until(lambda: len(world.orders(Purpose.ADD)) == 2)

    assert [order.attempt for order in world.orders(Purpose.ADD)] == [0, 1]
    assert world.clock.now_ms() - settled_ms >= COOLDOWN_MS
    world.run(3)
    assert world.only_position().quantity == world.only_position().first_quantity * Decimal("2.5")
    assert world.drift() == []


@BOTH
@pytest.mark.parametrize("step", [0, 1, 2, 3])
def test_wherever_the_worker_dies_a_step_is_taken_once(side: Side, step: int) -> None:
    world = a_ladder_world(side)
    world.price(str(on(side, "99.5")))
    world.die_at(step)

    world.run(2 * COOLDOWN_MS // TICK_MS)

    filled = [order for order in world.orders(Purpose.ADD) if order.filled_quantity > 0]
    assert len(filled) == 1
    assert world.venue.duplicates == 0
    assert world.only_position().quantity == world.only_position().first_quantity * Decimal("2.5")
    assert world.drift() == []


@BOTH
def test_a_new_owner_knows_from_the_orders_which_steps_are_done(side: Side) -> None:
    world = a_ladder_world(side)
    at(world, side, "99.5")
    world.start()

    at(world, side, "99.0", ticks=3)
    assert len(world.orders(Purpose.ADD)) == 1  # the cooldown goes on
    after_cooldown(world)

    assert [o.attempt for o in world.orders(Purpose.ADD)] == [0, TRIES_PER_STEP]
    assert world.drift() == []


@BOTH
def test_a_step_that_fills_after_the_position_was_closed_is_closed_too(side: Side) -> None:
    world = a_ladder_world(side)
    venue, clock = world.venue, world.clock

    def late(order: Order) -> SendUnclear | None:
        unclear = lost(order)
        if unclear is not None:
            venue.arrive_at(clock.now_ms() + 1900, order)
        return unclear

    venue.script = [late]
    at(world, side, "99.5", ticks=1)
    world.command("close_all")
    world.run_until(lambda: world.plan.idle)

    assert venue.quantity("BTCUSDT", side) == 0
    assert world.only_position().status is PositionStatus.CLOSED
    assert world.drift() == []


def test_a_plan_names_a_step_only_in_the_tick_that_decides_it() -> None:
    world = a_ladder_world(Side.LONG)
    at(world, Side.LONG, "99.5")

    world.run()

    assert world.plan.facts == Facts()
