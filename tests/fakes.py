"""The store, the leases and the clock in memory, with the conditions the real ones keep."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine.errors import CorruptStateError, LeaseLostError, ShortKeyTakenError
from engine.ledger import Fill, Order, OrderState, Position, PositionStatus
from engine.market import Candles, Kind, fill_gaps, gap_candles, join_time
from engine.records import (
    ArchivedResults,
    Command,
    Consumed,
    EngineRow,
    Facts,
    Held,
    Lease,
    LeaseRow,
    PositionTicks,
    TradeTick,
)
from engine.risk import day_of, kept_since
from engine.risk_record import Result, RiskRecord
from engine.values import Loop, Turn, Wish

CLOSED_KEPT = 50
_CLOSED = PositionStatus.CLOSED


@dataclass(slots=True)
class FakeClock:
    """Virtual time: sleeping moves it, nothing else does."""

    time_ms: int = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.time_ms

    def now_us(self) -> int:
        return self.time_ms * 1000

    def monotonic_ms(self) -> int:
        return self.time_ms

    async def sleep_until_ms(self, deadline_ms: int) -> None:
        self.time_ms = max(self.time_ms, deadline_ms)
        for _ in range(5):  # whoever waits for an answer turns meanwhile
            await asyncio.sleep(0)

    def advance(self, milliseconds: int) -> None:
        self.time_ms += milliseconds


@dataclass(slots=True)
class FakeLeases:
    """Lease rows by (connection, loop); every change is a compare-and-set."""

    clock: FakeClock
    rows: dict[tuple[str, Loop], LeaseRow] = field(default_factory=dict)
    wanted_at_first: str = "run"  # what an operator asked for before the test began

    def read(self, connection_id: str, loop: Loop) -> LeaseRow:
        empty = LeaseRow(
            owner="",
            token=0,
            expires_at_ms=0,
            last_slot_ms=0,
            wish_seq=0,
            seen_seq=0,
            phase="idle",
            wanted=self.wanted_at_first,
            halt=False,
        )
        return self.rows.setdefault((connection_id, loop), empty)

    def take(
        self, connection_id: str, loop: Loop, *, token: int, owner: str, lease_ms: int
    ) -> Lease:
        row = self.read(connection_id, loop)
        is_repeated = (row.owner, row.token) == (owner, token + 1)
        if row.token != token and not is_repeated:
            raise LeaseLostError(f"lease of {connection_id}#{loop} moved to token {row.token}")
        now_ms = self.clock.now_ms()
        self.rows[connection_id, loop] = replace(
            row, owner=owner, token=token + 1, expires_at_ms=now_ms + lease_ms, phase="live"
        )
        return Lease(
            connection_id=connection_id,
            loop=loop,
            owner=owner,
            token=token + 1,
            sent_at_ms=now_ms,
            sent_at_monotonic_ms=self.clock.monotonic_ms(),
            lease_ms=lease_ms,
        )

    def renew(self, lease: Lease) -> Lease:
        row = self.confirmed(lease)
        now_ms = self.clock.now_ms()
        self._put(lease, replace(row, expires_at_ms=now_ms + lease.lease_ms))
        return replace(lease, sent_at_ms=now_ms, sent_at_monotonic_ms=self.clock.monotonic_ms())

    def confirmed(self, lease: Lease) -> LeaseRow:
        """The row, if owner and token are still the lease's and it has not run out."""
        row = self.read(lease.connection_id, lease.loop)
        if (row.owner, row.token) != (lease.owner, lease.token):
            raise LeaseLostError(f"lease of {lease.connection_id}#{lease.loop} is {row.owner}'s")
        if row.expires_at_ms <= self.clock.now_ms():
            raise LeaseLostError(f"lease of {lease.connection_id}#{lease.loop} ran out")
        return row

    def go_idle(self, lease: Lease, *, seen_seq: int) -> bool:
        row = self.confirmed(lease)
        if row.wish_seq != seen_seq:
            return False
        freed = replace(row, owner="", expires_at_ms=0, last_slot_ms=0)
        self._put(lease, replace(freed, phase="idle", seen_seq=seen_seq))
        return True

    def release(self, lease: Lease) -> None:
        row = self.read(lease.connection_id, lease.loop)
        if (row.owner, row.token) == (lease.owner, lease.token):
            self._put(lease, replace(row, owner="", expires_at_ms=0, last_slot_ms=0))

    def change(self, connection_id: str, loop: Loop, **values: object) -> None:
        """What an operator or another worker writes: wanted, halt, wish_seq, token."""
        row = self.read(connection_id, loop)
        self.rows[connection_id, loop] = replace(row, **values)  # type: ignore[arg-type]

    def _put(self, lease: Lease, row: LeaseRow) -> None:
        self.rows[lease.connection_id, lease.loop] = row


