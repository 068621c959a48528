"""Models of sizes: what the engine would open, and what it did."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from models.base import AskedCamel, Told, ToldCamel
from models.engine import ConnectionId
from models.trading import Cursor, Symbol

LEAST = Decimal("0.00000001")
Positive = Annotated[Decimal, Field(ge=LEAST, le=Decimal("1e12"), max_digits=24)]


class VolumeRequest(AskedCamel):
    """A position to size; price and equity are those of the newest tick and sample without."""

    connection_id: ConnectionId
    symbol: Symbol
    side: Literal["LONG", "SHORT"] = "LONG"
    mode: Literal["main", "preset"] = "main"
    stop_loss_pct: Annotated[Decimal, Field(ge=LEAST, le=100, max_digits=12)]
    size_ratio: Annotated[Decimal, Field(ge=LEAST, le=100, max_digits=12)] = Decimal(1)
    price: Positive | None = None
    equity: Positive | None = None
    free_margin: Annotated[Decimal | None, Field(ge=0, le=Decimal("1e12"), max_digits=24)] = None


class FactorsTold(Told):
    """What the equity is multiplied with; `factor` and `ratio` kept within their ranges."""

    base: Decimal
    of_mode: Decimal
    of_connection: Decimal
    factor: Decimal
    ratio: Decimal


class SizeTold(Told):
    """An admissible size: base units, notional and margin in quote, `lifted` to the minimum."""

    quantity: Decimal
    notional: Decimal
    leverage: int
    margin: Decimal
    lifted: bool


class RefusalTold(Told):
    """Why nothing would be opened, with its numbers."""

    code: str
    numbers: dict[str, Decimal] = Field(examples=[{"margin": "600", "limit": "475"}])


class StepsTold(Told):
    """What the venue takes."""

    price_tick: Decimal
    quantity_step: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal


class VolumeAnswer(ToldCamel):
    """A size or a refusal, with every number it came from; `factors` null with a bad leverage."""

    success: bool = True
    connection_id: str
    symbol: str
    side: str
    mode: str
    sizing_mode: str
    price: Decimal
    equity: Decimal
    free_margin: Decimal
    equity_at_ms: int
    factors: FactorsTold | None
    intended_notional: Decimal | None
    size: SizeTold | None
    refusal: RefusalTold | None
    instrument: StepsTold | None


class VolumeHistoryQuery(AskedCamel):
    """A page of wishes, newest first; they are kept for a week."""

    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: Cursor | None = None


class WishTold(Told):
    """A wish that was dealt with: its size in base units and quote, or the reason for none."""

    at_ms: int
    set_key: str
    symbol: str
    outcome: str
    reason: str
    numbers: dict[str, str] = Field(examples=[{"left_ms": "1200"}])
    position_id: str
    quantity: Decimal | None
    notional: Decimal | None
    leverage: int | None


class VolumeHistoryAnswer(ToldCamel):
    """One page, other commands left out; `cursor` is null on the last."""

    success: bool = True
    count: int
    data: list[WishTold] = Field(examples=[[]])
    cursor: str | None
