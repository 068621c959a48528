"""The input of a burst as the state machines send it."""

import secrets
from typing import Any

from pydantic import BaseModel

from engine.cycles.burst import BurstRequest


class BurstEvent(BaseModel):
    """`token` is the fencing token the lease row must still hold."""

    connection_id: str
    token: int
    execution_started_ms: int
    execution_id: str = ""


def burst_request(event: dict[str, Any]) -> BurstRequest:
    """Parse, and draw the nonce that names this invocation alone (a snapshot repeats imports)."""
    parsed = BurstEvent.model_validate(event)
    return BurstRequest(
        connection_id=parsed.connection_id,
        owner=f"burst-{secrets.token_hex(12)}",
        token=parsed.token,
        execution_started_ms=parsed.execution_started_ms,
        execution_id=parsed.execution_id,
    )
