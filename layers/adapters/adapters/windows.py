"""Requests counted in a short window that moves with time, as some venues count them."""

from collections import deque

from engine.ports import Clock


class Window:
    """The weight of the last `length_ms`, of which `most` is not to be passed by who can wait."""

    def __init__(self, clock: Clock, *, length_ms: int, most: int) -> None:
        self._clock = clock
        self._length_ms = length_ms
        self._most = most
        self._sent: deque[tuple[int, int]] = deque()
        self._weight = 0

    async def wait(self, weight: int) -> None:
        """Return when `weight` more fits; what never would waits for an empty window."""
        while self._used() and self._weight + weight > self._most:
            await self._clock.sleep_until_ms(self._sent[0][0] + self._length_ms)

    def count(self, weight: int) -> None:
        """Something was sent now."""
        self._used()
        if weight:
            self._sent.append((self._clock.now_ms(), weight))
            self._weight += weight

    def _used(self) -> int:
        """What still counts; what left the window is forgotten."""
        oldest_ms = self._clock.now_ms() - self._length_ms
        while self._sent and self._sent[0][0] <= oldest_ms:
            self._weight -= self._sent.popleft()[1]
        return self._weight
