"""The trade engine: start, stop, and what it is doing."""

from chalice.app import Blueprint

from models.engine import (
    EngineAnswer,
    EngineRequest,
    ProgressionAnswer,
    ProgressionQuery,
    ResumeRequest,
    StartRequest,
    StatusAnswer,
    StatusQuery,
    StopRequest,
)
from models.performance import EnginesHealthAnswer, PerformanceAnswer, PerformanceQuery
from operation import operation
from services import services

engine = Blueprint(__name__)
ROOT = "/api/trade-engine"


@operation(
    engine,
    ("POST",),
    f"{ROOT}/start",
    body=StartRequest,
    answer=EngineAnswer,
    failures=(404, 409),
)
def start_engine(*, body: StartRequest, caller: str) -> EngineAnswer:
    """Start the engine of one connection, or of all that may run."""
    made = services().operations.start(body.connection_id, by=caller, reason=body.reason)
    return EngineAnswer.model_validate(made)


@operation(
    engine,
    ("POST",),
    f"{ROOT}/stop",
    body=StopRequest,
    answer=EngineAnswer,
    failures=(404, 409),
)
def stop_engine(*, body: StopRequest, caller: str) -> EngineAnswer:
    """Stop the engine of one connection, or of all; positions stay open unless asked."""
    made = services().operations.stop(
        body.connection_id, close_positions=body.close_positions, by=caller, reason=body.reason
    )
    return EngineAnswer.model_validate(made)


@operation(
    engine,
    ("POST",),
    f"{ROOT}/pause",
    body=EngineRequest,
    answer=EngineAnswer,
    failures=(404, 409),
)
def pause_engine(*, body: EngineRequest, caller: str) -> EngineAnswer:
    """Open no new position from the next tick on; what is open is protected and closed as before.

    The status tells when each loop acknowledged it.
    """
    made = services().operations.pause(body.connection_id, by=caller, reason=body.reason)
    return EngineAnswer.model_validate(made)


@operation(
    engine,
    ("POST",),
    f"{ROOT}/resume",
    body=EngineRequest,
    answer=EngineAnswer,
    failures=(404, 409),
)
def resume_engine(*, body: EngineRequest, caller: str) -> EngineAnswer:
    """End a pause: from the next tick on new positions may be opened."""
    made = services().operations.resume(body.connection_id, by=caller, reason=body.reason)
    return EngineAnswer.model_validate(made)


@operation(
    engine,
    ("POST",),
    f"{ROOT}/restart",
    body=EngineRequest,
    answer=EngineAnswer,
    failures=(404, 409),
)
def restart_engine(*, body: EngineRequest, caller: str) -> EngineAnswer:
    """Stop the loops, keeping positions, and start anew once both have ended; it ends a pause."""
    made = services().operations.restart(body.connection_id, by=caller, reason=body.reason)
    return EngineAnswer.model_validate(made)


@operation(
    engine,
    ("POST",),
    f"{ROOT}/resume-trading",
    body=ResumeRequest,
    answer=EngineAnswer,
    failures=(404, 409),
)
def resume_trading(*, body: ResumeRequest, caller: str) -> EngineAnswer:
    """Let an account trade again that its losses restrain."""
    made = services().operations.resume_trading(body.connection_id, by=caller, reason=body.reason)
    return EngineAnswer.model_validate(made)


@operation(
    engine, ("GET",), f"{ROOT}/status", query=StatusQuery, answer=StatusAnswer, failures=(404,)
)
def engine_status(*, query: StatusQuery, caller: str) -> StatusAnswer:
    """What is wanted of each engine, and what its loops prove."""
    return StatusAnswer.model_validate(services().engine_views.status(query.connection_id))


@operation(
    engine,
    ("GET",),
    f"{ROOT}/progression",
    query=ProgressionQuery,
    answer=ProgressionAnswer,
    failures=(404,),
)
def engine_progression(*, query: ProgressionQuery, caller: str) -> ProgressionAnswer:
    """How far each engine has come, with its latest cycles."""
    return ProgressionAnswer.model_validate(
        services().engine_views.progression(query.connection_id, limit=query.limit)
    )


@operation(
    engine,
    ("GET",),
    f"{ROOT}/performance",
    query=PerformanceQuery,
    answer=PerformanceAnswer,
    failures=(404,),
)
def engine_performance(*, query: PerformanceQuery, caller: str) -> PerformanceAnswer:
    """What each loop costs, and how punctual it is."""
    return PerformanceAnswer.model_validate(
        services().engine_views.performance(query.connection_id, samples=query.samples)
    )


@operation(
    engine,
    ("GET",),
    f"{ROOT}/health",
    query=StatusQuery,
    answer=EnginesHealthAnswer,
    failures=(404,),
)
def engine_health(*, query: StatusQuery, caller: str) -> EnginesHealthAnswer:
    """Health of each engine and its parts: indications, strategies, real time."""
    return EnginesHealthAnswer.model_validate(services().engine_views.health(query.connection_id))
