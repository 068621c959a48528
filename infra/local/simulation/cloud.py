"""What starts and restarts the loops: executions with their bursts, and the supervisor."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from engine.cycles.burst import BurstReport, BurstRequest, Outcome
from engine.cycles.position import position_burst
from engine.cycles.trade import trade_burst
from engine.errors import CtsError
from engine.values import Loop
from local.simulation.clocks import MachineClock
from local.simulation.hazards import WorkerDiedError
from local.simulation.machines import Machine, Plant
from local.simulation.stage import ActorLoop

CONNECTION = "sim-1"
_FAILURES = 3
_EXECUTION_MS = 210_000
_MARGIN_MS = 1_000
_SUPERVISE_MS = 5_000


class BurstDiedError(Exception):
    """The worker died, or its burst raised."""


@dataclass(slots=True)
class Cloud:
    """Executions as the state machines run them, each burst on a container of its loop's kind."""

    plant: Plant
    lease_ms: int
    skews_ms: tuple[int, ...]
    clock: MachineClock
    machines: list[tuple[Loop, Machine]] = field(default_factory=list)
    halted: list[str] = field(default_factory=list)
    serial: Any = field(default_factory=count)
    runs_trade: bool = False
    loop: ActorLoop = field(init=False)

    def __post_init__(self) -> None:
        self.loop = self.plant.stage.actor("cloud")

    # `engine.ports.Starter`
    def start(self, connection_id: str, loop: Loop, *, reason: str) -> None:
        """Start an execution in a moment; one of a loop that already runs ends quietly."""
        del connection_id
        name = f"{loop}-{next(self.serial)}"
        self.plant.history.tell("cloud", f"starts {name}: {reason}")
        self.loop.call_later(0.03, self._begin, loop, name, -1)

    def supervise(self) -> None:
        """Every few seconds: restart a loop that nobody runs though it is wanted."""
        self.loop.call_later(_SUPERVISE_MS / 1000, self.supervise)
        for loop in Loop if self.runs_trade else (Loop.POSITION,):
            row = self.plant.leases.read(CONNECTION, loop)
            is_free = not row.owner or row.expires_at_ms + _MARGIN_MS < self.clock.now_ms()
            is_idle = row.phase == "idle" and row.wish_seq == row.seen_seq
            wakes = loop is Loop.TRADE or not is_idle
            if row.wanted == "run" and not row.halt and is_free and wakes:
                self.start(CONNECTION, loop, reason="supervisor")

    def _begin(self, loop: Loop, name: str, given: int) -> None:
        self.loop.create_task(self._execute(loop, name, given))

    async def _execute(self, loop: Loop, name: str, given: int) -> None:
        """The state machine: acquire, burst after burst, hand over."""
        started_ms, failures = self.clock.now_ms(), 0
        while True:
            token = self._acquire(loop, name, given)
            if token is None:
                return
            try:
                await self._bursts(loop, name, token, started_ms)
            except BurstDiedError as error:
                failures, given = failures + 1, -1
                self.plant.history.tell("cloud", f"{name} lost its worker: {error}")
                if failures >= _FAILURES:
                    return
                await asyncio.sleep((self.lease_ms + 2 * _MARGIN_MS) / 1000)
            else:
                return

    def _acquire(self, loop: Loop, name: str, given: int) -> int | None:
        self.plant.callers.of = self.clock
        return self.plant.leases.acquire(
            CONNECTION,
            loop,
            given=given,
            owner=name,
            lease_ms=self.lease_ms,
            margin_ms=_MARGIN_MS,
        )

    async def _bursts(self, loop: Loop, name: str, token: int, started_ms: int) -> None:
        while True:
            report = await self.burst(loop, name, token, started_ms)
            token = report.token
            if report.outcome is not Outcome.AGAIN:
                self.plant.history.tell("cloud", f"{name} ends: {report.outcome}")
                return
            if self.clock.now_ms() - started_ms >= _EXECUTION_MS:
                successor = f"{loop}-{next(self.serial)}"
                self.loop.call_later(0.03, self._begin, loop, successor, token)
                return

    async def burst(self, loop: Loop, name: str, token: int, started_ms: int) -> BurstReport:
        """One invocation on a container of its kind; raises BurstDiedError."""
        machine = self._machine(loop)
        request = BurstRequest(
            connection_id=CONNECTION,
            owner=f"{machine.name}-{next(self.serial)}",
            token=token,
            execution_started_ms=started_ms,
            execution_id=name,
        )
        work: Coroutine[Any, Any, BurstReport]
        if loop is Loop.POSITION:
            work = position_burst(machine.world(), request, machine.positions)
        else:
            work = trade_burst(machine.world(), request, machine.trades)
        return await self._invoke(machine, work)

    async def _invoke(
        self, machine: Machine, work: Coroutine[Any, Any, BurstReport]
    ) -> BurstReport:
        """Run it on the machine, which stands still again afterwards."""
        answer: asyncio.Future[BurstReport] = asyncio.get_running_loop().create_future()

        def fail(error: BaseException) -> None:
            if not answer.done():
                answer.set_exception(BurstDiedError(repr(error)))

        def done(task: "asyncio.Task[BurstReport]") -> None:
            error = task.exception()
            machine.is_busy = False
            machine.loop.is_parked = True
            if error is None:
                self.loop.call_later(0.01, answer.set_result, task.result())
            else:
                self._note(machine, error)
                self.loop.call_later(0.01, fail, error)

        def died() -> None:
            self.loop.call_later(0.05, fail, WorkerDiedError(machine.name))

        machine.is_busy = True
        machine.on_death = [died]
        machine.loop.unpark()
        machine.loop.call_soon(lambda: machine.loop.create_task(work).add_done_callback(done))
        return await answer

    def _note(self, machine: Machine, error: BaseException) -> None:
        self.plant.history.tell(machine.name, f"PROBLEM burst raised {error!r}")
        if not isinstance(error, CtsError | WorkerDiedError):
            self.halted.append(f"{machine.name}: {error!r}")

    def _machine(self, loop: Loop) -> Machine:
        """A warm container that is free, or a new one."""
        for kind, machine in self.machines:
            if kind is loop and not machine.is_busy and not machine.loop.is_dead:
                return machine
        number = len(self.machines)
        skew_ms = self.skews_ms[number % len(self.skews_ms)]
        machine = Machine(self.plant, f"{loop}/{number}", skew_ms=skew_ms)
        self.machines.append((loop, machine))
        return machine
