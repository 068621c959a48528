"""Models of the emergency stop."""

from typing import Annotated

from pydantic import Field

from models.base import AskedCamel, ToldCamel
from models.engine import ConnectionId, Why

Reason = Annotated[
    str, Field(min_length=1, max_length=200, examples=["prices of BTCUSDT cannot be right"])
]


class EmergencyRequest(AskedCamel):
    """Without `connectionId` every engine is stopped.

    With `flatten` (the default) every position of ours is closed at the market; without it each
    keeps its stop, and only what could still open is cancelled. No reason need be given.
    """

    connection_id: ConnectionId | None = None
    flatten: bool = True
    reason: Why = ""


class ResetRequest(AskedCamel):
    """Lifts the latch of one engine that is proven flat; with `acceptOpenPositions` in any case."""

    connection_id: ConnectionId
    accept_open_positions: bool = False
    reason: Reason


class EmergencyOutcome(ToldCamel):
    """What became of it for one connection; `actions` are what was done and what goes on."""

    success: bool
    connection_id: str
    connection_name: str
    message: str
    already_emergency_stopped: bool = Field(default=False, alias="already_emergency_stopped")
    emergency_id: str = Field(default="", alias="emergency_id")
    flatten: bool = False
    actions: list[str] = Field(default_factory=list)


class EmergencyAnswer(ToldCamel):
    """The answer to an emergency stop: `success` only if it holds for every connection."""

    success: bool
    message: str
    results: list[EmergencyOutcome]
