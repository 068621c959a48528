"""One case from its seed to its verdict."""

import asyncio
import gc
import random
import warnings
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from engine.orders import is_ours
from engine.records import EngineRow
from engine.values import Instrument, Loop
from local.simulation.clocks import CallersClock, MachineClock
from local.simulation.cloud import CONNECTION, Cloud
from local.simulation.hazards import Hazards
from local.simulation.history import History
from local.simulation.leases import MemoryLeases
from local.simulation.machines import Machine, Plant
from local.simulation.network import Network
from local.simulation.outcomes import Row, outcomes
from local.simulation.outside import Outside
from local.simulation.spec import PREHISTORY_MS, SYMBOLS, Spec, drawn
from local.simulation.stage import SECOND_US, Stage
from local.simulation.store import MemoryStore
from local.simulation.venue import VenueSide
from local.simulation.verdict import Verdict, judged, judged_flat
from local.simulation.watching import Watch
from local.simulation.weather import Weather

_CALM_S = 120
_END_S = 60
_AGREED = 3  # seconds in a row without anything wrong are quiet


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What a case came to; `story` is kept only where something is wrong."""

    seed: int
    venue: str
    faults: Counter[str]
    orders_sent: int
    verdict: Verdict
    troubles: tuple[str, ...]
    digest: str
    virtual_s: float
    outcomes: Counter[Row]
    story: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_clean(self) -> bool:
        return self.verdict.is_clean and not self.troubles


def run_case(seed: int, venue: str, *, tell: bool = False) -> CaseResult:
    """Run one; the same seed at the same venue gives the same result to the last letter.

    With `tell` its story is kept even if nothing is wrong.
    """
    random.seed(f"{venue}:{seed}")  # what jitters back-offs
    with warnings.catch_warnings():
        # A worker that dies leaves calls it had not begun.
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        case = Case(drawn(seed, venue))
        try:
            return case.run(tell=tell)
        finally:
            case.stage.bury()
            del case
            gc.collect()  # here, where nobody minds what the dead left


class Case:
    """A case set up, run and judged."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.stage = Stage()
        self.history = History(self.stage)
        clock = MachineClock(self.stage, spec.epoch_ms)
        self.venue = VenueSide(
            self.stage,
            spec.venue,
            spec.market,
            epoch_ms=spec.epoch_ms,
            skew_ms=spec.venue_skew_ms,
            hedge=spec.dice.random() < 0.5,
        )
        hazards = Hazards(self.stage, self.history, spec.hazards)
        network = Network(
            self.stage,
            self.venue,
            spec.weather,
            hazards,
            self.history,
            random.Random(spec.dice.randrange(2**32)),
            spec.settings.send_window_ms,
        )
        callers = CallersClock(clock)
        leases = MemoryLeases(callers)
        self.plant = Plant(
            stage=self.stage,
            store=MemoryStore(callers, leases),
            leases=leases,
            callers=callers,
            network=network,
            hazards=hazards,
            history=self.history,
            epoch_ms=spec.epoch_ms,
        )
        self.cloud = Cloud(self.plant, spec.settings.lease_ms, spec.worker_skews_ms, clock)
        self.plant.starter = self.cloud
        dice = random.Random(spec.dice.randrange(2**32))
        rare = random.Random(f"rare {spec.venue}:{spec.seed}")
        self.outside = Outside(spec, self.plant, self.cloud, self.venue, dice, rare)
        self.watch = Watch(self.plant, self.venue, self.cloud)
        self.venue.after_pump = self.watch.look

    def run(self, *, tell: bool = False) -> CaseResult:
        """Storm, calm, the look at everything, the end."""
        self._open()
        self.stage.run_until(self.stage.now_us + self.spec.storm_s * SECOND_US)
        self.history.tell("case", "the storm is over")
        self._calm()
        meddled = self.outside.was_meddled
        verdict = self._settled(self._judged, _CALM_S)
        self.history.tell("case", "everything is to be closed")
        self.outside.command("close_all")
        flat = self._settled(
            lambda: judged_flat(self.plant, self.venue, was_meddled=meddled), _END_S
        )
        verdict.join(flat)
        verdict.unprotected += [one for one in self.watch.found if one not in verdict.unprotected]
        return self._result(verdict, tell=tell)

    def _open(self) -> None:
        spec, store = self.spec, self.plant.store
        store.engine_row = EngineRow(
            connection_id=CONNECTION,
            run_id="run-1",
            symbols=SYMBOLS,
            instruments=listed(spec.venue),
            settings=spec.settings,
            settings_version=1,
            prehistoric_data_loaded=True,
            prehistory_end_ms=spec.epoch_ms - PREHISTORY_MS,
            may_trade=True,
            hedge=spec.hedge,
            cross=spec.cross,
            exchange=spec.venue,
        )
        self.cloud.runs_trade = spec.runs_trade
        self.cloud.loop.call_soon(self.cloud.supervise)
        actor = self.stage.actor("outside")
        actor.call_soon(lambda: actor.create_task(self.outside.act()))

    def _judged(self) -> Verdict:
        verdict = judged(self.plant, self.venue)
        verdict.unresolved += self.outside.emergency.missing()
        return verdict

    def _calm(self) -> None:
        """From here on nothing goes wrong any more."""
        self.outside.is_over = self.outside.operator.is_gone = True
        self.outside.emergency.clear_us = self.stage.now_us
        self.outside.let_run()
        self.plant.leases.change(CONNECTION, Loop.TRADE, wanted="stop")
        self.spec.weather.is_calm = True
        self.plant.hazards.is_calm = True
        for line in self.venue.lines:
            line.unmute()

    def _settled(self, look: Any, within_s: int) -> Verdict:
        """Let time go on until nothing is wrong for some seconds, or it has been long enough."""
        agreed, verdict = 0, Verdict()
        for _ in range(within_s):
            self.stage.run_until(self.stage.now_us + SECOND_US)
            verdict = look()
            agreed = agreed + 1 if verdict.is_clean else 0
            if agreed >= _AGREED:
                break
        return verdict

    def _result(self, verdict: Verdict, *, tell: bool) -> CaseResult:
        history = self.history
        troubles = [
            *self.cloud.halted,
            *(repr(e) for _, m in self.cloud.machines for e in m.loop.troubles),
        ]
        troubles += history.broken
        troubles += [repr(e) for e in (*self.venue.loop.troubles, *self.cloud.loop.troubles)]
        is_clean = verdict.is_clean and not troubles
        return CaseResult(
            seed=self.spec.seed,
            venue=self.spec.venue,
            faults=Counter(strike.fault for strike in history.strikes),
            orders_sent=sum(
                row.accepted
                for row in self.venue.books.client_ids.values()
                if is_ours(row.client_id)
            ),
            verdict=verdict,
            troubles=tuple(troubles),
            digest=history.digest(),
            virtual_s=self.stage.now_us / SECOND_US,
            outcomes=outcomes(history, self.plant.store),
            story=tuple(history.text()) if tell or not is_clean else (),
        )


@cache
def listed(venue: str) -> tuple[Instrument, ...]:
    """What the venue lists, read by its own dialect under a clear sky."""
    spec = drawn(0, venue)
    spec.weather = Weather(dice=random.Random(0), severity=0)
    spec.hazards = ()
    case = Case(spec)
    machine = Machine(case.plant, "lister", skew_ms=0)

    async def read() -> tuple[Instrument, ...]:
        exchange = await machine.world().opener.exchange(CONNECTION, private=True)
        return await exchange.instruments()

    found = _awaited(case.stage, machine, read())
    case.stage.bury()
    return tuple(each for each in found if each.symbol in SYMBOLS)


def _awaited[T](stage: Stage, machine: Machine, work: Coroutine[Any, Any, T]) -> T:
    tasks: list[asyncio.Task[T]] = []
    machine.loop.call_soon(lambda: tasks.append(machine.loop.create_task(work)))
    stage.run_until(stage.now_us + 10 * SECOND_US, unless=lambda: bool(tasks and tasks[0].done()))
    return tasks[0].result()
