"""Prices by asking again and again, where there is no stream or it is broken.

One request tells the last trade of every symbol. A candle made of such samples has true prices and
times, but misses what happened between two of them, and knows no volume.
"""

import asyncio
from collections.abc import Callable, Sequence

from adapters.failures import understood
from adapters.venues import Caller, Dialect, LastPrice
from engine.errors import CtsError
from engine.ports import Clock

_OFFSET_MS = 20  # just after a second has ended, so that its last trade is told at once
_TORN_MS = 1_500  # longer between two samples, and seconds in between are not covered


class Poller:
    """Asks for all last prices on a fixed grid while it is wanted."""

    def __init__(
        self,
        wire: Caller,
        dialect: Dialect,
        clock: Clock,
        on_prices: Callable[[Sequence[LastPrice]], None],
        *,
        poll_ms: int,
    ) -> None:
        self._wire = wire
        self._dialect = dialect
        self._clock = clock
        self._on_prices = on_prices
        self.poll_ms = poll_ms
        self._since_ms = 0
        self.asked_ms = 0
        self.last_problem = ""
        self._told = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def start(self) -> None:
        """Begin, if it has not begun."""
        if self._task is None:
            self._since_ms = 0
            self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Ask no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def covers(self, start_ms: int, end_ms: int, *, wait_ms: int) -> bool:
        """Whether samples span [start, end], waiting a little for the one after the end."""
        if self._task is None or not self._since_ms or self._since_ms > start_ms:
            return False
        async with self._told:
            try:
                async with asyncio.timeout(wait_ms / 1000):
                    await self._told.wait_for(lambda: self.asked_ms >= end_ms)
            except TimeoutError:
                return False
        return 0 < self._since_ms <= start_ms

    async def _keep(self) -> None:
        while True:
            next_ms = (self._clock.now_ms() // self.poll_ms + 1) * self.poll_ms
            await self._clock.sleep_until_ms(next_ms + _OFFSET_MS)
            asked_ms = self._clock.now_ms()
            try:
                prices = await understood(self._dialect.last_prices(self._wire))
            except CtsError as error:
                self.last_problem = str(error)
                continue
            async with self._told:
                if asked_ms - self.asked_ms > _TORN_MS or not self._since_ms:
                    self._since_ms = asked_ms
                self.asked_ms = asked_ms
                self._on_prices(prices)
                self._told.notify_all()
