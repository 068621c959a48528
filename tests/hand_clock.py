"""A clock that moves when a test moves it."""

from dataclasses import dataclass

START_MS = 1_760_000_000_000


@dataclass(slots=True)
class HandClock:
    """`engine.ports.Clock`; both of its clocks move together."""

    ms: int = START_MS

    def now_ms(self) -> int:
        return self.ms

    def now_us(self) -> int:
        return self.ms * 1000

    def monotonic_ms(self) -> int:
        return self.ms - START_MS

    async def sleep_until_ms(self, deadline_ms: int) -> None:
        self.ms = max(self.ms, deadline_ms)

    def pass_ms(self, duration_ms: int) -> None:
        self.ms += duration_ms
