"""The position loop: the single writer to the exchange."""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.cycles.burst import (
    BurstReport,
    BurstRequest,
    Outcome,
    acknowledge,
    again,
    is_stop_wanted,
    last_slot,
    nobody_acted_since,
)
from engine.cycles.changing import Changing
from engine.cycles.errands import Errands
from engine.cycles.pacing import Cause, Grid, Pace, first_cause
from engine.cycles.sampling import equity_sample
from engine.desk import DeskInputs, DeskPlan, DeskState, HaltProof, may_leave, plan_positions
from engine.errors import (
    CorruptStateError,
    LeaseLostError,
    RetryableError,
    ShortKeyTakenError,
)
from engine.events import SendUnclear, Unclear
from engine.ledger import Order
from engine.ports import Feed, World
from engine.records import (
    Begun,
    Command,
    EngineRow,
    Lease,
    LeaseRow,
    PositionTicks,
    StoredSettings,
)
from engine.values import Instrument, Loop

ERRAND_DRAIN_MS = 3_000
"""A burst waits this long for calls under way before it ends."""


@dataclass(slots=True)
class PositionMemory:
    """What a warm container remembers; valid only while slot and token are the store's."""

    run_id: str
    desk: DeskState
    feed: Feed
    errands: Errands
    last_slot_ms: int = 0
    token: int = 0
    sampled_ms: int = 0


async def position_burst(
    world: World, request: BurstRequest, memories: dict[str, PositionMemory]
) -> BurstReport:
    """Run ticks until the burst is over, the lease is lost, or the loop may end."""
    token = request.token
    try:
        engine = world.store.engine(request.connection_id).of_position_loop()
        row = world.leases.read(request.connection_id, Loop.POSITION)
        confirmed = await _confirmed(world, request, engine, row, memories)
        changing = Changing(world)
        taken = changing.at_a_burst(engine, row)
        lease = world.leases.take(
            request.connection_id,
            Loop.POSITION,
            token=token,
            owner=request.owner,
            lease_ms=(taken or engine).settings.lease_ms,
        )
        token = lease.token
        memory = confirmed or await _taken_over(world, engine)
        burst = _Burst(world, request, engine, memory, lease, changing)
        if taken is not None:
            burst.take_over(taken)
        report = await burst.run(row)
        memory.token = report.token
        memories[request.connection_id] = memory  # only a burst that ended well leaves one
        return report
    except LeaseLostError:
        return BurstReport(outcome=Outcome.LOST, token=token)
    except (RetryableError, ShortKeyTakenError, CorruptStateError) as error:
        return await again(world, request, token, error)


async def _confirmed(
    world: World,
    request: BurstRequest,
    engine: EngineRow,
    row: LeaseRow,
    memories: dict[str, PositionMemory],
) -> PositionMemory | None:
    """The memory if the store confirms it; else None, with the venue opened and answering.

    A worker may have written facts and died before its journal: an equal slot alone proves
    nothing. Sockets, clock and client are set up before the lease is taken, so that no tick waits
    for them.
    """
    memory = memories.pop(engine.connection_id, None)
    is_same = memory and memory.run_id == engine.run_id and memory.last_slot_ms == row.last_slot_ms
    if memory and is_same and nobody_acted_since(memory.token, row, request):
        return memory
    feed = await world.opener.feed(engine.connection_id, private=True)
    await feed.follow((), private=True)
    exchange = await world.opener.exchange(engine.connection_id, private=True)
    try:
        await exchange.account()
    except RetryableError:
        if not row.halt:  # what an emergency closes needs no equity
            raise
    return None


async def _taken_over(world: World, engine: EngineRow) -> PositionMemory:
    """Begin from the store, read after the lease was taken: nobody else writes any more."""
    exchange = await world.opener.exchange(engine.connection_id, private=True)
    held = world.store.held(engine.connection_id)
    exchange.recall(held.orders)
    return PositionMemory(
        run_id=engine.run_id,
        desk=DeskState.from_held(engine.connection_id, held, world.clock.now_ms()),
        feed=await world.opener.feed(engine.connection_id, private=True),
        errands=Errands(exchange, world.clock, world.log),
    )


@dataclass(slots=True)
class _Journal:
    """Ticks not yet written, and what they decided on."""

    ticks: list[tuple[int, int, int, int]] = field(default_factory=list)
    inputs: list[dict[str, object]] = field(default_factory=list)

    def add(
        self, slot_ms: int, started_us: int, finished_us: int, compute_us: int, inputs: DeskInputs
    ) -> None:
        self.ticks.append((slot_ms, started_us, finished_us, compute_us))
        self.inputs.append(
            {
                "now_ms": inputs.now_ms,
                "prices": {name: str(quote.price) for name, quote in inputs.quotes.items()},
                "commands": [command.command_id for command in inputs.commands],
                "events": [repr(event) for event in inputs.events],
            }
        )

    def packed(
        self,
        skipped: dict[str, int],
        begun: Begun | None,
        store_us: int | None,
        settings_version: int,
    ) -> PositionTicks:
        """Everything since the last call; `begun` is for a burst's first piece."""
        done = PositionTicks(
            ticks=tuple(self.ticks),
            skipped=skipped,
            begun=begun,
            store_us=store_us,
            settings_version=settings_version,
            inputs=zlib.compress(json.dumps(self.inputs).encode()),
        )
        self.ticks, self.inputs = [], []
        return done


