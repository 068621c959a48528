"""What every store must keep of an account's limits."""

from dataclasses import replace
from decimal import Decimal

import pytest
from tests.contracts.conftest import Kept
from tests.samples import START_MS, a_key, a_position

from engine.errors import LeaseLostError, ShortKeyTakenError
from engine.ledger import Position, PositionStatus
from engine.records import Facts
from engine.risk import day_of
from engine.risk_record import Restraint, Result, RiskRecord, TradingState
from engine.values import CloseReason, Loop, Side

DAY_MS = 86_400_000
TODAY = day_of(START_MS)
RECORD = RiskRecord(
    day_ms=TODAY,
    day_start_equity=Decimal("10000.12345678"),
    equity_peak=Decimal("12000.5"),
    realised_today=Decimal("-150.00000001"),
    consecutive_losses=3,
    losses_before=1,
    streak_ms=TODAY + 5,
    reset_ms=TODAY + 7,
    state=TradingState.REDUCING,
    restraint=Restraint(
        reason="daily_loss",
        numbers={"daily_loss": Decimal("150.00000001"), "limit": Decimal(150)},
        since_ms=START_MS,
        until_ms=TODAY + DAY_MS,
    ),
    skew_ms=-1500,
    skew_at_ms=START_MS,
)


def a_closed(position_id: str, closed_at_ms: int, *, side: Side = Side.LONG) -> Position:
    return replace(
        a_position(position_id, key=a_key(side=side), closed_at_ms=closed_at_ms),
        status=PositionStatus.CLOSED,
        quantity=Decimal(0),
        entry_quantity=Decimal("0.015"),
        entry_price=Decimal(60_000),
        realized_pnl=Decimal("-3.6"),
        fees=Decimal("0.99"),
        close_reason=CloseReason.STOP_LOSS,
    )


def test_without_a_record_there_is_none(kept: Kept) -> None:
    assert kept.store.held("c1").risk is None


@pytest.mark.parametrize(
    "record",
    [
        RECORD,
        RiskRecord(),
        replace(RECORD, state=TradingState.HALTED, restraint=None),
        replace(RECORD, restraint=replace(RECORD.restraint, until_ms=None)),  # type: ignore[type-var]
    ],
)
def test_the_record_comes_back_as_it_was_written_last(kept: Kept, record: RiskRecord) -> None:
    lease = kept.take(Loop.POSITION)
    kept.store.write_facts(lease, Facts(risk=replace(RECORD, losses_before=9)))

    kept.store.write_facts(lease, Facts(risk=record))
    kept.store.write_facts(lease, Facts(positions=(a_position(),)))

    assert kept.store.held("c1").risk == record


def test_a_record_is_refused_once_the_lease_is_lost(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    kept.take(Loop.POSITION, "another")

    with pytest.raises(LeaseLostError):
        kept.store.write_facts(lease, Facts(risk=RECORD))

    assert kept.store.held("c1").risk is None


def test_a_taken_short_key_keeps_no_record_from_being_written(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    kept.store.write_facts(lease, Facts(positions=(a_position("p1"),)))

    with pytest.raises(ShortKeyTakenError):
        kept.store.write_facts(lease, Facts(positions=(a_position("p2"),), risk=RECORD))

    assert kept.store.held("c1").risk == RECORD


@pytest.mark.parametrize("side", Side)
def test_results_are_held_net_of_fees_from_the_day_before_the_records_on(
    kept: Kept, side: Side
) -> None:
    lease = kept.take(Loop.POSITION)
    since_ms = TODAY - DAY_MS
    kept_ones = (a_closed("p1", since_ms, side=side), a_closed("p2", START_MS, side=side))
    older = a_closed("p3", since_ms - 1, side=side)
    never_filled = replace(a_closed("p4", START_MS), entry_quantity=Decimal(0), entry_price=None)
    open_one = a_position("p5", key=a_key(side=side))

    facts = Facts(positions=(*kept_ones, older, never_filled, open_one), risk=RECORD)
    kept.store.write_facts(lease, facts)

    held = kept.store.held("c1")
    assert set(held.results) == {Result.of(position) for position in kept_ones}
    assert {(one.net, one.notional, one.side) for one in held.results} == {
        (Decimal("-4.59"), Decimal(900), side)
    }


def test_an_account_without_a_record_is_shown_the_results_since_yesterday(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    kept.store.write_facts(
        lease, Facts(positions=(a_closed("p1", TODAY - DAY_MS), a_closed("p2", TODAY - DAY_MS - 1)))
    )

    assert [one.position_id for one in kept.store.held("c1").results] == ["p1"]


def test_a_loop_that_slept_for_days_still_finds_the_results_its_record_counts(kept: Kept) -> None:
    lease = kept.take(Loop.POSITION)
    old = replace(RECORD, day_ms=TODAY - 9 * DAY_MS)
    kept.store.write_facts(lease, Facts(positions=(a_closed("p1", TODAY - 10 * DAY_MS),), risk=old))

    assert [one.position_id for one in kept.store.held("c1").results] == ["p1"]
