"""The wiring of a live process."""

from functools import cache

from adapters.clock import SystemClock
from adapters.leases import DynamoLeases
from adapters.monitoring.metering import MeteredStore
from adapters.monitoring.service_log import live_log
from adapters.opener import VenueOpener
from adapters.starter import StepFunctionsStarter
from adapters.vault import KmsVault
from engine.ports import World


@cache
def live_world(service: str) -> World:
    """Everything real, made once in a container; nothing opens before it is used."""
    clock, log = SystemClock(), live_log(service)
    return World(
        clock=clock,
        leases=DynamoLeases(clock),
        store=MeteredStore(clock),
        starter=StepFunctionsStarter(),
        opener=VenueOpener(clock, KmsVault(), log),
        log=log,
    )