@dataclass(slots=True)
class _Burst:
    world: World
    request: BurstRequest
    engine: EngineRow
    memory: PositionMemory
    lease: Lease
    changing: Changing
    journal: _Journal = field(default_factory=_Journal)
    ticks: int = 0
    begun: Begun | None = None
    store_us: int | None = None  # what the write of the journal's piece before took
    written_ms: int = 0
    seen_seq: int = -1
    pending: tuple[Command, ...] = ()
    unreconciled: Mapping[str, str] = field(default_factory=dict)
    halt_proof: HaltProof | None = None

    async def run(self, row: LeaseRow) -> BurstReport:
        clock, settings = self.world.clock, self.engine.settings
        started_ms = self.written_ms = clock.now_ms()
        last_ms = last_slot(row, started_ms, settings)
        self.begun = Begun(taken_us=clock.now_us(), anew=last_ms == 0)
        grid = Grid(interval_ms=int(settings.position_interval_s * 1000))
        pace = Pace(grid, last_ms)
        slot = pace.next_slot(
            started_ms, first_cause(started_ms, self.request.execution_started_ms)
        )
        outcome = Outcome.AGAIN
        while grid.deadline_ms(slot) < started_ms + settings.burst_s * 1000:
            await clock.sleep_until_ms(grid.deadline_ms(slot))
            row = self.world.leases.read(self.lease.connection_id, Loop.POSITION)
            taken = self.changing.at_a_tick(self.engine, row)
            if taken is not None:
                self._write_journal(pace)  # its ticks were decided with the settings before
                self.take_over(taken)
            plan = await self._tick(slot, row)
            acknowledge(self.world, self.lease, row, slot)
            if self._may_end(plan, row):
                outcome = Outcome.STOPPED if is_stop_wanted(row) else Outcome.IDLE
                break
            if clock.now_ms() - self.written_ms >= settings.lease_ms // 3:
                self._write_journal(pace)
            slot = pace.next_slot(clock.now_ms(), Cause.OVERRUN)
        await self.memory.errands.drain(ERRAND_DRAIN_MS)
        return self._end(outcome, pace)

    def take_over(self, taken: StoredSettings) -> None:
        """Run with `taken` from the next tick on."""
        self.world.store.take_over(self.lease, taken)
        self.engine = replace(self.engine, settings=taken.settings, settings_version=taken.version)
        self.world.log.fact("settings taken over", {"version": taken.version})

    async def _tick(self, slot_ms: int, row: LeaseRow) -> DeskPlan:
        clock, memory = self.world.clock, self.memory
        started_us = clock.now_us()
        inputs = self._inputs(row)
        planned_us = clock.now_us()
        memory.desk, plan = plan_positions(memory.desk, inputs, self.engine.settings)
        compute_us = clock.now_us() - planned_us
        if plan.facts:
            self.world.store.write_facts(self.lease, plan.facts)
        self._claim_and_send(plan.sends)
        self._ask(plan)
        memory.errands.follow(memory.feed, self._followed(plan))
        for fact in plan.log:
            tell = self.world.log.problem if fact.needs_eyes else self.world.log.fact
            tell(fact.event, fact.values)
        self.unreconciled = plan.unreconciled
        self.halt_proof = plan.halt_proof
        memory.last_slot_ms = slot_ms
        self.journal.add(slot_ms, started_us, clock.now_us(), compute_us, inputs)
        self.ticks += 1
        return plan

    def _inputs(self, row: LeaseRow) -> DeskInputs:
        memory = self.memory
        if row.wish_seq != self.seen_seq:
            self.pending = self.world.store.pending(self.lease.connection_id)
            self.seen_seq = row.wish_seq
            # Trading may have been switched off since the burst began.
            now = self.world.store.engine(self.lease.connection_id)
            self.engine = replace(
                self.engine, may_trade=now.may_trade, may_trade_preset=now.may_trade_preset
            )
        return DeskInputs(
            now_ms=self.world.clock.now_ms(),
            quotes=memory.feed.quotes(),
            commands=self.pending,
            events=(*memory.feed.events(), *memory.errands.take()),
            instruments={each.symbol: each for each in self.engine.instruments},
            may_trade=self.engine.may_trade,
            may_trade_preset=self.engine.may_trade_preset,
            hedge=self.engine.hedge,
            halt=row.halt,
            flatten=row.flatten,
            wanted=row.wanted,
            volume_factor=self.engine.volume_factor,
            exchange=self.engine.exchange,
        )

    def _claim_and_send(self, orders: Sequence[Order]) -> None:
        """Claim each under the lease, then have it sent once, inside its window."""
        clock, settings, errands = self.world.clock, self.engine.settings, self.memory.errands
        for order in orders:
            name = order.client_order_id
            if not self._may_act():
                raise LeaseLostError(f"lease ended before {name} could be claimed")
            if not self.world.store.claim(self.lease, order):
                text = "somebody else claimed it"
                errands.inbox.append(
                    SendUnclear(
                        client_order_id=name,
                        why=Unclear.TIMEOUT,
                        text=text,
                        at_ms=clock.now_ms(),
                    )
                )
            else:
                errands.send(order, settings)

    def _may_act(self) -> bool:
        clock = self.world.clock
        return self.lease.may_act(
            clock.now_ms(), clock.monotonic_ms(), self.engine.settings.lease_margin_ms
        )

    def _ask(self, plan: DeskPlan) -> None:
        errands = self.memory.errands
        if (plan.cancels or plan.prepares) and not self._may_act():
            raise LeaseLostError("lease ended before orders could be cancelled")
        for order in plan.cancels:
            errands.cancel(order)
        for order in plan.look_ups:
            errands.look_up(order)
        for symbol, leverage in plan.prepares:
            errands.prepare(symbol, leverage, hedge=self.engine.hedge, cross=self.engine.cross)
        self._read(plan)

    def _read(self, plan: DeskPlan) -> None:
        errands = self.memory.errands
        for symbol, since_ms in plan.fetch_fills:
            errands.fills(symbol, since_ms)
        if plan.funding_since_ms is not None:
            errands.funding(plan.funding_since_ms)
        if plan.want_snapshot:
            errands.snapshot(plan.snapshot_of)
        if plan.want_account:
            errands.account()
        if plan.want_instruments:
            errands.instruments(self.engine.symbols)

    def _followed(self, plan: DeskPlan) -> list[Instrument]:
        return [each for each in self.engine.instruments if each.symbol in plan.follow]

    def _may_end(self, plan: DeskPlan, row: LeaseRow) -> bool:
        """Flat and verified; or told to stop with nothing under way and all of it protected.

        An emergency ends with its proof.
        """
        if row.halt:
            return plan.halt_proof is not None
        if not is_stop_wanted(row):
            return plan.idle and not self.memory.errands.running
        return not self.memory.errands.running and may_leave(self.memory.desk)

    def _write_journal(self, pace: Pace) -> None:
        ticks = self.journal.packed(
            pace.take_skipped(), self.begun, self.store_us, self.engine.settings_version
        )
        memory = self.memory
        sample = equity_sample(memory.desk, memory.feed.quotes(), memory.sampled_ms)
        asked_us = self.world.clock.now_us()
        ticks = replace(ticks, sample=sample)
        self.lease = self.world.store.write_position_ticks(self.lease, ticks)
        self.store_us = self.world.clock.now_us() - asked_us
        if sample is not None:
            memory.sampled_ms = sample.at_ms
        self.begun = None
        self.written_ms = self.world.clock.now_ms()
        self.world.store.heartbeat(self.lease, counts=self._counts())

    def _counts(self) -> dict[str, int]:
        desk, settings = self.memory.desk, self.engine.settings
        late_ms = self.world.clock.now_ms() - settings.protection_deadline_ms
        return {
            "open_positions": len(desk.positions),
            "live_orders": len(desk.orders),
            "unreconciled": len(self.unreconciled),
            "unprotected": sum(since_ms <= late_ms for since_ms in desk.bare_since.values()),
            "external": sum(
                doubt.is_believed and doubt.mismatch.surplus > 0
                for doubt in desk.mismatches.values()
            ),
            "reconciled_ms": 0 if desk.snapshot is None else desk.snapshot.asked_ms,
        }

    def _end(self, outcome: Outcome, pace: Pace) -> BurstReport:
        self._write_journal(pace)
        if outcome is Outcome.STOPPED:
            row = self.world.leases.read(self.lease.connection_id, Loop.POSITION)
            if row.wish_seq != self.seen_seq:  # a command came after the last tick
                return BurstReport(outcome=Outcome.AGAIN, token=self.lease.token, ticks=self.ticks)
            self.world.leases.release(self.lease)
        elif outcome is Outcome.IDLE and not self.world.leases.go_idle(
            self.lease, seen_seq=self.seen_seq
        ):
            outcome = Outcome.AGAIN
        proof = self.halt_proof if outcome is Outcome.STOPPED else None
        return BurstReport(
            outcome=outcome, token=self.lease.token, ticks=self.ticks, halt_proof=proof
        )
