"""Ticks keep one absolute grid; what was missed is counted by its cause."""

from hypothesis import given
from hypothesis import strategies as st

from engine.cycles.pacing import Cause, Grid, Pace, first_cause

TRADE = Grid(interval_ms=1_000, offset_ms=250)
POSITION = Grid(interval_ms=300)


@given(now_ms=st.integers(1_700_000_000_000, 1_700_000_100_000))
def test_the_first_slot_is_the_nearest_deadline_not_yet_passed(now_ms: int) -> None:
    for grid in (TRADE, POSITION):
        slot = grid.first_slot(now_ms)

        assert slot % grid.interval_ms == 0
        assert grid.deadline_ms(slot) >= now_ms
        assert grid.deadline_ms(slot) - now_ms < grid.interval_ms


def test_a_tick_that_ends_in_time_skips_nothing() -> None:
    pace = Pace(TRADE, last_slot_ms=10_000)

    assert pace.next_slot(10_300) == 11_000
    assert pace.take_skipped() == {}


def test_deadlines_missed_by_a_long_tick_are_skipped_and_counted_once() -> None:
    pace = Pace(TRADE, last_slot_ms=10_000)

    assert pace.next_slot(13_400) == 14_000
    assert pace.take_skipped() == {Cause.OVERRUN: 3}
    assert pace.take_skipped() == {}


def test_the_first_burst_of_an_execution_blames_the_hand_over() -> None:
    pace = Pace(POSITION, last_slot_ms=9_000)

    pace.next_slot(10_000, first_cause(10_000, execution_started_ms=9_500))

    assert pace.take_skipped() == {Cause.HANDOVER: 3}


def test_a_later_burst_of_an_execution_blames_the_burst() -> None:
    assert first_cause(60_000, execution_started_ms=9_500) is Cause.BURST


def test_after_a_long_silence_nothing_counts_as_skipped() -> None:
    pace = Pace(TRADE, last_slot_ms=0)

    assert pace.next_slot(500_000) == 500_000
    assert pace.take_skipped() == {}
