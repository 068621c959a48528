"""The API's answers as this console reads them: only the fields it shows, unknown ones ignored."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Told(BaseModel):
    """Something the API answered; names on the wire are snake_case."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ToldCamel(BaseModel):
    """The same with names such as `entryPrice`; snake_case is read too."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True
    )


class Reason(Told):
    """One unmet condition."""

    message: str


class Refusal(Told):
    """The body of an answer that says no."""

    error: str
    reasons: list[Reason] = []


class Outcome(ToldCamel):
    """The answer to a command; not `success` where a part of it could not be done."""

    success: bool
    message: str


class Account(Told):
    """An exchange account, as far as it decides how dangerous a click is."""

    id: str
    name: str
    exchange: str
    is_paper: bool
    is_testnet: bool


class LoopState(Told):
    """A loop as its lease proves it; ages in ms, None before its first tick."""

    alive: bool
    phase: str
    last_slot_ms: int | None
    age_ms: int | None
    counters: dict[str, int]


class Risk(Told):
    """What the limits of an account say, and why nothing new opens where they restrain it."""

    trading_state: str
    reason: str
    realised_today: Decimal


class Emergency(Told):
    """The emergency stop that holds an engine; counts are null until its machine told them."""

    since_ms: int
    by: str
    reason: str
    flatten: bool
    verified: bool
    verified_at_ms: int | None = None
    time_to_flat_ms: int | None = None
    open_positions: int | None = None
    closed_positions: int | None = None
    cancelled_entries: int | None = None
    left: list[str] = []
    error: str = ""


class Engine(ToldCamel):
    """The engine of one connection: what is wanted, and what its loops prove."""

    connection_id: str
    name: str
    exchange: str
    desired_state: str = Field(alias="desired_state")
    actual_state: str = Field(alias="actual_state")
    loading_stage: str = Field(alias="loading_stage")
    loading_progress: int = Field(alias="loading_progress")
    prehistoric_data_loaded: bool = Field(alias="prehistoric_data_loaded")
    coverage: Decimal | None
    symbols: list[str]
    may_trade: bool = Field(alias="may_trade")
    may_trade_preset: bool = Field(alias="may_trade_preset")
    warming: bool
    risk: Risk | None = None
    trade_loop: LoopState = Field(alias="trade_loop")
    position_loop: LoopState = Field(alias="position_loop")
    error: str
    emergency: Emergency | None


class Position(ToldCamel):
    """An exchange position of ours; prices in quote, quantities in base units."""

    id: str
    symbol: str
    side: str
    status: str
    entry_price: Decimal | None
    current_price: Decimal | None
    quantity: Decimal
    stop_price: Decimal | None
    target_price: Decimal | None
    trailing_armed: bool
    unrealized_pnl: Decimal | None
    opened_at_ms: int | None
    protected_quantity: Decimal
    is_protected: bool


class Positions(Told):
    """The open positions; not `complete` where there are more than are told."""

    data: list[Position]
    complete: bool


class Order(ToldCamel):
    """An order of ours, from intent to its final state."""

    client_order_id: str
    position_id: str
    symbol: str
    side: str
    order_side: str
    purpose: str
    status: str
    quantity: Decimal
    filled_quantity: Decimal
    trigger_price: Decimal | None
    average_price: Decimal | None
    error_message: str
    created_at_ms: int
    updated_at_ms: int


class Orders(Told):
    """Working orders, and those among the newest that ended."""

    data: list[Order]
    complete: bool
    ended: list[Order]


class Candle(Told):
    """One candle; `time_ms` is when it opened. A gap has no prices."""

    time_ms: int
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    volume: Decimal | None


class Candles(ToldCamel):
    """Closed candles of one symbol, oldest first."""

    symbol: str
    span_ms: int
    candles: list[Candle]


class Spread(Told):
    """Milliseconds over the samples; None without any."""

    p50: Decimal | None
    p99: Decimal | None


class LoopPerformance(Told):
    """How punctual one loop was over its latest ticks, and why deadlines were skipped."""

    ticks: int
    compute_ms: Spread
    start_jitter_ms: Spread
    skipped: dict[str, int]


class Cadence(Told):
    """How punctual both loops are."""

    trade_loop: LoopPerformance
    position_loop: LoopPerformance


class Cycle(Told):
    """What one tick of a loop counted."""

    slot_ms: int
    counts: dict[str, int]


class Progress(ToldCamel):
    """The latest ticks of the trade loop, in any order."""

    trade_cycles: list[Cycle]


class Alerts(Told):
    """Open alerts of this account or of none."""

    open: int
    by_severity: dict[str, int]


class Equity(Told):
    """The newest sample of the account, in quote currency."""

    equity: Decimal
    age_ms: int


class Health(Told):
    """What is wrong with the engine; empty where nothing is."""

    issue: str


class Snapshot(ToldCamel):
    """Everything the screen shows, in one answer."""

    connections: list[Account]
    connection_id: str
    engine: Engine
    progression: Progress
    cadence: Cadence | None
    health: Health
    positions: Positions
    orders: Orders
    alerts: Alerts
    equity: Equity | None
    candles: Candles | None
