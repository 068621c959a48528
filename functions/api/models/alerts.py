"""Models of alerts."""

from typing import Annotated, Literal

from pydantic import Field

from models.base import AskedCamel, Told, ToldCamel
from models.engine import ConnectionId
from models.monitoring import Cursor

SeverityName = Literal["low", "medium", "high", "critical"]


class AlertsQuery(AskedCamel):
    """Which alerts: `open` are the active and the acknowledged ones."""

    status: Literal["open", "active", "acknowledged", "resolved", "all"] = "open"
    severity: SeverityName | None = None
    connection_id: ConnectionId | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    cursor: Cursor | None = None


class AlertTold(ToldCamel):
    """Something an operator must know of; `count` tells how often it was told."""

    id: str
    rule: str
    severity: str
    status: str
    connection_id: str | None
    text: str
    values: dict[str, str]
    count: int
    first_ms: int
    last_ms: int
    acknowledged_by: str | None
    acknowledged_ms: int | None
    resolved_by: str | None
    resolved_ms: int | None
    note: str | None


class AlertsAnswer(Told):
    """One page; `cursor` is null on the last."""

    success: bool = True
    alerts: list[AlertTold]
    cursor: str | None


class AlertChange(AskedCamel):
    """Why, for the audit log."""

    reason: Annotated[str, Field(max_length=300)] = ""


class AlertAnswer(Told):
    """The alert as it is now."""

    success: bool = True
    alert: AlertTold
