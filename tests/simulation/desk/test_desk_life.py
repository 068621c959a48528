"""A position from wish to close when nothing goes wrong on the way."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.builders import a_wish, some_exits
from tests.desk_world import DeskWorld, with_settings
from tests.fake_venue import Faults

from engine.ledger import OrderState, PositionStatus, Purpose
from engine.values import CloseReason, IndicationType, Side, TradeMode, Variant

BOTH = pytest.mark.parametrize("side", list(Side))


def moved(side: Side, percent: str) -> str:
    """A price that far from 100, favourable when positive."""
    return str(100 + side.sign * Decimal(percent))


def refusal(world: DeskWorld) -> str:
    (done,) = world.store.consumed.values()
    assert done.outcome == "refused"
    return done.reason


@BOTH
def test_a_wish_becomes_a_filled_position_with_stop_and_target_on_the_venue(side: Side) -> None:
    world = DeskWorld()

    position = world.open(a_wish(side))
    world.run(3)

    (stop,), (target,) = world.orders(Purpose.STOP), world.orders(Purpose.TARGET)
    assert stop.state is target.state is OrderState.OPEN
    held = world.venue.quantity("BTCUSDT", side)
    assert stop.quantity == target.quantity == position.quantity == held
    assert stop.trigger_price == Decimal(moved(side, "-0.4"))
    assert target.trigger_price == Decimal(moved(side, "0.8"))
    assert world.venue.leverages == {"BTCUSDT": 10}
    assert [done.outcome for done in world.store.consumed.values()] == ["done"]
    assert world.drift() == []


@BOTH
@pytest.mark.parametrize(
    ("move", "reason"),
    [("-0.5", CloseReason.STOP_LOSS), ("0.9", CloseReason.TAKE_PROFIT)],
)
def test_the_venues_own_order_closes_and_its_sibling_is_cancelled(
    side: Side, move: str, reason: CloseReason
) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    world.run(2)

    world.price(moved(side, move))
    world.run(4)

    assert world.only_position().status is PositionStatus.CLOSED
    assert world.only_position().close_reason is reason
    assert world.orders(Purpose.CLOSE) == []
    assert world.drift() == []
    world.run_until(lambda: world.plan.idle)


@BOTH
@pytest.mark.parametrize(
    ("move", "purpose", "reason"),
    [
        ("-0.5", Purpose.STOP, CloseReason.STOP_LOSS),
        ("0.9", Purpose.TARGET, CloseReason.TAKE_PROFIT),
    ],
)
def test_the_position_loop_closes_when_the_venues_order_does_not_act_in_its_grace(
    side: Side, move: str, purpose: Purpose, reason: CloseReason
) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    world.run(2)
    for row in world.venue.live():
        row.next_piece_ms = 2**60  # triggered, and stuck on the venue

    world.price(moved(side, move))
    world.run(5)
    assert world.orders(Purpose.CLOSE) == []
    world.run(3)

    assert world.only_position().close_reason is reason
    assert len(world.orders(Purpose.CLOSE)) == 1
    assert world.venue.quantity("BTCUSDT", side) == 0


@BOTH
def test_the_trailing_stop_lives_in_the_position_loop_and_closes_by_market(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side, exits=some_exits("8", "0.4", ("0.6", "0.2"))))
    world.run(2)

    for move in ("0.6", "1.0"):
        world.price(moved(side, move))
        world.run()
    assert world.only_position().trail_armed
    assert world.only_position().best_price == Decimal(moved(side, "1.0"))
    world.price(moved(side, "0.7"))
    world.run(3)

    position = world.only_position()
    assert position.status is PositionStatus.CLOSED
    assert position.close_reason is CloseReason.TRAILING_STOP
    assert position.realized_pnl > 0
    assert world.drift() == []


@BOTH
def test_an_old_price_neither_opens_nor_closes(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side, exits=some_exits("8", "0.4", ("0.6", "0.2"))))
    world.run(2)
    world.quote_age_ms = 3001

    world.price(moved(side, "1.0"))
    world.run(3)
    wish = a_wish(side, parameter=8, exits=some_exits("3"), entry_close_ms=world.clock.now_ms())
    world.wish(wish)
    world.run(15)

    assert not world.only_position().trail_armed
    assert world.store.consumed[wish.wish_id].reason == "price_stale"
    assert world.is_protected()


@BOTH
def test_an_operator_closes_one_position_or_all(side: Side) -> None:
    world = DeskWorld()
    first = world.open(a_wish(side))
    world.open(a_wish(side, exits=some_exits("3"), entry_close_ms=world.clock.now_ms()))

    world.command("close_position", first.position_id)
    world.run(4)
    assert world.store.positions[first.position_id].close_reason is CloseReason.MANUAL
    assert sum(p.status is PositionStatus.OPEN for p in world.store.positions.values()) == 1
    assert world.drift() == []

    world.command("close_all")
    world.run_until(lambda: world.plan.idle)
    assert world.venue.quantity("BTCUSDT", side) == 0
    assert not world.venue.live()


def test_closing_an_unknown_position_is_refused() -> None:
    world = DeskWorld()

    world.command("close_position", "nobody")
    world.run(2)

    assert refusal(world) == "unknown_position"


@BOTH
def test_two_shares_of_one_venue_position_have_a_stop_each(side: Side) -> None:
    world = DeskWorld()
    one = world.open(a_wish(side))
    two = world.open(a_wish(side, exits=some_exits("3", "1"), entry_close_ms=world.clock.now_ms()))
    world.run(3)

    assert world.venue.quantity("BTCUSDT", side) == one.quantity + two.quantity
    assert world.venue.stop_cover("BTCUSDT", side) == one.quantity + two.quantity

    world.price(moved(side, "-0.5"))
    world.run(4)

    assert world.store.positions[one.position_id].status is PositionStatus.CLOSED
    assert world.store.positions[two.position_id].quantity == two.quantity
    assert world.venue.stop_cover("BTCUSDT", side) == two.quantity
    assert world.drift() == []


@BOTH
def test_a_short_key_holds_one_position_and_rests_after_it(side: Side) -> None:
    world = DeskWorld()
    world.open(a_wish(side))
    blocked = a_wish(side, parameter=8, entry_close_ms=world.clock.now_ms())
    world.wish(blocked)
    world.run(2)
    assert world.store.consumed[blocked.wish_id].reason == "short_key_open"

    world.price(moved(side, "-0.5"))
    world.run(3)
    closed_ms = world.only_position().closed_at_ms
    world.price("100")
    early = a_wish(side, entry_close_ms=world.clock.now_ms())
    world.wish(early)
    world.run()
    assert world.store.consumed[early.wish_id].reason == "cooldown"

    world.clock.time_ms = closed_ms + 20_000 - 300
    world.start()  # the lease ran out meanwhile: a new owner knows the cooldown from the store
    world.open(a_wish(side, entry_close_ms=world.clock.now_ms()))
    assert len(world.store.positions) == 2


@BOTH
@pytest.mark.parametrize(("hedge", "opens"), [(True, True), (False, False)])
def test_both_sides_of_a_symbol_need_hedge_mode(side: Side, hedge: bool, opens: bool) -> None:
    world = DeskWorld(hedge=hedge)
    world.open(a_wish(side))
    other = a_wish(side.opposite, entry_close_ms=world.clock.now_ms())

    world.wish(other)
    world.run(5)

    assert bool(world.open_positions(other)) is opens
    if not opens:
        assert world.store.consumed[other.wish_id].reason == "one_way_mode"


@BOTH
@pytest.mark.parametrize("mode", TradeMode)
def test_each_mode_opens_under_its_own_switch(side: Side, mode: TradeMode) -> None:
    world = DeskWorld(may_trade=mode is TradeMode.MAIN, may_trade_preset=mode is TradeMode.PRESET)
    main = a_wish(side, entry_close_ms=world.clock.now_ms())
    variant = Variant(preset="rsi14/30/70")
    key = replace(main.key, indication=IndicationType.PRESET, parameter=0, variant=variant)
    preset = replace(main, key=key)

    for wish in (main, preset):
        world.wish(wish)
    world.run(10)

    (position,) = world.store.positions.values()
    refused = preset if mode is TradeMode.MAIN else main
    assert position.key.indication.mode is mode
    assert world.store.consumed[refused.wish_id].reason == "not_trading"


@BOTH
@pytest.mark.parametrize(
    ("world", "reason"),
    [
        (DeskWorld(halt=True), "trading_state_halted"),
        (DeskWorld(wanted="stop"), "not_trading"),
        (DeskWorld(wanted="pause"), "paused"),
        (DeskWorld(may_trade=False), "not_trading"),
    ],
)
def test_a_stopped_engine_opens_nothing(side: Side, world: DeskWorld, reason: str) -> None:
    wish = a_wish(side, entry_close_ms=world.clock.now_ms())

    world.wish(wish)
    world.run(3)

    assert world.store.consumed[wish.wish_id].reason == reason
    assert world.venue.arrived == []


def test_an_old_wish_is_refused() -> None:
    world = DeskWorld()
    world.open(a_wish())
    old = a_wish(exits=some_exits("3"), entry_close_ms=world.clock.now_ms() - 3000)

    world.wish(old)
    world.run()

    assert world.store.consumed[old.wish_id].reason == "wish_stale"
    assert len(world.orders(Purpose.ENTRY)) == 1


def test_a_limit_refuses_with_its_numbers() -> None:
    world = DeskWorld(settings=with_settings(max_open_positions=1), symbols=("BTCUSDT", "ETHUSDT"))
    world.open(a_wish())
    second = a_wish(symbol="ETHUSDT", entry_close_ms=world.clock.now_ms())

    world.wish(second)
    world.run(4)

    done = world.store.consumed[second.wish_id]
    assert (done.reason, done.numbers) == ("max_open_positions", {"positions": "2", "limit": "1"})


def test_a_symbol_the_venue_will_not_prepare_refuses_its_wishes() -> None:
    world = DeskWorld()
    world.venue.unpreparable = {"BTCUSDT"}

    world.wish(a_wish())
    world.run(4)

    assert refusal(world) == "prepare_refused"
    assert world.venue.arrived == []


@BOTH
def test_an_entry_the_venue_rejects_frees_its_short_key_and_refuses_the_wish(side: Side) -> None:
    world = DeskWorld()
    world.venue.script = [lambda order: world.venue.refusal(order, "insufficient margin")]

    world.wish(a_wish(side))
    world.run(4)

    assert refusal(world) == "insufficient margin"
    assert world.only_position().status is PositionStatus.CLOSED
    assert world.only_position().entry_quantity == 0
    assert world.store.short_keys == {}
    world.open(a_wish(side, entry_close_ms=world.clock.now_ms()))


def test_a_quiet_desk_is_idle_only_after_a_snapshot_that_agrees() -> None:
    world = DeskWorld()

    world.run()
    assert not world.plan.idle
    assert world.plan.want_snapshot
    world.run()

    assert world.plan.idle


def test_a_desk_in_doubt_reads_the_symbols_in_play_and_all_of_them_in_their_turn() -> None:
    world = DeskWorld(symbols=("BTCUSDT", "ETHUSDT", "BNBUSDT"))
    world.open(a_wish())
    world.venue.trade_outside("ETHUSDT", Side.LONG, Decimal(1))
    world.run_until(lambda: world.state.mismatches != {}, 200)  # found by a reading of all
    read: list[frozenset[str] | None] = []
    for _ in range(200):
        world.state = replace(world.state, snapshot_wanted_ms=world.clock.now_ms())
        world.run()
        read += [world.plan.snapshot_of] if world.plan.want_snapshot else []

    assert set(read) == {None, frozenset({"BTCUSDT", "ETHUSDT"})}
    assert 1 <= read.count(None) <= 3  # in a minute


def test_where_all_symbols_cannot_be_read_those_in_play_are_and_all_of_them_next() -> None:
    world = DeskWorld(symbols=("BTCUSDT", "ETHUSDT"))
    world.open(a_wish())
    world.start()
    world.venue.faults = Faults(snapshot_failed=1.0)
    read = asked(world, 1)
    world.venue.faults = Faults()
    read += asked(world, 2)

    assert read == [None, frozenset({"BTCUSDT"}), None]


def asked(world: DeskWorld, times: int) -> list[frozenset[str] | None]:
    """The symbols of the next snapshots."""
    found: list[frozenset[str] | None] = []
    while len(found) < times:
        world.run()
        found += [world.plan.snapshot_of] if world.plan.want_snapshot else []
    return found


def test_a_halted_desk_reads_all_symbols() -> None:
    world = DeskWorld()
    world.open(a_wish())
    world.halt = True

    begun_ms = world.clock.now_ms()

    assert set(asked(world, 5)) == {None}
    assert world.clock.now_ms() - begun_ms > 60_000  # its end is proved; then one at a time


def test_only_readings_of_all_symbols_prove_the_end_of_an_emergency_stop() -> None:
    world = DeskWorld()
    world.open(a_wish())
    world.halt = True
    world.venue.faults = Faults(snapshot_failed=0.6)
    whole: set[int] = set()
    parts = 0
    while world.plan.halt_proof is None:
        world.run()
        if world.plan.want_snapshot and world.plan.snapshot_of is None:
            whole.add(world.clock.now_ms())
        parts += world.plan.want_snapshot and world.plan.snapshot_of is not None

    assert set(world.plan.halt_proof.reads_ms) <= whole
    assert parts > 0


def test_the_desk_follows_what_is_held_and_what_is_wished() -> None:
    world = DeskWorld(symbols=("BTCUSDT", "ETHUSDT"))
    world.open(a_wish())
    world.venue.prices.pop("ETHUSDT")

    world.wish(a_wish(symbol="ETHUSDT", entry_close_ms=world.clock.now_ms()))
    world.run()

    assert world.plan.follow == {"BTCUSDT", "ETHUSDT"}
