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
    """The answer to start and stop."""

    message: str


class Connection(Told):
    """An exchange account, as far as it decides how dangerous a click is."""

    id: str
    name: str
    is_paper: bool
    is_testnet: bool
    is_live_trade: bool


class Connections(Told):
    """Every exchange account."""

    connections: list[Connection]


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
    engine_started_at: int | None = Field(alias="engine_started_at")
    error: str


class Status(ToldCamel):
    """All engines, at the API's own time in epoch ms."""

    connections: list[Engine]
    timestamp: int


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


class Positions(ToldCamel):
    """A page of positions, latest first."""

    data: list[Position]


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


class Orders(ToldCamel):
    """A page of orders, latest first."""

    data: list[Order]


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


class EnginePerformance(ToldCamel):
    """The loops of one connection."""

    connection_id: str
    trade_loop: LoopPerformance = Field(alias="trade_loop")
    position_loop: LoopPerformance = Field(alias="position_loop")


class Performance(ToldCamel):
    """The loops of every connection."""

    connections: list[EnginePerformance]


class Cycle(Told):
    """What one tick of a loop counted."""

    slot_ms: int
    counts: dict[str, int]


class EngineProgress(ToldCamel):
    """The latest ticks of the trade loop, in any order."""

    connection_id: str
    trade_cycles: list[Cycle]


class Progression(ToldCamel):
    """The latest ticks of every engine asked for."""

    connections: list[EngineProgress]
