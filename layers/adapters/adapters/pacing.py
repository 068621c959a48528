"""How fast calls that can wait are made to a venue."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from itertools import batched

from engine.ports import Clock
from engine.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """`batch_size` calls, of which `max_concurrent` run at once; then a pause."""

    batch_size: int = 10
    max_concurrent: int = 5
    batch_delay_ms: int = 100

    @classmethod
    def of(cls, settings: Settings) -> "Pace":
        """The pace an operator wants."""
        return cls(
            batch_size=settings.batch_size,
            max_concurrent=settings.max_concurrent,
            batch_delay_ms=settings.batch_delay_ms,
        )


async def paced[Item, Found](
    items: Iterable[Item], work: Callable[[Item], Awaitable[Found]], clock: Clock, pace: Pace
) -> list[Found]:
    """What `work` found for each item, in their order; the first error ends it."""
    gate = asyncio.Semaphore(pace.max_concurrent)

    async def one(item: Item) -> Found:
        async with gate:
            return await work(item)

    found: list[Found] = []
    for number, batch in enumerate(batched(items, pace.batch_size)):
        if number:
            await clock.sleep_until_ms(clock.now_ms() + pace.batch_delay_ms)
        found += await asyncio.gather(*map(one, batch))
    return found
