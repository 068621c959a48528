"""The position side alone: desk, store and venue under virtual time, ticked by hand.

It does what the position loop's shell does, one step after the other, and may stop dead between
any two of them (`WorkerDiedError`), after which a new owner starts from the store.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal

from tests.builders import NOW_MS, an_instrument
from tests.fake_venue import FakeVenue, Faults, ours
from tests.fakes import FakeClock, FakeLeases, FakeStore
from tests.spot_venue import SPOT_FEE, SpotVenue

from engine.desk import DeskInputs, DeskPlan, DeskState, plan_positions
from engine.errors import VenueBusyError, VenueRefusedError
from engine.events import (
    Event,
    FillsFetched,
    FundingFetched,
    InstrumentsRead,
    Prepared,
    PrepareRefused,
    Quote,
    SendSkipped,
    SendUnclear,
    Unclear,
)
from engine.ledger import Order, Position, PositionStatus, Purpose
from engine.records import Command, Lease
from engine.settings import Settings
from engine.values import Instrument, Loop, SetKey, Side, Turn, Wish

CONNECTION = "paper-1"
TICK_MS = 300
NO_RESTS = {
    "max_daily_loss_pct": Decimal(0),
    "max_drawdown_pct": Decimal(0),
    "max_consecutive_losses": 0,
    "stop_guard_count": 0,
    "loss_guard_pct": Decimal(0),
    "low_profit_count": 0,
}
"""Settings under which losses rest nothing."""

SPOT = {"is_spot": True, "max_leverage": 1, "quantity_step": Decimal("0.0001")}
"""What sets an instrument of a spot market apart."""


class WorkerDiedError(Exception):
    """The worker died here."""


@dataclass(slots=True)
class DeskWorld:
    seed: int = 0
    faults: Faults = field(default_factory=Faults)
    settings: Settings = field(default_factory=Settings)
    symbols: tuple[str, ...] = ("BTCUSDT",)
    hedge: bool = True
    spot: bool = False
    crash_chance: float = 0.0
    may_trade: bool = True
    may_trade_preset: bool = False
    halt: bool = False
    flatten: bool = False
    wanted: str = "run"
    quote_age_ms: int = 0
    answer_delay_ms: int = 0
    equity: Decimal | None = None
    listed: dict[str, Instrument] | None = None  # what the engine read, if that is out of date
    clock: FakeClock = field(init=False)
    venue: FakeVenue = field(init=False)
    leases: FakeLeases = field(init=False)
    store: FakeStore = field(init=False)
    lease: Lease = field(init=False)
    state: DeskState = field(init=False)
    plan: DeskPlan = field(init=False)
    first: DeskState = field(init=False)
    journal: list[tuple[DeskInputs, DeskPlan]] = field(default_factory=list)
    inbox: list[tuple[int, Event]] = field(default_factory=list)
    bare_ms: dict[tuple[str, Side], int] = field(default_factory=dict)
    longest_bare_ms: int = 0
    death: int | None = None
    log: list[str] = field(default_factory=list)
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.clock = FakeClock(NOW_MS)
        self.venue = (SpotVenue if self.spot else FakeVenue)(
            clock=self.clock,
            instruments_by_symbol=self.instruments(),
            seed=self.seed,
            faults=self.faults,
            prices=dict.fromkeys(self.symbols, Decimal(100)),
            equity=self.equity,
        )
        self.leases = FakeLeases(self.clock)
        self.store = FakeStore(clock=self.clock, leases=self.leases)
        self.start()

    def purchase_fee(self) -> Decimal:
        """What a purchase loses of itself: nothing but on a spot market."""
        return SPOT_FEE if self.spot else Decimal(0)

    def instruments(self) -> dict[str, Instrument]:
        changes: dict[str, object] = SPOT if self.spot else {}
        return {symbol: an_instrument(symbol, **changes) for symbol in self.symbols}

    def start(self) -> None:
        """A new owner begins with what the store holds."""
        row = self.leases.read(CONNECTION, Loop.POSITION)
        self.lease = self.leases.take(
            CONNECTION, Loop.POSITION, token=row.token, owner=f"nonce-{row.token}", lease_ms=15_000
        )
        self.inbox = []
        held = self.store.held(CONNECTION)
        self.state = DeskState.from_held(CONNECTION, held, self.clock.now_ms())
        self.first, self.journal = self.state, []

    # --- what a test does

    def wish(self, wish: Wish) -> Command:
        command = self.store.wish_command(wish)
        self.store.put_command(CONNECTION, command)
        return command

    def command(self, kind: str, position_id: str = "") -> Command:
        name = f"{kind}-{len(self.store.commands)}"
        made = Command(
            command_id=name,
            kind=kind,
            created_at_ms=self.clock.now_ms(),
            position_id=position_id,
        )
        self.store.put_command(CONNECTION, made)
        return made

    def turn(self, key: SetKey, at_ms: int | None = None) -> Command:
        """The opposite signal of what the Set's positions were opened for, by default just now."""
        at_ms = at_ms or self.clock.now_ms()
        turn = Turn(
            symbol=key.symbol,
            indication=key.indication,
            parameter=key.parameter,
            variant=key.variant,
            side=key.side,
            at_ms=at_ms,
        )
        made = Command(
            command_id=turn.turn_id, kind="strategy_exit", created_at_ms=at_ms, turn=turn
        )
        self.store.put_command(CONNECTION, made)
        return made

    def price(self, price: str, symbol: str = "BTCUSDT") -> None:
        self.venue.set_price(symbol, Decimal(price))

    def run(self, ticks: int = 1) -> None:
        for _ in range(ticks):
            self.tick()

    def run_until(self, holds: Callable[[], bool], ticks: int = 200) -> None:
        for _ in range(ticks):
            self.tick()
            if holds():
                return
        raise AssertionError(f"not within {ticks} ticks; last: {self.log[-12:]}")

    def open(self, wish: Wish) -> Position:
        """Bring a wish to an open, protected position."""
        self.wish(wish)
        self.run_until(lambda: any(self.covered(p) for p in self.open_positions(wish)))
        return self.open_positions(wish)[0]

    def open_positions(self, wish: Wish) -> list[Position]:
        return [
            position
            for position in self.store.positions.values()
            if position.key == wish.key and position.status is PositionStatus.OPEN
        ]

    def covered(self, position: Position) -> bool:
        stops = self.orders(Purpose.STOP)
        return any(
            order.state.is_working and order.quantity == position.quantity for order in stops
        )

    def orders(self, purpose: Purpose) -> list[Order]:
        found = [order for order in self.store.orders.values() if order.purpose is purpose]
        return sorted(found, key=lambda order: (order.created_at_ms, order.attempt))

    def only_position(self) -> Position:
        (position,) = self.store.positions.values()
        return position

    # --- one tick of the shell

    def tick(self) -> None:
        self.clock.advance(TICK_MS)
        self.venue.advance()
        try:
            self._tick()
        except WorkerDiedError:
            self.clock.advance(self.dice.randrange(0, 4000))
            self.venue.advance()
            self.venue.events()  # nobody listened
            self.start()

    def _tick(self) -> None:
        inputs = self._inputs()
        state, plan = plan_positions(self.state, inputs, self.settings)
        self.log += [f"{self.clock.now_ms() - NOW_MS} {f.event} {f.values}" for f in plan.log]
        self._may_crash()
        self.store.write_facts(self.lease, plan.facts)
        self._may_crash()
        for order in plan.sends:
            self._send(order)
        self._ask(plan)
        self.state, self.plan = state, plan
        self.journal.append((inputs, plan))
        self.leases.renew(self.lease)
        self._watch_protection()

    def _watch_protection(self) -> None:
        """The longest time the venue held more than live stops cover and nobody was closing it."""
        closing = {
            (position.key.symbol, position.key.side)
            for position in self.store.positions.values()
            if position.status is PositionStatus.CLOSING
        }
        for (symbol, side), quantity in self.venue.positions.items():
            cover = self.venue.stop_cover(symbol, side) + self.residues(symbol, side)
            if cover >= quantity or (symbol, side) in closing:
                self.bare_ms.pop((symbol, side), None)
                continue
            since_ms = self.bare_ms.setdefault((symbol, side), self.clock.now_ms())
            self.longest_bare_ms = max(self.longest_bare_ms, self.clock.now_ms() - since_ms)

    def _inputs(self) -> DeskInputs:
        seen_ms = self.clock.now_ms() - self.quote_age_ms
        return DeskInputs(
            now_ms=self.clock.now_ms(),
            quotes={
                symbol: Quote(symbol=symbol, price=price, event_ms=seen_ms, seen_ms=seen_ms)
                for symbol, price in self.venue.prices.items()
            },
            commands=self.store.pending(CONNECTION),
            events=(*self.venue.events(), *self._answers()),
            instruments=self.listed or self.venue.instruments_by_symbol,
            may_trade=self.may_trade,
            may_trade_preset=self.may_trade_preset,
            hedge=self.hedge,
            halt=self.halt,
            flatten=self.flatten,
            wanted=self.wanted,
        )

    def _answers(self) -> list[Event]:
        now_ms = self.clock.now_ms()
        due = [event for at_ms, event in self.inbox if at_ms <= now_ms]
        self.inbox = [entry for entry in self.inbox if entry[0] > now_ms]
        return due

    def _answer(self, *events: Event) -> None:
        """Answers of one call arrive together, after a while."""
        delay_ms = self.dice.randrange(self.answer_delay_ms + 1)
        self.inbox += [(self.clock.now_ms() + delay_ms, event) for event in events]

    def _send(self, order: Order) -> None:
        if not self.store.claim(self.lease, order):
            unclear = SendUnclear(
                client_order_id=order.client_order_id,
                why=Unclear.CONNECTION,
                text="claimed by somebody else",
                at_ms=self.clock.now_ms(),
            )
            self._answer(unclear)
            return
        self._may_crash()
        if self.clock.now_ms() > order.submitting_at_ms + self.settings.send_window_ms:
            skipped = SendSkipped(client_order_id=order.client_order_id, at_ms=self.clock.now_ms())
            self._answer(skipped)
            return
        answer = self.venue.send_now(order, valid_ms=self.settings.send_validity_ms)
        self._may_crash()
        self._answer(answer)

    def _ask(self, plan: DeskPlan) -> None:
        now_ms = self.clock.now_ms()
        for order in plan.cancels:
            self._answer(self.venue.cancel_now(order))
        for order in plan.look_ups:
            self._answer(self.venue.look_up_now(order))
        for symbol, leverage in plan.prepares:
            self._prepare(symbol, leverage)
        for symbol, since_ms in plan.fetch_fills:
            self._fetch(symbol, since_ms)
        if plan.funding_since_ms is not None:
            self._fetch_funding(plan.funding_since_ms)
        self._read(plan)
        assert self.clock.now_ms() == now_ms

    def _read(self, plan: DeskPlan) -> None:
        if plan.want_snapshot:
            self._answer(self.venue.snapshot_now(plan.snapshot_of))
        if plan.want_account:
            self._answer(self.venue.account_now())
        if plan.want_instruments:
            found = tuple(self.venue.instruments_by_symbol.values())
            self._answer(InstrumentsRead(instruments=found, at_ms=self.clock.now_ms()))

    def _prepare(self, symbol: str, leverage: int) -> None:
        now_ms = self.clock.now_ms()
        try:
            self.venue.prepare_now(symbol, leverage)
        except VenueRefusedError as error:
            self._answer(PrepareRefused(symbol=symbol, text=str(error), at_ms=now_ms))
            return
        self._answer(Prepared(symbol=symbol, leverage=leverage, at_ms=now_ms))

    def _fetch(self, symbol: str, since_ms: int) -> None:
        now_ms = self.clock.now_ms()
        try:
            fills = self.venue.fills_now(symbol, since_ms=since_ms)
        except VenueBusyError:
            return
        done = FillsFetched(symbol=symbol, since_ms=since_ms, asked_ms=now_ms, at_ms=now_ms)
        self._answer(*fills, done)

    def _fetch_funding(self, since_ms: int) -> None:
        now_ms = self.clock.now_ms()
        try:
            paid = self.venue.funding_now(since_ms=since_ms)
        except VenueBusyError:
            return
        self._answer(*paid, FundingFetched(since_ms=since_ms, asked_ms=now_ms, at_ms=now_ms))

    def die_at(self, step: int) -> None:
        """Stop dead at a step of the next tick: 0 planned, 1 facts written, 2 claimed, 3 sent."""
        self.death = step

    def _may_crash(self) -> None:
        if self.death is not None:
            self.death -= 1
            if self.death < 0:
                self.death = None
                raise WorkerDiedError
        if self.crash_chance and self.dice.random() < self.crash_chance:
            raise WorkerDiedError

    # --- what must hold

    def calm(self) -> None:
        """From here on nothing goes wrong any more."""
        self.faults = self.venue.faults = Faults()
        self.crash_chance = 0.0

    def drift(self) -> list[str]:
        """Every difference between the store's books and the venue's, in both directions."""
        found = []
        live = {row.order.client_order_id for row in ours(self.venue)}
        working = {n for n, o in self.store.orders.items() if not o.state.is_terminal}
        found += [f"venue order {name}" for name in sorted(live - working)]
        found += [f"our order {name}" for name in sorted(working - live)]
        booked = set(self.store.fills)
        made = {fill.key for fill in self.venue.trades if fill.client_order_id}
        found += [f"fill {key}" for key in sorted(made ^ booked)]
        for symbol in self.symbols:
            for side in Side:
                shares, held = self.shares(symbol, side), self.venue.quantity(symbol, side)
                if not shares <= held <= shares + self.residues(symbol, side):
                    found.append(f"{symbol} {side}: ours {shares}, venue {held}")
        return found

    def shares(self, symbol: str, side: Side) -> Decimal:
        return sum(
            (
                position.quantity
                for position in self.store.positions.values()
                if (position.key.symbol, position.key.side) == (symbol, side)
            ),
            Decimal(0),
        )

    def residues(self, symbol: str, side: Side) -> Decimal:
        """What is left on a spot account because it cannot be sold.

        The books say how much, but for what strangers' sales leave of a step each: they sell
        no whole steps of ours.
        """
        return self._splinters(symbol) + sum(
            (
                position.residue
                for position in self.store.positions.values()
                if (position.key.symbol, position.key.side) == (symbol, side)
            ),
            Decimal(0),
        )

    def _splinters(self, symbol: str) -> Decimal:
        if not self.spot:
            return Decimal(0)
        theirs = [fill for fill in self.venue.trades if not fill.client_order_id]
        sales = sum(fill.symbol == symbol for fill in theirs)
        return sales * self.venue.instruments_by_symbol[symbol].quantity_step

    def is_protected(self) -> bool:
        """Whether the venue's live stops cover all it holds, but for residues."""
        return all(
            self.venue.stop_cover(symbol, side) + self.residues(symbol, side) >= quantity
            for (symbol, side), quantity in self.venue.positions.items()
        )


def with_settings(**values: object) -> Settings:
    """Settings with fields changed, ranges not checked: tests need small times."""
    return replace(Settings(), **values)  # type: ignore[arg-type]
