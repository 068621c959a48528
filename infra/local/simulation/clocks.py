"""Clocks of virtual time: each machine's own, a little off."""

import asyncio

from engine.ports import Clock
from local.simulation.stage import Stage


class MachineClock:
    """`engine.ports.Clock` of one machine.

    Attributes
    ----------
    skew_ms : int
        How far its wall clock is ahead; it may be stepped while the machine runs.
    stood_still_ms : int
        What its monotonic clock missed while the machine was frozen.
    """

    def __init__(self, stage: Stage, epoch_ms: int, *, skew_ms: int = 0) -> None:
        self._stage = stage
        self._epoch_ms = epoch_ms
        self.skew_ms = skew_ms
        self.stood_still_ms = 0

    def now_ms(self) -> int:
        return self._epoch_ms + self._stage.now_us // 1000 + self.skew_ms

    def now_us(self) -> int:
        return (self._epoch_ms + self.skew_ms) * 1000 + self._stage.now_us

    def monotonic_ms(self) -> int:
        return self._stage.now_us // 1000 - self.stood_still_ms

    async def sleep_until_ms(self, deadline_ms: int) -> None:
        """Wait, at least one turn, until its own clock shows the deadline."""
        await asyncio.sleep(0)
        while (left_us := deadline_ms * 1000 - self.now_us()) > 0:
            await asyncio.sleep(left_us / 1_000_000)


class CallersClock:
    """The clock of whoever makes the call: tables have none, their conditions carry a time."""

    def __init__(self, of: Clock) -> None:
        self.of = of

    def now_ms(self) -> int:
        return self.of.now_ms()

    def now_us(self) -> int:
        return self.of.now_us()

    def monotonic_ms(self) -> int:
        return self.of.monotonic_ms()

    async def sleep_until_ms(self, deadline_ms: int) -> None:
        await self.of.sleep_until_ms(deadline_ms)
