"""What the engine needs from the world, in the engine's words.

Facts that arrive are values (`Event`); an unclear answer is a value too, never an exception that
could be mistaken for "nothing happened".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from engine.market import Candles
from engine.settings import Settings
from engine.values import (
    Fill,
    Instrument,
    Loop,
    Order,
    OrderState,
    Position,
    Side,
    Wish,
)

# --- time -------------------------------------------------------------------------------------


class Clock(Protocol):
    """Time, injected."""

    def now_ms(self) -> int:
        """UTC epoch milliseconds."""
        ...

    def now_us(self) -> int:
        """UTC epoch microseconds, for measuring ticks."""
        ...

    def monotonic_ms(self) -> int:
        """Milliseconds that never run backwards; only differences mean anything."""
        ...

    async def sleep_until_ms(self, deadline_ms: int) -> None:
        """Return at `deadline_ms` (UTC), at once if it has passed."""
        ...


# --- leases -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to run one loop: every write carries `owner` and `token`.

    `sent_at_ms` is taken before the write that took or renewed it was sent, on both clocks; the
    holder stops acting at `sent_at + lease_ms - margin_ms` by the earlier of the two.
    """

    connection_id: str
    loop: Loop
    owner: str
    token: int
    sent_at_ms: int
    sent_at_monotonic_ms: int
    lease_ms: int

    def may_act(self, now_ms: int, monotonic_ms: int, margin_ms: int) -> bool:
        """Whether the holder may still send, judged by the clock that ran further.

        A frozen machine's monotonic clock may stand still, and a wall clock may be set back.
        """
        passed = max(now_ms - self.sent_at_ms, monotonic_ms - self.sent_at_monotonic_ms)
        return passed < self.lease_ms - margin_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRow:
    """What the lease row says, read strongly.

    `phase` is `idle` when the position loop ended flat, else `live`. `wanted` is what the operator
    asked this loop to do (`run` or `stop`); `halt` is set by an emergency stop.
    """

    owner: str
    token: int
    expires_at_ms: int
    last_slot_ms: int
    wish_seq: int
    seen_seq: int
    phase: str
    wanted: str
    halt: bool


class Leases(Protocol):
    """One owner for each (connection, loop); fencing tokens only grow."""

    def take(
        self, connection_id: str, loop: Loop, *, token: int, owner: str, lease_ms: int
    ) -> Lease:
        """Compare-and-set `token` to `token + 1` for this burst's fresh nonce `owner`.

        An unclear write is re-read strongly and judged by the nonce.

        Raises
        ------
        LeaseLostError
            If the row does not hold `token` any more.
        """
        ...

    def renew(self, lease: Lease) -> Lease:
        """Extend it; raises LeaseLostError if owner or token changed."""
        ...

    def read(self, connection_id: str, loop: Loop) -> LeaseRow: ...

    def go_idle(self, lease: Lease, *, seen_seq: int) -> bool:
        """End the loop if no wish arrived since `seen_seq`; False if one did.

        Releases the lease and sets the phase to `idle` in the same write.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Give it up after a wanted stop, so that a restart need not wait for the expiry.

        Owner and `last_slot_ms` are cleared; the token stays and only grows.
        """
        ...


# --- the venue --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The last price of a symbol; `event_ms` is the venue's time, `seen_ms` its proof of life.

    A quiet market has an old `event_ms` and a fresh `seen_ms`: staleness is judged by the latter.
    """

    symbol: str
    price: Decimal
    event_ms: int
    seen_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderUpdate:
    """What the venue says of one of our orders, by stream, answer or look-up."""

    client_order_id: str
    state: OrderState
    exchange_order_id: str = ""
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal | None = None
    reason: str = ""
    at_ms: int = 0


class Unclear(StrEnum):
    """Why nobody knows what became of a request."""

    TIMEOUT = "timeout"
    CONNECTION = "connection"
    VENUE = "venue"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendUnclear:
    """The order may or may not be on the venue: its state becomes UNKNOWN."""

    client_order_id: str
    why: Unclear
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SendSkipped:
    """Claimed but never sent, because the send window had passed."""

    client_order_id: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotFound:
    """A targeted look-up (by client id) that the venue answered with "no such order"."""

    client_order_id: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelUnclear:
    """The cancel may or may not have worked; only a look-up tells."""

    client_order_id: str
    text: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VenuePosition:
    """The venue's own position in (symbol, side)."""

    symbol: str
    side: Side
    quantity: Decimal
    entry_price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueOrder:
    """A working order as the venue lists it; `reduces` for reduce-only or closing ones."""

    client_order_id: str
    exchange_order_id: str
    symbol: str
    side: Side
    is_conditional: bool
    reduces: bool
    quantity: Decimal
    filled_quantity: Decimal
    trigger_price: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The venue's whole truth, each part read after `asked_ms`; all reads succeeded."""

    positions: tuple[VenuePosition, ...]
    orders: tuple[VenueOrder, ...]
    asked_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotFailed:
    """The comparison with the venue could not be made; evidence of nothing."""

    text: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Equity and free margin in quote currency."""

    equity: Decimal
    free_margin: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamBroken:
    """The user-data stream was silent or closed since `since_ms`; events may be missing."""

    since_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FillsFetched:
    """All own executions of a symbol since `since_ms` were read; they stand before this event."""

    symbol: str
    since_ms: int
    asked_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Position mode, margin mode and leverage of a symbol are set and verified."""

    symbol: str
    leverage: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareRefused:
    """The venue does not take these modes or this leverage; entries in the symbol are refused."""

    symbol: str
    text: str
    at_ms: int


