"""What the position loop remembers, what it is told, and what it plans."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from engine.events import Account, Event, Funding, Quote, Snapshot
from engine.ledger import Fill, Order, Position
from engine.reconcile import Mismatch, SymbolSide
from engine.records import Command, Facts, Held
from engine.risk_record import Restraint, Result, RiskRecord, TradingState
from engine.values import Instrument, TradeMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubted:
    """A mismatch seen in `times` successive snapshots, first in that answered at `first_ms`.

    Since `since_ms` the quantities have disagreed, in one way or another; `is_believed` once the
    fills were read and did not explain it.
    """

    mismatch: Mismatch
    first_ms: int
    times: int
    since_ms: int = 0
    is_believed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskState:
    """Everything the position loop knows between two ticks; all of it can be rebuilt.

    `orders` holds what is not terminal, and all of open and lately closed positions, so that no
    attempt is ever numbered twice; `closed` is kept for cooldowns and late fills, `results` of
    closed ones for the limits of the account, whose figures are `risk`; `uncounted` says that the
    results changed since those were counted, or were never seen by this owner. `loose` are fills
    not booked (yet): strangers' or early ones; `payments` funding that no share was found for yet,
    `paid` what is dealt with. `filters` are instruments whose steps or limits the venue has changed
    since the engine started. `halted_ms` is when this owner heard of an emergency, `halt_reads`
    when the readings that prove its end were asked for. Maps to a time hold when something was
    asked or first seen: `looked` and `fetching` only while the answer is out.
    """

    connection_id: str
    orders: Mapping[str, Order] = field(default_factory=dict)
    positions: Mapping[str, Position] = field(default_factory=dict)
    closed: Mapping[str, Position] = field(default_factory=dict)
    fill_ids: frozenset[str] = frozenset()
    loose: Mapping[str, Fill] = field(default_factory=dict)
    pending: Mapping[str, Command] = field(default_factory=dict)
    done: Mapping[str, int] = field(default_factory=dict)
    account: Account | None = None
    account_asked_ms: int = 0
    prepared: Mapping[str, int] = field(default_factory=dict)
    preparing: Mapping[str, int] = field(default_factory=dict)
    unprepared: Mapping[str, str] = field(default_factory=dict)
    looked: Mapping[str, int] = field(default_factory=dict)
    looked_last: Mapping[str, int] = field(default_factory=dict)
    not_found: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    doubted: Mapping[str, int] = field(default_factory=dict)
    cancelling: Mapping[str, int] = field(default_factory=dict)
    fetching: Mapping[str, int] = field(default_factory=dict)
    fetched: Mapping[str, int] = field(default_factory=dict)
    fetch_wanted: Mapping[str, int] = field(default_factory=dict)
    snapshot: Snapshot | None = None
    snapshot_asked_ms: int = 0
    snapshot_failed_ms: int = 0
    snapshot_wanted_ms: int = 0
    mismatches: Mapping[SymbolSide, Doubted] = field(default_factory=dict)
    guards: Mapping[str, Order] = field(default_factory=dict)
    bare_since: Mapping[str, int] = field(default_factory=dict)
    add_refused: Mapping[str, int] = field(default_factory=dict)
    payments: Mapping[str, Funding] = field(default_factory=dict)
    paid: Mapping[str, int] = field(default_factory=dict)
    funding_asked_ms: int = 0
    funding_read_ms: int = 0
    funding_wanted_ms: int = 0
    filters: Mapping[str, Instrument] = field(default_factory=dict)
    filters_asked_ms: int = 0
    filters_wanted: bool = False
    touched: Mapping[str, int] = field(default_factory=dict)
    freeing: Mapping[str, int] = field(default_factory=dict)
    alarmed: Mapping[str, int] = field(default_factory=dict)
    changed_ms: int = 0
    started_ms: int = 0
    halted_ms: int = 0
    halt_reads: tuple[int, ...] = ()
    sealed: bool = False
    results: Mapping[str, Result] = field(default_factory=dict)
    uncounted: bool = True
    risk: RiskRecord = field(default_factory=RiskRecord)

    @classmethod
    def from_held(cls, connection_id: str, held: Held, now_ms: int) -> "DeskState":
        """What a new owner starts with; its first plan seals what the former one left.

        The venue counts as read only once a snapshot was asked for after `now_ms`.
        """
        return cls(
            connection_id=connection_id,
            orders={order.client_order_id: order for order in held.orders},
            positions={position.position_id: position for position in held.positions},
            closed={position.position_id: position for position in held.closed},
            fill_ids=held.fill_ids,
            changed_ms=now_ms,
            started_ms=now_ms,
            results={result.position_id: result for result in held.results},
            risk=held.risk or RiskRecord(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskInputs:
    """What one tick is decided on.

    `commands` may be all pending ones again and again: each is dealt with once. `events` are the
    answers and messages since the last plan, in the order they came. `wanted` is `run`,
    `pause` (nothing new opens, all else goes on) or `stop`.
    `halt` is an emergency: nothing opens, and with `flatten` everything closes.
    """

    now_ms: int
    quotes: Mapping[str, Quote]
    commands: Sequence[Command]
    events: Sequence[Event]
    instruments: Mapping[str, Instrument]
    may_trade: bool
    hedge: bool
    halt: bool = False
    flatten: bool = False
    wanted: str = "run"
    volume_factor: Decimal = Decimal(1)
    exchange: str = ""
    may_trade_preset: bool = False

    def forbids(self, mode: TradeMode) -> str:
        """Why no position of this mode may be opened or added to; empty if it may."""
        if self.wanted == "pause":
            return "paused"
        return "" if self.wanted != "stop" and self._may_open(mode) else "not_trading"

    def _may_open(self, mode: TradeMode) -> bool:
        return self.may_trade if mode is TradeMode.MAIN else self.may_trade_preset


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFact:
    """Something worth a line: a name and its values as text; `needs_eyes` for a problem."""

    event: str
    values: Mapping[str, str]
    needs_eyes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltProof:
    """That an emergency stop has come to its end at the venue.

    Readings asked for at `reads_ms` agreed with our books, in which `open_positions` are left, each
    under a live stop. What the venue holds beyond them is not ours: `left`, "SYMBOL SIDE quantity".
    """

    halted_ms: int
    reads_ms: tuple[int, ...]
    open_positions: int
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskPlan:
    """What to do, in this order: write `facts`, then claim and send, then ask.

    `sends` are in state `new` and carry the `submitting_at_ms` to claim with; the window to send
    in counts from it. The shell claims each with the store, sends at most once and brings back one
    event each: the answer, `SendSkipped` if it did not send what it claimed (or could not claim),
    `SendUnclear` if the claim was refused because somebody else had it. Each cancel and look-up
    brings one event too; a fetch its fills and then `FillsFetched`, or nothing if it failed; the
    same for funding since `funding_since_ms`, unless that is None. A snapshot is wanted of the
    symbols `snapshot_of`, or of all where that is None.
    `unreconciled` names symbols whose books and venue do not come together, and over what.
    `trading_state` is what the account may do now; `restraint` why, where a limit was breached.
    `halt_proof` is there once an emergency stop has come to its end.
    """

    facts: Facts
    sends: tuple[Order, ...] = ()
    cancels: tuple[Order, ...] = ()
    look_ups: tuple[Order, ...] = ()
    prepares: tuple[tuple[str, int], ...] = ()
    fetch_fills: tuple[tuple[str, int], ...] = ()
    funding_since_ms: int | None = None
    want_snapshot: bool = False
    snapshot_of: frozenset[str] | None = None
    want_account: bool = False
    want_instruments: bool = False
    follow: frozenset[str] = frozenset()
    refusals: Mapping[str, int] = field(default_factory=dict)
    unreconciled: Mapping[str, str] = field(default_factory=dict)
    idle: bool = False
    trading_state: TradingState = TradingState.ACTIVE
    restraint: Restraint | None = None
    halt_proof: HaltProof | None = None
    log: tuple[LogFact, ...] = ()


def open_notional(position: Position, orders: Sequence[Order], price: Decimal | None) -> Decimal:
    """Quote value of a position, with what its entry and steps may still fill."""
    quantity = position.quantity + sum(
        (_coming(o) for o in orders if not o.reduce_only), Decimal(0)
    )
    return quantity * (price or position.entry_price or Decimal(0))


def _coming(order: Order) -> Decimal:
    """What an entering order may still add to what is booked of it."""
    most = order.filled_quantity if order.state.is_terminal else order.quantity
    return max(most - order.booked_quantity, Decimal(0))
