"""Models of the trade-engine routes."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from models.base import AskedCamel, ReasonTold, Told, ToldCamel
from models.latched import EmergencyTold

ConnectionId = Annotated[str, Field(min_length=1, max_length=64)]


Why = Annotated[str, Field(max_length=500)]


class Explained(AskedCamel):
    """An operator's act; `reason` is written into the audit log."""

    reason: Why = ""


class StartRequest(Explained):
    """Without `connectionId` every connection that may run is started."""

    connection_id: ConnectionId | None = None


class StopOptions(Explained):
    """Positions stay open, guarded on the venue, unless they are to be closed."""

    close_positions: bool = False


class StopRequest(StopOptions):
    """Without `connectionId` every running engine is stopped."""

    connection_id: ConnectionId | None = None


class EngineRequest(Explained):
    """Without `connectionId` every engine is meant, and answered for itself."""

    connection_id: ConnectionId | None = None


class ResumeRequest(Explained):
    """The connection whose losses until now shall count no more."""

    connection_id: ConnectionId


class StatusQuery(AskedCamel):
    """One connection or all."""

    connection_id: ConnectionId | None = None


class ProgressionQuery(AskedCamel):
    """How many of the latest cycle rows to show for each loop."""

    connection_id: ConnectionId | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 20


class Outcome(ToldCamel):
    """What became of the request for one connection."""

    success: bool
    connection_id: str
    connection_name: str
    message: str
    reasons: list[ReasonTold] = Field(default_factory=list)
    already_running: bool = Field(default=False, alias="already_running")
    already_stopped: bool = Field(default=False, alias="already_stopped")
    run_id: str = Field(default="", alias="run_id")


class EngineAnswer(ToldCamel):
    """The answer to a change of engines; the upper fields repeat the one connection asked for."""

    success: bool
    message: str
    connection_id: str = ""
    connection_name: str = ""
    already_running: bool = Field(default=False, alias="already_running")
    already_stopped: bool = Field(default=False, alias="already_stopped")
    results: list[Outcome]


class LoopTold(Told):
    """A loop as its lease row proves it.

    `acknowledged` is the wish that the loop itself says it obeys, since the tick of
    `acknowledged_slot_ms`; `acknowledged_after_ms` is null until it is the newest one. A loop that
    does not live acknowledges nothing.
    """

    alive: bool
    token: int
    phase: str
    wanted: str
    wanted_at_ms: int | None
    acknowledged: str | None
    acknowledged_at_ms: int | None
    acknowledged_slot_ms: int | None
    acknowledged_token: int | None
    acknowledged_after_ms: int | None
    halt: bool
    last_slot_ms: int | None
    age_ms: int | None
    expires_at_ms: int | None
    settings_version: int
    wanted_settings_version: int
    heartbeat_age_ms: int | None
    counters: dict[str, int]


class RiskTold(Told):
    """What the limits of an account say: `active`, `reducing` (nothing new opens) or `halted`.

    A restraint ends at `until_ms`, or without one when the operator resumes trading.
    """

    trading_state: str
    reason: str
    numbers: dict[str, Decimal]
    since_ms: int | None
    until_ms: int | None
    day_start_equity: Decimal
    equity_peak: Decimal
    realised_today: Decimal
    consecutive_losses: int


class EngineTold(ToldCamel):
    """The engine of one connection: what is wanted, and what the loops prove."""

    connection_id: str
    name: str
    exchange: str
    desired_state: str = Field(alias="desired_state")
    actual_state: str = Field(alias="actual_state")
    running: bool
    paused: bool
    loading_stage: str = Field(alias="loading_stage")
    loading_progress: int = Field(alias="loading_progress")
    prehistoric_data_loaded: bool = Field(alias="prehistoric_data_loaded")
    coverage: Decimal | None
    symbols: list[str]
    may_trade: bool = Field(alias="may_trade")
    may_trade_preset: bool = Field(alias="may_trade_preset")
    warming: bool
    risk: RiskTold | None
    trade_loop: LoopTold = Field(alias="trade_loop")
    position_loop: LoopTold = Field(alias="position_loop")
    settings_version: int = Field(alias="settings_version")
    engine_started_at: int | None = Field(alias="engine_started_at")
    run_id: str = Field(alias="run_id")
    error: str
    emergency: EmergencyTold | None


class StatusAnswer(ToldCamel):
    """`running` is true while at least one engine runs."""

    success: bool = True
    running: bool
    connections: list[EngineTold]
    total_connections: int
    timestamp: int


class CycleTold(ToldCamel):
    """One row of a loop: a trade tick, or the consecutive position ticks of one journal row."""

    slot_ms: int = Field(alias="slot_ms")
    ticks: int
    compute_ms: Decimal = Field(alias="compute_ms")
    duration_ms: Decimal = Field(alias="duration_ms")
    start_jitter_ms: Decimal = Field(alias="start_jitter_ms")
    counts: dict[str, int]
    skipped: dict[str, int]
    source: str


class CycleMetrics(ToldCamel):
    """How often the loops turned since the engine started; null if no loop reported it."""

    indication_cycles: int | None
    strategy_cycles: int | None
    realtime_cycles: int | None
    last_cycle_at: int | None


class ProgressTold(ToldCamel):
    """How far one engine has come."""

    connection_id: str
    name: str
    exchange: str
    is_enabled: bool
    is_active: bool
    is_live_trading: bool
    is_engine_running: bool
    engine_state: str
    loading_stage: str
    loading_progress: int
    trade_count: int | None
    pseudo_position_count: int | None
    prehistoric_data_loaded: bool
    last_update: int | None
    cycle_metrics: CycleMetrics
    trade_cycles: list[CycleTold]
    position_cycles: list[CycleTold]


class ProgressionAnswer(ToldCamel):
    """Progress of one connection or all."""

    success: bool = True
    connections: list[ProgressTold]
    total_connections: int
    running_engines: int
    timestamp: int