Event = (
    OrderUpdate
    | Fill
    | SendUnclear
    | SendSkipped
    | NotFound
    | CancelUnclear
    | Snapshot
    | SnapshotFailed
    | Account
    | StreamBroken
    | FillsFetched
    | Prepared
    | PrepareRefused
)


class Exchange(Protocol):
    """One account on one venue, private side. Every call is one attempt; nothing is resent."""

    async def instruments(self) -> tuple[Instrument, ...]:
        """Everything tradable; raises RetryableError, RefusedError or CredentialsError."""
        ...

    async def prepare(
        self, symbol: str, *, leverage: int, hedge: bool, cross: bool
    ) -> None:
        """Set and verify position mode, margin mode and leverage before a first order."""
        ...

    async def send(self, order: Order, *, valid_ms: int) -> OrderUpdate | SendUnclear:
        """Send once, signed so that the venue refuses what arrives after `valid_ms`."""
        ...

    async def cancel(self, order: Order) -> OrderUpdate | NotFound | CancelUnclear: ...

    async def look_up(self, order: Order) -> OrderUpdate | NotFound | SendUnclear:
        """Ask for the order by its client id, conditional ones where they live."""
        ...

    async def snapshot(self) -> Snapshot | SnapshotFailed: ...

    async def fills(self, symbol: str, *, since_ms: int) -> tuple[Fill, ...]:
        """Own executions since then, oldest first; raises RetryableError."""
        ...

    async def account(self) -> Account: ...

    async def history(
        self, symbol: str, *, span_ms: int, start_ms: int, end_ms: int
    ) -> Candles:
        """Closed candles [start, end) of one symbol, missing ones marked as gaps."""
        ...

    async def close(self) -> None: ...


class Feed(Protocol):
    """Market prices of followed symbols and the account's own events, stream first."""

    async def follow(self, instruments: Sequence[Instrument], *, private: bool) -> None:
        """Make exactly these symbols followed; `private` adds user data. Idempotent."""
        ...

    async def candles(self, close_ms: int) -> Candles:
        """The 1 s candle of every followed symbol that closed at `close_ms`: T = 1.

        A live stream without trades makes a flat candle, one without proof of life a gap.
        """
        ...

    async def backfill(self, start_ms: int, end_ms: int) -> tuple[Candles, ...]:
        """Closed candles [start, end) of all followed symbols from REST, oldest first.

        1 s from trades for the last minutes, 1 m before; adjacent pieces may differ in span.
        """
        ...

    def quotes(self) -> Mapping[str, Quote]: ...

    def events(self) -> tuple[Event, ...]:
        """What arrived on the user-data stream since the last call, in order."""
        ...

    def sources(self) -> Mapping[str, int]:
        """How many candles came from `stream` and from `polling` since the feed was opened."""
        ...

    async def close(self) -> None: ...


