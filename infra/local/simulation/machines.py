"""A worker's process: what it remembers, how it dies, and its view of the world."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from adapters.exchange import CcxtExchange
from adapters.feed import CcxtFeed
from adapters.opener import dialect_of
from engine.cycles.memory import TradeMemory
from engine.cycles.position import PositionMemory
from engine.ports import Leases, Starter, Store, World
from local.simulation.clocks import CallersClock, MachineClock
from local.simulation.guarded import Guarded, GuardedStore
from local.simulation.hazards import Hazards, WorkerDiedError
from local.simulation.history import History
from local.simulation.leases import MemoryLeases
from local.simulation.network import Network
from local.simulation.stage import Stage
from local.simulation.steps import stepped
from local.simulation.store import MemoryStore
from local.simulation.wire import SimulatedWire

API_TYPE = "perpetual_futures"


@dataclass(slots=True)
class Plant:
    """What every machine of a case shares."""

    stage: Stage
    store: MemoryStore
    leases: MemoryLeases
    callers: CallersClock
    network: Network
    hazards: Hazards
    history: History
    epoch_ms: int
    starter: Starter | None = None


class Machine:
    """One container: loop, clock, memories; dead once it died."""

    def __init__(self, plant: Plant, name: str, *, skew_ms: int) -> None:
        self.name = name
        self.loop = plant.stage.actor(name)
        self.clock = MachineClock(plant.stage, plant.epoch_ms, skew_ms=skew_ms)
        self.positions: dict[str, PositionMemory] = {}
        self.trades: dict[str, TradeMemory] = {}
        self.is_busy = False
        self.frozen_until_us = 0
        self._plant = plant
        self._opener: Opened | None = None
        self.on_death: list[Any] = []

    def must_live(self) -> None:
        if self.loop.is_dead or self._plant.stage.is_over:
            raise WorkerDiedError(self.name)

    def die(self) -> None:
        """Drop everything; whoever waits for its answer hears of it."""
        self.loop.kill()
        self._plant.network.venue.forget(self.name)
        self._plant.history.tell(self.name, "dies")
        for heard in self.on_death:
            heard()

    def stand_still(self, for_ms: int) -> None:
        """Freeze inside whatever call is under way; its monotonic clock may stand still too."""
        stage = self._plant.stage
        self.frozen_until_us = stage.now_us + for_ms * 1000
        self._plant.history.disturbed_until(self.frozen_until_us)
        if stage.depth:  # somebody else is held further out, and would be held as long
            for_ms = min(for_ms, 50)
        stage.pass_time(self.loop, for_ms * 1000)
        if for_ms % 2:  # as likely as not
            self.clock.stood_still_ms += for_ms
        self.must_live()

    def is_silenced(self) -> bool:
        """Whether the venue forbade it to call for a while."""
        now_ms = self.clock.now_ms()
        wires = self._opener.wires if self._opener is not None else []
        return any(now_ms < wire.limits.silent_until_ms for wire in wires)

    def world(self) -> World:
        """The ports as this machine sees them."""
        plant = self._plant
        if self._opener is None:
            self._opener = Opened(plant, self)
        shared = (self, plant.hazards, plant.callers)
        assert plant.starter is not None
        return World(
            clock=self.clock,
            leases=cast(Leases, Guarded(plant.leases, "leases", *shared)),
            store=cast(Store, GuardedStore(plant.store, "store", *shared)),
            starter=plant.starter,
            opener=self._opener,
            log=Lines(plant.history, self.name),
        )


@dataclass(slots=True)
class Opened:
    """`engine.ports.Opener` of one machine: real dialect, real exchange, real feed."""

    plant: Plant
    machine: Machine
    made: dict[bool, tuple[CcxtExchange, CcxtFeed]] = field(default_factory=dict)
    wires: list[SimulatedWire] = field(default_factory=list)

    async def feed(self, connection_id: str, *, private: bool) -> CcxtFeed:
        del connection_id
        return self._of(private=private)[1]

    async def exchange(self, connection_id: str, *, private: bool) -> CcxtExchange:
        del connection_id
        return self._of(private=private)[0]

    def _of(self, *, private: bool) -> tuple[CcxtExchange, CcxtFeed]:
        if private not in self.made:
            network, clock = self.plant.network, self.machine.clock
            dialect = stepped(dialect_of(network.venue.name, API_TYPE))
            wire = SimulatedWire(self.machine, dialect, network)
            self.wires.append(wire)
            self.made[private] = (
                CcxtExchange(wire, dialect, clock),
                CcxtFeed(wire, dialect, clock),
            )
        return self.made[private]


@dataclass(slots=True)
class Lines:
    """`engine.ports.Log` into the history."""

    history: History
    name: str

    def fact(self, name: str, values: Mapping[str, object]) -> None:
        self.history.counts[name] += 1
        self.history.tell(self.name, f"{name} {_told(values)}")

    def problem(self, name: str, values: Mapping[str, object]) -> None:
        self.history.counts[name] += 1
        self.history.tell(self.name, f"PROBLEM {name} {_told(values)}")


def _told(values: Mapping[str, object]) -> str:
    return " ".join(f"{name}={value}" for name, value in values.items())
