"""Models of positions, orders, market data and health."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from models.base import AskedCamel, Told, ToldCamel
from models.engine import ConnectionId

Symbol = Annotated[str, Field(pattern=r"^[A-Z0-9]{3,30}$")]
Cursor = Annotated[str, Field(max_length=1000)]
IndicationName = Literal[
    "direction",
    "move",
    "active",
    "activity",
    "optimal",
    "active_advanced",
    "auto",
    "preset",
    "external",
]


class PositionsOfConnection(AskedCamel):
    """A page of positions, latest first."""

    status: Literal["open", "closed", "all"] = "open"
    symbol: Symbol | None = None
    indication_type: IndicationName | None = None
    mode: Literal["main", "preset"] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    cursor: Cursor | None = None


class PositionsQuery(PositionsOfConnection):
    """The same over one connection or, without cursor, all of them."""

    connection_id: ConnectionId | None = None


class OrdersQuery(AskedCamel):
    """A page of orders, latest first; `open` are those not yet in a final state."""

    connection_id: ConnectionId | None = None
    status: Literal["open", "all"] = "all"
    symbol: Symbol | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: Cursor | None = None


class MarketQuery(AskedCamel):
    """The latest candles of one symbol."""

    connection_id: ConnectionId
    symbol: Symbol
    limit: Annotated[int, Field(ge=1, le=3600)] = 300


class PositionTold(ToldCamel):
    """An exchange position of ours; prices in quote, quantities in base units.

    The chosen prices are an operator's, in place of the configured ones.
    """

    id: str
    connection_id: str
    symbol: str
    side: str
    status: str
    indication_type: str
    mode: str
    set_key: str
    entry_price: Decimal | None
    exit_price: Decimal | None
    current_price: Decimal | None
    quantity: Decimal
    entry_quantity: Decimal
    leverage: int
    stop_price: Decimal | None
    target_price: Decimal | None
    chosen_stop_price: Decimal | None = None
    chosen_target_price: Decimal | None = None
    trailing_armed: bool
    pnl: Decimal
    pnl_percent: Decimal | None
    realized_pnl: Decimal
    unrealized_pnl: Decimal | None
    fees: Decimal
    funding: Decimal
    unconverted: dict[str, Decimal]
    close_reason: str
    opened_at_ms: int | None
    closed_at_ms: int | None


class PositionsAnswer(ToldCamel):
    """One page; `cursor` is null on the last."""

    success: bool = True
    count: int
    data: list[PositionTold]
    cursor: str | None


class SideStats(Told):
    """Sums over closed positions of one side; money in quote, net of fees and funding."""

    closed_positions: int
    wins: int
    total_pnl: Decimal
    win_rate: Decimal | None


class StatsTold(Told):
    """Sums over fills; `profit_factor` is gross wins over gross losses, null without losses."""

    total_positions: int
    active_positions: int
    closed_positions: int
    total_pnl: Decimal
    total_fees: Decimal
    total_funding: Decimal
    win_rate: Decimal | None
    avg_profit: Decimal | None
    avg_loss: Decimal | None
    profit_factor: Decimal | None
    long: SideStats
    short: SideStats
    close_reasons: dict[str, int]


class StatsAnswer(ToldCamel):
    """Statistics of one connection."""

    success: bool = True
    connection_id: str
    stats: StatsTold


class OrderTold(ToldCamel):
    """An order of ours, from intent to its final state."""

    client_order_id: str
    exchange_order_id: str
    connection_id: str
    position_id: str
    symbol: str
    side: str
    order_side: str
    order_type: str
    purpose: str
    attempt: int
    status: str
    reduce_only: bool
    quantity: Decimal
    filled_quantity: Decimal
    trigger_price: Decimal | None
    average_price: Decimal | None
    error_message: str
    created_at_ms: int
    updated_at_ms: int


class OrdersAnswer(ToldCamel):
    """One page; `cursor` is null on the last."""

    success: bool = True
    count: int
    data: list[OrderTold]
    cursor: str | None


class CandleTold(Told):
    """One candle; `time_ms` is when it opened. A gap (nobody knows) has no prices."""

    time_ms: int
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    volume: Decimal | None
    kind: Literal["traded", "flat", "gap"]


class MarketAnswer(ToldCamel):
    """Candles oldest first, up to the engine's last tick."""

    success: bool = True
    connection_id: str
    symbol: str
    span_ms: int
    candles: list[CandleTold]


class HealthAnswer(ToldCamel):
    """`overall` is the worst of the components: healthy, degraded or critical."""

    success: bool = True
    overall: str
    components: dict[str, str]
    workflows: dict[str, str]
    issues: list[str]
    timestamp: int
