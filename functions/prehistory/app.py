"""Lambda `prehistory`: load a symbol's history or fold a group's, for `engine_start.asl.json`."""

from dataclasses import asdict
from typing import Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from adapters.monitoring.service_log import live_log
from adapters.runner import run
from adapters.world import live_world
from engine.cycles import prehistory
from engine.ports import World

logger = Logger(service="prehistory")


class Request(BaseModel):
    """`symbol` to load, or `symbols` and the `cursor` of the call before to fold."""

    action: Literal["load", "fold"]
    connection_id: str
    symbol: str = ""
    symbols: tuple[str, ...] = ()
    cursor: int = 0


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Parse, do one piece of work, report; the state machine goes on from the answer."""
    request = Request.model_validate(event)
    with live_log("prehistory").of(request.connection_id, ""):
        return act(request, live_world("prehistory"))


def act(request: Request, world: World) -> dict[str, Any]:
    """One piece of work's answer, as the state machine reads it."""
    if request.action == "load":
        loaded = run(prehistory.load(world, request.connection_id, request.symbol))
        logger.info("history loaded", **asdict(loaded))
        return asdict(loaded)
    folded = prehistory.fold(
        world, request.connection_id, request.symbols, cursor_ms=request.cursor
    )
    logger.info("history folded", **asdict(folded))
    return {"done": folded.done, "cursor": folded.cursor_ms, "closed": folded.closed}
