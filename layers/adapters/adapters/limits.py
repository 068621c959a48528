"""One weight budget for each venue and address, corrected by the venue's own headers."""

from collections.abc import Mapping

from engine.errors import VenueBusyError
from engine.ports import Clock

_MINUTE_MS = 60_000


class Limits:
    """Counts request weight of the running minute and keeps silent when told to.

    Calls that can wait leave a share free for orders and look-ups, which never wait.
    The venue's header counts every worker behind one address, ours only this one: the larger
    of the two is believed.
    """

    def __init__(self, clock: Clock, *, per_minute: int, share: float = 0.75) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._patient = int(per_minute * share)
        self._minute = 0
        self._used = 0
        self._silent_until_ms = 0

    @property
    def used(self) -> int:
        """Weight used in the running minute."""
        self._turn()
        return self._used

    def room(self, weight: int, *, share: float) -> bool:
        """Whether `weight` more would stay below `share` of the minute's budget."""
        return self.used + weight <= self._per_minute * share

    async def take(self, weight: int, *, urgent: bool) -> None:
        """Account for a call of `weight`, waiting for the next minute unless it is urgent.

        Raises
        ------
        VenueBusyError
            While the venue demanded silence, and for an urgent call that would pass the limit:
            nothing is sent then. Orders weigh nothing and always pass.
        """
        self._refuse_while_silent()
        if urgent and weight and self.used + weight > self._per_minute:
            raise VenueBusyError(
                f"the minute's request weight of {self._per_minute} is used up",
                until_ms=(self._minute + 1) * _MINUTE_MS,
            )
        while not urgent and self.used and self._used + weight > self._patient:
            await self._clock.sleep_until_ms((self._minute + 1) * _MINUTE_MS)
            self._refuse_while_silent()
        self._turn()
        self._used += weight

    def heard(self, status: int, headers: Mapping[str, str], *, used_header: str) -> None:
        """Learn from an answer: weight used, and how long to be silent after 418 or 429."""
        lower = {name.lower(): value for name, value in headers.items()}
        used = lower.get(used_header.lower(), "")
        if used.isdigit():
            self._turn()
            self._used = max(self._used, int(used))
        if status in (418, 429):
            wait = lower.get("retry-after", "")
            self.silence(self._clock.now_ms() + 1000 * (int(wait) if wait.isdigit() else 60))

    def silence(self, until_ms: int) -> None:
        """Send nothing before `until_ms`."""
        self._silent_until_ms = max(self._silent_until_ms, until_ms)

    def _refuse_while_silent(self) -> None:
        if self._clock.now_ms() < self._silent_until_ms:
            raise VenueBusyError("the venue demanded silence", until_ms=self._silent_until_ms)

    def _turn(self) -> None:
        minute = self._clock.now_ms() // _MINUTE_MS
        if minute != self._minute:
            self._minute, self._used = minute, 0