@dataclass(slots=True)
class FakeStore:
    """One engine's tables as dictionaries; writes of a loop need its lease."""

    clock: FakeClock
    leases: FakeLeases
    engine_row: EngineRow | None = None
    orders: dict[str, Order] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    short_keys: dict[str, str] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)
    risk: RiskRecord | None = None
    commands: dict[str, Command] = field(default_factory=dict)
    consumed: dict[str, Consumed] = field(default_factory=dict)
    ticks: list[TradeTick] = field(default_factory=list)
    minutes: list[Candles] = field(default_factory=list)
    archive: dict[str, dict[int, Candles]] = field(default_factory=dict)
    archived: dict[tuple[str, int], ArchivedResults] = field(default_factory=dict)
    books: dict[str, tuple[tuple[bytes, ...], int]] = field(default_factory=dict)
    position_ticks: list[PositionTicks] = field(default_factory=list)
    heartbeats: list[Mapping[str, int]] = field(default_factory=list)
    loading: list[tuple[str, int]] = field(default_factory=list)

    def engine(self, connection_id: str) -> EngineRow:
        if self.engine_row is None or self.engine_row.connection_id != connection_id:
            raise CorruptStateError(f"connection {connection_id} has no engine row")
        return self.engine_row

    # --- trade loop

    def write_tick(
        self, lease: Lease, tick: TradeTick, wishes: Sequence[Wish], turns: Sequence[Turn] = ()
    ) -> Lease:
        longer = self.leases.renew(lease)
        self.leases.change(lease.connection_id, lease.loop, last_slot_ms=tick.slot_ms)
        self.ticks.append(tick)
        for turn in turns:
            self.put_command(lease.connection_id, self.turn_command(turn))
        for wish in wishes:
            self.put_command(lease.connection_id, self.wish_command(wish))
        return longer

    def turn_command(self, turn: Turn) -> Command:
        return Command(
            command_id=turn.turn_id,
            kind="strategy_exit",
            created_at_ms=self.clock.now_ms(),
            turn=turn,
        )

    def wish_command(self, wish: Wish) -> Command:
        return Command(
            command_id=wish.wish_id, kind="wish", created_at_ms=self.clock.now_ms(), wish=wish
        )

    def put_command(self, connection_id: str, command: Command) -> None:
        """A row, and `wish_seq` plus one on the position loop's lease."""
        self.commands.setdefault(command.command_id, command)
        row = self.leases.read(connection_id, Loop.POSITION)
        self.leases.change(connection_id, Loop.POSITION, wish_seq=row.wish_seq + 1)

    def write_minute(self, lease: Lease, candles: Candles) -> None:
        self.leases.confirmed(lease)
        self.minutes.append(candles)

    def candles_since(self, connection_id: str, since_ms: int) -> tuple[Candles, ...]:
        pieces: list[Candles] = []
        stored = (*self.minutes, *(tick.candles for tick in self.ticks))
        for candles in sorted(stored, key=lambda piece: (int(piece.close_ms[0]), -len(piece))):
            last = int(candles.close_ms[-1])
            if last > since_ms:
                pieces.append(candles.between(since_ms, last))
                since_ms = last
        return tuple(pieces)

    def write_history(self, connection_id: str, candles: Candles) -> None:
        known = {int(ms): row for row, ms in enumerate(candles.close_ms)}
        candles_of = self.archive.setdefault(candles.symbols[0], {})
        for close_ms, row in known.items():
            if candles.kind[row, 0] != Kind.GAP:
                candles_of[close_ms] = candles.rows(row, row + 1)

    def history(self, connection_id: str, symbol: str, start_ms: int, end_ms: int) -> Candles:
        stored = self.archive.get(symbol, {})
        none = gap_candles((symbol,), span_ms=60_000, close_ms=np.empty(0, np.int64))
        whole = join_time([none, *(stored[close_ms] for close_ms in sorted(stored))])
        return fill_gaps(whole, start_ms=start_ms, end_ms=end_ms)

    def save_books(
        self,
        connection_id: str,
        symbol: str,
        parts: Sequence[bytes],
        *,
        last_close_ms: int,
        lease: Lease | None,
    ) -> None:
        if lease is not None:
            self.leases.confirmed(lease)
        self.books[symbol] = (tuple(parts), last_close_ms)

    def load_books(self, connection_id: str, symbol: str) -> tuple[tuple[bytes, ...], int] | None:
        return self.books.get(symbol)

    def archive_results(
        self, connection_id: str, results: Sequence[ArchivedResults], *, keep_days: int
    ) -> None:
        self.archived |= {(each.symbol, each.at_ms): each for each in results}

    def archived_results(
        self, connection_id: str, symbol: str, *, since_ms: int
    ) -> tuple[ArchivedResults, ...]:
        found = (each for _, each in sorted(self.archived.items()))
        return tuple(each for each in found if each.symbol == symbol and each.at_ms >= since_ms)

    # --- position loop

    def held(self, connection_id: str) -> Held:
        live = {n: p for n, p in self.positions.items() if p.status is not PositionStatus.CLOSED}
        closed = [p for p in self.positions.values() if p.status is PositionStatus.CLOSED]
        day_ms = self.risk.day_ms if self.risk and self.risk.day_ms else day_of(self.clock.now_ms())
        results = [
            Result.of(position)
            for position in closed
            if position.entry_quantity > 0 and position.closed_at_ms >= kept_since(day_ms)
        ]
        closed = sorted(closed, key=lambda p: -p.closed_at_ms)[:CLOSED_KEPT]
        named = {*live, *(position.position_id for position in closed)}
        return Held(
            orders=tuple(
                order
                for order in self.orders.values()
                if not order.state.is_terminal or order.position_id in named
            ),
            positions=tuple(live.values()),
            closed=tuple(closed),
            fill_ids=frozenset(self.fills),
            last_fill_ms=max((f.executed_at_ms for f in self.fills.values()), default=0),
            results=tuple(results),
            risk=self.risk,
        )

    def pending(self, connection_id: str) -> tuple[Command, ...]:
        return tuple(c for name, c in sorted(self.commands.items()) if name not in self.consumed)

    def write_facts(self, lease: Lease, facts: Facts) -> None:
        """All or nothing for each position; a taken short key stops that position alone."""
        self.leases.confirmed(lease)
        taken = []
        for position in sorted(facts.positions, key=lambda p: p.status is not _CLOSED):
            if self._is_taken(position):
                taken.append(position)
            else:
                self._put_position(position)
        stopped = {position.position_id for position in taken}
        for order in facts.orders:
            if order.position_id not in stopped:
                self._put_order(order)
        left = {o.client_order_id for o in facts.orders if o.position_id in stopped}
        self.fills.update({f.key: f for f in facts.fills if f.client_order_id not in left})
        wishes = {f"{p.entry_close_ms:013d}|{p.key.text}" for p in taken}
        done = {one.command_id: one for one in facts.consumed if one.command_id not in wishes}
        self.consumed.update(done)
        self.risk = facts.risk or self.risk
        if taken:
            raise ShortKeyTakenError(tuple(position.key.short_text for position in taken))

    def claim(self, lease: Lease, order: Order) -> bool:
        self.leases.confirmed(lease)
        stored = self.orders.get(order.client_order_id)
        if stored is None or stored.state is not OrderState.NEW:
            return False
        self.orders[order.client_order_id] = replace(
            stored, state=OrderState.SUBMITTING, submitting_at_ms=order.submitting_at_ms
        )
        return True

    def write_position_ticks(self, lease: Lease, ticks: PositionTicks) -> Lease:
        longer = self.leases.renew(lease)
        if ticks.ticks:
            slot_ms = ticks.ticks[-1][0]
            self.leases.change(lease.connection_id, lease.loop, last_slot_ms=slot_ms)
        self.position_ticks.append(ticks)
        return longer

    def heartbeat(self, lease: Lease, *, counts: Mapping[str, int]) -> None:
        self.leases.confirmed(lease)
        self.heartbeats.append(counts)

    def report_loading(self, connection_id: str, *, stage: str, progress_pct: int) -> None:
        self.loading.append((stage, progress_pct))

    def _put_order(self, order: Order) -> None:
        held = self.orders.get(order.client_order_id, order).state
        if held is not order.state and (order.state is OrderState.NEW or held.is_terminal):
            raise CorruptStateError(f"order {order.client_order_id} is {held}")
        self.orders[order.client_order_id] = order

    def _is_taken(self, position: Position) -> bool:
        if position.status is not PositionStatus.OPENING:
            return False
        stored = self.positions.get(position.position_id)
        if stored is not None and stored.status is not PositionStatus.OPENING:
            raise CorruptStateError(f"position {position.position_id} is {stored.status}")
        holder = self.short_keys.get(position.key.short_text, position.position_id)
        return holder != position.position_id

    def _put_position(self, position: Position) -> None:
        self.positions[position.position_id] = position
        key = position.key.short_text
        if position.status is PositionStatus.OPENING:
            self.short_keys[key] = position.position_id
        elif position.status is _CLOSED and self.short_keys.get(key) == position.position_id:
            del self.short_keys[key]
