"""Virtual time: one queue of what is due, turned by nobody's clock, and a loop for each actor.

An actor is anything that can die or stand still on its own: a worker's process, the cloud that
starts workers, the venue. Each has an asyncio loop of its own over the one queue, so that killing
an actor drops whatever it still meant to do (no `finally` runs), and freezing it defers all of it.
Frozen it is *inside* whatever call it makes: `Stage.pass_time` lets the others go on meanwhile.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextvars import Context
from itertools import count
from typing import Any, cast

SECOND_US = 1_000_000


class Stage:
    """The queue and its time, microseconds since the beginning."""

    def __init__(self) -> None:
        self.now_us = 0
        self.turns = 0
        self.depth = 0
        self._due: list[tuple[int, int, ActorLoop, asyncio.Handle]] = []
        self._serial = count()
        self._loops: list[ActorLoop] = []
        self.is_over = False

    def actor(self, name: str) -> "ActorLoop":
        """A new actor's loop."""
        loop = ActorLoop(self, name)
        self._loops.append(loop)
        return loop

    def put(self, at_us: int, loop: "ActorLoop", handle: asyncio.Handle) -> None:
        heapq.heappush(self._due, (max(at_us, self.now_us), next(self._serial), loop, handle))

    def run_until(self, at_us: int, *, unless: Callable[[], bool] | None = None) -> None:
        """Turn everything due by then; stop early once `unless` is true."""
        while self._due and self._due[0][0] <= at_us:
            if unless is not None and unless():
                return
            self._turn()
        self.now_us = max(self.now_us, at_us)

    def pass_time(self, loop: "ActorLoop", duration_us: int) -> None:
        """Hold an actor inside a call of its own for so long, while all others go on."""
        running = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        self.depth += 1
        loop.is_parked = True
        try:
            self.run_until(self.now_us + duration_us)
        finally:
            loop.unpark()
            self.depth -= 1
            asyncio._set_running_loop(running)

    def bury(self) -> None:
        """End every task that is left, so that none complains when it is collected."""
        self.is_over = True
        for loop in self._loops:
            loop.is_dead = False
            loop.unpark()
            for task in asyncio.all_tasks(loop.as_asyncio()):
                task.cancel()
        self.run_until(self.now_us)

    def _turn(self) -> None:
        at_us, serial, loop, handle = heapq.heappop(self._due)
        if handle.cancelled():
            return
        if loop.is_parked or loop.is_dead:  # what the dead left is kept for `bury`
            loop.parked.append((serial, handle))
            return
        self.now_us = max(self.now_us, at_us)
        self.turns += 1
        asyncio._set_running_loop(loop.as_asyncio())
        try:
            handle._run()
        finally:
            asyncio._set_running_loop(None)


class ActorLoop:
    """What asyncio needs of a loop, on the stage's queue."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage = stage
        self.name = name
        self.is_dead = False
        self.is_parked = False
        self.parked: list[tuple[int, asyncio.Handle]] = []
        self.troubles: list[BaseException] = []

    def kill(self) -> None:
        """Drop everything it still means to do."""
        self.is_dead = True

    def unpark(self) -> None:
        """Go on with what came due while it was parked."""
        self.is_parked = False
        waiting, self.parked = sorted(self.parked, key=lambda entry: entry[0]), []
        for _, handle in waiting:
            self.stage.put(self.stage.now_us, self, handle)

    def as_asyncio(self) -> asyncio.AbstractEventLoop:
        """Itself, as asyncio names it; sockets, signals and executors it has none."""
        return cast(asyncio.AbstractEventLoop, self)

    # --- what asyncio calls

    def time(self) -> float:
        return self.stage.now_us / SECOND_US

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self.as_asyncio(), context)
        self.stage.put(self.stage.now_us, self, handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self.as_asyncio(), context)
        self.stage.put(round(when * SECOND_US), self, handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self.as_asyncio())

    def create_task(
        self,
        coro: Coroutine[Any, Any, Any],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self.as_asyncio(), name=name, context=context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what went wrong where nobody looked; the case tells it."""
        error = context.get("exception")
        if isinstance(error, Exception) and not self.is_dead:
            self.troubles.append(error)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is dropped when its time comes."""
