"""The position side under the limits of its account: refused, gone on with, and kept."""

from decimal import Decimal

import pytest
from tests.builders import a_wish
from tests.desk_world import DeskWorld
from tests.risk_world import (
    MINUTE_MS,
    SETTLE_TICKS,
    a_risky_world,
    outcome,
    pass_time,
    reason,
    restart,
    traded,
    try_wish,
)

from engine.ledger import PositionStatus
from engine.risk_record import TradingState
from engine.values import CloseReason, Side

BOTH = pytest.mark.parametrize("side", list(Side))


def state(world: DeskWorld) -> TradingState:
    return world.plan.trading_state


def to_midnight_min(world: DeskWorld) -> float:
    return (86_400_000 - world.clock.now_ms() % 86_400_000) / MINUTE_MS


@BOTH
def test_a_loss_of_the_day_refuses_entries_until_midnight_through_a_restart(side: Side) -> None:
    world = a_risky_world(max_daily_loss=Decimal("2.2"))
    losses = [traded(world, side), traded(world, side)]

    refused = try_wish(world, side)
    restart(world)
    again = try_wish(world, side, "ETHUSDT")

    net = sum((p.realized_pnl - p.fees for p in losses if p), Decimal(0))
    assert world.store.risk is not None
    assert world.store.risk.realised_today == net <= Decimal("-2.2")
    for wish in (refused, again):
        done = outcome(world, wish)
        assert done.reason == "trading_state_reducing"
        assert (done.numbers["daily_loss"], done.numbers["limit"]) == (f"{-net:f}", "2.2")
        assert int(done.numbers["left_ms"]) <= to_midnight_min(world) * MINUTE_MS + 60_000
    assert state(world) is TradingState.REDUCING
    pass_time(world, to_midnight_min(world))
    assert state(world) is TradingState.ACTIVE
    assert traded(world, side) is not None


@BOTH
def test_while_reducing_an_open_position_keeps_its_protection_and_its_exits(side: Side) -> None:
    world = a_risky_world(max_daily_loss=Decimal("1"))
    kept = world.open(a_wish(side, "ETHUSDT", entry_close_ms=world.clock.now_ms()))
    traded(world, side)

    assert state(world) is TradingState.REDUCING
    world.run(20)
    assert world.is_protected()
    world.price(str(100 + side.sign * Decimal("0.9")), "ETHUSDT")
    world.run(SETTLE_TICKS)

    assert world.store.positions[kept.position_id].close_reason is CloseReason.TAKE_PROFIT
    assert world.drift() == []


@BOTH
def test_a_fall_of_equity_refuses_until_the_operator_resumes(side: Side) -> None:
    world = a_risky_world()
    world.venue.cash -= Decimal(2001)
    pass_time(world, 1)

    refused = try_wish(world, side)
    pass_time(world, to_midnight_min(world) + 1440)
    restart(world)
    still = try_wish(world, side)
    resume = world.command("resume_trading")
    world.run(SETTLE_TICKS)

    assert reason(world, refused) == reason(world, still) == "trading_state_reducing"
    numbers = outcome(world, refused).numbers
    assert (numbers["equity"], numbers["equity_peak"]) == ("7999", "10000")
    assert world.store.consumed[resume.command_id].outcome == "done"
    assert world.store.risk is not None
    assert world.store.risk.equity_peak == 7999
    assert traded(world, side) is not None


def test_a_resume_waits_for_an_equity_it_can_begin_with() -> None:
    world = a_risky_world()
    world.venue.cash -= Decimal(5000)
    pass_time(world, 1)
    world.start()
    resume = world.command("resume_trading")

    world.run()
    assert resume.command_id not in world.store.consumed
    world.run(SETTLE_TICKS)

    assert world.store.consumed[resume.command_id].outcome == "done"
    assert state(world) is TradingState.ACTIVE


