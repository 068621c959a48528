"""Models of what an operator commands of positions."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from engine.records import AS_CONFIGURED, ExitChange
from models.base import AskedCamel, ReasonTold, ToldCamel
from models.engine import ConnectionId, Explained

Price = Annotated[Decimal, Field(ge=Decimal("1e-12"), max_digits=24, allow_inf_nan=False)]


class CloseAllRequest(Explained):
    """Without `connectionId` every connection is meant, and answered for itself."""

    connection_id: ConnectionId | None = None


class ExitsRequest(Explained):
    """Another stop or target of a position; null gives a chosen price up for the configured one.

    A stop beyond the configured one risks more than the position was sized for and is taken only
    with `allowLooser`.
    """

    model_config = ConfigDict(
        json_schema_extra={"example": {"stopPrice": "41832.0", "reason": "news at noon"}}
    )

    stop_price: Price | None = None
    target_price: Price | None = None
    allow_looser: bool = False

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not {"stop_price", "target_price"} & self.model_fields_set:
            raise ValueError("send stopPrice or targetPrice")
        return self

    @property
    def change(self) -> ExitChange:
        """What is to be changed, in the engine's words."""
        return ExitChange(
            stop_price=self._asked("stop_price", self.stop_price),
            target_price=self._asked("target_price", self.target_price),
            allow_looser=self.allow_looser,
        )

    def _asked(self, name: str, price: Decimal | None) -> Decimal | None:
        is_given_up = price is None and name in self.model_fields_set
        return AS_CONFIGURED if is_given_up else price


class CommandOutcome(ToldCamel):
    """What was commanded of one connection; `commandId` is found again in `/api/commands`."""

    success: bool
    connection_id: str
    connection_name: str
    message: str
    reasons: list[ReasonTold] = Field(default_factory=list)
    command_id: str = ""
    position_id: str = ""


class CommandAnswer(ToldCamel):
    """The answer to a command; the upper fields repeat the one connection it was for."""

    success: bool
    message: str
    connection_id: str = ""
    connection_name: str = ""
    command_id: str = ""
    position_id: str = ""
    results: list[CommandOutcome]


class CommandsQuery(AskedCamel):
    """A page of an operator's commands, the latest first."""

    connection_id: ConnectionId
    status: Literal["pending", "done", "all"] = "all"
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    cursor: Annotated[str, Field(pattern=r"^[0-9]{13}\|[a-z_|0-9]{1,80}$")] | None = None


class CommandTold(ToldCamel):
    """A command: `pending`, `done` or `refused` with the reason's code and its numbers."""

    id: str
    kind: str
    position_id: str
    status: str
    reason: str
    numbers: dict[str, str]
    created_at_ms: int
    done_at_ms: int | None


class CommandsAnswer(ToldCamel):
    """Those that wait, then those dealt with; `cursor` is null on the last page."""

    success: bool = True
    connection_id: str
    count: int
    data: list[CommandTold]
    cursor: str | None
