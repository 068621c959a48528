"""Money beside prices: funding, fees in other assets, and what the venue itself closes."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.builders import a_wish, some_exits
from tests.desk_world import DeskWorld, with_settings
from tests.fake_venue import START_EQUITY, FakeVenue, Faults

from engine.desk.state import Doubted
from engine.events import FillsFetched
from engine.ledger import Fill, FillKind, Position, PositionStatus, Purpose
from engine.reconcile import Mismatch
from engine.values import CloseReason, Side

BOTH = pytest.mark.parametrize("side", list(Side))
OFTEN = with_settings(funding_interval_s=1)


def another(world: DeskWorld, side: Side) -> Position:
    """An open position whose short key differs from that of the first."""
    wish = a_wish(side, exits=some_exits("1.2", "0.5"), entry_close_ms=world.clock.now_ms())
    return world.open(wish)


def earned(world: DeskWorld) -> Decimal:
    """What our books say all positions came to, open ones at the last price."""
    return sum(
        (
            one.net + one.unrealized_pnl(world.venue.prices[one.key.symbol])
            for one in world.store.positions.values()
        ),
        Decimal(0),
    )


@BOTH
@pytest.mark.parametrize("rate", ["0.0001", "-0.0003"])
@pytest.mark.parametrize("telling_sides", [True, False])
def test_funding_is_shared_by_quantity_counted_once_and_the_equity_agrees(
    side: Side, rate: str, telling_sides: bool
) -> None:
    world = DeskWorld(settings=OFTEN)
    one = world.open(a_wish(side))
    two = another(world, side)

    world.venue.pay_funding("BTCUSDT", rate, telling_sides=telling_sides)
    world.run(60)
    world.start()  # a new owner reads the same payments again
    world.run(60)

    paid = [world.store.positions[each.position_id] for each in (one, two)]
    assert all(each.funding * side.sign * Decimal(rate) < 0 for each in paid)
    assert paid[0].funding / paid[0].quantity == pytest.approx(paid[1].funding / paid[1].quantity)
    assert sum(each.funding for each in paid) == world.venue.payments[0].amount
    assert START_EQUITY + earned(world) == world.venue.account_now().equity


def test_where_the_venue_names_no_side_one_side_pays_what_the_other_gets() -> None:
    world = DeskWorld(settings=OFTEN)
    long, short = world.open(a_wish(Side.LONG)), another(world, Side.SHORT)

    world.venue.pay_funding("BTCUSDT", "0.001", telling_sides=False)
    world.run(30)

    paid, got = (world.store.positions[each.position_id].funding for each in (long, short))
    assert paid + got == sum(each.amount for each in world.venue.payments)
    assert START_EQUITY + earned(world) == world.venue.account_now().equity


@BOTH
def test_funding_of_a_position_just_closed_is_read_before_the_loop_ends(side: Side) -> None:
    world = DeskWorld(settings=with_settings(funding_interval_s=600))
    position = world.open(a_wish(side))
    world.venue.pay_funding("BTCUSDT", "0.0001")
    world.faults = world.venue.faults = Faults(funding_failed=0.5)

    world.command("close_all")
    world.run_until(lambda: world.plan.idle)

    closed = world.store.positions[position.position_id]
    assert closed.status is PositionStatus.CLOSED
    assert closed.funding == world.venue.payments[0].amount
    assert closed.net == closed.realized_pnl - closed.fees + closed.funding
    assert world.state.results[position.position_id].net == closed.net


@BOTH
def test_funding_of_the_millisecond_in_which_a_position_closed_is_its_own(side: Side) -> None:
    world = DeskWorld(settings=OFTEN)
    position = world.open(a_wish(side))

    world.venue.pay_funding("BTCUSDT", "0.0001")
    world.venue.force("BTCUSDT", side, FillKind.LIQUIDATION, position.quantity)
    world.run(30)

    closed = world.store.positions[position.position_id]
    assert closed.closed_at_ms == world.venue.payments[0].at_ms
    assert closed.funding == world.venue.payments[0].amount


@BOTH
def test_funding_of_the_millisecond_of_an_entry_is_of_who_held_before_or_else_its_own(
    side: Side,
) -> None:
    world = DeskWorld(settings=OFTEN)
    one = world.open(a_wish(side))
    world.clock.advance(1)
    two = another(world, side)
    world.venue.pay_funding("BTCUSDT", "0.0001")
    paid = world.venue.payments
    paid[:] = [
        replace(paid[0], at_ms=one.opened_at_ms),
        replace(paid[0], funding_id="later", at_ms=two.opened_at_ms),
    ]

    world.run(30)

    assert world.store.positions[one.position_id].funding == 2 * paid[0].amount
    assert world.store.positions[two.position_id].funding == 0


@BOTH
def test_funding_is_not_of_a_position_that_closed_unheard_before_it(side: Side) -> None:
    world = DeskWorld(settings=OFTEN)
    one, two = world.open(a_wish(side)), another(world, side)
    world.venue.faults = Faults(event_dropped=1.0)
    world.command("close_position", position_id=one.position_id)
    world.run_until(lambda: world.venue.quantity("BTCUSDT", side) == two.quantity)
    world.venue.faults = Faults(event_dropped=1.0, fills_failed=1.0)
    world.start()  # a new owner, who has heard nothing of the close
    world.clock.advance(100)
    world.venue.pay_funding("BTCUSDT", "0.0001", telling_sides=False)
    world.run(30)
    world.calm()
    world.run(60)

    assert world.store.positions[one.position_id].funding == 0
    assert world.store.positions[two.position_id].funding == world.venue.payments[0].amount


@BOTH
def test_funding_is_counted_once_though_another_is_found_to_have_held_then(side: Side) -> None:
    world = DeskWorld(settings=OFTEN)
    one = world.open(a_wish(side))
    world.venue.pay_funding("BTCUSDT", "0.0001")
    paid = world.venue.payments[0]
    world.run(30)
    world.command("close_all")
    world.run_until(lambda: world.store.positions[one.position_id].closed_at_ms > 0)
    two = another(world, side)
    books = world.store.positions
    books[one.position_id] = replace(books[one.position_id], closed_at_ms=paid.at_ms - 1)
    books[two.position_id] = replace(books[two.position_id], opened_at_ms=paid.at_ms - 1)

    world.start()
    world.run(60)

    assert sum(each.funding for each in world.store.positions.values()) == paid.amount


def test_a_list_of_payments_that_cannot_be_read_keeps_no_loop_alive_but_alarms() -> None:
    world = DeskWorld(faults=Faults(funding_failed=1.0))
    world.open(a_wish())
    world.command("close_all")

    world.run_until(lambda: world.plan.idle, 260)

    assert any("funding_unread" in line for line in world.log)


def test_funding_of_what_others_hold_is_not_ours() -> None:
    world = DeskWorld(settings=OFTEN)
    position = world.open(a_wish())
    world.venue.trade_outside("BTCUSDT", Side.LONG, position.quantity)
    world.run_until(lambda: world.state.mismatches != {}, 200)

    world.venue.pay_funding("BTCUSDT", "0.001")
    world.run(30)

    assert world.only_position().funding * 2 == world.venue.payments[0].amount


# --- fees in another asset


@BOTH
def test_a_fee_in_a_third_asset_is_kept_alarmed_and_counted_once_its_price_is_known(
    side: Side,
) -> None:
    world = DeskWorld(symbols=("BTCUSDT", "BNBUSDT"))
    quotes = world.venue.prices.pop("BNBUSDT")
    world.venue.fee_asset, world.venue.fee_rate = "BNB", Decimal("0.00001")
    position = world.open(a_wish(side))
    (paid,) = world.store.positions[position.position_id].unconverted
    assert paid == ("BNB", position.quantity * 100 * Decimal("0.00001"))
    assert position.fees == 0
    assert any("fee_not_converted" in line for line in world.log)
    assert "BNBUSDT" in world.plan.follow

    world.venue.prices["BNBUSDT"] = quotes * 6
    world.run(2)

    after = world.store.positions[position.position_id]
    assert (after.unconverted, after.fees) == ((), paid[1] * 600)


def test_an_asset_nobody_prices_stays_an_amount_through_a_restart() -> None:
    world = DeskWorld()
    world.venue.fee_asset = "KCS"
    position = world.open(a_wish())
    world.start()
    world.command("close_all")
    world.run_until(lambda: world.plan.idle)

    closed = world.store.positions[position.position_id]
    assert [asset for asset, _ in closed.unconverted] == ["KCS"]
    assert closed.unconverted[0][1] == sum(fill.fee for fill in world.venue.trades)


# --- what the venue itself does


def forced(venue: FakeVenue, side: Side, kind: FillKind, quantity: Decimal) -> None:
    venue.force("BTCUSDT", side, kind, quantity)


@BOTH
def test_a_liquidation_ends_every_share_cancels_its_orders_alarms_and_rests_the_side(
    side: Side,
) -> None:
    world = DeskWorld()
    one, two = world.open(a_wish(side)), another(world, side)
    world.price(str(100 - side.sign / Decimal(10)))

    forced(world.venue, side, FillKind.LIQUIDATION, one.quantity + two.quantity)
    world.run(8)

    ended = [world.store.positions[each.position_id] for each in (one, two)]
    assert {each.close_reason for each in ended} == {CloseReason.LIQUIDATED}
    assert {each.status for each in ended} == {PositionStatus.CLOSED}
    assert all(each.realized_pnl < 0 for each in ended)
    assert not world.venue.live()
    assert sum("position_liquidation" in line for line in world.log) == 2
    assert START_EQUITY + earned(world) == world.venue.account_now().equity
    now_ms = world.clock.now_ms()
    again = a_wish(side, exits=some_exits("5", "2"), entry_close_ms=now_ms)
    against = a_wish(side.opposite, exits=some_exits("5", "2"), entry_close_ms=now_ms)
    world.wish(again)
    world.wish(against)
    world.run(3)
    assert world.store.consumed[again.wish_id].reason == "cooldown"
    assert world.store.consumed[against.wish_id].outcome == "done"


@BOTH
@pytest.mark.parametrize("step", [0, 1])
def test_deleveraging_takes_off_the_oldest_share_once_wherever_the_worker_dies(
    side: Side, step: int
) -> None:
    world = DeskWorld()
    one, two = world.open(a_wish(side)), another(world, side)
    part = (one.quantity / 2).quantize(Decimal("0.001"))

    forced(world.venue, side, FillKind.DELEVERAGING, part)
    world.die_at(step)
    world.run(20)

    kept = [world.store.positions[each.position_id].quantity for each in (one, two)]
    assert kept == [one.quantity - part, two.quantity]
    assert world.is_protected()
    assert [o.quantity for o in world.orders(Purpose.STOP) if o.state.is_working].count(
        one.quantity - part
    ) == 1
    assert world.drift() == []


@BOTH
def test_a_liquidation_nobody_heard_of_is_found_and_named(side: Side) -> None:
    world = DeskWorld()
    position = world.open(a_wish(side))
    world.venue.faults = Faults(event_dropped=1.0)

    forced(world.venue, side, FillKind.LIQUIDATION, position.quantity)
    world.run_until(lambda: world.only_position().status is PositionStatus.CLOSED, 200)

    assert world.only_position().close_reason is CloseReason.LIQUIDATED


@BOTH
def test_a_forced_part_that_comes_along_with_a_reading_is_not_taken_off_twice(side: Side) -> None:
    world = DeskWorld()
    position = world.open(a_wish(side))
    world.run(20)
    part, now_ms = (position.quantity / 4).quantize(Decimal("0.001")), world.clock.now_ms()
    world.venue.faults = Faults(event_dropped=1.0)
    fill = world.venue.force("BTCUSDT", side, FillKind.DELEVERAGING, part)
    rest = position.quantity - part
    seen = Mismatch(symbol="BTCUSDT", side=side, ours=position.quantity, venue=rest)
    doubt = Doubted(mismatch=seen, first_ms=now_ms - 900, times=1, since_ms=now_ms - 900)
    world.state = replace(world.state, mismatches={("BTCUSDT", side): doubt})
    read = FillsFetched(symbol="BTCUSDT", since_ms=0, asked_ms=now_ms, at_ms=now_ms)

    world.inbox += [(now_ms, event) for event in (fill, read, world.venue.snapshot_now())]
    world.run(12)

    assert world.only_position().quantity == rest
    assert not any("share_reduced" in line for line in world.log)
    assert world.drift() == []


@BOTH
def test_executions_a_venue_shows_late_are_waited_for_before_a_share_is_reduced(side: Side) -> None:
    world = DeskWorld()
    position = world.open(a_wish(side))
    world.run(20)
    part = (position.quantity / 4).quantize(Decimal("0.001"))
    world.venue.faults = Faults(event_dropped=1.0)
    fill = world.venue.force("BTCUSDT", side, FillKind.DELEVERAGING, part)
    late = world.venue.trades.pop()  # the list of executions lags behind the positions
    hidden_until_ms = world.clock.now_ms() + world.settings.visibility_ms

    world.state = replace(world.state, snapshot_wanted_ms=world.clock.now_ms())
    while world.clock.now_ms() < hidden_until_ms:
        world.run()
    world.venue.trades.append(late)
    world.run(12)

    assert world.only_position().quantity == position.quantity - part
    assert not any("share_reduced" in line for line in world.log)
    assert fill.key in world.store.fills
    assert world.drift() == []


@BOTH
def test_a_share_that_was_opened_afterwards_is_not_liquidated(side: Side) -> None:
    world = DeskWorld()
    before_ms = world.clock.now_ms()
    position = world.open(a_wish(side))
    old = Fill(
        trade_id="old",
        client_order_id="autoclose-1",
        exchange_order_id="old",
        symbol="BTCUSDT",
        side=side,
        order_side=side.exit,
        price=Decimal(99),
        quantity=position.quantity,
        fee=Decimal(0),
        fee_asset="USDT",
        is_maker=False,
        executed_at_ms=before_ms,
        kind=FillKind.LIQUIDATION,
    )

    world.inbox.append((world.clock.now_ms(), old))
    world.run(4)

    assert world.only_position().quantity == position.quantity
    assert not any("position_liquidation" in line for line in world.log)


@BOTH
def test_a_forced_part_whose_row_was_not_written_with_its_position_counts_once(side: Side) -> None:
    world = DeskWorld()
    position = world.open(a_wish(side))
    part = (position.quantity / 4).quantize(Decimal("0.001"))
    fill = world.venue.force("BTCUSDT", side, FillKind.DELEVERAGING, part)
    world.run(4)

    del world.store.fills[fill.key]  # the worker died between the two writes
    world.start()
    world.run(40)

    assert world.only_position().quantity == position.quantity - part
    assert fill.key in world.store.fills
    assert world.drift() == []


def test_a_payment_read_by_a_new_owner_is_remembered_once() -> None:
    world = DeskWorld(settings=OFTEN)
    world.open(a_wish())
    world.venue.pay_funding("BTCUSDT", "0.0001")
    world.run(20)
    world.start()
    world.run(20)

    assert len(world.only_position().settled) == 1
