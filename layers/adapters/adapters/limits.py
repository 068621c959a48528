"""One weight budget for each venue and address, corrected by the venue's own headers.

Workers behind one address tell each other through a `Board`: what the venue's silence is, at once
and for as long as the longest word of it, and the weight they used, every few seconds.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Protocol

from adapters.limit_answers import Demand, OrderLimit, demanded, orders_wait_ms, used_weight
from adapters.windows import Window
from engine.errors import RestrictedLocationError, VenueBusyError
from engine.ports import Clock

_MINUTE_MS = 60_000
_FRESH_MS = 10_000  # an older reading of the board is renewed beside the calls
_STALE_MS = 60_000  # and this old, before the next of them
_HEAVY = 40  # what lists of all orders weigh where calls differ, and nothing that tells of one
_LEFT_SHARE = 0.2  # of a minute's weight, which no heavy call touches
_TURNING_MS = 5_000  # how far clocks may differ and answers be late
_NEVER_MS = 1 << 60
_ORDER_WAIT_S = 0.15  # of the send window, which goes on meanwhile
_TELL_MS = 5_000
_TOLD_SHARE = 0.01  # of a minute's weight: less is not worth a write
_RESTRICTED_MS = 10 * _MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the board says: the minute's weight of all workers, and how long to be silent."""

    used: int = 0
    silent_until_ms: int = 0
    reason: str = ""


class Board(Protocol):
    """Where workers behind one address leave word of one venue. It never fails, it only forgets."""

    async def read(self, minute: int) -> Notice: ...

    async def silence(self, until_ms: int, reason: str) -> None:
        """Let nobody call before `until_ms`; an earlier word that lasts longer stands."""
        ...

    async def add(self, minute: int, weight: int) -> None:
        """Count weight that this worker used in the minute."""
        ...


