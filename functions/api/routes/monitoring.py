"""What happened in the system, and how it is."""

from typing import Any

from chalice.app import Blueprint

from adapters.monitoring import alert_views
from adapters.monitoring.entries import Category, Level
from adapters.monitoring.exporting import text_of
from adapters.monitoring.log_views import Wanted
from models.monitoring import (
    ComprehensiveAnswer,
    ErrorAnswer,
    ErrorChange,
    ErrorsAnswer,
    ErrorsQuery,
    ExportAnswer,
    ExportQuery,
    LogsAnswer,
    LogsQuery,
    MonitoringStats,
    SystemAnswer,
)
from operation import operation
from services import services

monitoring = Blueprint(__name__)
ROOT = "/api/monitoring"
FOR_EVER_MS = 9_999_999_999_999


@operation(
    monitoring, ("GET",), f"{ROOT}/logs", query=LogsQuery, answer=LogsAnswer, failures=(404,)
)
def list_logs(*, query: LogsQuery, caller: str) -> LogsAnswer:
    """Entries of the log, latest first."""
    found = services().log_views.logs(_wanted(query), limit=query.limit, cursor=query.cursor)
    return LogsAnswer.model_validate(found)


@operation(monitoring, ("GET",), f"{ROOT}/system", answer=SystemAnswer)
def system_state(*, caller: str) -> SystemAnswer:
    """Counts and a status of each part."""
    return SystemAnswer.model_validate(services().system_views.system())


@operation(monitoring, ("GET",), f"{ROOT}/stats", answer=MonitoringStats)
def monitoring_stats(*, caller: str) -> MonitoringStats:
    """What the log counted in the last day."""
    return MonitoringStats.model_validate(services().system_views.stats())


@operation(monitoring, ("GET",), f"{ROOT}/comprehensive", answer=ComprehensiveAnswer)
def comprehensive(*, caller: str) -> ComprehensiveAnswer:
    """Health of the whole and of each engine's parts, open alerts, and the supervisor's beat."""
    return ComprehensiveAnswer.model_validate(services().system_views.comprehensive())


@operation(monitoring, ("GET",), f"{ROOT}/errors", query=ErrorsQuery, answer=ErrorsAnswer)
def list_errors(*, query: ErrorsQuery, caller: str) -> ErrorsAnswer:
    """Warnings and errors, alike ones together, latest first."""
    return ErrorsAnswer.model_validate(_errors(query.resolved, query.connection_id, query.limit))


@operation(
    monitoring,
    ("PUT", "PATCH"),
    f"{ROOT}/errors/{{error_id}}",
    body=ErrorChange,
    answer=ErrorAnswer,
    failures=(404, 409),
)
def change_error(error_id: str, *, body: ErrorChange, caller: str) -> ErrorAnswer:
    """Mark errors as resolved, or not; they open again when they happen again."""
    changed = services().errors.resolve(
        error_id, resolved=body.resolved, version=body.version, by=caller, reason=body.reason
    )
    return ErrorAnswer.model_validate({"error_kind": changed})


@operation(
    monitoring, ("GET",), f"{ROOT}/export", query=ExportQuery, answer=ExportAnswer, failures=(404,)
)
def export(*, query: ExportQuery, caller: str) -> ExportAnswer:
    """Logs or errors as the text of a file, part by part."""
    if query.kind == "logs":
        found = services().log_views.logs(_wanted(query), limit=query.limit, cursor=query.cursor)
    else:
        found = _errors("all", query.connection_id, query.limit)
        found["errors"] = [
            one
            for one in found["errors"]
            if query.start_date <= one["lastMs"] <= (query.end_date or FOR_EVER_MS)
        ]
    rows = found[query.kind]
    return ExportAnswer(
        kind=query.kind,
        format=query.format,
        count=len(rows),
        content=text_of(rows, as_csv=query.format == "csv"),
        cursor=found.get("cursor"),
    )


def _errors(resolved: str, connection_id: str | None, limit: int) -> dict[str, Any]:
    wanted = {"true": True, "false": False}.get(resolved)
    return alert_views.errors(resolved=wanted, connection_id=connection_id, limit=limit)


def _wanted(query: LogsQuery) -> Wanted:
    return Wanted(
        from_ms=query.start_date,
        to_ms=FOR_EVER_MS if query.end_date is None else query.end_date,
        level=None if query.level is None else Level(query.level),
        category=None if query.category is None else Category(query.category),
        connection_id=query.connection_id,
        correlation_id=query.correlation_id,
    )
