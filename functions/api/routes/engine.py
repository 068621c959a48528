"""The trade engine: start, stop, and what it is doing."""

from chalice.app import Blueprint

from models.engine import (
    EngineAnswer,
    ProgressionAnswer,
    ProgressionQuery,
    ResumeRequest,
    StartRequest,
    StatusAnswer,
    StatusQuery,
    StopRequest,
)
from models.performance import PerformanceAnswer, PerformanceQuery
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
    operations = services().operations
    if body.connection_id is None:
        return EngineAnswer.model_validate(operations.start_all(by=caller))
    return EngineAnswer.model_validate(operations.start(body.connection_id, by=caller))


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
    operations = services().operations
    close = body.close_positions
    if body.connection_id is None:
        return EngineAnswer.model_validate(operations.stop_all(close_positions=close, by=caller))
    return EngineAnswer.model_validate(
        operations.stop(body.connection_id, close_positions=close, by=caller)
    )


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
    told = services().operations.resume_trading(body.connection_id, by=caller)
    return EngineAnswer.model_validate(told)


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