class Limits:
    """Counts request weight of the running minute and keeps silent when told to.

    Calls that can wait leave a share free for orders and look-ups, which never wait; where the
    venue counts in a shorter window, they do so in each of them. Of those that never wait, heavy
    ones leave a fifth to the others: lists of all orders, asked for again and again while something
    is in doubt, must not keep an entry's fill from being read, for it has no stop before.

    The venue's header counts every worker behind one address, ours only this one and what the
    others told: the largest of the three is believed. What the header says just after our minute
    began may be of the one before, which the venue's clock has not ended yet or a late answer still
    counts: it is not heard.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        per_minute: int,
        share: float = 0.75,
        board: Board | None = None,
        order_limits: Mapping[str, OrderLimit] | None = None,
        window_ms: int = _MINUTE_MS,
    ) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._patient = int(per_minute * share)
        self._board = board
        self._order_limits = order_limits or {}
        self._window_ms = window_ms
        in_window = int(self._patient * window_ms / _MINUTE_MS)
        self._window = (
            Window(clock, length_ms=window_ms, most=in_window) if window_ms < _MINUTE_MS else None
        )
        self._minute = 0
        self._used = 0
        self._untold = 0
        self._silent_until_ms = 0
        self._why = ""
        self._orders_full_until_ms = 0
        self._restricted: Demand | None = None
        self._forbidden = 0
        self._read_ms: int | None = None
        self._told_ms = 0
        self._errands: dict[str, asyncio.Task[None]] = {}

    @property
    def used(self) -> int:
        """Weight used in the running minute."""
        self._turn()
        return self._used

    @property
    def silent_until_ms(self) -> int:
        """When the venue may be called again; in the past if it may be now."""
        return self._silent_until_ms

    def room(self, weight: int, *, share: float) -> bool:
        """Whether `weight` more would stay below `share` of the minute's budget."""
        return self.used + weight <= self._per_minute * share

    async def take(self, weight: int, *, urgent: bool, is_order: bool = False) -> None:
        """Account for a call of `weight`, waiting for the next minute unless it is urgent.

        Raises
        ------
        VenueBusyError
            While the venue demanded silence, for an order while its count is full, and for an
            urgent call that would pass the limit, or what a heavy one has to leave: nothing is
            sent then. Orders weigh nothing.
        RestrictedLocationError
            If the venue serves nobody here: it is asked again minutes later, not before.
        """
        await self._learn(_ORDER_WAIT_S if is_order else None)
        self.check(is_order=is_order)
        if urgent and weight and self.used + weight > self._most_for(weight):
            raise VenueBusyError(
                f"the minute's request weight of {self._per_minute} is used up",
                until_ms=(self._minute + 1) * _MINUTE_MS,
            )
        while not urgent and self.used and self._used + weight > self._patient:
            await self._clock.sleep_until_ms((self._minute + 1) * _MINUTE_MS)
            await self._learn(None)
            self.check()
        if self._window is not None:
            await self._in_window(self._window, weight, urgent=urgent)
        self._turn()
        self._used += weight
        self._untold += weight
        self._tell_weight()

    def _most_for(self, weight: int) -> float:
        return self._per_minute * (1 - _LEFT_SHARE if weight >= _HEAVY else 1)

    async def _in_window(self, window: Window, weight: int, *, urgent: bool) -> None:
        if not urgent:
            await window.wait(weight)
            self.check()
        window.count(weight)

    def check(self, *, is_order: bool = False) -> None:
        """Raise as `take` does if the venue must not be called now; costs nothing."""
        now_ms = self._clock.now_ms()
        if self._restricted is not None:
            if now_ms < self._restricted.until_ms:
                raise RestrictedLocationError(self._restricted.reason)
            self._restricted = None
        if now_ms < self._silent_until_ms:
            raise VenueBusyError(
                f"the venue demanded silence: {self._why}", until_ms=self._silent_until_ms
            )
        if is_order and now_ms < self._orders_full_until_ms:
            raise VenueBusyError(
                "the venue takes no more orders in this interval",
                until_ms=self._orders_full_until_ms,
            )

    def heard(
        self, status: int, headers: Mapping[str, str], *, used_header: str, body: str = ""
    ) -> None:
        """Learn from an answer: weight and orders used, and how long to be silent."""
        lower = {name.lower(): value for name, value in headers.items()}
        now_ms = self._clock.now_ms()
        used = used_weight(lower, used_header)
        if used is not None and now_ms % _MINUTE_MS >= _TURNING_MS:
            self._turn()
            self._used = max(self._used, used)
        full_until_ms = orders_wait_ms(lower, self._order_limits, now_ms)
        self._orders_full_until_ms = max(self._orders_full_until_ms, full_until_ms)
        if status < 400:
            self._forbidden = 0
        demand = demanded(
            status,
            lower,
            body,
            now_ms=now_ms,
            repeated=self._forbidden,
            unsaid_ms=self._window_ms,
        )
        if demand is None:
            return
        if demand.is_restriction:
            until_ms = now_ms + _RESTRICTED_MS
            self._restricted = Demand(until_ms=until_ms, reason=demand.reason, is_restriction=True)
            return
        self._forbidden += status == 403
        self.silence(demand.until_ms, demand.reason)

    def silence(self, until_ms: int, reason: str = "asked for by the venue") -> None:
        """Send nothing before `until_ms`, and let nobody else; a longer silence stands."""
        if until_ms <= self._silent_until_ms:
            return
        self._silent_until_ms, self._why = until_ms, reason
        if self._board is not None:
            self._start(f"silence {until_ms}", self._spread(self._board, until_ms, reason))

    async def settle(self) -> None:
        """Wait until everybody has been told."""
        await asyncio.gather(*self._errands.values())

    async def _learn(self, wait_s: float | None) -> None:
        """Know what the others know, at the cost of one reading in many seconds.

        Only a stale reading is waited for, by an order no longer than its send window bears.
        """
        if self._board is None:
            return
        age_ms = _NEVER_MS if self._read_ms is None else self._clock.now_ms() - self._read_ms
        if age_ms <= _FRESH_MS:
            return
        reading = self._start("read", self._read(self._board))
        if age_ms > _STALE_MS:
            await asyncio.wait({reading}, timeout=wait_s)

    async def _read(self, board: Board) -> None:
        self._turn()
        minute = self._minute
        notice = await board.read(minute)
        self._read_ms = self._clock.now_ms()
        if notice.silent_until_ms > self._silent_until_ms:
            self._silent_until_ms, self._why = notice.silent_until_ms, notice.reason
        self._turn()
        if minute == self._minute:
            self._used = max(self._used, notice.used + self._untold)

    async def _spread(self, board: Board, until_ms: int, reason: str) -> None:
        await board.silence(until_ms, reason)
        await self._read(board)  # somebody may have been told of a longer one

    def _tell_weight(self) -> None:
        board, now_ms = self._board, self._clock.now_ms()
        is_worth_it = self._untold >= self._per_minute * _TOLD_SHARE
        if board is None or not is_worth_it or now_ms - self._told_ms < _TELL_MS:
            return
        weight, self._untold, self._told_ms = self._untold, 0, now_ms
        self._start("weight", board.add(self._minute, weight))

    def _start(self, name: str, work: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        running = self._errands.get(name)
        if running is not None:
            work.close()
            return running
        task = asyncio.get_running_loop().create_task(work)
        self._errands[name] = task
        task.add_done_callback(lambda done: self._errands.pop(name, None))
        return task

    def _turn(self) -> None:
        minute = self._clock.now_ms() // _MINUTE_MS
        if minute != self._minute:
            self._minute, self._used, self._untold = minute, 0, 0
