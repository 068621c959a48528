"""What must hold at every moment, and the tests that show it.

===============================================  ==================================================
invariant                                        shown by
===============================================  ==================================================
one worker for each connection and loop, its     contracts: `test_every_write_of_a_thawed_zombie_
token checked on every write                     is_refused` with `test_no_write_under_a_lease_is_
                                                 missing_above`, test_leases; integration:
                                                 test_store_races
no exchange call without a stored intent;        here; contracts: `test_an_order_nobody_stored_
nothing filled without evidence of the venue     cannot_be_claimed`
at most one open position for each short key     here (exchange); test_paper_invariants (paper);
                                                 contracts: `test_a_short_key_is_held_by_one_open_
                                                 position`
a live stop within 5 s of the fill, or an alarm  here; unit: `test_a_fill_that_cannot_be_protected_
                                                 is_closed_at_the_deadline_with_an_alarm`
Base, Main and Real hold no volume               test_paper_invariants
a Set keeps no more results than its ring        test_paper_invariants
stop and emergency hold from the next tick on    here; unit: `test_trading_switched_off_amid_a_
                                                 burst_refuses_the_next_wish`, `test_a_wanted_stop_
                                                 saves_the_books_and_frees_the_lease`
the settings in force are the settings shown     integration: `test_the_status_tells_the_version_of_
                                                 the_settings_in_force`
prices past their age open and close nothing     here (exchange); test_paper_invariants (gaps)
statistics of the sides never mix                test_paper_invariants
===============================================  ==================================================
"""

import random
from collections import Counter
from decimal import Decimal

import pytest
from tests.desk_world import TICK_MS, DeskWorld, with_settings
from tests.storm import EVERYTHING, SYMBOLS, blow, wish_at_random

from engine.ledger import Order, OrderState, Position, PositionStatus, Purpose
from engine.values import CloseReason, Side

TICKS = 150
SEEDS = pytest.mark.parametrize("seed", range(4))
BY_PRICE = {CloseReason.STOP_LOSS, CloseReason.TRAILING_STOP, CloseReason.TAKE_PROFIT}
LIVE = (PositionStatus.OPENING, PositionStatus.OPEN)


def stormy(seed: int) -> tuple[DeskWorld, random.Random]:
    world = DeskWorld(
        seed=seed,
        faults=EVERYTHING,
        symbols=SYMBOLS,
        crash_chance=0.02 * (seed % 2),
        answer_delay_ms=1500 * (seed % 2),
    )
    return world, random.Random(seed + 1)


@SEEDS
def test_whatever_reached_the_venue_was_stored_and_claimed_before(seed: int) -> None:
    world, dice = stormy(seed)

    def look() -> None:
        for name, row in world.venue.rows.items():
            stored = world.store.orders[name]
            assert stored.state is not OrderState.NEW
            assert 0 < stored.created_at_ms <= stored.submitting_at_ms <= row.accepted_ms
            assert (stored.quantity, stored.symbol, stored.side) == (
                row.order.quantity,
                row.order.symbol,
                row.order.side,
            )

    blow(world, dice, look, ticks=TICKS)

    assert len(world.venue.rows) > 10
    assert world.venue.duplicates == 0


@SEEDS
def test_nothing_counts_as_filled_or_held_that_the_venue_did_not_trade(seed: int) -> None:
    world, dice = stormy(seed)
    filled = 0

    def look() -> None:
        nonlocal filled
        traded: Counter[str] = Counter()
        for trade in world.venue.trades:
            traded[trade.client_order_id] += trade.quantity  # type: ignore[assignment]
        for name, order in world.store.orders.items():
            assert order.filled_quantity <= traded[name]
            if order.state is OrderState.FILLED:
                filled += 1
                assert traded[name] == order.quantity
        for position in world.store.positions.values():
            assert_sum_of_fills(world, position)

    blow(world, dice, look, ticks=TICKS)

    assert filled > 100


