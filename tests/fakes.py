"""The store, the leases and the clock in memory, with the conditions the real ones keep."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.errors import CorruptStateError, LeaseLostError
from engine.market import Candles
from engine.ports import (
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
from engine.values import Fill, Loop, Order, OrderState, Position, PositionStatus, Wish

CLOSED_KEPT = 50


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

    def read(self, connection_id: str, loop: Loop) -> LeaseRow:
        empty = LeaseRow(
            owner="",
            token=0,
            expires_at_ms=0,
            last_slot_ms=0,
            wish_seq=0,
            seen_seq=0,
            phase="idle",
            wanted="run",
            halt=False,
        )
        return self.rows.setdefault((connection_id, loop), empty)

    def take(
        self, connection_id: str, loop: Loop, *, token: int, owner: str, lease_ms: int
    ) -> Lease:
        row = self.read(connection_id, loop)
        if row.token != token:
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
            sent_at_monotonic_ms=now_ms,
            lease_ms=lease_ms,
        )

    def renew(self, lease: Lease) -> Lease:
        row = self.confirmed(lease)
        now_ms = self.clock.now_ms()
        self._put(lease, replace(row, expires_at_ms=now_ms + lease.lease_ms))
        return replace(lease, sent_at_ms=now_ms, sent_at_monotonic_ms=now_ms)

    def confirmed(self, lease: Lease) -> LeaseRow:
        """The row, if owner and token are still the lease's."""
        row = self.read(lease.connection_id, lease.loop)
        if (row.owner, row.token) != (lease.owner, lease.token):
            raise LeaseLostError(f"lease of {lease.connection_id}#{lease.loop} is {row.owner}'s")
        return row

    def go_idle(self, lease: Lease, *, seen_seq: int) -> bool:
        row = self.confirmed(lease)
        if row.wish_seq != seen_seq:
            return False
        self._put(lease, replace(row, phase="idle", owner="", expires_at_ms=0, seen_seq=seen_seq))
        return True

    def release(self, lease: Lease) -> None:
        row = self.confirmed(lease)
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
    commands: dict[str, Command] = field(default_factory=dict)
    consumed: dict[str, Consumed] = field(default_factory=dict)
    ticks: list[TradeTick] = field(default_factory=list)
    minutes: list[Candles] = field(default_factory=list)
    archive: dict[str, list[Candles]] = field(default_factory=dict)
    books: dict[str, tuple[tuple[bytes, ...], int]] = field(default_factory=dict)
    position_ticks: list[PositionTicks] = field(default_factory=list)
    heartbeats: list[Mapping[str, int]] = field(default_factory=list)
    loading: list[tuple[str, int]] = field(default_factory=list)

    def engine(self, connection_id: str) -> EngineRow:
        if self.engine_row is None or self.engine_row.connection_id != connection_id:
            raise CorruptStateError(f"connection {connection_id} has no engine row")
        return self.engine_row

    # --- trade loop

    def write_tick(self, lease: Lease, tick: TradeTick, wishes: Sequence[Wish]) -> Lease:
        longer = self.leases.renew(lease)
        self.leases.change(lease.connection_id, lease.loop, last_slot_ms=tick.slot_ms)
        self.ticks.append(tick)
        for wish in wishes:
            self.put_command(lease.connection_id, self.wish_command(wish))
        return longer

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
        kept = [*self.minutes, *(tick.candles for tick in self.ticks)]
        return tuple(c for c in kept if len(c) and int(c.close_ms[-1]) > since_ms)

    def write_history(self, connection_id: str, candles: Candles) -> None:
        self.archive.setdefault(candles.symbols[0], []).append(candles)

    def history(self, connection_id: str, symbol: str, start_ms: int, end_ms: int) -> Candles:
        for candles in reversed(self.archive.get(symbol, [])):
            if int(candles.close_ms[0]) > start_ms and int(candles.close_ms[-1]) <= end_ms:
                return candles
        raise CorruptStateError(f"no history of {symbol} in [{start_ms}, {end_ms})")

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

    # --- position loop

    def held(self, connection_id: str) -> Held:
        live = {n: p for n, p in self.positions.items() if p.status is not PositionStatus.CLOSED}
        closed = [p for p in self.positions.values() if p.status is PositionStatus.CLOSED]
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
        )

    def pending(self, connection_id: str) -> tuple[Command, ...]:
        return tuple(c for name, c in self.commands.items() if name not in self.consumed)

    def write_facts(self, lease: Lease, facts: Facts) -> None:
        """All or nothing: every condition is checked before anything is written."""
        self.leases.confirmed(lease)
        for order in facts.orders:
            self._check_order(order)
        freed = {p.key.short_text for p in facts.positions if p.status is PositionStatus.CLOSED}
        for position in facts.positions:
            self._check_position(position, freed)
        self.orders.update({order.client_order_id: order for order in facts.orders})
        self.fills.update({fill.key: fill for fill in facts.fills})
        self.consumed.update({done.command_id: done for done in facts.consumed})
        by_end = sorted(facts.positions, key=lambda p: p.status is not PositionStatus.CLOSED)
        for position in by_end:
            self._put_position(position)

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

    def _check_order(self, order: Order) -> None:
        stored = self.orders.get(order.client_order_id)
        if order.state is OrderState.NEW and stored is not None:
            raise CorruptStateError(f"intent {order.client_order_id} exists as {stored.state}")
        if stored is not None and stored.state.is_terminal and stored.state is not order.state:
            raise CorruptStateError(f"order {order.client_order_id} ended as {stored.state}")

    def _check_position(self, position: Position, freed: set[str]) -> None:
        if position.status is not PositionStatus.OPENING:
            return
        key = position.key.short_text
        holder = self.short_keys.get(key, position.position_id)
        if position.position_id in self.positions and holder != position.position_id:
            raise CorruptStateError(f"position {position.position_id} went on")
        if holder != position.position_id and key not in freed:
            raise CorruptStateError(f"short key {key} is held by {holder}")

    def _put_position(self, position: Position) -> None:
        self.positions[position.position_id] = position
        key = position.key.short_text
        if position.status is PositionStatus.OPENING:
            self.short_keys[key] = position.position_id
        elif (
            position.status is PositionStatus.CLOSED
            and self.short_keys.get(key) == position.position_id
        ):
            del self.short_keys[key]
