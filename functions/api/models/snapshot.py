"""Models of the snapshot: a console's screen in one answer."""

from decimal import Decimal

from pydantic import Field

from models.base import AskedCamel, Told, ToldCamel
from models.engine import ConnectionId, EngineTold, ProgressTold
from models.trading import MarketAnswer, OrderTold, PositionTold, Symbol


class SnapshotQuery(AskedCamel):
    """One connection; candles of one symbol, of the first that is followed without."""

    connection_id: ConnectionId
    symbol: Symbol | None = None


class ProtectedPosition(PositionTold):
    """A position with what live stops cover of it; protected if that is all of it."""

    protected_quantity: Decimal
    is_protected: bool


class PositionsPart(Told):
    """At most 500 open positions, valued at prices of `marked_age_ms`."""

    data: list[ProtectedPosition]
    complete: bool
    marked_age_ms: int | None


class OrdersPart(Told):
    """At most 500 working orders."""

    data: list[OrderTold]
    complete: bool


class AlertsPart(Told):
    """How many alerts are open for this connection or for none, of the first 200 of all."""

    open: int
    by_severity: dict[str, int]
    complete: bool


class EquityPart(Told):
    """The newest sample of the account, in quote currency."""

    equity: Decimal
    free_margin: Decimal
    unrealized: Decimal | None
    at_ms: int
    age_ms: int


class HealthPart(Told):
    """Whether the engine does what it should: healthy, degraded or critical."""

    status: str
    issue: str


class SnapshotAnswer(ToldCamel):
    """Every part at one time; `candles` are the last 60 seconds, null before any is followed."""

    success: bool = True
    connection_id: str
    name: str
    engine: EngineTold
    progression: ProgressTold
    health: HealthPart
    positions: PositionsPart
    orders: OrdersPart = Field(examples=[{"data": [], "complete": True}])
    alerts: AlertsPart
    equity: EquityPart | None
    candles: MarketAnswer | None
    settings_version: int = Field(alias="settings_version")
    tick_age_ms: int | None = Field(alias="tick_age_ms")
    timestamp: int