def assert_sum_of_fills(world: DeskWorld, position: Position) -> None:
    """Every figure of a position is that of its stored fills, and each of them is the venue's."""
    at_venue = {fill.key: fill for fill in world.venue.trades}
    own = {n for n, o in world.store.orders.items() if o.position_id == position.position_id}
    fills = [fill for fill in world.store.fills.values() if fill.client_order_id in own]
    assert all(at_venue[fill.key] == fill for fill in fills)
    reduces = {name: world.store.orders[name].reduce_only for name in own}
    entered = sum((f.quantity for f in fills if not reduces[f.client_order_id]), Decimal(0))
    left = sum((f.quantity for f in fills if reduces[f.client_order_id]), Decimal(0))
    assert (position.entry_quantity, position.quantity) == (entered, entered - left)
    if entered == 0:
        assert position.entry_price is None
        return
    paid = sum((f.price * f.quantity for f in fills if not reduces[f.client_order_id]), Decimal(0))
    assert position.entry_price is not None
    assert abs(position.entry_price - paid / entered) < Decimal("1e-12")


@SEEDS
def test_no_short_key_is_ever_held_twice(seed: int) -> None:
    world, dice = stormy(seed)
    refused = 0

    def look() -> None:
        nonlocal refused
        live = [p for p in world.store.positions.values() if p.status in LIVE]
        keys = Counter(position.key.short_text for position in live)
        assert not [key for key, count in keys.items() if count > 1]
        refused = sum(done.reason == "short_key_open" for done in world.store.consumed.values())

    blow(world, dice, look, ticks=TICKS)

    assert refused > 0


@pytest.mark.parametrize("seed", [0, 9, 10, 13])
def test_what_is_held_is_covered_by_live_stops_within_5_s_or_closed_with_an_alarm(
    seed: int,
) -> None:
    """While its worker lives; after one died the next first takes the lease over."""
    world, dice = stormy(seed)
    world.crash_chance = 0.0
    deadline_ms = world.settings.protection_deadline_ms

    blow(world, dice, lambda: None, ticks=TICKS)

    assert deadline_ms == 5000
    assert 3000 < world.longest_bare_ms <= deadline_ms + 2 * TICK_MS
    alarmed = any("unprotected" in line for line in world.log)
    assert alarmed == (world.longest_bare_ms > deadline_ms)


@pytest.mark.parametrize("how", ["stop", "halt", "may_trade"])
@SEEDS
def test_a_stop_or_an_emergency_opens_nothing_more_from_the_next_tick_on(
    seed: int, how: str
) -> None:
    world, dice = stormy(seed)
    blow(world, dice, lambda: None, ticks=TICKS // 2)
    wish_at_random(world, dice)

    world.wanted = "stop" if how == "stop" else "run"
    world.halt, world.may_trade = how == "halt", how != "may_trade"
    before = set(openings(world))
    blow(world, dice, lambda: None, ticks=TICKS // 3)

    assert before
    assert set(openings(world)) == before
    assert {one.reason for one in world.store.consumed.values()} & {
        "not_trading",
        "trading_state_halted",
    }


def openings(world: DeskWorld) -> dict[str, Order]:
    entries = (Purpose.ENTRY, Purpose.ADD)
    return {n: o for n, o in world.store.orders.items() if o.purpose in entries}


@pytest.mark.parametrize("side", Side)
@SEEDS
def test_prices_past_their_age_open_and_close_nothing(seed: int, side: Side) -> None:
    """Neither wishes nor targets nor trailing stops act on them; the venue's own stops do."""
    world, dice = stormy(seed)
    world.settings = with_settings(protection_grace_ms=0, wish_max_age_ms=30_000)
    blow(world, dice, lambda: None, ticks=TICKS // 2)
    world.calm()
    world.quote_age_ms = world.settings.stale_price_ms + 1
    world.tick()
    before = set(openings(world))
    closes = {n for n, o in world.store.orders.items() if o.purpose is Purpose.CLOSE}

    for symbol in SYMBOLS:
        world.price(str(world.venue.prices[symbol] + side.sign * 3), symbol)
    for _ in range(20):
        wish_at_random(world, dice)
        world.tick()

    assert set(openings(world)) == before
    later = [o for o in world.store.orders.values() if o.purpose is Purpose.CLOSE]
    reasons = [
        world.store.positions[o.position_id].close_reason
        for o in later
        if o.client_order_id not in closes
    ]
    assert not set(reasons) & BY_PRICE
