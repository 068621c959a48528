"""Storms in which others trade on the account, the venue liquidates, and tables are lost."""

import random
from collections.abc import Callable
from decimal import Decimal

import pytest
from tests.desk_storms import SYMBOLS, blow
from tests.desk_world import NO_RESTS, DeskWorld, with_settings
from tests.fake_venue import Faults
from tests.fakes import FakeStore

from engine.ledger import FillKind, OrderState, Position
from engine.orders import is_ours
from engine.settings import Settings
from engine.values import IndicationType, Side

WEATHER = Faults(
    send_lost=0.04,
    answer_lost=0.06,
    partial=0.3,
    event_dropped=0.15,
    event_doubled=0.1,
    event_delay_ms=800,
    look_up_failed=0.1,
    snapshot_failed=0.1,
    fills_failed=0.1,
    funding_failed=0.3,
    invisible_ms=500,
)
STEP = Decimal("0.5")


def settings_for(handling: str) -> Settings:
    return with_settings(**NO_RESTS, external_positions=handling, funding_interval_s=5)


def outside(world: DeskWorld, dice: random.Random) -> None:
    """What others and the venue do to the account."""
    symbol, side = dice.choice(SYMBOLS), dice.choice(list(Side))
    held = world.venue.quantity(symbol, side)
    part = min(held, STEP)
    choice = dice.randrange(6)
    if choice == 0:
        world.venue.trade_outside(symbol, side, STEP)
    elif choice == 1 and held > 0:
        world.venue.trade_outside(symbol, side, -part)
    elif choice == 2 and held > 0:
        world.venue.force(symbol, side, FillKind.DELEVERAGING, part)
    elif choice == 3 and held > 0:
        world.venue.force(symbol, side, FillKind.LIQUIDATION, held)
    elif choice == 4:
        world.venue.pay_funding(symbol, "0.0002", telling_sides=dice.random() < 0.5)
    elif choice == 5 and world.venue.live():
        world.venue.cancel_now(dice.choice(world.venue.live()).order)


def stormy(seed: int, handling: str, *, losing: bool = False) -> DeskWorld:
    world = DeskWorld(
        seed=seed,
        faults=WEATHER,
        settings=settings_for(handling),
        symbols=SYMBOLS,
        crash_chance=0.01,
        answer_delay_ms=600 if seed % 2 else 0,
    )
    dice = random.Random(seed)

    def look() -> None:
        if dice.random() < 0.06:
            outside(world, dice)
        if losing and dice.random() < 0.01:
            world.store = FakeStore(clock=world.clock, leases=world.leases)
            world.start()

    blow(world, random.Random(seed + 1), ticks=120, look=look)
    world.calm()
    world.run(260)
    return world


def shares_of(world: DeskWorld, symbol: str, side: Side) -> list[Position]:
    held = world.store.positions.values()
    return [p for p in held if (p.key.symbol, p.key.side) == (symbol, side) and p.quantity > 0]


def each_side(check: Callable[[str, Side], None]) -> None:
    for symbol in SYMBOLS:
        for side in Side:
            check(symbol, side)


@pytest.mark.parametrize("seed", range(14))
@pytest.mark.parametrize("handling", ["ignore", "quarantine", "adopt"])
def test_whatever_others_do_our_shares_stay_within_the_venue_and_under_stops(
    seed: int, handling: str
) -> None:
    world = stormy(seed, handling)

    def check(symbol: str, side: Side) -> None:
        ours = sum((p.quantity for p in shares_of(world, symbol, side)), Decimal(0))
        venue = world.venue.quantity(symbol, side)
        assert ours <= venue
        assert world.venue.stop_cover(symbol, side) >= ours
        if handling == "adopt":
            assert ours == venue

    each_side(check)
    assert world.venue.duplicates == 0
    assert not [o for o in world.store.orders.values() if o.state is OrderState.UNKNOWN]
    assert world.plan.unreconciled == {}
    live = {row.order.client_order_id for row in world.venue.live()}
    working = {n for n, o in world.store.orders.items() if o.state.is_working}
    assert {name for name in live if is_ours(name)} == working


@pytest.mark.parametrize("seed", range(14))
def test_every_payment_is_booked_once_to_those_who_held(seed: int) -> None:
    """Never more than was paid; all of it where nothing but ours was held."""
    world = stormy(seed, "adopt")

    settled: dict[str, Decimal] = {}
    for position in world.store.positions.values():
        names = [name for name, _ in position.settled]
        assert len(names) == len(set(names))
        for name, amount in position.settled:
            settled[name] = settled.get(name, Decimal(0)) + amount
    for paid in world.venue.payments:
        if paid.side is not None:
            assert abs(settled.get(f"funding {paid.funding_id}", Decimal(0))) <= abs(paid.amount)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("handling", ["quarantine", "adopt"])
def test_tables_may_be_lost_at_any_time_and_nothing_is_sent_twice(seed: int, handling: str) -> None:
    world = stormy(seed, handling, losing=True)

    assert world.venue.duplicates == 0
    entries = [name for name in world.venue.arrived if name[3] == "e"]
    assert len(entries) == len(set(entries))

    def check(symbol: str, side: Side) -> None:
        ours = sum((p.quantity for p in shares_of(world, symbol, side)), Decimal(0))
        assert ours <= world.venue.quantity(symbol, side)
        if handling == "adopt":
            assert ours == world.venue.quantity(symbol, side)
            assert world.venue.stop_cover(symbol, side) >= ours

    each_side(check)
    adopted = [
        p for p in world.store.positions.values() if p.key.indication is IndicationType.EXTERNAL
    ]
    assert handling == "adopt" or not adopted
