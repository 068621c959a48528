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
    p99: Decimal | None


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
    trade_loop: LoopPerformance = Field(alias="trade_loop")
    position_loop: LoopPerformance = Field(alias="position_loop")


class PerformanceAnswer(ToldCamel):
    """`health` is the worst of the connections whose engines should run."""

    success: bool = True
    health: str
    connections: list[PerformanceTold]
    timestamp: int
