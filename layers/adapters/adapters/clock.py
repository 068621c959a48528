"""The machine's clock."""

import asyncio
import time

# Selectors wait whole milliseconds and wake late; the rest is waited in turns of the loop.
_COARSE_MARGIN_S = 0.0015


class SystemClock:
    """`engine.ports.Clock` of the machine."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def now_us(self) -> int:
        return time.time_ns() // 1_000

    def monotonic_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    async def sleep_until_ms(self, deadline_ms: int) -> None:
        """Return within a fraction of a millisecond after `deadline_ms`, never before it."""
        deadline_ns = deadline_ms * 1_000_000
        while (left_s := (deadline_ns - time.time_ns()) / 1e9) > 0:
            await asyncio.sleep(max(0.0, left_s - _COARSE_MARGIN_S))
