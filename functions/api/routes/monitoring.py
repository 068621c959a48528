"""What happened in the system, and how it is."""

from chalice.app import Blueprint

from adapters.monitoring.entries import Category, Level
from adapters.monitoring.log_views import Wanted
from models.monitoring import LogsAnswer, LogsQuery
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


def _wanted(query: LogsQuery) -> Wanted:
    return Wanted(
        from_ms=query.start_date,
        to_ms=FOR_EVER_MS if query.end_date is None else query.end_date,
        level=None if query.level is None else Level(query.level),
        category=None if query.category is None else Category(query.category),
        connection_id=query.connection_id,
        correlation_id=query.correlation_id,
    )
