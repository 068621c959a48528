"""The desk on Binance spot's wire through all weather, with the real dialect and ccxt."""

from collections.abc import Iterator
from random import Random

import pytest
from tests.desk_storms import PLANS, STRATEGIES, SYMBOLS, blow, check, check_end
from tests.fake_venue import Faults
from tests.spot_wire_world import SpotWireWorld

from engine.ledger import Purpose
from engine.values import CloseReason

STORMY_TICKS = 200


@pytest.fixture
def worlds() -> Iterator[list[SpotWireWorld]]:
    made: list[SpotWireWorld] = []
    yield made
    for world in made:
        world.close()


def stormy(seed: int, faults: Faults, crash_chance: float) -> SpotWireWorld:
    world = SpotWireWorld(
        seed=seed,
        faults=faults,
        settings=STRATEGIES,
        symbols=SYMBOLS,
        crash_chance=crash_chance,
        answer_delay_ms=1500 if seed % 2 else 0,
        hedge=False,
        spot=True,
    )
    blow(world, Random(seed + 1), ticks=STORMY_TICKS)
    return world


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("seed", range(4))
def test_through_all_weather_balances_stops_and_books_agree(
    plan: str, seed: int, worlds: list[SpotWireWorld]
) -> None:
    world = stormy(seed, PLANS[plan], crash_chance=0.02 * (seed % 2))
    worlds.append(world)

    check(world)
    check_end(world)


@pytest.mark.parametrize(
    ("seed", "seen"), [(7, CloseReason.STOP_LOSS), (12, CloseReason.TAKE_PROFIT)]
)
def test_in_fair_weather_nothing_is_refused_but_shorts(
    seed: int, seen: CloseReason, worlds: list[SpotWireWorld]
) -> None:
    world = stormy(seed, Faults(), 0)
    worlds.append(world)

    check(world)
    check_end(world)

    refused = {done.reason for done in world.store.consumed.values() if done.outcome == "refused"}
    ended = {position.close_reason for position in world.store.positions.values()}
    assert not [order.reason for order in world.store.orders.values() if order.reason]
    assert "side_not_tradable" in refused
    assert seen in ended
    assert CloseReason.EMERGENCY not in ended
    assert not [o for o in world.store.orders.values() if o.purpose is Purpose.TARGET]
