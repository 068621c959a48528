"""Models of the log and the state of the whole system."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from models.base import AskedCamel, Told, ToldCamel
from models.engine import ConnectionId
from models.performance import PerformanceAnswer
from models.trading import HealthAnswer

LevelName = Literal["debug", "info", "warn", "error"]
CategoryName = Literal["system", "trade-engine", "api", "database", "connection"]
TimeMs = Annotated[int, Field(ge=0, le=9_999_999_999_999)]
Cursor = Annotated[str, Field(max_length=100)]


class LogsQuery(AskedCamel):
    """Which entries, newest first; times in UTC epoch milliseconds, both inclusive."""

    limit: Annotated[int, Field(ge=1, le=500)] = 100
    level: LevelName | None = None
    category: CategoryName | None = None
    connection_id: ConnectionId | None = None
    correlation_id: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    start_date: TimeMs = 0
    end_date: TimeMs | None = None
    cursor: Cursor | None = None

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> "LogsQuery":
        if self.end_date is not None and self.start_date > self.end_date:
            raise ValueError("startDate must not be later than endDate")
        return self


class EntryTold(ToldCamel):
    """One entry; `count` tells how many alike stand behind it."""

    id: str
    timestamp: int
    level: str
    category: str
    message: str
    values: dict[str, str]
    connection_id: str | None
    correlation_id: str | None
    count: int


class LogStats(ToldCamel):
    """Counts of what is on the page."""

    total: int
    by_level: dict[str, int]
    by_category: dict[str, int]


class LogsAnswer(Told):
    """One page; `cursor` is null on the last."""

    success: bool = True
    logs: list[EntryTold]
    stats: LogStats
    cursor: str | None


class ErrorsQuery(AskedCamel):
    """Which kinds of warnings and errors; those that are not resolved without a word."""

    resolved: Literal["true", "false", "all"] = "false"
    connection_id: ConnectionId | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class ErrorTold(ToldCamel):
    """Warnings or errors that are alike; `values` are those of the newest."""

    id: str
    level: str
    category: str
    message: str
    connection_id: str | None
    values: dict[str, str]
    correlation_id: str | None
    count: int
    first_ms: int
    last_ms: int
    resolved: bool
    resolved_by: str | None
    resolved_ms: int | None
    version: int


class ErrorsAnswer(Told):
    """The newest kinds, and how many there are in all."""

    success: bool = True
    errors: list[ErrorTold]
    total: int


class ErrorChange(AskedCamel):
    """With `version`, only if it did not happen again since it was read."""

    resolved: bool = True
    version: Annotated[int, Field(ge=1)] | None = None
    reason: Annotated[str, Field(max_length=300)] = ""


class ErrorAnswer(Told):
    """The kind as it is now."""

    success: bool = True
    error_kind: ErrorTold


class ConnectionsState(ToldCamel):
    """Accounts; `status` is idle without an active one, degraded after a failed test."""

    total: int
    active: int
    live_trade: int
    status: str


class TradingState(ToldCamel):
    """Open positions on paper and on the exchange."""

    pseudo_positions: int
    real_positions: int
    status: str


class StrategyState(ToldCamel):
    """When a trade loop last said that it lives."""

    status: str
    last_update: int | None


class DatabaseState(ToldCamel):
    """How long the reads for this answer took."""

    status: str
    read_ms: int


class ErrorsState(ToldCamel):
    """Errors within the last hour."""

    count: int
    status: str


class States(ToldCamel):
    """Each part."""

    connections: ConnectionsState
    trading: TradingState
    strategy: StrategyState
    database: DatabaseState
    errors: ErrorsState


class SystemAnswer(ToldCamel):
    """The system at a glance."""

    success: bool = True
    states: States
    timestamp: int


class HourErrors(ToldCamel):
    """Errors of one hour, which begins at `hour`."""

    hour: int
    errors: int


class TopError(ToldCamel):
    """A message of warnings or errors and how often it was told."""

    level: str
    message: str
    count: int


class MonitoringStats(ToldCamel):
    """The last day; `health_score` is 100 less 2 an error and a half a warning, at least 0."""

    success: bool = True
    total: int
    by_level: dict[str, int]
    by_category: dict[str, int]
    error_rate: list[HourErrors]
    top_errors: list[TopError]
    critical_last_hour: int
    health_score: Decimal
    timestamp: int


class SupervisorTold(ToldCamel):
    """When the supervisor last ran to its end."""

    last_run_ms: int | None
    age_ms: int | None


class ComprehensiveAnswer(ToldCamel):
    """Everything that can be healthy or not."""

    success: bool = True
    health: HealthAnswer
    engines: PerformanceAnswer
    alerts: dict[str, int]
    supervisor: SupervisorTold
    timestamp: int


class ExportQuery(LogsQuery):
    """The same as a file: the next part is behind the cursor."""

    kind: Literal["logs", "errors"] = "logs"
    format: Literal["json", "csv"] = "json"


class ExportAnswer(ToldCamel):
    """`content` is the file's text, JSON or CSV; `cursor` is null on its last part."""

    success: bool = True
    kind: str
    format: str
    count: int
    content: str
    cursor: str | None
