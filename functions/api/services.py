"""What the routes call, opened once for each container and replaceable by a test."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from adapters.clock import SystemClock
from adapters.connections import Connections
from adapters.control import LambdaControl, StepMachines
from adapters.engine_views import EngineViews
from adapters.health import health
from adapters.leases import DynamoLeases
from adapters.market_views import MarketViews
from adapters.operations import Operations
from adapters.trading_views import TradingViews


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of CTS behind the routes."""

    connections: Connections
    operations: Operations
    engine_views: EngineViews
    trading_views: TradingViews
    market_views: MarketViews
    health: Callable[[], Mapping[str, Any]]


@cache
def services() -> Services:
    """The parts as this deployment has them."""
    from adapters.starter import StepFunctionsStarter
    from adapters.vault import KmsVault

    clock = SystemClock()
    leases = DynamoLeases(clock)
    operations = Operations(
        machines=StepMachines(), leases=leases, starter=StepFunctionsStarter(), clock=clock
    )
    return Services(
        connections=Connections(
            vault=KmsVault(), control=LambdaControl(), operations=operations, clock=clock
        ),
        operations=operations,
        engine_views=EngineViews(leases=leases, clock=clock),
        trading_views=TradingViews(),
        market_views=MarketViews(clock=clock),
        health=lambda: health(leases, clock),
    )
