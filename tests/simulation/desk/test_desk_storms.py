"""Many storms over the position side: what a handful of seeds in the unit tests may miss."""

import pytest
from tests.desk_storms import PLANS, check, check_end, stormy_world

LONG_STORM_TICKS = 400


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("seed", range(1000, 1030))
def test_after_any_faults_books_and_venue_agree(plan: str, seed: int) -> None:
    world = stormy_world(seed, PLANS[plan], crash_chance=0, ticks=LONG_STORM_TICKS)

    check(world)
    check_end(world)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("seed", range(2000, 2030))
def test_a_worker_that_dies_anywhere_leaves_nothing_doubled_or_lost(plan: str, seed: int) -> None:
    world = stormy_world(seed, PLANS[plan], crash_chance=0.02, ticks=LONG_STORM_TICKS)

    check(world)
    check_end(world)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("seed", range(3000, 3030))
def test_after_somebody_else_traded_the_books_follow_the_venue(plan: str, seed: int) -> None:
    world = stormy_world(
        seed, PLANS[plan], crash_chance=0.01, meddling=0.05, ticks=LONG_STORM_TICKS
    )

    check(world)
    check_end(world)
