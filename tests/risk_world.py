"""A position side that loses and wins as a test wants it, through hours and days."""

from decimal import Decimal

from tests.builders import a_wish, some_exits
from tests.desk_world import CONNECTION, DeskWorld, with_settings

from engine.ledger import Position, PositionStatus
from engine.records import Consumed
from engine.values import Loop, Side, Wish

MINUTE_MS = 60_000
LEASE_MS = 15_000
SETTLE_TICKS = 6
QUIET: dict[str, object] = {
    "position_cooldown_s": 0,
    "max_consecutive_losses": 0,
    "stop_guard_count": 0,
    "low_profit_count": 0,
    "loss_guard_pct": Decimal(0),
}
"""Settings under which losses rest nothing; a test adds the rule it is about."""


def a_risky_world(**values: object) -> DeskWorld:
    """A flat account of 10,000 on two symbols whose entries are worth 200."""
    symbols = ("BTCUSDT", "ETHUSDT")
    world = DeskWorld(settings=with_settings(**(QUIET | values)), symbols=symbols)
    world.run(SETTLE_TICKS)
    return world


def pass_time(world: DeskWorld, minutes: float) -> None:
    """Time goes by while the loop's lease is renewed."""
    world.clock.advance(int(minutes * MINUTE_MS))
    until_ms = world.clock.now_ms() + LEASE_MS
    world.leases.change(CONNECTION, Loop.POSITION, expires_at_ms=until_ms)
    world.run(SETTLE_TICKS)


def restart(world: DeskWorld) -> None:
    """A new owner takes over with what the store holds."""
    world.start()
    world.run(SETTLE_TICKS)


def try_wish(
    world: DeskWorld,
    side: Side,
    symbol: str = "BTCUSDT",
    *,
    stop_loss: str = "0.4",
    price: str = "100",
) -> Wish:
    """A wish of this moment, and the ticks it takes to be dealt with."""
    wish = a_wish(
        side,
        symbol,
        exits=some_exits("0.8", stop_loss),
        entry_close_ms=world.clock.now_ms(),
        price=price,
    )
    world.wish(wish)
    world.run(SETTLE_TICKS)
    return wish


def outcome(world: DeskWorld, wish: Wish) -> Consumed:
    return world.store.consumed[wish.wish_id]


def reason(world: DeskWorld, wish: Wish) -> str:
    return outcome(world, wish).reason


def traded(
    world: DeskWorld, side: Side, symbol: str = "BTCUSDT", *, wins: bool = False
) -> Position | None:
    """Open at 100, end at the target or the stop, and be back at 100; None if refused."""
    wish = try_wish(world, side, symbol)
    if outcome(world, wish).outcome != "done":
        return None
    world.price(str(100 + side.sign * (Decimal("0.9") if wins else Decimal("-0.5"))), symbol)
    world.run(SETTLE_TICKS)
    world.price("100", symbol)
    (position,) = (
        p for p in world.store.positions.values() if p.entry_close_ms == wish.entry_close_ms
    )
    assert position.status is PositionStatus.CLOSED
    return position
