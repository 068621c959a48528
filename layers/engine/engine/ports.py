"""What the engine needs from the world, in the engine's words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.events import (
    Account,
    CancelUnclear,
    Event,
    Funding,
    KeyRights,
    NotFound,
    OrderUpdate,
    Quote,
    SendUnclear,
    Snapshot,
    SnapshotFailed,
)
from engine.ledger import Fill, Order
from engine.market import Candles
from engine.records import (
    ArchivedResults,
    Command,
    EngineRow,
    Facts,
    Held,
    Lease,
    LeaseRow,
    Obeyed,
    PositionTicks,
    StoredSettings,
    TradeTick,
)
from engine.values import Instrument, Loop, Turn, Wish

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

    def acknowledge(self, lease: Lease, obeyed: Obeyed) -> None:
        """Write what the loop obeys; raises LeaseLostError if owner or token changed."""
        ...

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


class Exchange(Protocol):
    """One account on one venue, private side. Every call is one attempt; nothing is resent."""

    def recall(self, orders: Iterable[Order]) -> None:
        """Begin as a new owner with the orders that the books know.

        A venue's ids may not hold their names, and what was read of the account before may have
        been changed by whoever had it since.
        """
        ...

    async def instruments(self) -> tuple[Instrument, ...]:
        """Everything tradable; raises RetryableError, RefusedError or CredentialsError."""
        ...

    async def prepare(self, symbol: str, *, leverage: int, hedge: bool, cross: bool) -> None:
        """Set and verify position mode, margin mode and leverage before a first order."""
        ...

    async def send(self, order: Order, *, valid_ms: int) -> OrderUpdate | SendUnclear:
        """Send once, signed so that the venue refuses what arrives after `valid_ms`."""
        ...

    async def cancel(self, order: Order) -> OrderUpdate | NotFound | CancelUnclear: ...

    async def look_up(self, order: Order) -> OrderUpdate | NotFound | SendUnclear:
        """Ask for the order by its client id, conditional ones where they live."""
        ...

    async def snapshot(self, symbols: frozenset[str] | None = None) -> Snapshot | SnapshotFailed:
        """What the venue holds and works on, of `symbols` at least; None means of all.

        Of the others it may tell what was read last, or nothing, where reading all weighs much.
        """
        ...

    async def fills(self, symbol: str, *, since_ms: int) -> tuple[Fill, ...]:
        """Own executions since then, oldest first; raises RetryableError."""
        ...

    async def account(self) -> Account: ...

    async def skew_ms(self) -> int:
        """How far the venue's clock is ahead of ours, measured anew; raises RetryableError."""
        ...

    async def funding(self, *, since_ms: int) -> tuple[Funding, ...]:
        """Funding payments of all symbols since then, oldest first; raises RetryableError."""
        ...

    async def rights(self) -> KeyRights:
        """What the venue says this key may do; raises RetryableError or RefusedError."""
        ...

    async def history(self, symbol: str, *, span_ms: int, start_ms: int, end_ms: int) -> Candles:
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
        """How many candles came from `stream` and `polling` since it was opened, or are a `gap`."""
        ...

    async def close(self) -> None: ...


# --- the store --------------------------------------------------------------------------------


class Store(Protocol):
    """State that must last. Every write of a loop is refused once its lease is lost."""

    def engine(self, connection_id: str) -> EngineRow: ...

    def settings(self, connection_id: str) -> StoredSettings:
        """What the operator wants a connection to run with.

        Raises
        ------
        StoreBusyError, InvalidSettingError
            If it cannot be read now, or what is stored does not fit this version of CTS.
        """
        ...

    def take_over(self, lease: Lease, taken: StoredSettings) -> None:
        """Note that the lease's loop runs with `taken` from its next tick on.

        Raises
        ------
        LeaseLostError
            If the lease moved; nothing is written then.
        """
        ...

    # trade loop
    def write_tick(
        self, lease: Lease, tick: TradeTick, wishes: Sequence[Wish], turns: Sequence[Turn] = ()
    ) -> Lease:
        """Progression row, wishes, turns, `wish_seq` and the renewed lease in one transaction.

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

    def history(self, connection_id: str, symbol: str, start_ms: int, end_ms: int) -> Candles: ...

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

    def load_books(self, connection_id: str, symbol: str) -> tuple[tuple[bytes, ...], int] | None:
        """The parts and their last candle's close time, or None."""
        ...

    def archive_results(
        self, connection_id: str, results: Sequence[ArchivedResults], *, keep_days: int
    ) -> None:
        """Keep what left the books, for so many days; written again it is the same."""
        ...

    def archived_results(
        self, connection_id: str, symbol: str, *, since_ms: int
    ) -> tuple[ArchivedResults, ...]:
        """What left the books of a symbol at `since_ms` or later, oldest first."""
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
