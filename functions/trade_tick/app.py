"""Lambda `trade_tick`: one burst of trade ticks, called by `trade_loop.asl.json`."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from adapters.bursts import burst_request
from adapters.monitoring.metering import metered
from adapters.monitoring.service_log import live_log
from adapters.runner import run
from adapters.world import live_world
from engine.cycles.memory import TradeMemory
from engine.cycles.trade import trade_burst

logger = Logger(service="trade_tick")
memories: dict[str, TradeMemory] = {}


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Parse, run one burst, report; errors go up to the state machine by their names."""
    request = burst_request(event)
    logger.append_keys(connection_id=request.connection_id, token=request.token)

    world, connection_id = live_world("trade_tick"), request.connection_id
    told = live_log("trade_tick").of(connection_id, request.owner)
    with told, metered("trade_tick", world.store, connection_id):
        report = run(trade_burst(world, request, memories))

    logger.info("burst done", report=asdict(report))
    return asdict(report)
