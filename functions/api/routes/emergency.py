"""The emergency stop, and its reset."""

from chalice.app import Blueprint

from adapters.tokens import Role
from models.emergency import EmergencyAnswer, EmergencyOutcome, EmergencyRequest, ResetRequest
from operation import operation
from services import services

emergency = Blueprint(__name__)
ROOT = "/api/trade-engine"


@operation(
    emergency,
    ("POST",),
    f"{ROOT}/emergency-stop",
    body=EmergencyRequest,
    answer=EmergencyAnswer,
    failures=(404, 409),
)
def emergency_stop(*, body: EmergencyRequest, caller: str) -> EmergencyAnswer:
    """Stop one engine or all at once, latched: nothing opens, and everything of ours is closed."""
    stops, flatten = services().emergency, body.flatten
    reason = body.reason or "emergency stop"
    if body.connection_id is None:
        results = stops.stop_all(flatten=flatten, reason=reason, by=caller)
    else:
        results = [stops.stop(body.connection_id, flatten=flatten, reason=reason, by=caller)]
    stopped = sum(1 for one in results if one["success"])
    return EmergencyAnswer(
        success=stopped == len(results),
        message=f"{stopped} of {len(results)} connections are emergency stopped",
        results=[EmergencyOutcome.model_validate(one) for one in results],
    )


@operation(
    emergency,
    ("POST",),
    f"{ROOT}/reset-emergency",
    body=ResetRequest,
    answer=EmergencyOutcome,
    role=Role.ADMIN,
    failures=(404, 409),
)
def reset_emergency(*, body: ResetRequest, caller: str) -> EmergencyOutcome:
    """Lift the latch of one engine once the venue proved that nothing of ours is left."""
    done = services().emergency.reset(
        body.connection_id,
        accept_open_positions=body.accept_open_positions,
        reason=body.reason,
        by=caller,
    )
    return EmergencyOutcome.model_validate(done)
