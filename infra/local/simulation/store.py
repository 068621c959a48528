"""The store in memory, with the conditions and transactions of the real tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from engine.errors import CorruptStateError, ShortKeyTakenError
from engine.ledger import Fill, Order, OrderState, Position, PositionStatus
from engine.records import Command, Consumed, Facts, Held, Lease, PositionTicks
from engine.risk import day_of, kept_since
from engine.risk_record import Result, RiskRecord
from local.simulation.trade_tables import TradeTables

CLOSED_KEPT = 50
_CLOSED = PositionStatus.CLOSED


@dataclass(slots=True)
class MemoryStore(TradeTables):
    """One engine's tables as dictionaries; writes of a loop need its lease."""

    orders: dict[str, Order] = field(default_factory=dict)
    positions: dict[str, Position] = field(default_factory=dict)
    short_keys: dict[str, str] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)
    risk: RiskRecord | None = None
    consumed: dict[str, Consumed] = field(default_factory=dict)
    position_ticks: list[PositionTicks] = field(default_factory=list)
    heartbeats: list[Mapping[str, int]] = field(default_factory=list)
    loading: list[tuple[str, int]] = field(default_factory=list)

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
