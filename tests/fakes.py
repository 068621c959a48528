"""The store, the leases and the clock in memory, with the conditions the real ones keep."""

import asyncio
from dataclasses import dataclass

from local.simulation.leases import MemoryLeases
from local.simulation.store import MemoryStore

FakeLeases = MemoryLeases
FakeStore = MemoryStore


@dataclass(slots=True)
class FakeClock:
    """Virtual time: sleeping moves it, nothing else does."""

    time_ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.time_ms

    def now_us(self) -> int:
        return self.time_ms * 1000

    def monotonic_ms(self) -> int:
        return self.time_ms

    async def sleep_until_ms(self, deadline_ms: int) -> None:
        self.time_ms = max(self.time_ms, deadline_ms)
        for _ in range(5):  # whoever waits for an answer turns meanwhile
            await asyncio.sleep(0)

    def advance(self, milliseconds: int) -> None:
        self.time_ms += milliseconds
