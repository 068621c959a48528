"""An emergency stop as its state machine carries it out, and whether it did what it promised."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from engine.cycles.burst import BurstReport
from engine.desk import HaltProof
from engine.orders import is_ours
from engine.values import Loop
from local.simulation.cloud import CONNECTION, BurstDiedError, Cloud
from local.simulation.machines import Plant
from local.simulation.stage import SECOND_US
from local.simulation.venue import VenueSide
from local.simulation.watching import held_of_ours

LATEST_S = 60
"""Under a clear sky the proof is there by then, whatever the storm left."""
_LONGEST_PAUSE_S = 30


@dataclass(slots=True)
class EmergencyStop:
    """At most one at a time: pressed, proved, lifted; what it does not keep breaks a rule."""

    plant: Plant
    cloud: Cloud
    venue: VenueSide
    was_meddled: Callable[[], bool]
    flatten: bool = True
    pressed_us: int = 0
    clear_us: int = 0
    proof: HaltProof | None = None
    taken_s: list[float] = field(default_factory=list)
    _lift_s: int = 1
    _accepted: int = 0

    @property
    def is_pressed(self) -> bool:
        return self.pressed_us > 0

    def press(self, *, flatten: bool, lift_s: int) -> None:
        """Halt both loops and start the machine; `lift_s` after its proof an operator resets it."""
        self.flatten, self._lift_s, self.proof = flatten, lift_s, None
        self.pressed_us = max(self.plant.stage.now_us, 1)
        self.plant.history.tell("outside", f"EMERGENCY STOP, flatten {flatten}")
        self._switch(may_trade=False)
        for loop in Loop:
            self.plant.leases.change(CONNECTION, loop, halt=True, flatten=flatten)
        self.cloud.loop.call_later(0.1, self._begin)

    def missing(self) -> list[str]:
        """What is still to come: the proof."""
        is_open = self.is_pressed and self.proof is None
        return ["the emergency stop is not proved"] if is_open else []

    def _switch(self, *, may_trade: bool) -> None:
        store = self.plant.store
        assert store.engine_row is not None
        store.engine_row = replace(store.engine_row, may_trade=may_trade)

    def _begin(self) -> None:
        self.cloud.loop.create_task(self._carry_out(f"emergency-{next(self.cloud.serial)}"))

    async def _carry_out(self, name: str) -> None:
        """Round after round: the lease whoever holds it, a burst, a pause that grows."""
        started_ms, failures = self.cloud.clock.now_ms(), 0
        while self.proof is None:
            token = self._take_over(name)
            try:
                report = await self.cloud.burst(Loop.POSITION, name, token, started_ms)
            except BurstDiedError as error:
                self.plant.history.tell("cloud", f"{name} lost its worker: {error}")
                failures += 1
            else:
                if self._is_end(report):
                    return
                failures = 0 if report.ticks else failures + 1
            await asyncio.sleep(min(_LONGEST_PAUSE_S, 2 ** max(failures - 1, 0)))

    def _take_over(self, name: str) -> int:
        row = self.plant.leases.read(CONNECTION, Loop.POSITION)
        until_ms = self.cloud.clock.now_ms() + self.cloud.lease_ms
        self.plant.leases.change(
            CONNECTION,
            Loop.POSITION,
            owner=name,
            token=row.token + 1,
            expires_at_ms=until_ms,
            phase="live",
        )
        return row.token + 1

    def _is_end(self, report: BurstReport) -> bool:
        proof = report.halt_proof
        if proof is None or (self.flatten and proof.open_positions):
            return False
        now_us = self.plant.stage.now_us
        self.proof, self._accepted = proof, self._sent()
        self.taken_s.append((now_us - self.pressed_us) / SECOND_US)
        if self.clear_us:
            late_s = (now_us - max(self.pressed_us, self.clear_us)) / SECOND_US
            self._demand(late_s <= LATEST_S, f"it was proved after {late_s:.0f} s only")
        if self.flatten:
            self._judge_flat()
        self.plant.history.tell("cloud", f"the emergency stop is proved: {proof}")
        self.cloud.loop.call_later(self._lift_s, self._lift)
        return True

    def _judge_flat(self) -> None:
        books = self.venue.books
        names = [order.client_order_id for order in books.open_orders.values()]
        names += [algo.client_algo_id for algo in books.open_algos.values()]
        left = sorted(name for name in names if is_ours(name))
        self._demand(not left, f"it was called flat with orders {left}")
        held = {} if self.was_meddled() else held_of_ours(self.venue)
        self._demand(not held, f"it was called flat while {held} was held")

    def _lift(self) -> None:
        """Reset by an operator: until now it was latched, and nothing of ours was taken."""
        rows = [self.plant.leases.read(CONNECTION, loop) for loop in Loop]
        self._demand(all(row.halt for row in rows), "its latch was lifted by nobody")
        taken = self._sent() - self._accepted
        self._demand(not self.flatten or taken == 0, f"{taken} orders were sent after its proof")
        for loop in Loop:
            self.plant.leases.change(CONNECTION, loop, halt=False, flatten=False)
        self._switch(may_trade=True)
        self.pressed_us = 0
        self.plant.history.tell("outside", "the emergency stop is lifted")

    def _sent(self) -> int:
        rows = self.venue.books.client_ids.values()
        return sum(row.accepted for row in rows if is_ours(row.client_id))

    def _demand(self, holds: bool, what: str) -> None:
        if not holds:
            self.plant.history.break_rule(f"emergency stop: {what}")
