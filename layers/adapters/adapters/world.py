"""The wiring of a live process."""

from collections.abc import Mapping
from functools import cache

from aws_lambda_powertools import Logger

from adapters.clock import SystemClock
from adapters.leases import DynamoLeases
from adapters.opener import VenueOpener
from adapters.starter import StepFunctionsStarter
from adapters.store import DynamoStore
from adapters.vault import KmsVault
from engine.ports import World


class ServiceLog:
    """`engine.ports.Log` as structured lines of one service."""

    def __init__(self, service: str) -> None:
        self._logger = Logger(service=service)

    def fact(self, name: str, values: Mapping[str, object]) -> None:
        self._logger.info(name, facts=dict(values))

    def problem(self, name: str, values: Mapping[str, object]) -> None:
        self._logger.error(name, facts=dict(values))


@cache
def live_world(service: str) -> World:
    """Everything real, made once in a container; nothing opens before it is used."""
    clock, log = SystemClock(), ServiceLog(service)
    return World(
        clock=clock,
        leases=DynamoLeases(clock),
        store=DynamoStore(clock),
        starter=StepFunctionsStarter(),
        opener=VenueOpener(clock, KmsVault(), log),
        log=log,
    )