@BOTH
def test_losses_in_a_row_pause_entries_and_a_win_between_breaks_the_row(side: Side) -> None:
    world = a_risky_world(max_consecutive_losses=2, losses_pause_min=10)
    traded(world, side)
    traded(world, side, wins=True)
    traded(world, side)
    assert state(world) is TradingState.ACTIVE
    traded(world, side.opposite)

    restart(world)
    refused = try_wish(world, side)
    pass_time(world, 10)

    done = outcome(world, refused)
    assert (done.reason, done.numbers["losses"], done.numbers["limit"]) == (
        "trading_state_reducing",
        "2",
        "2",
    )
    assert traded(world, side) is not None


@BOTH
def test_a_halt_refuses_entries_and_guards_what_is_open(side: Side) -> None:
    world = a_risky_world()
    world.open(a_wish(side, entry_close_ms=world.clock.now_ms()))

    world.halt = True
    refused = try_wish(world, side, "ETHUSDT")

    assert reason(world, refused) == "trading_state_halted"
    assert state(world) is TradingState.HALTED
    assert world.store.risk is not None
    assert world.store.risk.state is TradingState.HALTED
    assert world.is_protected()
    world.command("close_all")
    world.run(SETTLE_TICKS)
    assert world.only_position().status is PositionStatus.CLOSED
    world.halt = False
    world.run()
    assert state(world) is TradingState.ACTIVE


@BOTH
def test_after_a_halt_the_restraint_from_before_it_still_holds(side: Side) -> None:
    world = a_risky_world(max_daily_loss=Decimal(1))
    traded(world, side)
    world.halt = True
    restart(world)

    world.halt = False
    restart(world)

    assert reason(world, try_wish(world, side)) == "trading_state_reducing"


def test_a_change_of_the_trading_state_is_said_once_with_its_reason_and_figures() -> None:
    world = a_risky_world(max_daily_loss=Decimal(1))
    traded(world, Side.LONG)
    world.run(20)

    told = [line for line in world.log if "trading_state" in line]

    assert len(told) == 1
    for said in ("'state': 'reducing'", "'was': 'active'", "'daily_loss'", "'limit': '1'"):
        assert said in told[0]


def test_the_record_is_written_when_it_changes_and_not_otherwise() -> None:
    world = a_risky_world()
    world.run(60)  # the equity is read again meanwhile

    assert world.plan.facts.risk is None
    world.venue.cash += 1
    pass_time(world, 1)
    assert world.store.risk is not None
    assert world.store.risk.equity_peak == 10_001


@BOTH
def test_many_stops_rest_their_symbol_and_side_for_a_while(side: Side) -> None:
    world = a_risky_world(stop_guard_count=2, stop_guard_pause_min=10)
    traded(world, side)
    traded(world, side)

    restart(world)
    refused = try_wish(world, side)
    other_side = traded(world, side.opposite)
    other_symbol = traded(world, side, "ETHUSDT")
    pass_time(world, 10)

    done = outcome(world, refused)
    assert (done.reason, done.numbers["stop_losses"], done.numbers["limit"]) == (
        "stop_loss_guard",
        "2",
        "2",
    )
    assert 0 < int(done.numbers["left_ms"]) < 10 * MINUTE_MS
    assert other_side and other_symbol
    assert traded(world, side) is not None


def test_resuming_ends_rests_too() -> None:
    world = a_risky_world(stop_guard_count=2)
    traded(world, Side.LONG)
    traded(world, Side.LONG)
    assert reason(world, try_wish(world, Side.LONG)) == "stop_loss_guard"

    world.command("resume_trading")
    world.run(SETTLE_TICKS)

    assert traded(world, Side.LONG) is not None


def test_a_new_owner_counts_what_was_closed_behind_the_records_back() -> None:
    world = a_risky_world(max_consecutive_losses=2)
    traded(world, Side.LONG)
    before = world.store.risk
    traded(world, Side.LONG)
    world.store.risk = before  # the worker died between the two writes

    restart(world)

    assert state(world) is TradingState.REDUCING


