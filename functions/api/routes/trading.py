"""Positions, orders and candles."""

from chalice.app import Blueprint

from models.trading import (
    MarketAnswer,
    MarketQuery,
    OrdersAnswer,
    OrdersQuery,
    PositionsAnswer,
    PositionsOfConnection,
    PositionsQuery,
    StatsAnswer,
)
from operation import operation
from services import services

trading = Blueprint(__name__)


@operation(
    trading,
    ("GET",),
    "/api/positions",
    query=PositionsQuery,
    answer=PositionsAnswer,
    failures=(404,),
)
def list_positions(*, query: PositionsQuery, caller: str) -> PositionsAnswer:
    """Exchange positions, latest first."""
    return PositionsAnswer.model_validate(services().trading_views.positions(**dict(query)))


@operation(
    trading,
    ("GET",),
    "/api/positions/{id}",
    query=PositionsOfConnection,
    answer=PositionsAnswer,
    owner=str,
    failures=(404,),
)
def positions_of_connection(
    id: str, *, query: PositionsOfConnection, caller: str
) -> PositionsAnswer:
    """Exchange positions of one connection, latest first; `id` is the connection's."""
    return PositionsAnswer.model_validate(
        services().trading_views.positions(connection_id=id, **dict(query))
    )


@operation(
    trading,
    ("GET",),
    "/api/positions/{id}/stats",
    answer=StatsAnswer,
    owner=str,
    failures=(404,),
)
def position_stats(id: str, *, caller: str) -> StatsAnswer:
    """Statistics over the fills of one connection; `id` is the connection's."""
    return StatsAnswer.model_validate(
        {"connection_id": id, "stats": services().trading_views.stats(id)}
    )


@operation(
    trading, ("GET",), "/api/orders", query=OrdersQuery, answer=OrdersAnswer, failures=(404,)
)
def list_orders(*, query: OrdersQuery, caller: str) -> OrdersAnswer:
    """Orders, latest first."""
    return OrdersAnswer.model_validate(services().trading_views.orders(**dict(query)))


@operation(
    trading, ("GET",), "/api/market-data", query=MarketQuery, answer=MarketAnswer, failures=(404,)
)
def market_data(*, query: MarketQuery, caller: str) -> MarketAnswer:
    """Candles of one symbol up to the engine's last tick."""
    return MarketAnswer.model_validate(services().market_views.candles(**dict(query)))
