"""The trade loop: candles in, paper openings and closings, mirror wishes out."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from engine import market
from engine.books import pack_books
from engine.cycles.burst import (
    BurstReport,
    BurstRequest,
    Outcome,
    acknowledge,
    again,
    is_paused,
    is_stop_wanted,
    last_slot,
)
from engine.cycles.changing import Changing
from engine.cycles.memory import TradeMemory, recall
from engine.cycles.pacing import Cause, Grid, Pace, first_cause
from engine.errors import LeaseLostError, RetryableError, StoreBusyError
from engine.market import Candles
from engine.ports import World
from engine.records import Begun, EngineRow, Lease, LeaseRow, StoredSettings, TradeTick
from engine.trade import TradePlan, indicated, plan_strategies
from engine.values import Loop, TradeMode, Turn, Wish

CANDLE_MS = 1_000
HEARTBEAT_MS = 5_000
BACKFILL_ROWS = 240
REASONS_TOLD = 50
"""Resting presets that one line of the log names; the counts are of all."""


async def trade_burst(
    world: World, request: BurstRequest, memories: dict[str, TradeMemory]
) -> BurstReport:
    """Run ticks until the burst is over, the lease is lost or a stop is wanted.

    `memories` is the container's cache; a memory that the store does not confirm is rebuilt before
    the lease is taken, so that a cold start costs no tick.
    """
    token = request.token
    try:
        engine = world.store.engine(request.connection_id)
        row = world.leases.read(request.connection_id, Loop.TRADE)
        memory = await recall(world, engine, row, memories)
        changing = Changing(world)
        taken = changing.at_a_burst(engine, row)
        lease = world.leases.take(
            request.connection_id,
            Loop.TRADE,
            token=token,
            owner=request.owner,
            lease_ms=(taken or engine).settings.lease_ms,
        )
        token = lease.token
        burst = _Burst(world, request, engine, memory, lease, changing)
        burst.begin(taken)
        return await burst.run(row)
    except LeaseLostError:
        memories.pop(request.connection_id, None)
        return BurstReport(outcome=Outcome.LOST, token=token)
    except RetryableError as error:
        memories.pop(request.connection_id, None)
        return await again(world, request, token, error)


@dataclass(slots=True)
class _Burst:
    world: World
    request: BurstRequest
    engine: EngineRow
    memory: TradeMemory
    lease: Lease
    changing: Changing
    ticks: int = 0
    heartbeat_ms: int = 0
    begun: Begun | None = None
    store_us: int | None = None  # what the write of the tick before took
    unwritten: list[Candles] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)  # not told the position loop yet

    def begin(self, taken: StoredSettings | None) -> None:
        """Make sure what was remembered or rebuilt still holds, and take newer settings over.

        Raises
        ------
        StoreBusyError
            If the loop before took other settings over since this one read them.
        """
        now = self.world.store.engine(self.lease.connection_id)
        if now.settings != self.engine.settings:
            raise StoreBusyError(f"settings changed to version {now.settings_version}")
        if taken is not None:
            self._take_over(taken)

    async def run(self, row: LeaseRow) -> BurstReport:
        clock, settings = self.world.clock, self.engine.settings
        started_ms = clock.now_ms()
        last_ms = last_slot(row, started_ms, settings)
        self.begun = Begun(taken_us=clock.now_us(), anew=last_ms == 0)
        self._keep_backfilled()
        may_wish = self._modes() and not is_paused(row)
        if may_wish and self.memory.state.has_proven_sets():
            self._wake("warm")  # a cold start later would make the first wish stale
        grid = Grid(
            interval_ms=int(settings.trade_interval_s * 1000),
            offset_ms=settings.candle_lateness_ms,
        )
        pace = Pace(grid, last_ms)
        cause = first_cause(started_ms, self.request.execution_started_ms)
        # A rebuild may have folded the very candle whose deadline is still to come.
        folded_ms = grid.deadline_ms(self.memory.last_close_ms) + 1
        slot = pace.next_slot(max(started_ms, folded_ms), cause)
        while grid.deadline_ms(slot) < started_ms + settings.burst_s * 1000:
            await clock.sleep_until_ms(grid.deadline_ms(slot))
            row = self.world.leases.read(self.lease.connection_id, Loop.TRADE)
            if is_stop_wanted(row):
                return self._stop(row, slot)
            taken = self.changing.at_a_tick(self.engine, row)
            if taken is not None:
                self._take_over(taken)
            await self._tick(slot, pace, row)
            acknowledge(self.world, self.lease, row, slot)
            slot = pace.next_slot(clock.now_ms(), Cause.OVERRUN)
        return BurstReport(outcome=Outcome.AGAIN, token=self.lease.token, ticks=self.ticks)

    def _keep_backfilled(self) -> None:
        """Store what the rebuild fetched: whoever rebuilds later must see what we saw."""
        for piece in self.memory.backfilled:
            for start in range(0, len(piece), BACKFILL_ROWS):
                rows = piece.rows(start, start + BACKFILL_ROWS)
                self.world.store.write_minute(self.lease, rows)
        self.memory.backfilled = []

    def _take_over(self, taken: StoredSettings) -> None:
        """Run with `taken` from the next candle on.

        Every book is stored first: whoever rebuilds later folds under these settings nothing that
        was decided under those before.
        """
        if taken.settings != self.engine.settings:
            self._save_all()
        self.world.store.take_over(self.lease, taken)
        self.engine = replace(self.engine, settings=taken.settings, settings_version=taken.version)
        told = {"version": taken.version, "after_ms": self.memory.last_close_ms}
        self.world.log.fact("settings taken over", told)

    def _save_all(self) -> None:
        clock = self.world.clock
        for symbol in self.engine.symbols:
            if clock.now_ms() - self.lease.sent_at_ms > self.lease.lease_ms // 3:
                self.lease = self.world.leases.renew(self.lease)
            self._save(symbol)

    def _stop(self, row: LeaseRow, slot_ms: int) -> BurstReport:
        acknowledge(self.world, self.lease, row, slot_ms)
        self._save_all()
        self.world.leases.release(self.lease)
        return BurstReport(outcome=Outcome.STOPPED, token=self.lease.token, ticks=self.ticks)

    async def _tick(self, slot_ms: int, pace: Pace, row: LeaseRow) -> None:
        """Fold the candles and write the tick; paused, the fold is the same and wishes nothing."""
        world, memory = self.world, self.memory
        started_us = world.clock.now_us()
        candles, wrong = (await self._candles(slot_ms)).without_wrong()
        if wrong:
            world.log.fact("candles refused", {"slot_ms": slot_ms, "prices": wrong})
        planned_us = world.clock.now_us()
        told = indicated(memory.state, candles, self.engine.settings)
        indicated_us = world.clock.now_us()
        memory.state, plan = plan_strategies(memory.state, candles, told, self.engine.settings)
        compute_us = world.clock.now_us() - planned_us
        memory.last_close_ms = slot_ms
        memory.archived += plan.surplus
        wishes = () if is_paused(row) else self._wishes(plan, candles)
        tick = TradeTick(
            slot_ms=slot_ms,
            started_us=started_us,
            finished_us=world.clock.now_us(),
            compute_us=compute_us,
            counts={**plan.counts, **self._preset_counts(), "invalid_candles": sum(wrong.values())},
            close_reasons=plan.close_reasons,
            skipped=pace.take_skipped(),
            candles=market.join_time([*self.unwritten, candles]),
            source=memory.source(),
            begun=self.begun,
            indications_us=indicated_us - planned_us,
            store_us=self.store_us,
            settings_version=self.engine.settings_version,
        )
        self.begun = None
        self.turns += plan.turns
        self._write(tick, wishes)
        self._keep(candles, slot_ms)
        self.ticks += 1

    def _modes(self) -> frozenset[TradeMode]:
        """Modes whose Sets may ask for the exchange."""
        return frozenset(mode for mode in TradeMode if self.engine.may_open(mode))

    def _wishes(self, plan: TradePlan, candles: Candles) -> tuple[Wish, ...]:
        """What goes to the exchange: of presets only what their evaluation passes on."""
        memory = self.memory
        if memory.evaluate(self.engine.settings) and memory.presets is not None:
            resting = list(memory.presets.reasons().items())[:REASONS_TOLD]
            told = {"at_ms": memory.presets.at_ms, **memory.presets.counts, "resting": resting}
            self.world.log.fact("presets evaluated", told)
        wishes = fresh_wishes(plan, candles, self._modes())
        return wishes if memory.presets is None else memory.presets.passed_on(wishes)

    def _preset_counts(self) -> dict[str, int]:
        return {} if self.memory.presets is None else self.memory.presets.counts

    async def _candles(self, slot_ms: int) -> Candles:
        """Every candle since the last tick: skipped ticks lose no candle."""
        closes = range(self.memory.last_close_ms + CANDLE_MS, slot_ms + 1, CANDLE_MS)
        return market.join_time([await self.memory.feed.candles(close) for close in closes])

    def _write(self, tick: TradeTick, wishes: Sequence[Wish]) -> None:
        world = self.world
        if self.turns and self._nothing_to_close():
            self.turns = []
        asked_us = world.clock.now_us()
        try:
            self.lease = world.store.write_tick(self.lease, tick, wishes, self.turns)
        except RetryableError as error:
            # Candles and turns go with the next row; a wish would be stale by then.
            self.unwritten = [tick.candles]
            world.log.problem("tick not written", {"slot_ms": tick.slot_ms, "error": str(error)})
            return
        finally:
            self.store_us = world.clock.now_us() - asked_us
        self.unwritten, self.turns = [], []
        if wishes:
            self._wake("wish")

    def _nothing_to_close(self) -> bool:
        """Whether the position loop sleeps, flat, and no wish waits for it."""
        row = self.world.leases.read(self.lease.connection_id, Loop.POSITION)
        return row.phase == "idle" and row.wish_seq == row.seen_seq

    def _wake(self, reason: str) -> None:
        """Start the position loop if it sleeps; the supervisor comes after us if that fails."""
        connection_id = self.lease.connection_id
        if self.world.leases.read(connection_id, Loop.POSITION).phase != "idle":
            return
        try:
            self.world.starter.start(connection_id, Loop.POSITION, reason=reason)
        except RetryableError as error:
            self.world.log.fact("position loop not woken", {"reason": reason, "error": str(error)})

    def _keep(self, candles: Candles, slot_ms: int) -> None:
        """Store what makes a restart quick: minutes of candles, and one symbol's books in turn."""
        memory, settings = self.memory, self.engine.settings
        minute = memory.minute_done(candles)
        if minute is not None:
            self.world.store.write_minute(self.lease, minute)
        if slot_ms // 1000 % settings.snapshot_interval_s == 0:
            self._save(memory.next_symbol(self.engine.symbols))
        if slot_ms - self.heartbeat_ms >= HEARTBEAT_MS:
            self.heartbeat_ms = slot_ms
            self.world.store.heartbeat(self.lease, counts=memory.state.counts())

    def _save(self, symbol: str) -> None:
        """The archive comes first: books forget what it holds."""
        if self.memory.archived:
            days = self.engine.settings.archive_days
            connection_id = self.lease.connection_id
            self.world.store.archive_results(connection_id, self.memory.archived, keep_days=days)
            self.memory.archived = []
        self.world.store.save_books(
            self.lease.connection_id,
            symbol,
            pack_books(self.memory.state, symbol),
            last_close_ms=self.memory.last_close_ms,
            lease=self.lease,
        )


def fresh_wishes(
    plan: TradePlan, candles: Candles, modes: frozenset[TradeMode]
) -> tuple[Wish, ...]:
    """Only what the newest candle decided: a wish for an older one would be stale."""
    newest = int(candles.close_ms[-1])
    return tuple(
        wish
        for wish in (plan.wishes if modes else ())
        if wish.entry_close_ms == newest and wish.key.indication.mode in modes
    )
