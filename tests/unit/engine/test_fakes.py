"""The fakes keep the conditions of what they stand for."""

from dataclasses import replace

import pytest
from tests.builders import NOW_MS, a_position, a_wish, an_instrument
from tests.fake_venue import FakeVenue
from tests.fakes import FakeClock, FakeLeases, FakeStore

from engine.errors import LeaseLostError
from engine.ledger import OrderState, Purpose
from engine.orders import intent
from engine.ports import Clock, Exchange, Leases, Store
from engine.records import Facts
from engine.values import Loop


def a_store() -> FakeStore:
    clock = FakeClock(NOW_MS)
    return FakeStore(clock=clock, leases=FakeLeases(clock))


def test_the_fakes_speak_the_ports() -> None:
    store, clock = a_store(), FakeClock(NOW_MS)
    venue = FakeVenue(clock=clock, instruments_by_symbol={"BTCUSDT": an_instrument()})

    ports: tuple[Clock, Leases, Store, Exchange] = (clock, store.leases, store, venue)

    assert len(ports) == 4


def test_a_lost_lease_refuses_facts_and_claims() -> None:
    store = a_store()
    old = store.leases.take("one", Loop.POSITION, token=0, owner="a", lease_ms=1000)
    order = intent(
        a_position(), Purpose.STOP, attempt=0, quantity=a_position().quantity, now_ms=NOW_MS
    )
    store.write_facts(old, Facts(orders=(order,)))
    store.leases.take("one", Loop.POSITION, token=1, owner="b", lease_ms=1000)

    with pytest.raises(LeaseLostError):
        store.claim(old, order)
    with pytest.raises(LeaseLostError):
        store.write_facts(old, Facts(orders=(order,)))
    with pytest.raises(LeaseLostError):
        store.leases.take("one", Loop.POSITION, token=1, owner="c", lease_ms=1000)
    assert store.orders[order.client_order_id].state is OrderState.NEW


def test_an_order_is_claimed_once() -> None:
    store = a_store()
    lease = store.leases.take("one", Loop.POSITION, token=0, owner="a", lease_ms=1000)
    order = intent(
        a_position(), Purpose.STOP, attempt=0, quantity=a_position().quantity, now_ms=NOW_MS
    )
    store.write_facts(lease, Facts(orders=(order,)))

    claims = [store.claim(lease, replace(order, submitting_at_ms=NOW_MS)) for _ in range(2)]

    assert claims == [True, False]


def test_a_loop_goes_idle_only_when_no_wish_came() -> None:
    store = a_store()
    lease = store.leases.take("one", Loop.POSITION, token=0, owner="a", lease_ms=1000)
    wish = a_wish()
    store.put_command("one", store.wish_command(wish))

    assert not store.leases.go_idle(lease, seen_seq=0)
    assert store.leases.go_idle(lease, seen_seq=1)
    assert [command.wish for command in store.pending("one")] == [wish]
