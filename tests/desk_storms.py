"""Storms: the position side among faults, dying workers and meddlers, and what must hold after."""

import random
from collections.abc import Callable
from decimal import Decimal

from tests.builders import a_wish, some_exits
from tests.desk_world import NO_RESTS, DeskWorld, with_settings
from tests.fake_venue import Faults

from engine.ledger import OrderState, PositionStatus, Purpose
from engine.orders import TRIES_PER_STEP
from engine.values import CloseReason, Exits, Side

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


# Steps near enough that wandering prices reach them, and soon enough after one another.
STRATEGIES = with_settings(
    **NO_RESTS,
    dca_distances_pct=tuple(map(Decimal, ("0.2", "0.4", "0.6", "0.8"))),
    dca_step_cooldown_s=2,
    profit_back_on_exchange=True,
    main_timeout_h=Decimal("0.004"),  # 14.4 s: hours of the table, seconds of a storm
)


def some_strategies(dice: random.Random) -> Exits:
    """A target, a stop, trailing now and then, and any of the strategies' flags."""
    alone = dice.random() < 0.3
    trails = alone or dice.random() < 0.3
    return some_exits(
        trailing=("0.3", "0.1") if trails else ("0", "0"),
        trailing_only=alone,
        ladder=dice.random() < 0.5,
        profit_back=dice.random() < 0.5,
    )


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
    seed: int,
    faults: Faults,
    *,
    crash_chance: float,
    meddling: float = 0,
    ticks: int = STORMY_TICKS,
    spot: bool = False,
) -> DeskWorld:
    """Wishes of both sides on two symbols, wandering prices, commands and turns now and then."""
    world = DeskWorld(
        seed=seed,
        faults=faults,
        settings=STRATEGIES,
        symbols=SYMBOLS,
        crash_chance=crash_chance,
        answer_delay_ms=1500 if seed % 2 else 0,
        spot=spot,
    )
    blow(world, random.Random(seed + 1), ticks=ticks, meddling=meddling)
    return world


def blow(
    world: DeskWorld,
    dice: random.Random,
    *,
    ticks: int,
    meddling: float = 0,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Let prices wander, wishes and commands come; `look` after every tick."""
    for _ in range(ticks):
        symbol = dice.choice(SYMBOLS)
        world.price(str(world.venue.prices[symbol] + Decimal(dice.randrange(-2, 3)) / 10), symbol)
        if dice.random() < 0.15:
            wish_at_random(world, dice, symbol)
        command(world, dice)
        if meddling and dice.random() < meddling:
            meddle(world, dice)
        world.tick()
        look()


def wish_at_random(world: DeskWorld, dice: random.Random, symbol: str) -> None:
    """Few short keys, so that wishes meet their like."""
    wish = a_wish(
        dice.choice(list(Side)),
        symbol,
        exits=some_strategies(dice),
        parameter=dice.choice((3, 5, 8)),
        entry_close_ms=world.clock.now_ms(),
        price=str(world.venue.prices[symbol]),
    )
    world.wish(wish)


def command(world: DeskWorld, dice: random.Random) -> None:
    """Everything is to close, or an opposite signal comes, now and then."""
    if dice.random() < 0.01:
        world.command("close_all")
    held = sorted(world.store.positions.values(), key=lambda position: position.position_id)
    if held and dice.random() < 0.03:
        world.turn(dice.choice(held).key)


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
    assert strategy_errors(world) == []


def strategy_errors(world: DeskWorld) -> list[str]:
    """Steps or shares taken twice, ladders too large, positions that are not their fills."""
    wrong = []
    for position in world.store.positions.values():
        orders = [o for o in world.store.orders.values() if o.position_id == position.position_id]
        filled = [order for order in orders if order.filled_quantity > 0]
        steps = [o.attempt // TRIES_PER_STEP for o in filled if o.purpose is Purpose.ADD]
        shares = [order for order in filled if order.purpose is Purpose.REDUCE]
        booked = {
            purpose: sum((o.booked_quantity for o in orders if o.purpose is purpose), Decimal(0))
            for purpose in Purpose
        }
        kept = 1 - world.purchase_fee()
        instrument = world.venue.instruments_by_symbol[position.key.symbol]
        step = instrument.quantity_step if world.spot else 0
        entered = (booked[Purpose.ENTRY] + booked[Purpose.ADD]) * kept
        lost = (
            booked[Purpose.ENTRY] * kept - position.first_quantity,
            entered - position.entry_quantity,
        )
        most = position.first_quantity * world.settings.dca_max_total_ratio
        holds = {
            "steps once and in order": sorted(steps) == list(range(len(steps))),
            "one share": len(shares) <= 1,
            "largest total": entered <= most,
            "entry is its fills": -step <= lost[0] <= step,
            "entries are fills": -step <= lost[1] <= step,
        }
        wrong += [
            f"{position.position_id}: not {name}" for name, is_so in holds.items() if not is_so
        ]
    return wrong


def check_end(world: DeskWorld) -> None:
    """Told to close everything it ends flat, verified, with nothing left on the venue."""
    world.command("close_all")
    world.run_until(lambda: world.plan.idle, 60)
    assert not world.venue.live()
    assert all(
        0 <= quantity <= world.residues(*at) for at, quantity in world.venue.positions.items()
    )
    assert world.drift() == []
    losses = [
        p for p in world.store.positions.values() if p.close_reason is CloseReason.RECONCILE_MISSING
    ]
    assert all(position.quantity == 0 for position in losses)
