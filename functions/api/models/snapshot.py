"""Models of the snapshot: a console's screen in one answer."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from models.base import AskedCamel, Told, ToldCamel
from models.engine import ConnectionId, EngineTold, ProgressTold
from models.performance import LoopPerformance
from models.trading import MarketAnswer, OrderTold, PositionTold, Symbol


class SnapshotQuery(AskedCamel):
    """One connection, the first without; candles of one symbol, of the first followed without.

    Who asks each second asks for what came since: so many seconds of candles, so many ticks.
    """

    connection_id: ConnectionId | None = None
    symbol: Symbol | None = None
    candles: Annotated[int, Field(ge=1, le=600, description="How many seconds.")] = 60
    ticks: Annotated[int, Field(ge=1, le=300, description="How many of each loop.")] = 1
    cadence: bool = False


class AccountPart(Told):
    """An exchange account to turn to, and how real its money is."""

    id: str
    name: str
    exchange: str
    is_paper: bool
    is_testnet: bool
    is_live_trade: bool


class CadencePart(Told):
    """How punctual each loop was over its last 100 rows, and what its ticks cost."""

    trade_loop: LoopPerformance
    position_loop: LoopPerformance


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
    """At most 500 working orders; `ended` are the others among the newest 60, latest first."""

    data: list[OrderTold]
    complete: bool
    ended: list[OrderTold]


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
    """Every part at one time; `candles` are null before any symbol is followed.

    `connections` are all that the caller may turn to, `cadence` is null unless it was asked for.
    """

    success: bool = True
    connections: list[AccountPart]
    connection_id: str
    name: str
    engine: EngineTold
    progression: ProgressTold
    cadence: CadencePart | None
    health: HealthPart
    positions: PositionsPart
    orders: OrdersPart = Field(examples=[{"data": [], "complete": True, "ended": []}])
    alerts: AlertsPart
    equity: EquityPart | None
    candles: MarketAnswer | None
    settings_version: int = Field(alias="settings_version")
    tick_age_ms: int | None = Field(alias="tick_age_ms")
    timestamp: int
