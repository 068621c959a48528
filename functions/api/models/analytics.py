"""Models of statistics, their groups and their series."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from models.base import AskedCamel, Told, ToldCamel
from models.engine import ConnectionId

Moment = Annotated[int, Field(ge=0, le=10**14)]
Grouping = Literal["symbol", "indication", "strategy", "mode", "set", "side", "level"]


class StatisticsQuery(AskedCamel):
    """A time in UTC epoch milliseconds, the last 30 days without; one connection or each."""

    connection_id: ConnectionId | None = None
    from_ms: Annotated[Moment | None, Field(alias="from")] = None
    to_ms: Annotated[Moment | None, Field(alias="to")] = None
    group_by: Grouping | None = None


class SeriesQuery(AskedCamel):
    """The same of one connection; minutes are kept for two days, hours for more than a year."""

    connection_id: ConnectionId
    from_ms: Annotated[Moment | None, Field(alias="from")] = None
    to_ms: Annotated[Moment | None, Field(alias="to")] = None
    resolution: Literal["minute", "hour"] = "hour"


class WindowTold(Told):
    """Figures of so many last results of a side."""

    results: int
    net: Decimal
    win_rate: Decimal
    profit_factor: Decimal | None
    avg_r: Decimal | None


class FiguresTold(Told):
    """What closed positions of one side came to; money in quote, rates in percent.

    Null is what the data does not give: `profit_factor` without a loss, a window of `last` with
    fewer results, hours before the range begins.
    """

    closed: int
    wins: int
    losses: int
    net: Decimal
    fees: Decimal
    win_rate: Decimal | None
    profit_factor: Decimal | None
    avg_win: Decimal | None
    avg_loss: Decimal | None
    expectancy: Decimal | None
    expectancy_r: Decimal | None
    best: Decimal | None
    worst: Decimal | None
    max_drawdown: Decimal
    recovery_factor: Decimal | None
    drawdown_time_ms: int
    max_consecutive_losses: int
    trades_per_day: Decimal | None
    avg_hold_ms: int | None
    last: dict[str, WindowTold | None]
    profit_factor_20h: Decimal | None
    pnl_hours: dict[str, Decimal | None]


class AccountFigures(Told):
    """What hourly samples of the equity say; deposits and withdrawals count as won or lost."""

    samples: int
    first: Decimal | None
    last: Decimal | None
    peak: Decimal | None
    max_drawdown_pct: Decimal | None
    drawdown_time_ms: int
    daily_returns: int
    sharpe: Decimal | None
    sortino: Decimal | None


class GroupTold(Told):
    """Positions that have something in common, by side."""

    name: str
    long: FiguresTold
    short: FiguresTold


class ConnectionStatistics(ToldCamel):
    """One account; `positions_read` were read for this answer, others were known already.

    Groups are told by size, the largest 200; `complete` is false where the range holds more
    positions than are read.
    """

    connection_id: str
    name: str
    long: FiguresTold
    short: FiguresTold
    net: Decimal
    account: AccountFigures
    groups: list[GroupTold]
    groups_left_out: int = Field(alias="groups_left_out")
    positions: int
    positions_read: int = Field(alias="positions_read")
    complete: bool


class StatisticsAnswer(ToldCamel):
    """Each connection for itself."""

    success: bool = True
    from_ms: int = Field(alias="from")
    to_ms: int = Field(alias="to")
    group_by: str | None
    connections: list[ConnectionStatistics]
    timestamp: int


class EquityTold(Told):
    """What an account was worth, in quote; `balance` is without the open positions' results."""

    at_ms: int
    equity: Decimal
    balance: Decimal | None
    margin: Decimal
    unrealized: Decimal | None
    open_positions: int


class DayTold(Told):
    """Realised results of one UTC day, and of the range up to its end."""

    day_ms: int
    long_net: Decimal
    short_net: Decimal
    net: Decimal
    cumulative: Decimal
    closed: int


class SeriesAnswer(ToldCamel):
    """Oldest first; times without a sample are times when nothing was read."""

    success: bool = True
    connection_id: str
    from_ms: int = Field(alias="from")
    to_ms: int = Field(alias="to")
    resolution: str
    complete: bool
    equity: list[EquityTold]
    daily: list[DayTold]
