"""Models of the log and the state of the whole system."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from models.base import AskedCamel, Told, ToldCamel
from models.engine import ConnectionId

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