def test_results_are_let_go_once_no_rule_looks_at_them_any_more() -> None:
    world = a_risky_world()
    traded(world, Side.LONG)

    pass_time(world, to_midnight_min(world) + 1)
    assert len(world.state.results) == 1
    pass_time(world, 1440)

    assert not world.state.results


@BOTH
def test_a_symbol_that_earns_too_little_rests(side: Side) -> None:
    world = a_risky_world(low_profit_count=2, low_profit_pause_min=10)
    traded(world, side)
    traded(world, side.opposite)

    refused = try_wish(world, side)

    done = outcome(world, refused)
    assert done.reason == "low_profit_lock"
    assert Decimal(done.numbers["average_pct"]) < Decimal("-0.4")
    assert traded(world, side, "ETHUSDT") is not None


@BOTH
def test_results_far_below_their_peak_rest_every_symbol(side: Side) -> None:
    world = a_risky_world(
        loss_guard_pct=Decimal("0.02"), loss_guard_count=2, loss_guard_pause_min=10
    )
    traded(world, side)
    traded(world, side, "ETHUSDT")

    refused = try_wish(world, side.opposite)
    pass_time(world, 10)

    assert reason(world, refused) == "drawdown_guard"
    assert Decimal(outcome(world, refused).numbers["drawdown_pct"]) > Decimal("0.02")
    assert traded(world, side) is not None


@BOTH
@pytest.mark.parametrize("away", ["0.6", "-0.6"])
def test_a_price_that_left_the_signals_opens_nothing(side: Side, away: str) -> None:
    world = a_risky_world()

    refused = try_wish(world, side, price=str(100 + Decimal(away)))

    done = outcome(world, refused)
    assert (done.reason, done.numbers["price"], done.numbers["limit_pct"]) == (
        "price_band",
        "100",
        "0.5",
    )


@BOTH
def test_a_venue_whose_clock_runs_ahead_opens_nothing(side: Side) -> None:
    world = a_risky_world()
    world.quote_age_ms = -1500

    refused = try_wish(world, side)

    done = outcome(world, refused)
    assert (done.reason, done.numbers["ahead_ms"]) == ("clock_skew", "1500")


@BOTH
@pytest.mark.parametrize("ahead_ms", [-3000, 3000])
def test_an_execution_of_another_time_than_ours_refuses_entries_for_a_while(
    side: Side, ahead_ms: int
) -> None:
    world = a_risky_world()
    world.venue.clock_ahead_ms = ahead_ms
    world.open(a_wish(side, entry_close_ms=world.clock.now_ms()))
    restart(world)

    refused = try_wish(world, side, "ETHUSDT")
    world.venue.clock_ahead_ms = 0
    pass_time(world, 10)
    tested = try_wish(world, side, "ETHUSDT")

    done = outcome(world, refused)
    assert done.reason == "clock_skew"
    assert ahead_ms * int(done.numbers["ahead_ms"]) > 0
    assert outcome(world, tested).outcome == "done"
    assert world.store.risk is not None
    assert world.store.risk.skew_ms == 0


@BOTH
def test_both_sides_of_a_symbol_share_a_cap(side: Side) -> None:
    world = a_risky_world(max_symbol_total_pct=Decimal(3))
    world.open(a_wish(side, entry_close_ms=world.clock.now_ms()))

    refused = try_wish(world, side.opposite)
    elsewhere = try_wish(world, side.opposite, "ETHUSDT")

    done = outcome(world, refused)
    assert done.reason == "symbol_total"
    assert Decimal(done.numbers["notional"]) > Decimal(done.numbers["limit"]) > 299
    assert outcome(world, elsewhere).outcome == "done"


@BOTH
def test_all_of_one_side_shares_a_cap_and_the_other_is_free(side: Side) -> None:
    world = a_risky_world(max_side_exposure_pct=Decimal(3))
    world.open(a_wish(side, entry_close_ms=world.clock.now_ms()))

    refused = try_wish(world, side, "ETHUSDT")
    free = try_wish(world, side.opposite, "ETHUSDT")

    assert reason(world, refused) == "side_exposure"
    assert outcome(world, free).outcome == "done"
