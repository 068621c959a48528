"""The position side against a venue and a network that misbehave, one seed after another."""

import pytest
from tests.desk_storms import EVERYTHING, PLANS, STORMY_TICKS, check, check_end, stormy_world
from tests.desk_world import TICK_MS


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("seed", range(5))
def test_after_any_faults_books_and_venue_agree(plan: str, seed: int) -> None:
    world = stormy_world(seed, PLANS[plan], crash_chance=0)

    check(world)
    check_end(world)


@pytest.mark.parametrize("seed", range(10))
def test_a_worker_that_dies_anywhere_leaves_nothing_doubled_or_lost(seed: int) -> None:
    world = stormy_world(seed, EVERYTHING, crash_chance=0.03)

    check(world)
    check_end(world)


@pytest.mark.parametrize("seed", range(5))
def test_after_somebody_else_traded_the_books_follow_the_venue(seed: int) -> None:
    world = stormy_world(seed, EVERYTHING, crash_chance=0.01, meddling=0.05)

    check(world)
    check_end(world)


@pytest.mark.parametrize("seed", range(3))
def test_equal_inputs_give_equal_plans(seed: int) -> None:
    first = stormy_world(seed, EVERYTHING, crash_chance=0.02)
    second = stormy_world(seed, EVERYTHING, crash_chance=0.02)

    assert first.state == second.state
    assert first.log == second.log
    assert first.clock.now_ms() >= STORMY_TICKS * TICK_MS
