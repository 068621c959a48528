"""The emergency stop that holds an engine, as the status tells it."""

from pydantic import Field

from models.base import Told


class EmergencyTold(Told):
    """The emergency stop that holds an engine.

    `verified` once the venue proved what is left, by the readings asked for at `reads_ms`; the last
    position of ours was closed at `flat_at_ms`, `time_to_flat_ms` after the stop. What the venue
    holds and nobody here opened is `left`.
    """

    emergency_id: str
    since_ms: int
    by: str
    reason: str
    flatten: bool
    verified: bool
    verified_at_ms: int | None = None
    flat_at_ms: int | None = None
    time_to_flat_ms: int | None = None
    open_positions: int | None = None
    closed_positions: int | None = None
    closed: list[str] = Field(default_factory=list)
    cancelled_entries: int | None = None
    cancelled: list[str] = Field(default_factory=list)
    reads_ms: list[int] = Field(default_factory=list)
    left: list[str] = Field(default_factory=list)
    rounds: int = 0
    error: str = ""
