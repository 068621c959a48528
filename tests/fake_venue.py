"""One account on one venue in memory, under virtual time, with seeded faults.

Requests travel: an order may be lost on the way, arrive late, or be accepted while its answer is
lost. Market orders may fill in pieces, user events may be dropped, doubled, delayed and swapped,
accepted orders stay invisible for a while, reads fail. `Exchange` is spoken by the async methods;
`advance` moves prices' and requests' effects up to the clock's time.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from engine.errors import VenueBusyError, VenueRefusedError
from engine.events import (
    NOTHING_READ,
    Account,
    CancelUnclear,
    Event,
    Funding,
    KeyRights,
    NotFound,
    OrderUpdate,
    SendUnclear,
    Snapshot,
    SnapshotFailed,
    Unclear,
    VenueOrder,
    VenuePosition,
)
from engine.ledger import Fill, FillKind, Order, OrderState, OrderType
from engine.market import Candles
from engine.orders import is_ours
from engine.ports import Clock
from engine.values import Instrument, OrderSide, Side

TAKER_FEE = Decimal("0.0005")
ALL_BUT_WITHDRAWAL = KeyRights(can_trade=True, can_withdraw=False, is_address_bound=True)
START_EQUITY = Decimal(10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Probabilities of what goes wrong, and bounds of how late things are."""

    send_lost: float = 0.0
    answer_lost: float = 0.0
    send_late: float = 0.0
    send_refused: float = 0.0
    partial: float = 0.0
    event_dropped: float = 0.0
    event_doubled: float = 0.0
    event_delay_ms: int = 0
    look_up_failed: float = 0.0
    cancel_unclear: float = 0.0
    snapshot_failed: float = 0.0
    fills_failed: float = 0.0
    funding_failed: float = 0.0
    invisible_ms: int = 0


@dataclass(slots=True)
class VenueRow:
    """An order on the venue's own books."""

    order: Order
    exchange_order_id: str
    accepted_ms: int
    state: OrderState = OrderState.OPEN
    filled: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    is_triggered: bool = False
    updated_ms: int = 0
    next_piece_ms: int = 0

    @property
    def is_live(self) -> bool:
        return not self.state.is_terminal


