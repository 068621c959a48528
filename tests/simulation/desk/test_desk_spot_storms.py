"""Storms over the position side on a spot market: nothing doubled, lost, bare or unknown."""

import pytest
from tests.desk_storms import PLANS, check, check_end, stormy_world
from tests.desk_world import DeskWorld

LONG_STORM_TICKS = 300


def check_to_the_last_digit(world: DeskWorld) -> None:
    """Shares and residues are all there is, as long as nobody else sold."""
    for (symbol, side), quantity in world.venue.positions.items():
        assert quantity == world.shares(symbol, side) + world.residues(symbol, side)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("seed", range(5000, 5020))
def test_after_any_faults_books_and_balances_agree(plan: str, seed: int) -> None:
    world = stormy_world(seed, PLANS[plan], crash_chance=0, ticks=LONG_STORM_TICKS, spot=True)

    check(world)
    check_to_the_last_digit(world)
    check_end(world)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("seed", range(6000, 6020))
def test_a_worker_that_dies_anywhere_leaves_nothing_doubled_or_lost(plan: str, seed: int) -> None:
    world = stormy_world(seed, PLANS[plan], crash_chance=0.02, ticks=LONG_STORM_TICKS, spot=True)

    check(world)
    check_to_the_last_digit(world)
    check_end(world)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("seed", range(7000, 7020))
def test_after_somebody_else_sold_the_books_follow_the_balances(plan: str, seed: int) -> None:
    world = stormy_world(
        seed, PLANS[plan], crash_chance=0.01, meddling=0.05, ticks=LONG_STORM_TICKS, spot=True
    )

    check(world)
    check_end(world)
