"""Where workers die, stand still, or have the store fail: at the n-th passing of a step."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from engine.errors import StoreBusyError
from local.simulation.clocks import MachineClock
from local.simulation.history import History
from local.simulation.stage import ActorLoop, Stage

STORE_STEPS = (
    "store.held",
    "store.pending",
    "store.write_facts",
    "store.claim",
    "store.write_position_ticks",
    "leases.take",
)
VENUE_STEPS = ("place", "cancel", "find", "open_orders", "positions", "fills", "prepare", "account")
ORDER_PATH = (
    "store.write_facts before",
    "store.write_facts between",
    "store.write_facts after",
    "store.claim before",
    "store.claim after",
    "place before",
    "place sent",
    "place answered",
    "cancel before",
    "cancel sent",
    "cancel answered",
    "find sent",
    "find answered",
    "open_orders sent",
    "positions answered",
    "fills answered",
    "store.write_position_ticks before",
    "store.write_position_ticks after",
    "store.held after",
    "leases.take after",
)


class WorkerDiedError(BaseException):
    """The worker died here; nothing of it goes on."""


class Mortal(Protocol):
    """A process that may die or stand still; see `Machine`, which is one."""

    name: str
    loop: ActorLoop
    clock: MachineClock

    def must_live(self) -> None:
        """Raise WorkerDiedError if it is dead."""
        ...

    def die(self) -> None:
        """Lose all memory and everything under way."""
        ...

    def stand_still(self, for_ms: int) -> None:
        """Do nothing for so long, then go on as if nothing had happened."""
        ...


class Act(StrEnum):
    """What may happen at a step."""

    DIE = "crash"
    FREEZE = "freeze"
    THROTTLE = "store throttled"  # nothing was written
    UNCLEAR = "store write unclear"  # written, and reported as failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """`act` at the `nth` passing of `step`, by whichever worker; a freeze lasts `for_ms`."""

    step: str
    nth: int
    act: Act
    for_ms: int = 0


@dataclass(slots=True)
class Hazards:
    """The plan of a case, and how often each step was passed."""

    stage: Stage
    history: History
    plan: tuple[Hazard, ...] = ()
    passed: Counter[str] = field(default_factory=Counter)
    claimed_us: dict[str, int] = field(default_factory=dict)
    intents: dict[str, int] = field(default_factory=dict)  # token under which each was decided
    is_calm: bool = False

    def at(self, worker: Mortal, step: str, client_order_id: str = "") -> None:
        """Pass a step: die, stand still, or fail there if it is planned.

        Raises
        ------
        WorkerDiedError
            The worker is dead, from before or from now on.
        StoreBusyError
            The planned failure of the store.
        """
        worker.must_live()
        if self.is_calm:
            return
        self.passed[step] += 1
        for hazard in self.plan:
            if hazard.step == step and hazard.nth == self.passed[step]:
                self._strike(worker, hazard, client_order_id)

    def _strike(self, worker: Mortal, hazard: Hazard, client_order_id: str) -> None:
        self.history.strike(worker.name, str(hazard.act), hazard.step, client_order_id)
        match hazard.act:
            case Act.DIE:
                worker.die()
                raise WorkerDiedError
            case Act.FREEZE:
                worker.stand_still(hazard.for_ms)
            case _:
                raise StoreBusyError(f"{hazard.step}: {hazard.act}")