# --- the store --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRow:
    """`trade_engine_state` as the loops need it."""

    connection_id: str
    run_id: str
    symbols: tuple[str, ...]
    instruments: tuple[Instrument, ...]
    settings: Settings
    settings_version: int
    prehistoric_data_loaded: bool
    prehistory_end_ms: int
    may_trade: bool  # connection enabled, active, is_live_trade, and the venue prepared
    hedge: bool
    cross: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What an operator or the trade loop asks of the position loop."""

    command_id: str
    kind: str  # "wish" | "close_all" | "close_position"
    created_at_ms: int
    wish: Wish | None = None
    position_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumed:
    """A command that is dealt with: `done` or `refused` with a reason code and its numbers."""

    command_id: str
    outcome: str
    reason: str = ""
    numbers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeTick:
    """One progression row of the trade loop; times in microseconds since the epoch."""

    slot_ms: int
    started_us: int
    finished_us: int
    compute_us: int
    counts: Mapping[str, int]
    close_reasons: Mapping[str, int]
    skipped: Mapping[str, int]
    candles: Candles
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Changes the position loop writes at once, all under its lease.

    `orders` and `positions` are whole rows, new or changed. A position in status `opening`
    is created only if its short key is free; a `closed` one frees it.
    """

    orders: tuple[Order, ...] = ()
    positions: tuple[Position, ...] = ()
    fills: tuple[Fill, ...] = ()
    consumed: tuple[Consumed, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.orders or self.positions or self.fills or self.consumed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the position loop finds in the store when it starts."""

    orders: tuple[Order, ...]  # every order not yet terminal, all of open and `closed` positions
    positions: tuple[Position, ...]  # every position not closed
    closed: tuple[Position, ...]  # the latest closed ones, for cooldowns
    fill_ids: frozenset[str]  # `Fill.key` of all booked for open and `closed` positions
    last_fill_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionTicks:
    """Journal of consecutive position ticks: (slot_ms, started_us, finished_us, compute_us).

    Its row is keyed by the first tick's slot; a piece without ticks writes no row.
    """

    ticks: tuple[tuple[int, int, int, int], ...]
    skipped: Mapping[str, int]
    taken_us: int  # when the burst took its lease, on its first piece; else 0
    inputs: bytes  # packed prices and consumed ids, for a replay


class Store(Protocol):
    """State that must last. Every write of a loop is refused once its lease is lost."""

    def engine(self, connection_id: str) -> EngineRow: ...

    # trade loop
    def write_tick(
        self, lease: Lease, tick: TradeTick, wishes: Sequence[Wish]
    ) -> Lease:
        """Progression row, wishes and `wish_seq`, and the renewed lease in one transaction.

        Raises
        ------
        LeaseLostError
            If the lease moved; nothing is written then.
        """
        ...

    def write_minute(self, lease: Lease, candles: Candles) -> None:
        """One item with the candles of a whole minute, all symbols."""
        ...

    def candles_since(self, connection_id: str, since_ms: int) -> tuple[Candles, ...]:
        """Stored candles that closed after `since_ms`, oldest first, minutes then ticks."""
        ...

    def write_history(self, connection_id: str, candles: Candles) -> None:
        """Prehistory of one symbol, archived in pieces of a day."""
        ...

    def history(
        self, connection_id: str, symbol: str, start_ms: int, end_ms: int
    ) -> Candles: ...

    def save_books(
        self,
        connection_id: str,
        symbol: str,
        parts: Sequence[bytes],
        *,
        last_close_ms: int,
        lease: Lease | None,
    ) -> None:
        """The Set books of a symbol, manifest last; `lease` is None only while loading."""
        ...

    def load_books(
        self, connection_id: str, symbol: str
    ) -> tuple[tuple[bytes, ...], int] | None:
        """The parts and their last candle's close time, or None."""
        ...

    # position loop
    def held(self, connection_id: str) -> Held: ...

    def pending(self, connection_id: str) -> tuple[Command, ...]: ...

    def write_facts(self, lease: Lease, facts: Facts) -> None:
        """All or nothing for each position; raises LeaseLostError."""
        ...

    def claim(self, lease: Lease, order: Order) -> bool:
        """`new` to `submitting` if the lease is ours and nobody claimed it; else False.

        `order` carries the `submitting_at_ms` to store.

        Raises
        ------
        LeaseLostError
            If the lease moved.
        """
        ...

    def write_position_ticks(self, lease: Lease, ticks: PositionTicks) -> Lease:
        """Journal row, and the lease renewed with the last tick's slot, in one transaction.

        Raises
        ------
        LeaseLostError
            If the lease moved; nothing is written then.
        """
        ...

    # both
    def heartbeat(self, lease: Lease, *, counts: Mapping[str, int]) -> None:
        """Proof of life of a loop on the engine's state row."""
        ...


    def report_loading(self, connection_id: str, *, stage: str, progress_pct: int) -> None:
        """Show how far loading the history has come; never runs backwards."""
        ...


class Log(Protocol):
    """Where a loop says what happened; one line a fact."""

    def fact(self, name: str, values: Mapping[str, object]) -> None: ...

    def problem(self, name: str, values: Mapping[str, object]) -> None:
        """Something that needs eyes."""
        ...


class Starter(Protocol):
    """Starts an execution of a loop (it ends quietly if the loop already runs)."""

    def start(self, connection_id: str, loop: Loop, *, reason: str) -> None: ...


class Vault(Protocol):
    """Exchange credentials under a key that only the order path may use to open them."""

    def seal(self, connection_id: str, credentials: Mapping[str, str]) -> bytes: ...

    def open(self, connection_id: str, sealed: bytes) -> Mapping[str, str]: ...


class Opener(Protocol):
    """Opens the venue of a connection; what it opened is kept for the next burst."""

    async def feed(self, connection_id: str, *, private: bool) -> Feed: ...

    async def exchange(self, connection_id: str, *, private: bool) -> Exchange: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything a cycle may touch."""

    clock: Clock
    leases: Leases
    store: Store
    starter: Starter
    opener: Opener
    log: Log
