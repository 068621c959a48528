"""What an execution of a loop does first, on the lease row in memory."""

import pytest
from tests.fakes import FakeClock, FakeLeases

from engine.values import Loop

LEASE_MS, MARGIN_MS = 5_000, 1_000


def acquired(leases: FakeLeases, owner: str, given: int = -1) -> int | None:
    return leases.acquire(
        "c1", Loop.POSITION, given=given, owner=owner, lease_ms=LEASE_MS, margin_ms=MARGIN_MS
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_a_free_row_is_taken_and_nobody_else_gets_it(clock: FakeClock) -> None:
    leases = FakeLeases(clock)

    assert acquired(leases, "first") == 1
    assert acquired(leases, "second") is None
    assert leases.read("c1", Loop.POSITION).owner == "first"


def test_a_repeated_start_finds_itself_the_owner(clock: FakeClock) -> None:
    leases = FakeLeases(clock)

    assert [acquired(leases, "first"), acquired(leases, "first")] == [1, 1]


def test_what_ran_out_is_free_only_after_the_margin(clock: FakeClock) -> None:
    leases = FakeLeases(clock)
    acquired(leases, "first")

    clock.advance(LEASE_MS + MARGIN_MS)
    assert acquired(leases, "second") is None
    clock.advance(1)
    assert acquired(leases, "second") == 2


def test_a_hand_over_names_the_token_and_needs_no_waiting(clock: FakeClock) -> None:
    leases = FakeLeases(clock)
    acquired(leases, "first")

    assert acquired(leases, "stranger", given=7) is None
    assert acquired(leases, "successor", given=1) == 2
