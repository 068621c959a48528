"""Models of the routes that say why."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from models.base import AskedCamel, Told, ToldCamel
from models.engine import ConnectionId
from models.trading import Symbol


class WhyQuery(AskedCamel):
    """Which candle to explain: the last that closed at `at_ms` or before, by default the newest."""

    connection_id: ConnectionId
    symbol: Symbol
    at_ms: Annotated[int | None, Field(ge=0, le=4_102_444_800_000)] = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class ReasonOfSlot(Told):
    """What became of an indication with one parameter and variant, for one side."""

    indication: str
    parameter: int
    variant: str
    side: str
    verdict: str
    text: str


class WhyAnswer(ToldCamel):
    """Slots nearest to a signal first; `verdicts` counts all of them, shown or not."""

    success: bool = True
    connection_id: str
    symbol: str
    close_ms: int
    settings_version: int
    verdicts: dict[str, int]
    reasons: list[ReasonOfSlot]


class SetsQuery(AskedCamel):
    """Whose Sets to show."""

    connection_id: ConnectionId
    symbol: Symbol
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class SetTold(Told):
    """One Set: results in position costs, net; `text` says why it stands no higher."""

    set_key: str
    mode: str
    stage: str
    status: str
    is_shadow: bool
    results: int
    average_r: Decimal
    win_pct: Decimal
    profit_factor: Decimal
    drawdown_pct: Decimal
    drawdown_time_ms: int
    text: str


class SetsAnswer(ToldCamel):
    """Sets that have results, the furthest with the most first."""

    success: bool = True
    connection_id: str
    symbol: str
    settings_version: int
    sets: list[SetTold]
