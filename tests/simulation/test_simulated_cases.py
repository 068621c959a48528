"""A cut of `cts chaos`: seeded cases on each venue's rules, and the promise that they replay."""

import pytest

from local.simulation.campaign import Figures, cases_of, failure, ready_venues
from local.simulation.case import CaseResult, run_case

VENUES = ready_venues()
CUT = 30


def describe(results: list[CaseResult]) -> str:
    return "\n".join(failure(result) for result in results if not result.is_clean)


@pytest.mark.parametrize("venue", VENUES)
def test_after_any_storm_nothing_is_doubled_lost_bare_or_unknown(venue: str) -> None:
    figures = Figures()
    for case in cases_of(0, CUT // len(VENUES), [venue]):
        figures.add(run_case(*case))

    assert describe(figures.failed) == ""
    assert figures.faults.total() > 20
    assert figures.orders_sent > 20


@pytest.mark.parametrize("venue", VENUES)
def test_the_same_seed_is_the_same_history_to_the_last_letter(venue: str) -> None:
    first, again, other = (run_case(seed, venue, tell=True) for seed in (5, 5, 6))

    assert first.story == again.story
    assert (first.digest, first.faults, first.orders_sent) == (
        again.digest,
        again.faults,
        again.orders_sent,
    )
    assert first.digest != other.digest
    assert len(first.story) > 10


def test_all_three_venues_are_simulated() -> None:
    assert VENUES == ("binance", "bybit", "okx")
