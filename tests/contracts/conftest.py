"""Every implementation of a port: stores under one clock, venues on one paper exchange."""

from dataclasses import dataclass
from typing import Any

import pytest
from tests.exchange_desk import desk, simple
from tests.fakes import FakeClock, FakeLeases, FakeStore
from tests.grants import within
from tests.samples import START_MS
from tests.served_venue import ServedVenue
from tests.venue_cases import VENUES, VenueCase

from adapters.leases import DynamoLeases
from adapters.store import DynamoStore
from engine.ports import Leases, Store
from engine.records import Lease
from engine.values import Loop

__all__ = ["desk", "simple"]  # fixtures, given to every test of this folder

LEASE_MS = 15_000
LOOPS = ("TradeTickFunction", "PositionTickFunction")
BY_HAND = frozenset({("ArchivedResultsTable", "Query")})
"""What no function does: archived results are for whoever asks the table itself."""


@dataclass(slots=True)
class Kept:
    """A store and its leases, and what a test needs to hold one."""

    clock: FakeClock
    leases: Leases
    store: Store
    connection_id: str = "c1"

    def take(self, loop: Loop, owner: str = "burst-1") -> Lease:
        token = self.leases.read(self.connection_id, loop).token
        return self.leases.take(
            self.connection_id, loop, token=token, owner=owner, lease_ms=LEASE_MS
        )


@pytest.fixture(params=["fake", "dynamo"])
def kept(request: pytest.FixtureRequest) -> Kept:
    if request.param == "fake":
        clock = FakeClock(START_MS)
        leases = FakeLeases(clock, wanted_at_first="stop")
        return Kept(clock, leases, FakeStore(clock, leases))
    request.getfixturevalue("moto_tables")
    clock = FakeClock(START_MS)
    return Kept(
        clock,
        within(DynamoLeases(clock), *LOOPS),
        within(DynamoStore(clock), *LOOPS, besides=BY_HAND),
    )


@pytest.fixture(params=VENUES, ids=lambda case: case.name)
def venue(request: pytest.FixtureRequest) -> VenueCase:
    """Each venue whose wire the paper exchange speaks."""
    found: VenueCase = request.param
    return found


@pytest.fixture
async def client(venue: ServedVenue) -> Any:
    """A stock client of the USD-M wire that a test's own module serves as `venue`."""
    made = venue.client()
    await made.load_markets()
    return made
