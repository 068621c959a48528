"""The working copy of one plan: a DeskState opened for change, and the plan as it grows.

It lives within one call of `plan_positions`; what comes out is frozen again.
"""

from dataclasses import replace
from decimal import Decimal

from engine.desk.state import DeskInputs, DeskState, LogFact
from engine.events import Quote
from engine.ledger import Fill, Order, OrderState, Position, PositionStatus, Purpose
from engine.orders import MAX_ATTEMPT, first_attempt, intent, remaining
from engine.reconcile import SymbolSide, expected_quantity
from engine.records import Command, Consumed
from engine.risk import Refusal, stale_price
from engine.risk_record import Result
from engine.settings import Settings
from engine.values import CloseReason, Instrument, Side

FRUITLESS = (OrderState.REJECTED, OrderState.EXPIRED)
FIRST_LOOK_MS = 1500
RETRY_MS = 500  # after a refusal, doubled with each further one
LONGEST_RETRY_MS = 8000
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
        self.guards = dict(state.guards)
        self.unreconciled: dict[str, str] = {}
        self.bare_since = dict(state.bare_since)
        self.payments = dict(state.payments)
        self.paid = dict(state.paid)
        self.funding_asked_ms = state.funding_asked_ms
        self.funding_read_ms = state.funding_read_ms
        self.funding_wanted_ms = state.funding_wanted_ms
        self.filters = dict(state.filters)
        self.filters_asked_ms = state.filters_asked_ms
        self.filters_wanted = state.filters_wanted
        self.add_refused = dict(state.add_refused)
        self.touched = dict(state.touched)
        self.freeing = dict(state.freeing)
        self.alarmed = dict(state.alarmed)
        self.changed_ms = state.changed_ms
        self.started_ms = state.started_ms
        self.halted_ms = state.halted_ms
        self.halt_reads = state.halt_reads
        self.sealed = state.sealed
        self.results = dict(state.results)
        self.uncounted = state.uncounted
        self.risk = state.risk
        self.new_fills: list[Fill] = []
        self.consumed: list[Consumed] = []
        self.cancels: dict[str, Order] = {}
        self.look_ups: dict[str, Order] = {}
        self.prepares: list[tuple[str, int]] = []
        self.fetches: list[tuple[str, int]] = []
        self.funding_since_ms: int | None = None
        self.want_snapshot = False
        self.snapshot_of: frozenset[str] | None = None
        self.want_account = False
        self.want_instruments = False
        self.refusals: dict[str, int] = {}
        self.log: list[LogFact] = []
        self._refused_ms: dict[SymbolSide, int] | None = None
        self.by_position: dict[str, dict[str, Order]] = {}
        for order in self.orders.values():
            self.by_position.setdefault(order.position_id, {})[order.client_order_id] = order

    # --- reading

    def orders_of(self, position_id: str, purpose: Purpose | None = None) -> list[Order]:
        """The orders of a position, first attempts first."""
        found = self.by_position.get(position_id, {}).values()
        chosen = [order for order in found if purpose is None or order.purpose is purpose]
        return sorted(chosen, key=lambda order: (order.purpose, order.attempt))

    def entries_of(self, position_id: str) -> list[Order]:
        """The orders that make a position larger: its entry and the steps of its ladder."""
        return [order for order in self.orders_of(position_id) if not order.reduce_only]

    def shares_of(self, symbol: str, side: Side) -> list[Position]:
        """The shares of a position of the venue that still hold something, the oldest first."""
        found = [
            share
            for share in self.positions.values()
            if (share.key.symbol, share.key.side) == (symbol, side) and share.quantity > 0
        ]
        return sorted(found, key=lambda share: (share.opened_at_ms, share.position_id))

    def excess(self, symbol: str, side: Side) -> Decimal:
        """What the venue was last seen to hold beyond our shares."""
        doubt = self.mismatches.get((symbol, side))
        if doubt is None:
            return Decimal(0)
        return max(doubt.mismatch.venue - doubt.mismatch.ours, Decimal(0))

    def price_of(self, asset: str, quote: str) -> Decimal | None:
        """The last price of an asset in another, if it is followed."""
        known = self.inputs.quotes.get(asset + quote)
        return None if known is None else known.price

    def instrument(self, symbol: str) -> Instrument | None:
        """What is traded, in the steps that the venue takes now."""
        return self.filters.get(symbol) or self.inputs.instruments.get(symbol)

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

    def stop_cover(self, position: Position) -> Decimal:
        """How much of it live stops on the venue cover."""
        stops = self.orders_of(position.position_id, Purpose.STOP)
        return sum((remaining(order) for order in stops if self.is_live(order)), Decimal(0))

    def may_retry(self, position: Position, orders: list[Order]) -> bool:
        """Whether the pause after the last refusal is over; it doubles with each one.

        What was refused before the position last changed says nothing of what it needs now.
        """
        changed_ms = position.updated_at_ms
        refused = [
            order
            for order in orders
            if order.state is OrderState.REJECTED and order.updated_at_ms >= changed_ms
        ]
        if not refused or orders[-1].state is not OrderState.REJECTED:
            return True
        pause_ms: int = min(RETRY_MS * 2 ** min(len(refused) - 1, 8), LONGEST_RETRY_MS)
        return self.now_ms - refused[-1].updated_at_ms >= pause_ms

    def is_live(self, order: Order) -> bool:
        """Whether the venue is known to hold it; a doubt counts once a look-up had its chance."""
        since_ms = self.doubted.get(order.client_order_id)
        if since_ms is None:
            return order.state.is_working
        is_denied = order.client_order_id in self.not_found
        return order.state.is_working and not is_denied and self.now_ms - since_ms < DOUBT_MS

    def refused_ms(self) -> dict[SymbolSide, int]:
        """When the venue last refused to reduce (symbol, side), or found nothing to reduce."""
        if self._refused_ms is None:
            self._refused_ms = {}
            for order in self.orders.values():
                if order.reduce_only and order.state in FRUITLESS and not order.filled_quantity:
                    at = (order.symbol, order.side)
                    last_ms = self._refused_ms.get(at, 0)
                    self._refused_ms[at] = max(last_ms, order.updated_at_ms)
        return self._refused_ms

    def knows_venue(self) -> bool:
        """Whether the venue's orders were read, or could not be for too long to wait any more.

        Until then a new owner makes no protection: what its books lack may be on the venue.
        """
        return self.snapshot is not None or self.now_ms - self.started_ms >= FIRST_LOOK_MS

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
        """Store it where its status says.

        Its time is that of its last movement: a trailing stop that follows the price for minutes
        must not keep the quantity from being compared with the venue's.
        """
        held = self.positions.get(position.position_id) or self.closed.get(position.position_id)
        if held == position:
            return
        moved = (position.quantity, position.status)
        if held is None or (held.quantity, held.status) != moved:
            position = replace(position, updated_at_ms=self.now_ms)
        self.positions.pop(position.position_id, None)
        self.closed.pop(position.position_id, None)
        is_closed = position.status is PositionStatus.CLOSED
        (self.closed if is_closed else self.positions)[position.position_id] = position
        self._put_result(position)
        self.changed_ms = self.now_ms

    def _put_result(self, position: Position) -> None:
        """What it came to, once it is closed; a late fill opens it again."""
        known = self.results.pop(position.position_id, None)
        if position.status is PositionStatus.CLOSED and position.entry_quantity > 0:
            self.results[position.position_id] = Result.of(position)
            if known is None:
                self.funding_wanted_ms = self.now_ms
        if known or position.position_id in self.results:
            self.uncounted = True

    def new_order(
        self,
        position: Position,
        purpose: Purpose,
        quantity: Decimal,
        trigger: Decimal | None = None,
        *,
        attempt: int | None = None,
    ) -> Order:
        """Store the intent of an attempt, the next if none is given; it is sent in this plan."""
        if attempt is None:
            attempts = [order.attempt for order in self.orders_of(position.position_id, purpose)]
            next_one = max(max(attempts, default=-1) + 1, first_attempt(position))
            attempt = min(next_one, MAX_ATTEMPT)
        made = intent(
            position,
            purpose,
            attempt=attempt,
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

    def want_fills(self, symbol: str, *, from_ms: int = 0) -> None:
        """Have them read, until they were asked for now or later, or at `from_ms` or later."""
        wanted_ms = self.fetch_wanted.get(symbol, self.now_ms)
        self.fetch_wanted[symbol] = max(wanted_ms, from_ms)

    def consume(self, command: Command, outcome: str, why: Refusal | None = None) -> None:
        """Deal with it once for all; `why` says what a refusal, or the doing, came to."""
        self.pending.pop(command.command_id, None)
        self.done[command.command_id] = self.now_ms
        code = why.code if why else ""
        self.consumed.append(
            Consumed(
                command_id=command.command_id,
                outcome=outcome,
                reason=code,
                numbers=why.texts if why else {},
                kind=command.kind,
                position_id=command.position_id,
                created_at_ms=command.created_at_ms,
            )
        )
        if outcome == "refused":
            self.refusals[code] = self.refusals.get(code, 0) + 1

    def note(self, event: str, **values: object) -> None:
        texts = {name: str(value) for name, value in values.items()}
        self.log.append(LogFact(event=event, values=texts))

    def alarm(self, event: str, **values: object) -> None:
        """Note what needs eyes."""
        self.note(event, **values)
        self.log[-1] = replace(self.log[-1], needs_eyes=True)

    def alarm_once(self, event: str, subject: str, **values: object) -> None:
        """Note what needs eyes once while it lasts; see `settled`."""
        if self.alarmed.setdefault(f"{event} {subject}", self.now_ms) == self.now_ms:
            self.alarm(event, **values)

    def settled(self, event: str, subject: str) -> None:
        """What `alarm_once` told of is over; it may be told of again."""
        self.alarmed.pop(f"{event} {subject}", None)
