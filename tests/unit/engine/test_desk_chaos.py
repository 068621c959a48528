"""The position side against a venue and a network that misbehave, one seed after another."""

import random
from decimal import Decimal

import pytest
from tests.builders import a_wish, some_exits
from tests.desk_world import TICK_MS, DeskWorld
from tests.fake_venue import Faults

from engine.ledger import OrderState, PositionStatus
from engine.values import CloseReason, Side

SYMBOLS = ("BTCUSDT", "ETHUSDT")
STORMY_TICKS = 100
CALM_TICKS = 130

NETWORK = Faults(
    send_lost=0.12,
    answer_lost=0.15,
    send_late=0.1,
    look_up_failed=0.2,
    cancel_unclear=0.2,
    snapshot_failed=0.2,
    fills_failed=0.2,
    invisible_ms=700,
)
STREAM = Faults(
    event_dropped=0.25, event_doubled=0.25, event_delay_ms=1500, partial=0.6, send_refused=0.05
)
EVERYTHING = Faults(
    send_lost=0.08,
    answer_lost=0.1,
    send_late=0.08,
    send_refused=0.05,
    partial=0.4,
    event_dropped=0.2,
    event_doubled=0.2,
    event_delay_ms=1200,
    look_up_failed=0.15,
    cancel_unclear=0.15,
    snapshot_failed=0.15,
    fills_failed=0.15,
    invisible_ms=700,
)
PLANS = {"network": NETWORK, "stream": STREAM, "everything": EVERYTHING}


def meddle(world: DeskWorld, dice: random.Random) -> None:
    """Somebody else on the account: takes away stops, closes some of what is held."""
    live = world.venue.live()
    if live and dice.random() < 0.5:
        world.venue.cancel_now(dice.choice(live).order)
        return
    symbol, side = dice.choice(SYMBOLS), dice.choice(list(Side))
    held = world.venue.quantity(symbol, side)
    if held > 0:
        part = held if dice.random() < 0.5 else (held / 2).quantize(Decimal("0.001"))
        world.venue.trade_outside(symbol, side, -part)


def stormy_world(
    seed: int, faults: Faults, *, crash_chance: float, meddling: float = 0
) -> DeskWorld:
    """Wishes of both sides on two symbols, wandering prices, commands now and then."""
    world = DeskWorld(
        seed=seed,
        faults=faults,
        symbols=SYMBOLS,
        crash_chance=crash_chance,
        answer_delay_ms=1500 if seed % 2 else 0,
    )
    dice = random.Random(seed + 1)
    for _ in range(STORMY_TICKS):
        symbol = dice.choice(SYMBOLS)
        world.price(str(world.venue.prices[symbol] + Decimal(dice.randrange(-2, 3)) / 10), symbol)
        if dice.random() < 0.15:
            trailing = ("0.3", "0.1") if dice.random() < 0.3 else ("0", "0")
            wish = a_wish(
                dice.choice(list(Side)),
                symbol,
                exits=some_exits(trailing=trailing),
                parameter=dice.choice((3, 5, 8)),
                entry_close_ms=world.clock.now_ms(),
            )
            world.wish(wish)
        if dice.random() < 0.01:
            world.command("close_all")
        if meddling and dice.random() < meddling:
            meddle(world, dice)
        world.tick()
    return world


def check(world: DeskWorld) -> None:
    """Nothing doubled, lost, bare or unknown once the storm is over."""
    world.calm()
    world.run(CALM_TICKS)
    assert world.venue.duplicates == 0
    assert len(set(world.venue.arrived)) == len(world.venue.arrived)
    assert world.drift() == []
    assert world.is_protected()
    unresolved = (OrderState.NEW, OrderState.SUBMITTING, OrderState.UNKNOWN)
    assert not [o for o in world.store.orders.values() if o.state in unresolved]
    assert not [p for p in world.store.positions.values() if p.status is PositionStatus.OPENING]
    assert world.store.pending("paper-1") == ()


def check_end(world: DeskWorld) -> None:
    """Told to close everything it ends flat, verified, with nothing left on the venue."""
    world.command("close_all")
    world.run_until(lambda: world.plan.idle, 60)
    assert not world.venue.live()
    assert all(quantity == 0 for quantity in world.venue.positions.values())
    assert world.drift() == []
    losses = [
        p for p in world.store.positions.values() if p.close_reason is CloseReason.RECONCILE_MISSING
    ]
    assert all(position.quantity == 0 for position in losses)


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
