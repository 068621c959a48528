"""Models of the performance route."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from models.base import AskedCamel, Told, ToldCamel
from models.engine import ConnectionId


class PerformanceQuery(AskedCamel):
    """Over how many of the latest rows of each loop to measure."""

    connection_id: ConnectionId | None = None
    samples: Annotated[int, Field(ge=1, le=500)] = 100


class Spread(Told):
    """Milliseconds over the samples; null without any."""

    samples: int
    avg: Decimal | None
    min: Decimal | None
    max: Decimal | None
    p50: Decimal | None
    p95: Decimal | None
    p99: Decimal | None


class StageTold(Spread):
    """A stage of the loops beside the mean that is expected of it."""

    last: Decimal | None
    expected_avg: int | None
    as_expected: bool | None


class MemoryTold(Told):
    """Resident memory of the workers; the limit is null outside of Lambda."""

    current_mb: int | None
    avg_mb: Decimal | None
    max_mb: int | None
    limit_mb: int | None
    percent: Decimal | None
    expected_percent: int


class NotMeasured(Told):
    """What nobody can measure here, and why."""

    percent: Decimal | None = None
    count: int | None = None
    expected_percent: int | None = None
    reason: str


class MetricsTold(ToldCamel):
    """Each stage as the loops measured it; expectations are for `expected_for_symbols`."""

    indication_processing: StageTold
    strategy_processing: StageTold
    realtime_processing: StageTold
    database_query: StageTold
    memory_usage: MemoryTold
    cpu_usage: NotMeasured
    throttles: NotMeasured
    symbols: int
    expected_for_symbols: int = Field(alias="expected_for_symbols")


class ThresholdsTold(ToldCamel):
    """What is warned of: milliseconds and percent."""

    indication_processing: int
    strategy_processing: int
    realtime_processing: int
    database_query: int
    memory_percent: int
    cpu_percent: int


class WarningTold(Told):
    """A newest sample or a mean past its threshold."""

    metric: str
    value: Decimal
    threshold: Decimal
    unit: str
    message: str


class WarningOfConnection(WarningTold):
    """The same with the engine it is of."""

    connection_id: str


class ComponentTold(ToldCamel):
    """One part of an engine: its newest cycle in milliseconds, and how many kept their deadline."""

    status: str
    last_cycle_duration: Decimal | None
    error_count: int
    success_rate: Decimal | None


class LoopPerformance(Told):
    """What one loop costs and how punctual it is; `tick` is compute and input and output."""

    ticks: int
    last_tick_ms: Decimal | None
    compute_ms: Spread
    tick_ms: Spread
    start_jitter_ms: Spread
    skipped: dict[str, int]


class PerformanceTold(ToldCamel):
    """The loops of one connection."""

    connection_id: str
    name: str
    health: str
    components: dict[str, ComponentTold]
    metrics: MetricsTold
    thresholds: ThresholdsTold
    warnings: list[WarningTold]
    trade_loop: LoopPerformance = Field(alias="trade_loop")
    position_loop: LoopPerformance = Field(alias="position_loop")


class PerformanceAnswer(ToldCamel):
    """`health` is the worst of the connections whose engines should run; `metrics` are of all."""

    success: bool = True
    health: str
    metrics: MetricsTold
    warnings: list[WarningOfConnection]
    connections: list[PerformanceTold]
    timestamp: int


class EngineHealthTold(ToldCamel):
    """Health of one engine: `stopped`, or healthy, degraded or unhealthy as its worst part."""

    connection_id: str
    name: str
    desired_state: str = Field(alias="desired_state")
    actual_state: str = Field(alias="actual_state")
    overall: str
    components: dict[str, ComponentTold]
    error: str


class EnginesHealthAnswer(ToldCamel):
    """`overall` is the worst of the engines that should run."""

    success: bool = True
    overall: str
    connections: list[EngineHealthTold]
    timestamp: int
