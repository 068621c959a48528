"""Every write of a loop is refused once its lease is lost or over, and leaves nothing behind."""

import inspect
from collections.abc import Callable

import pytest
from tests.contracts.conftest import LEASE_MS, Kept
from tests.samples import (
    a_fill,
    a_position,
    a_tick,
    a_wish,
    an_order,
    position_ticks,
    some_candles,
)

from engine.errors import LeaseLostError
from engine.ports import Store
from engine.records import Consumed, Facts, Lease, StoredSettings
from engine.settings import Settings
from engine.values import Loop

Write = Callable[[Store, Lease], object]

TRADE_WRITES: dict[str, Write] = {
    "write_tick": lambda store, lease: store.write_tick(lease, a_tick(), [a_wish()]),
    "write_minute": lambda store, lease: store.write_minute(lease, some_candles(length=60)),
    "save_books": lambda store, lease: store.save_books(
        "c1", "BTCUSDT", [b"stolen"], last_close_ms=9, lease=lease
    ),
    "heartbeat": lambda store, lease: store.heartbeat(lease, counts={"signals": 1}),
    "take_over": lambda store, lease: store.take_over(
        lease, StoredSettings(settings=Settings(), version=7)
    ),
}
POSITION_WRITES: dict[str, Write] = {
    "write_facts": lambda store, lease: store.write_facts(lease, _facts()),
    "claim": lambda store, lease: store.claim(lease, an_order("stored")),
    "write_position_ticks": lambda store, lease: store.write_position_ticks(
        lease, position_ticks()
    ),
}
WRITES = [(Loop.TRADE, name) for name in TRADE_WRITES] + [
    (Loop.POSITION, name) for name in POSITION_WRITES
]


@pytest.mark.parametrize(("loop", "name"), WRITES)
def test_a_zombie_past_its_lease_is_refused(kept: Kept, loop: Loop, name: str) -> None:
    zombie = _prepared(kept, loop)
    kept.clock.advance(LEASE_MS)

    _assert_refused(kept, zombie, name)


@pytest.mark.parametrize(("loop", "name"), WRITES)
def test_a_zombie_whose_lease_was_taken_over_is_refused(kept: Kept, loop: Loop, name: str) -> None:
    zombie = _prepared(kept, loop)
    kept.take(loop, "successor")

    _assert_refused(kept, zombie, name)


@pytest.mark.parametrize(("loop", "name"), WRITES)
def test_a_worker_that_gave_its_lease_up_is_refused(kept: Kept, loop: Loop, name: str) -> None:
    zombie = _prepared(kept, loop)
    kept.leases.release(zombie)

    _assert_refused(kept, zombie, name)


def test_no_write_under_a_lease_is_missing_above() -> None:
    under_a_lease = {
        name
        for name, method in inspect.getmembers(Store, inspect.isfunction)
        if "lease" in inspect.signature(method).parameters
    }

    assert {*TRADE_WRITES, *POSITION_WRITES} == under_a_lease


def _facts() -> Facts:
    return Facts(
        orders=(an_order("stolen"),),
        positions=(a_position("stolen"),),
        fills=(a_fill("stolen", client_order_id="stolen"),),
        consumed=(Consumed(command_id=a_wish().wish_id, outcome="done"),),
    )


def _prepared(kept: Kept, loop: Loop) -> Lease:
    """The lease of `loop`, and a stored order that waits for its claim."""
    position = kept.take(Loop.POSITION)
    kept.store.write_facts(position, Facts(orders=(an_order("stored"),)))
    return position if loop is Loop.POSITION else kept.take(loop)


def _assert_refused(kept: Kept, zombie: Lease, name: str) -> None:
    write = (TRADE_WRITES | POSITION_WRITES)[name]
    before = _everything(kept)

    with pytest.raises(LeaseLostError):
        write(kept.store, zombie)

    assert _everything(kept) == before


def _everything(kept: Kept) -> tuple[object, ...]:
    store, leases = kept.store, kept.leases
    return (
        store.held("c1"),
        store.pending("c1"),
        len(store.candles_since("c1", 0)),
        store.load_books("c1", "BTCUSDT"),
        [leases.read("c1", loop) for loop in Loop],
    )
