"""What is broken by hand is caught, each rule within a thousand cases."""

from collections.abc import Iterator

import pytest
from tests.simulation.broken_rules import BREAKS, Break

from local.simulation.campaign import cases_of, ready_venues
from local.simulation.case import run_case

CASES = 1000
# Cases it took from seed 0 on, when this was written; a test begins just before.
FOUND_AFTER = {
    "resend_on_timeout": 1,
    "claim_without_the_lease": 68,
    "facts_without_the_lease": 62,
    "believe_one_empty_answer": 31,
    "book_a_fill_twice": 1,
    "not_found_is_gone": 70,
    "random_names": 1,
    "forget_the_stop_after_a_partial_fill": 16,
    "seal_nothing": 4,
    "send_late": 4,
    "hear_the_stream_alone": 5,
    "ignore_funding": 20,
    "lose_a_fee": 1,
    "leave_orphans": 1,
    "believe_a_refusal_to_reduce": 1,
    "open_in_a_pause": 6,
}


def from_there_on(name: str) -> Iterator[tuple[int, str]]:
    """Cases from shortly before the one that caught it last."""
    cases = cases_of(0, CASES, ready_venues())
    yield from cases[max(0, FOUND_AFTER.get(name, 1) - 1) :]


@pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.__name__)
def test_a_rule_broken_by_hand_is_caught(broken: Break, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch)

    assert any(not run_case(*case).is_clean for case in from_there_on(broken.__name__))


def test_every_break_says_how_many_cases_it_needed() -> None:
    assert set(FOUND_AFTER) == {broken.__name__ for broken in BREAKS}
    assert max(FOUND_AFTER.values()) <= CASES
