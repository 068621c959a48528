"""The working copy of one plan: a DeskState opened for change, and the plan as it grows.

It lives within one call of `plan_positions`; what comes out is frozen again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

from engine.desk.state import DeskInputs, DeskPlan, DeskState, LogFact
from engine.orders import MAX_ATTEMPT, intent, missing
from engine.ports import Command, Consumed, Facts, Quote
from engine.reconcile import expected_quantity
from engine.risk import Refusal, stale_price
from engine.settings import Settings
from engine.values import (
    CloseReason,
    Fill,
    Instrument,
    Order,
    OrderState,
    Position,
    PositionStatus,
    Purpose,
)

DOUBT_MS = 1000  # an order missing from an answer counts as live this long, while it is looked up


class Book:
    """Mutable view of one tick."""

    def __init__(self, state: DeskState, inputs: DeskInputs, settings: Settings) -> None:
        self.before = state
        self.inputs = inputs
        self.settings = settings
        self.now_ms = inputs.now_ms
        self.orders = dict(state.orders)
        self.positions = dict(state.positions)
        self.closed = dict(state.closed)
        self.fill_ids = set(state.fill_ids)
        self.loose = dict(state.loose)
        self.pending = dict(state.pending)
        self.done = dict(state.done)
        self.account = state.account
        self.account_asked_ms = state.account_asked_ms
        self.prepared = dict(state.prepared)
        self.preparing = dict(state.preparing)
        self.unprepared = dict(state.unprepared)
        self.looked = dict(state.looked)
        self.looked_last = dict(state.looked_last)
        self.not_found = dict(state.not_found)
        self.doubted = dict(state.doubted)
        self.cancelling = dict(state.cancelling)
        self.fetching = dict(state.fetching)
        self.fetched = dict(state.fetched)
        self.fetch_wanted = dict(state.fetch_wanted)
        self.snapshot = state.snapshot
        self.snapshot_asked_ms = state.snapshot_asked_ms
        self.snapshot_failed_ms = state.snapshot_failed_ms
        self.snapshot_wanted_ms = state.snapshot_wanted_ms
        self.mismatches = dict(state.mismatches)
        self.bare_since = dict(state.bare_since)
        self.touched = dict(state.touched)
        self.changed_ms = state.changed_ms
        self.sealed = state.sealed
        self.new_fills: list[Fill] = []
        self.consumed: list[Consumed] = []
        self.cancels: dict[str, Order] = {}
        self.look_ups: dict[str, Order] = {}
        self.prepares: list[tuple[str, int]] = []
        self.fetches: list[tuple[str, int]] = []
        self.want_snapshot = False
        self.want_account = False
        self.refusals: dict[str, int] = {}
        self.log: list[LogFact] = []
        self.by_position: dict[str, dict[str, Order]] = {}
        for order in self.orders.values():
            self.by_position.setdefault(order.position_id, {})[order.client_order_id] = order

    # --- reading

    def orders_of(self, position_id: str, purpose: Purpose | None = None) -> list[Order]:
        """The orders of a position, first attempts first."""
        found = self.by_position.get(position_id, {}).values()
        chosen = [order for order in found if purpose is None or order.purpose is purpose]
        return sorted(chosen, key=lambda order: (order.purpose, order.attempt))

    def instrument(self, symbol: str) -> Instrument | None:
        return self.inputs.instruments.get(symbol)

    def fresh_quote(self, symbol: str) -> Quote | Refusal:
        """The last price if it may decide anything."""
        quote = self.inputs.quotes.get(symbol)
        refusal = stale_price(quote, self.now_ms, self.settings)
        if refusal is not None or quote is None:
            return refusal or Refusal(code="price_unknown")
        return quote

    def expected(self, position: Position) -> Decimal:
        """Quantity that protection must cover."""
        return expected_quantity(position, self.orders_of(position.position_id))

    def is_live(self, order: Order) -> bool:
        """Whether the venue is known to hold it; a doubt counts once a look-up had its chance."""
        since_ms = self.doubted.get(order.client_order_id)
        if since_ms is None:
            return order.state.is_working
        is_denied = order.client_order_id in self.not_found
        return order.state.is_working and not is_denied and self.now_ms - since_ms < DOUBT_MS

    # --- writing

    def put_order(self, order: Order) -> None:
        before = self.orders.get(order.client_order_id)
        if before == order:
            return
        if before is None or before.updated_at_ms == order.updated_at_ms:
            order = replace(order, updated_at_ms=max(self.now_ms, order.updated_at_ms))
        self.orders[order.client_order_id] = order
        self.by_position.setdefault(order.position_id, {})[order.client_order_id] = order
        self.changed_ms = self.now_ms

    def put_position(self, position: Position) -> None:
        """Store it where its status says."""
        held = self.positions.get(position.position_id) or self.closed.get(position.position_id)
        if held == position:
            return
        position = replace(position, updated_at_ms=self.now_ms)
        self.positions.pop(position.position_id, None)
        self.closed.pop(position.position_id, None)
        is_closed = position.status is PositionStatus.CLOSED
        (self.closed if is_closed else self.positions)[position.position_id] = position
        self.changed_ms = self.now_ms

    def new_order(
        self, position: Position, purpose: Purpose, quantity: Decimal, trigger: Decimal | None
    ) -> Order:
        """Store the intent of a next attempt; it is sent in this plan."""
        attempts = [order.attempt for order in self.orders_of(position.position_id, purpose)]
        made = intent(
            position,
            purpose,
            attempt=min(max(attempts, default=-1) + 1, MAX_ATTEMPT),
            quantity=quantity,
            now_ms=self.now_ms,
            trigger_price=trigger,
        )
        self.put_order(made)
        return made

    def close(self, position: Position, reason: CloseReason) -> Position:
        """Claim the close: from here on only the first reason counts."""
        if position.status is PositionStatus.CLOSING:
            return position
        closing = replace(position, status=PositionStatus.CLOSING, close_reason=reason)
        self.put_position(closing)
        self.note("position_closing", position=position.position_id, reason=reason)
        return closing

    def cancel(self, order: Order) -> None:
        """Ask the venue to cancel, once a second until the order is terminal.

        While a look-up is under way or due, the cancel waits: its answer could be taken for it.
        """
        client_id = order.client_order_id
        if client_id in self.doubted:
            return
        asked = self.cancelling.get(client_id)
        if client_id in self.looked or (asked is not None and self.now_ms - asked < 1000):
            return
        self.cancelling[client_id] = self.now_ms
        self.cancels[client_id] = order

    def doubt(self, order: Order) -> None:
        """The venue did not show an order it should hold: look it up."""
        if order.client_order_id not in self.doubted:
            self.doubted[order.client_order_id] = self.now_ms
            self.note("order_doubted", order=order.client_order_id)

    def want_fills(self, symbol: str) -> None:
        self.fetch_wanted.setdefault(symbol, self.now_ms)

    def consume(self, command: Command, outcome: str, refusal: Refusal | None = None) -> None:
        self.pending.pop(command.command_id, None)
        self.done[command.command_id] = self.now_ms
        code = refusal.code if refusal else ""
        numbers = refusal.texts if refusal else {}
        self.consumed.append(
            Consumed(command_id=command.command_id, outcome=outcome, reason=code, numbers=numbers)
        )
        if refusal is not None:
            self.refusals[code] = self.refusals.get(code, 0) + 1

    def note(self, event: str, **values: object) -> None:
        texts = {name: str(value) for name, value in values.items()}
        self.log.append(LogFact(event=event, values=texts))

    # --- closing the books

    def finished(self, *, idle: bool) -> tuple[DeskState, DeskPlan]:
        """The frozen state after the plan, and the plan."""
        facts = Facts(
            orders=_changed(self.orders, self.before.orders),
            positions=self._changed_positions(),
            fills=tuple(self.new_fills),
            consumed=tuple(self.consumed),
        )
        sends = self._claimable()
        own = {f.name for f in fields(DeskState)} - {"connection_id", "fill_ids"}
        values: dict[str, Any] = {name: getattr(self, name) for name in own}
        state = DeskState(
            connection_id=self.before.connection_id,
            fill_ids=frozenset(self.fill_ids) if self.new_fills else self.before.fill_ids,
            **values,
        )
        plan = DeskPlan(
            facts=facts,
            sends=sends,
            cancels=tuple(self.cancels.values()),
            look_ups=tuple(self.look_ups.values()),
            prepares=tuple(self.prepares),
            fetch_fills=tuple(self.fetches),
            want_snapshot=self.want_snapshot,
            want_account=self.want_account,
            follow=self._follow(),
            refusals=self.refusals,
            idle=idle,
            log=tuple(self.log),
        )
        return state, plan

    def _claimable(self) -> tuple[Order, ...]:
        """New orders leave for the shell; for us they are submitting from this moment on."""
        fresh = [order for order in self.orders.values() if order.state is OrderState.NEW]
        sends = []
        for order in sorted(fresh, key=_urgency):
            sent = replace(order, submitting_at_ms=self.now_ms)
            sends.append(sent)
            self.orders[order.client_order_id] = replace(sent, state=OrderState.SUBMITTING)
        return tuple(sends)

    def _changed_positions(self) -> tuple[Position, ...]:
        now = self.positions | self.closed
        return _changed(now, {**self.before.positions, **self.before.closed})

    def _follow(self) -> frozenset[str]:
        wished = {c.wish.key.symbol for c in self.pending.values() if c.wish is not None}
        return frozenset(wished | {p.key.symbol for p in self.positions.values()})

    def forget(self, kept_ms: int) -> None:
        """Drop what is settled: old closings with their orders, answered questions."""
        self.closed = {
            name: position
            for name, position in self.closed.items()
            if self.now_ms - position.closed_at_ms < kept_ms
        }
        kept = self.positions.keys() | self.closed.keys()
        for client_id, order in list(self.orders.items()):
            is_over = order.state.is_terminal and missing(order) == 0
            if order.position_id not in kept and is_over:
                del self.orders[client_id]
        self.loose = {
            key: fill
            for key, fill in self.loose.items()
            if self.now_ms - fill.executed_at_ms < kept_ms
        }
        self.done = {key: ms for key, ms in self.done.items() if self.now_ms - ms < kept_ms}
        alive = {c for c, order in self.orders.items() if not order.state.is_terminal}
        for asked in (self.looked, self.looked_last, self.doubted):
            _keep(asked, alive)
        self.not_found = {c: times for c, times in self.not_found.items() if c in alive}
        orphans = {c for c, ms in self.cancelling.items() if self.now_ms - ms < kept_ms}
        _keep(self.cancelling, alive | (orphans - self.orders.keys()))
        for noted in (self.bare_since, self.touched):
            _keep(noted, self.positions)


def _keep(times: dict[str, int], names: Iterable[str]) -> None:
    wanted = set(names)
    for name in [name for name in times if name not in wanted]:
        del times[name]


def _changed[Row](now: Mapping[str, Row], before: Mapping[str, Row]) -> tuple[Row, ...]:
    return tuple(row for name, row in now.items() if before.get(name) is not row)


_URGENCY = {Purpose.STOP: 0, Purpose.CLOSE: 1, Purpose.TARGET: 2, Purpose.ENTRY: 3}


def _urgency(order: Order) -> tuple[int, str]:
    """Protection first; then by name, so that equal inputs give equal plans."""
    return _URGENCY[order.purpose], order.client_order_id