@dataclass(slots=True)
class FakeVenue:
    """The venue's books; knows nothing of ours but what it was sent."""

    clock: Clock
    instruments_by_symbol: dict[str, Instrument]
    seed: int = 0
    faults: Faults = field(default_factory=Faults)
    prices: dict[str, Decimal] = field(default_factory=dict)
    rows: dict[str, VenueRow] = field(default_factory=dict)
    positions: dict[tuple[str, Side], Decimal] = field(default_factory=dict)
    trades: list[Fill] = field(default_factory=list)
    payments: list[Funding] = field(default_factory=list)
    key_rights: KeyRights = ALL_BUT_WITHDRAWAL
    mode_seen: bool | None = None  # the position mode its snapshots show
    entry_price: Decimal | None = None  # what its snapshots show instead of the last price
    fee_asset: str = ""  # instead of the quote currency
    fee_rate: Decimal = TAKER_FEE
    arrived: list[str] = field(default_factory=list)
    duplicates: int = 0
    cash: Decimal = Decimal(0)
    equity: Decimal | None = None  # what the account shows, whatever was earned
    clock_ahead_ms: int = 0  # of the clock its executions are timed by
    leverages: dict[str, int] = field(default_factory=dict)
    unpreparable: set[str] = field(default_factory=set)
    script: list[Callable[[Order], OrderUpdate | SendUnclear | None]] = field(default_factory=list)
    recalled: list[Order] = field(default_factory=list)
    _transit: list[tuple[int, Order]] = field(default_factory=list)
    whole: Snapshot = NOTHING_READ
    _outbox: list[tuple[int, int, Event]] = field(default_factory=list)
    _serial: int = 0
    _random: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    # --- the market and the user stream

    def set_price(self, symbol: str, price: Decimal) -> None:
        self.prices[symbol] = price
        self.advance()

    def advance(self) -> None:
        """Requests that arrived by now, triggers that were touched, pieces that fill."""
        now_ms = self.clock.now_ms()
        due = [order for at_ms, order in self._transit if at_ms <= now_ms]
        self._transit = [(at_ms, order) for at_ms, order in self._transit if at_ms > now_ms]
        for order in due:
            self.accept(order)
        for row in list(self.rows.values()):
            if row.is_live and not row.is_triggered and self._touches(row):
                row.is_triggered = True
            if row.is_live and row.is_triggered and now_ms >= row.next_piece_ms:
                self._fill(row)

    def events(self) -> tuple[Event, ...]:
        """The user stream's messages that are due, as they would come."""
        now_ms = self.clock.now_ms()
        due = sorted(entry[:2] for entry in self._outbox if entry[0] <= now_ms)
        by_key = {entry[:2]: entry[2] for entry in self._outbox}
        self._outbox = [entry for entry in self._outbox if entry[0] > now_ms]
        return tuple(by_key[key] for key in due)

    def quantity(self, symbol: str, side: Side) -> Decimal:
        return self.positions.get((symbol, side), Decimal(0))

    def live(self) -> list[VenueRow]:
        return [row for row in self.rows.values() if row.is_live]

    def stop_cover(self, symbol: str, side: Side) -> Decimal:
        """Live stop quantity of (symbol, side)."""
        return sum(
            (
                row.order.quantity - row.filled
                for row in self.live()
                if (row.order.symbol, row.order.side) == (symbol, side)
                and row.order.order_type is OrderType.STOP_MARKET
            ),
            Decimal(0),
        )

    def arrive_at(self, at_ms: int, order: Order) -> None:
        """The request is still on its way."""
        self._transit.append((at_ms, order))

    def copy_of(self, order: Order, client_order_id: str) -> str:
        """A live order like `order` under another name, from nowhere."""
        row = self.rows[order.client_order_id]
        copied = replace(row.order, client_order_id=client_order_id)
        self.rows[client_order_id] = replace(row, order=copied, exchange_order_id=client_order_id)
        return client_order_id

    def trade_outside(self, symbol: str, side: Side, quantity: Decimal) -> None:
        """Somebody else trades on the account: positive opens, negative reduces."""
        closing = quantity < 0
        self.positions[symbol, side] = self.quantity(symbol, side) + quantity
        fill = self._trade("", "outside", symbol, side, closing=closing, quantity=abs(quantity))
        self._emit(fill)

    def pay_funding(self, symbol: str, rate: str, *, telling_sides: bool = True) -> None:
        """Longs pay `rate` of the value to shorts, each position on its own."""
        for side in Side:
            quantity = self.quantity(symbol, side)
            if quantity > 0:
                amount = -side.sign * quantity * self.prices[symbol] * Decimal(rate)
                paid = Funding(
                    funding_id=f"f{len(self.payments) + 1}",
                    symbol=symbol,
                    side=side if telling_sides else None,
                    amount=amount,
                    asset=self.instruments_by_symbol[symbol].quote,
                    at_ms=self.clock.now_ms(),
                )
                self.payments.append(paid)
                self.cash += amount

    def force(self, symbol: str, side: Side, kind: FillKind, quantity: Decimal) -> Fill:
        """The venue itself reduces a position, under a client id of its own."""
        name = "autoclose-77" if kind is FillKind.LIQUIDATION else "adl_autoclose"
        self.positions[symbol, side] = self.quantity(symbol, side) - quantity
        made = self._trade(name, "venue", symbol, side, closing=True, quantity=quantity, kind=kind)
        self._emit(made)
        return made

    # --- Exchange

    def recall(self, orders: Iterable[Order]) -> None:
        self.recalled.extend(orders)

    async def instruments(self) -> tuple[Instrument, ...]:
        return tuple(self.instruments_by_symbol.values())

    async def prepare(self, symbol: str, *, leverage: int, hedge: bool, cross: bool) -> None:
        self.prepare_now(symbol, leverage)

    def prepare_now(self, symbol: str, leverage: int) -> None:
        most = self.instruments_by_symbol[symbol].max_leverage
        if leverage > most or symbol in self.unpreparable:
            raise VenueRefusedError(f"leverage {leverage} of {symbol} is refused", code="-4028")
        self.leverages[symbol] = leverage

    async def send(self, order: Order, *, valid_ms: int) -> OrderUpdate | SendUnclear:
        return self.send_now(order, valid_ms=valid_ms)

    def send_now(self, order: Order, *, valid_ms: int) -> OrderUpdate | SendUnclear:
        if self.script:
            scripted = self.script.pop(0)(order)
            if scripted is not None:
                return scripted
        if self._strikes(self.faults.send_lost):
            return self._unclear(order.client_order_id, Unclear.CONNECTION)
        if self._strikes(self.faults.send_late):
            delay_ms = self._random.randrange(1, 2 * valid_ms)
            if delay_ms <= valid_ms:  # what arrives later is refused by the venue itself
                self.arrive_at(self.clock.now_ms() + delay_ms, order)
            return self._unclear(order.client_order_id, Unclear.TIMEOUT)
        if self._strikes(self.faults.send_refused):
            return self.refusal(order, "injected refusal")
        answer = self.accept(order)
        if self._strikes(self.faults.answer_lost):
            return self._unclear(order.client_order_id, Unclear.TIMEOUT)
        return answer

    async def cancel(self, order: Order) -> OrderUpdate | NotFound | CancelUnclear:
        return self.cancel_now(order)

    def cancel_now(self, order: Order) -> OrderUpdate | NotFound | CancelUnclear:
        client_id, now_ms = order.client_order_id, self.clock.now_ms()
        row = self.rows.get(client_id)
        if self._strikes(self.faults.cancel_unclear):
            if row is not None and row.is_live and self._random.random() < 0.5:
                self._end(row, OrderState.CANCELLED)
            return CancelUnclear(client_order_id=client_id, text="timeout", at_ms=now_ms)
        if row is None or not row.is_live:
            return NotFound(client_order_id=client_id, at_ms=now_ms)
        self._end(row, OrderState.CANCELLED)
        return self._update(row)

    async def look_up(self, order: Order) -> OrderUpdate | NotFound | SendUnclear:
        return self.look_up_now(order)

    def look_up_now(self, order: Order) -> OrderUpdate | NotFound | SendUnclear:
        client_id, now_ms = order.client_order_id, self.clock.now_ms()
        if self._strikes(self.faults.look_up_failed):
            return self._unclear(client_id, Unclear.TIMEOUT)
        row = self.rows.get(client_id)
        if row is None or now_ms - row.accepted_ms < self.faults.invisible_ms:
            return NotFound(client_order_id=client_id, at_ms=now_ms)
        return self._update(row)

    async def snapshot(self, symbols: frozenset[str] | None = None) -> Snapshot | SnapshotFailed:
        return self.snapshot_now(symbols)

    def snapshot_now(self, symbols: frozenset[str] | None = None) -> Snapshot | SnapshotFailed:
        """As a venue does whose list of all weighs much: others than asked for as last read."""
        now_ms = self.clock.now_ms()
        if self._strikes(self.faults.snapshot_failed):
            return SnapshotFailed(text="timeout", at_ms=now_ms)
        if symbols is not None:
            return self._read(now_ms).of_symbols(symbols, self.whole)
        self.whole = self._read(now_ms)
        return self.whole

    def _read(self, now_ms: int) -> Snapshot:
        return Snapshot(
            positions=tuple(
                VenuePosition(
                    symbol=symbol,
                    side=side,
                    quantity=quantity,
                    entry_price=self.entry_price or self.prices.get(symbol, Decimal(0)),
                )
                for (symbol, side), quantity in self.positions.items()
                if quantity > 0
            ),
            orders=tuple(
                self._listed(row)
                for row in self.live()
                if now_ms - row.accepted_ms >= self.faults.invisible_ms
            ),
            asked_ms=now_ms,
            at_ms=now_ms,
            hedge=self.mode_seen,
        )

    async def fills(self, symbol: str, *, since_ms: int) -> tuple[Fill, ...]:
        return self.fills_now(symbol, since_ms=since_ms)

    def fills_now(self, symbol: str, *, since_ms: int) -> tuple[Fill, ...]:
        if self._strikes(self.faults.fills_failed):
            raise VenueBusyError("fills: timeout")
        return tuple(
            fill
            for fill in self.trades
            if fill.symbol == symbol and fill.executed_at_ms >= since_ms
        )

    async def funding(self, *, since_ms: int) -> tuple[Funding, ...]:
        return self.funding_now(since_ms=since_ms)

    def funding_now(self, *, since_ms: int) -> tuple[Funding, ...]:
        if self._strikes(self.faults.funding_failed):
            raise VenueBusyError("funding: timeout")
        return tuple(paid for paid in self.payments if paid.at_ms >= since_ms)

    async def skew_ms(self) -> int:
        return self.clock_ahead_ms

    async def rights(self) -> KeyRights:
        return self.key_rights

    async def account(self) -> Account:
        return self.account_now()

    def account_now(self) -> Account:
        held = sum(
            (quantity * self.prices[symbol] * side.sign)
            for (symbol, side), quantity in self.positions.items()
        )
        equity = self.equity or START_EQUITY + self.cash + held
        return Account(equity=equity, free_margin=equity, at_ms=self.clock.now_ms())

    async def history(self, symbol: str, *, span_ms: int, start_ms: int, end_ms: int) -> Candles:
        raise VenueRefusedError(f"this venue keeps no history of {symbol}")

    async def close(self) -> None:
        """Nothing is held open."""

    # --- the venue's own work

    def accept(self, order: Order) -> OrderUpdate:
        """The request arrived."""
        client_id, now_ms = order.client_order_id, self.clock.now_ms()
        self.arrived.append(client_id)
        if client_id in self.rows:
            self.duplicates += 1
            return self._update(self.rows[client_id])  # as an adapter that looks it up
        refused = self._refused(order)
        if refused:
            return self.refusal(order, refused)
        self._serial += 1
        row = VenueRow(
            order=order,
            exchange_order_id=str(self._serial),
            accepted_ms=now_ms,
            updated_ms=now_ms,
            is_triggered=not order.order_type.is_conditional,
        )
        if order.order_type.is_conditional and self._touches(row):
            return self.refusal(order, "order would immediately trigger")
        self.rows[client_id] = row
        self._emit(self._update(row))
        if row.is_triggered:
            self._fill(row)
        return self._update(row)

    def _refused(self, order: Order) -> str:
        """Why an order may not be, or nothing: one that reduces needs something to reduce."""
        if order.reduce_only and self.quantity(order.symbol, order.side) <= 0:
            return "reduce-only order rejected"
        known = self.instruments_by_symbol[order.symbol]
        is_off = (
            order.quantity % known.quantity_step or (order.trigger_price or 0) % known.price_tick
        )
        return "-1111 precision" if is_off else ""

    def _fillable(self, row: VenueRow) -> Decimal:
        """What of the rest there is to fill: a reducing order takes no more than is held."""
        rest = row.order.quantity - row.filled
        held = self.quantity(row.order.symbol, row.order.side)
        return min(rest, held) if row.order.reduce_only else rest

    def _touches(self, row: VenueRow) -> bool:
        order, price = row.order, self.prices[row.order.symbol]
        if order.trigger_price is None:
            return True
        distance = (price - order.trigger_price) * order.side.sign
        return distance >= 0 if order.order_type is OrderType.TAKE_PROFIT_MARKET else distance <= 0

    def _fill(self, row: VenueRow) -> None:
        """All of the rest, or a piece of it; a reducing order takes no more than there is."""
        order = row.order
        rest = self._fillable(row)
        if rest <= 0:
            self._end(row, OrderState.EXPIRED)
            return
        step = self.instruments_by_symbol[order.symbol].quantity_step
        piece = rest
        if rest >= 2 * step and self._strikes(self.faults.partial):
            piece = step * self._random.randrange(1, int(rest / step))
            row.next_piece_ms = self.clock.now_ms() + self._random.randrange(50, 900)
        sign = -1 if order.reduce_only else 1
        self.positions[order.symbol, order.side] = (
            self.quantity(order.symbol, order.side) + sign * piece
        )
        row.filled += piece
        fill = self._trade(
            order.client_order_id,
            row.exchange_order_id,
            order.symbol,
            order.side,
            closing=order.reduce_only,
            quantity=piece,
        )
        row.value += piece * fill.price
        row.state = OrderState.PARTIALLY_FILLED
        row.updated_ms = self.clock.now_ms()
        if row.filled >= order.quantity:
            row.state = OrderState.FILLED
        self._emit(fill)
        self._emit(self._update(row))

    def _trade(
        self,
        client_id: str,
        exchange_id: str,
        symbol: str,
        side: Side,
        *,
        closing: bool,
        quantity: Decimal,
        kind: FillKind = FillKind.TRADE,
    ) -> Fill:
        price = self.prices[symbol]
        fill = Fill(
            trade_id=str(len(self.trades) + 1),
            client_order_id=client_id,
            exchange_order_id=exchange_id,
            symbol=symbol,
            side=side,
            order_side=side.exit if closing else side.entry,
            price=price,
            quantity=quantity,
            fee=price * quantity * self.fee_rate,
            fee_asset=self.fee_asset or self.instruments_by_symbol[symbol].quote,
            is_maker=False,
            executed_at_ms=self.clock.now_ms() + self.clock_ahead_ms,
            kind=kind,
        )
        if not self.fee_asset:
            self.cash -= fill.fee
        self.cash += price * quantity * (1 if fill.order_side is OrderSide.SELL else -1)
        self.trades.append(fill)
        return fill

    def _end(self, row: VenueRow, state: OrderState) -> None:
        row.state = state
        row.updated_ms = self.clock.now_ms()
        self._emit(self._update(row))

    def _update(self, row: VenueRow) -> OrderUpdate:
        return OrderUpdate(
            client_order_id=row.order.client_order_id,
            state=row.state,
            exchange_order_id=row.exchange_order_id,
            filled_quantity=row.filled,
            average_price=row.value / row.filled if row.filled else None,
            at_ms=row.updated_ms,
        )

    def _listed(self, row: VenueRow) -> VenueOrder:
        return VenueOrder(
            client_order_id=row.order.client_order_id,
            exchange_order_id=row.exchange_order_id,
            symbol=row.order.symbol,
            side=row.order.side,
            is_conditional=row.order.order_type.is_conditional,
            reduces=row.order.reduce_only,
            quantity=row.order.quantity,
            filled_quantity=row.filled,
            trigger_price=row.order.trigger_price,
        )

    def refusal(self, order: Order, reason: str) -> OrderUpdate:
        """The answer of a venue that says no."""
        return OrderUpdate(
            client_order_id=order.client_order_id,
            state=OrderState.REJECTED,
            reason=reason,
            at_ms=self.clock.now_ms(),
        )

    def _unclear(self, client_id: str, why: Unclear) -> SendUnclear:
        return SendUnclear(client_order_id=client_id, why=why, text=why, at_ms=self.clock.now_ms())

    def _emit(self, event: Event) -> None:
        if self._strikes(self.faults.event_dropped):
            return
        copies = 2 if self._strikes(self.faults.event_doubled) else 1
        for _ in range(copies):
            delay = self._random.randrange(self.faults.event_delay_ms + 1)
            self._serial += 1
            self._outbox.append((self.clock.now_ms() + delay, self._serial, event))

    def _strikes(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability


def ours(venue: FakeVenue) -> list[VenueRow]:
    """Live orders under our prefix."""
    return [row for row in venue.live() if is_ours(row.order.client_order_id)]
