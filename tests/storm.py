"""A desk in a storm: wishes of both sides on two symbols, wandering prices, faults of the venue."""

import random
from collections.abc import Callable
from decimal import Decimal

from tests.builders import a_wish, some_exits
from tests.desk_world import DeskWorld
from tests.fake_venue import Faults

from engine.values import Side

SYMBOLS = ("BTCUSDT", "ETHUSDT")
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


def blow(
    world: DeskWorld, dice: random.Random, each_tick: Callable[[], None], *, ticks: int
) -> None:
    """Let prices wander and wishes come; look after every tick."""
    for _ in range(ticks):
        symbol = dice.choice(SYMBOLS)
        world.price(str(world.venue.prices[symbol] + Decimal(dice.randrange(-2, 3)) / 10), symbol)
        if dice.random() < 0.15:
            wish_at_random(world, dice)
        if dice.random() < 0.01:
            world.command("close_all")
        world.tick()
        each_tick()


def wish_at_random(world: DeskWorld, dice: random.Random) -> None:
    """Few short keys, so that wishes meet their like; some trail."""
    trailing = ("0.3", "0.1") if dice.random() < 0.3 else ("0", "0")
    wish = a_wish(
        dice.choice(list(Side)),
        dice.choice(SYMBOLS),
        exits=some_exits(trailing=trailing),
        parameter=dice.choice((3, 5, 8)),
        entry_close_ms=world.clock.now_ms(),
    )
    world.wish(wish)
