"""The limits of the account while venue, network and workers fail: none is overstepped."""

import random
from decimal import Decimal

from tests.builders import a_wish, some_exits
from tests.desk_world import DeskWorld, with_settings
from tests.fake_venue import Faults
from tests.risk_world import QUIET

from engine.ledger import PositionStatus
from engine.risk import day_of
from engine.risk_record import TradingState
from engine.values import Side

SYMBOLS = ("BTCUSDT", "ETHUSDT", "XRPUSDT")
TICKS = 140
FAULTS = Faults(
    send_lost=0.05,
    answer_lost=0.08,
    send_late=0.05,
    partial=0.4,
    event_dropped=0.15,
    event_doubled=0.15,
    event_delay_ms=900,
    snapshot_failed=0.1,
    fills_failed=0.1,
    invisible_ms=500,
)
LIMITS = QUIET | {
    "max_open_positions": 4,
    "max_symbol_total_pct": Decimal("4.5"),
    "max_side_exposure_pct": Decimal("6.5"),
    "max_daily_loss": Decimal(3),
    "max_consecutive_losses": 4,
    "losses_pause_min": 1,
    "max_drawdown_pct": Decimal(10),
    "max_price_deviation_pct": Decimal(10),
}


def a_turn(world: DeskWorld, dice: random.Random) -> None:
    """A price moves, a wish or an operator may come, now and then money leaves the account."""
    symbol = dice.choice(SYMBOLS)
    world.price(str(world.venue.prices[symbol] + Decimal(dice.randrange(-3, 4)) / 10), symbol)
    if dice.random() < 0.4:
        wish = a_wish(
            dice.choice(list(Side)),
            symbol,
            exits=some_exits("0.8", dice.choice(("0.4", "0.5"))),
            parameter=dice.choice((3, 5)),
            entry_close_ms=world.clock.now_ms(),
            price=str(world.venue.prices[symbol]),
        )
        world.wish(wish)
    if dice.random() < 0.01:
        world.venue.cash -= Decimal(1100)
    if dice.random() < 0.02:
        world.command("resume_trading")
    world.tick()


def open_now(world: DeskWorld) -> int:
    """Positions that are not closed, entries on their way included."""
    closed = PositionStatus.CLOSED
    return sum(position.status is not closed for position in world.store.positions.values())


def a_storm(seed: int) -> tuple[DeskWorld, int]:
    """The world after it, and in how many ticks nothing was allowed to open."""
    world = DeskWorld(
        seed=seed,
        faults=FAULTS,
        symbols=SYMBOLS,
        crash_chance=0.02,
        answer_delay_ms=600,
        settings=with_settings(**LIMITS),
    )
    dice = random.Random(seed)
    restrained = 0
    for _ in range(TICKS):
        known = set(world.store.positions)
        a_turn(world, dice)
        assert open_now(world) <= 4, f"seed {seed}"
        if world.state.risk.state is not TradingState.ACTIVE:
            restrained += 1
            assert set(world.store.positions) == known, f"seed {seed}"
    world.calm()
    world.run(60)
    return world, restrained


def test_no_limit_is_overstepped_and_nothing_opens_while_reducing() -> None:
    restrained = opened = 0
    for seed in range(6):
        world, ticks = a_storm(seed)
        restrained, opened = restrained + ticks, opened + len(world.venue.trades)
        risk, now_ms = world.store.risk, world.clock.now_ms()
        assert risk is not None
        since_ms = max(day_of(now_ms), risk.reset_ms + 1)
        today = [
            position.realized_pnl - position.fees
            for position in world.store.positions.values()
            if position.status is PositionStatus.CLOSED
            and position.entry_quantity
            and position.closed_at_ms >= since_ms
        ]

        assert risk.realised_today == sum(today), f"seed {seed}"
        assert world.is_protected(), f"seed {seed}"

    assert restrained > TICKS
    assert opened > TICKS
