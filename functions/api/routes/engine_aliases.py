"""The trade engine under further paths: all engines at once, and one by its connection."""

from chalice.app import Blueprint

from models.engine import EngineAnswer, Explained, StatusAnswer, StopOptions
from operation import operation
from services import services

engine_aliases = Blueprint(__name__)
ROOT = "/api/trade-engine"
ONE = f"{ROOT}/{{connection_id}}"


@operation(
    engine_aliases,
    ("POST",),
    f"{ROOT}/start-all",
    body=Explained,
    answer=EngineAnswer,
)
def start_all_engines(*, body: Explained, caller: str) -> EngineAnswer:
    """Start every engine that may run, each answered for itself."""
    made = services().operations.start(None, by=caller, reason=body.reason)
    return EngineAnswer.model_validate(made)


@operation(engine_aliases, ("GET",), f"{ROOT}/status-all", answer=StatusAnswer)
def status_of_all_engines(*, caller: str) -> StatusAnswer:
    """What is wanted of every engine, and what its loops prove."""
    return StatusAnswer.model_validate(services().engine_views.status(None))


@operation(
    engine_aliases,
    ("POST",),
    f"{ONE}/start",
    body=Explained,
    answer=EngineAnswer,
    failures=(404, 409),
)
def start_one_engine(connection_id: str, *, body: Explained, caller: str) -> EngineAnswer:
    """Start the engine of this connection."""
    made = services().operations.start(connection_id, by=caller, reason=body.reason)
    return EngineAnswer.model_validate(made)


@operation(
    engine_aliases,
    ("POST",),
    f"{ONE}/stop",
    body=StopOptions,
    answer=EngineAnswer,
    failures=(404, 409),
)
def stop_one_engine(connection_id: str, *, body: StopOptions, caller: str) -> EngineAnswer:
    """Stop the engine of this connection; positions stay open unless asked."""
    made = services().operations.stop(
        connection_id, close_positions=body.close_positions, by=caller, reason=body.reason
    )
    return EngineAnswer.model_validate(made)


@operation(engine_aliases, ("GET",), f"{ONE}/status", answer=StatusAnswer, failures=(404,))
def status_of_one_engine(connection_id: str, *, caller: str) -> StatusAnswer:
    """What is wanted of this connection's engine, and what its loops prove."""
    return StatusAnswer.model_validate(services().engine_views.status(connection_id))
