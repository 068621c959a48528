"""Statistics over what was closed, and the account's equity over time."""

from chalice.app import Blueprint

from models.analytics import SeriesAnswer, SeriesQuery, StatisticsAnswer, StatisticsQuery
from operation import operation
from services import services

analytics = Blueprint(__name__)


def _told(query: StatisticsQuery) -> StatisticsAnswer:
    return StatisticsAnswer.model_validate(services().analytics_views.statistics(**dict(query)))


@operation(
    analytics,
    ("GET",),
    "/api/statistics",
    query=StatisticsQuery,
    answer=StatisticsAnswer,
    failures=(404,),
)
def statistics(*, query: StatisticsQuery, caller: str) -> StatisticsAnswer:
    """Statistics of closed positions by side, and by what they have in common."""
    return _told(query)


@operation(
    analytics,
    ("GET",),
    "/api/positions/stats",
    query=StatisticsQuery,
    answer=StatisticsAnswer,
    failures=(404,),
)
def all_position_stats(*, query: StatisticsQuery, caller: str) -> StatisticsAnswer:
    """The same as /api/statistics."""
    return _told(query)


@operation(
    analytics,
    ("GET",),
    "/api/exchange-positions/statistics",
    query=StatisticsQuery,
    answer=StatisticsAnswer,
    failures=(404,),
)
def exchange_position_statistics(*, query: StatisticsQuery, caller: str) -> StatisticsAnswer:
    """The same as /api/statistics: only exchange positions have money."""
    return _told(query)


@operation(
    analytics,
    ("GET",),
    "/api/trading/stats",
    query=StatisticsQuery,
    answer=StatisticsAnswer,
    failures=(404,),
)
def trading_stats(*, query: StatisticsQuery, caller: str) -> StatisticsAnswer:
    """The same as /api/statistics."""
    return _told(query)


@operation(
    analytics,
    ("GET",),
    "/api/statistics/series",
    query=SeriesQuery,
    answer=SeriesAnswer,
    failures=(404,),
)
def statistics_series(*, query: SeriesQuery, caller: str) -> SeriesAnswer:
    """Balance, equity, margin, open positions and daily results over time."""
    return SeriesAnswer.model_validate(services().analytics_views.series(**dict(query)))
