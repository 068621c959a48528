"""Every implementation of the store's ports, under one clock."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tests.hand_clock import HandClock

from adapters.leases import DynamoLeases
from adapters.store import DynamoStore
from engine.ports import Lease, Leases, Store
from engine.values import Loop

LEASE_MS = 15_000


@dataclass(slots=True)
class Kept:
    """A store and its leases, and what a test needs to hold one."""

    clock: HandClock
    leases: Leases
    store: Store
    connection_id: str = "c1"

    def take(self, loop: Loop, owner: str = "burst-1") -> Lease:
        token = self.leases.read(self.connection_id, loop).token
        return self.leases.take(
            self.connection_id, loop, token=token, owner=owner, lease_ms=LEASE_MS
        )


@pytest.fixture(params=["dynamo"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    clock = HandClock()
    request.getfixturevalue("moto_tables")
    yield Kept(clock, DynamoLeases(clock), DynamoStore(clock))
