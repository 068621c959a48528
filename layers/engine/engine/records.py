"""What the store keeps and hands back: leases, commands, ticks, and the facts of positions."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from engine.ledger import Fill, Order, Position
from engine.market import Candles
from engine.risk_record import Result, RiskRecord
from engine.settings import Settings
from engine.values import Instrument, Loop, TradeMode, Turn, Wish


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
class Obeyed:
    """A loop's own word that it does what was wanted: since which slot, under which token, when.

    `number` is that of the wish, so that the same wish made twice is acknowledged twice.
    """

    wanted: str
    number: int
    slot_ms: int
    token: int
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRow:
    """What the lease row says, read strongly.

    `phase` is `idle` when the position loop ended flat, else `live`. `wanted` is what the operator
    asked this loop to do (`run`, `pause` or `stop`) at `wanted_ms`, as the `wanted_number`th wish;
    `obeyed` is the last wish that the loop acknowledged. `halt` is set by an emergency stop,
    with `flatten` if it is to close everything.
    `settings_version` is the newest version this loop was told of, 0 before the first change.
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
    flatten: bool = False
    settings_version: int = 0
    wanted_number: int = 0
    wanted_ms: int = 0
    obeyed: Obeyed | None = None

    @property
    def is_obeyed(self) -> bool:
        """Whether the loop acknowledged the wish that stands in the row now."""
        obeyed = self.obeyed
        wanted = (self.wanted, self.wanted_number)
        return obeyed is not None and (obeyed.wanted, obeyed.number) == wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSettings:
    """What is stored for a connection to run with; `version` grows with every change."""

    settings: Settings
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRow:
    """`trade_engine_state` as the loops need it.

    `settings` are those the trade loop runs with: what the engine started with, and what it took
    over since; `position_settings` are the position loop's, where those ever differed.
    """

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
    volume_factor: Decimal = Decimal(1)  # of the connection, one more factor of every size
    may_trade_preset: bool = False  # the same with is_preset_trade, for Sets of preset mode
    exchange: str = ""  # the venue's name, which has limits of its own
    position_settings: StoredSettings | None = None

    def of_position_loop(self) -> "EngineRow":
        """The same with the settings that the position loop runs with."""
        own = self.position_settings
        if own is None:
            return self
        return replace(self, settings=own.settings, settings_version=own.version)

    def may_open(self, mode: TradeMode) -> bool:
        """Whether proven Sets of this mode may ask for the exchange."""
        may = self.may_trade if mode is TradeMode.MAIN else self.may_trade_preset
        return may and self.prehistoric_data_loaded


AS_CONFIGURED = Decimal(0)
"""A price of `ExitChange` that gives up an operator's choice: the configured one holds again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitChange:
    """Where an operator wants a position to end; None leaves a price as it is.

    A stop beyond the configured one risks more than the position was sized for: it is taken only
    with `allow_looser`.
    """

    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    allow_looser: bool = False


class CommandKind(StrEnum):
    """What may be asked of the position loop: by the trade loop (the first two), by an operator."""

    WISH = "wish"
    STRATEGY_EXIT = "strategy_exit"
    CLOSE_ALL = "close_all"
    CLOSE_PROFITABLE = "close_profitable"
    CLOSE_POSITION = "close_position"
    CHANGE_EXITS = "change_exits"
    RESUME_TRADING = "resume_trading"

    @property
    def is_operators(self) -> bool:
        return self not in (CommandKind.WISH, CommandKind.STRATEGY_EXIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What an operator or the trade loop asks of the position loop."""

    command_id: str
    kind: str  # a CommandKind; the rows of others are refused, not unreadable
    created_at_ms: int
    wish: Wish | None = None
    turn: Turn | None = None
    exits: ExitChange | None = None
    position_id: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumed:
    """A command that is dealt with: `done` or `refused` with a reason code and its numbers.

    What it was about is repeated, for the command itself is forgotten.
    """

    command_id: str
    outcome: str
    reason: str = ""
    numbers: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    position_id: str = ""
    created_at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The beginning of a burst: when it took its lease, and whether the loop began anew.

    `anew` is false where the burst before ended a moment ago and handed the loop on.
    """

    taken_us: int
    anew: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeTick:
    """One progression row of the trade loop; times in microseconds since the epoch.

    `compute_us` went into the plan, `indications_us` of it into the indications, the rest into the
    strategies. `store_us` is what the write of the tick before took: this one is not over yet.
    """

    slot_ms: int
    started_us: int
    finished_us: int
    compute_us: int
    counts: Mapping[str, int]
    close_reasons: Mapping[str, int]
    skipped: Mapping[str, int]
    candles: Candles
    source: str
    begun: Begun | None = None  # on the first tick of a burst
    indications_us: int | None = None
    store_us: int | None = None
    settings_version: int = 0  # of the settings it was decided with


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedSet:
    """Results of a Set, hundredths of a position cost, from its result number `first` on."""

    key_text: str
    first: int
    results: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedResults:
    """Results of a symbol that the candle closed at `at_ms` pushed out of what is kept."""

    symbol: str
    at_ms: int
    sets: tuple[ArchivedSet, ...]


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
    risk: RiskRecord | None = None  # when it changed

    def __bool__(self) -> bool:
        rows = self.orders or self.positions or self.fills or self.consumed
        return bool(rows) or self.risk is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the position loop finds in the store when it starts."""

    orders: tuple[Order, ...]  # every order not yet terminal, all of open and `closed` positions
    positions: tuple[Position, ...]  # every position not closed
    closed: tuple[Position, ...]  # the latest closed ones, for cooldowns
    fill_ids: frozenset[str]  # `Fill.key` of all booked for open and `closed` positions
    last_fill_ms: int
    results: tuple[Result, ...] = ()  # of positions closed since the day before `risk.day_ms`
    risk: RiskRecord | None = None  # None before the first


@dataclass(frozen=True, slots=True, kw_only=True)
class EquitySample:
    """What an account was worth when the venue was read, in quote currency.

    `unrealized` is that of our positions at the prices then, None where one was not known;
    `opens_hour` says that it is the first sample of its hour.
    """

    at_ms: int
    equity: Decimal
    free_margin: Decimal
    unrealized: Decimal | None
    open_positions: int
    opens_hour: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionTicks:
    """Journal of consecutive position ticks: (slot_ms, started_us, finished_us, compute_us).

    Its row is keyed by the first tick's slot; a piece without ticks writes no row. `store_us` is
    what the write of the piece before took.
    All of its ticks were decided with the settings of one version.
    """

    ticks: tuple[tuple[int, int, int, int], ...]
    skipped: Mapping[str, int]
    inputs: bytes  # packed prices and consumed ids, for a replay
    begun: Begun | None = None  # on the first piece of a burst
    store_us: int | None = None
    settings_version: int = 0
    sample: EquitySample | None = None  # once a minute
