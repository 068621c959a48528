"""What the routes call, opened once for each container and replaceable by a test."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

from adapters import environment
from adapters.analytics_views import AnalyticsViews
from adapters.audit_views import AuditViews
from adapters.clock import SystemClock
from adapters.connections import Connections
from adapters.control import LambdaControl, StepMachines
from adapters.emergency import Emergency
from adapters.engine_views import EngineViews
from adapters.health import health
from adapters.iam_callers import IamCallers
from adapters.leases import DynamoLeases
from adapters.market_views import MarketViews
from adapters.monitoring.alert_views import Errors
from adapters.monitoring.alerts import Alerts
from adapters.monitoring.channels import Channels
from adapters.monitoring.keeping import log_days
from adapters.monitoring.log_views import LogViews
from adapters.monitoring.service_log import ServiceLog, live_log
from adapters.monitoring.system_views import SystemViews
from adapters.operations import Operations
from adapters.position_commands import PositionCommands
from adapters.reason_views import ReasonViews
from adapters.setting_changes import SettingChanges
from adapters.setting_views import SettingViews
from adapters.snapshot_views import SnapshotViews
from adapters.starter import StepFunctionsStarter
from adapters.store import DynamoStore
from adapters.tokens import Tokens
from adapters.trading_views import TradingViews
from adapters.usage import Allowed, Usage
from adapters.vault import KmsVault
from adapters.volume_views import VolumeViews


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of CTS behind the routes."""

    connections: Connections
    operations: Operations
    position_commands: PositionCommands
    emergency: Emergency
    engine_views: EngineViews
    trading_views: TradingViews
    market_views: MarketViews
    analytics_views: AnalyticsViews
    volume_views: VolumeViews
    snapshot_views: SnapshotViews
    reason_views: ReasonViews
    setting_views: SettingViews
    setting_changes: SettingChanges
    log: ServiceLog
    log_views: LogViews
    tokens: Tokens
    usage: Usage
    audit_views: AuditViews
    iam_callers: IamCallers | None = None  # None: bearer tokens say who calls
    log_days: Callable[[], int]
    system_views: SystemViews
    alerts: Alerts
    errors: Errors
    channels: Channels
    health: Callable[[], Mapping[str, Any]]


_given: list[Services] = []


def services() -> Services:
    """The parts to call: those of `using`, else those of this deployment."""
    return _given[-1] if _given else live_services()


@contextmanager
def using(parts: Services) -> Iterator[None]:
    """Let the routes call `parts`, as a test does."""
    _given.append(parts)
    try:
        yield
    finally:
        _given.pop()


@cache
def live_services() -> Services:
    """The parts as this deployment has them."""
    clock = SystemClock()
    leases, log = DynamoLeases(clock), live_log("api")
    machines = StepMachines()
    operations = Operations(
        machines=machines, leases=leases, starter=StepFunctionsStarter(), clock=clock
    )
    engine_views = EngineViews(leases=leases, clock=clock)
    return Services(
        connections=Connections(
            vault=KmsVault(), control=LambdaControl(), operations=operations, clock=clock
        ),
        operations=operations,
        emergency=Emergency(machines=machines, clock=clock),
        engine_views=engine_views,
        position_commands=PositionCommands(operations=operations),
        trading_views=TradingViews(clock=clock),
        market_views=MarketViews(clock=clock),
        analytics_views=AnalyticsViews(clock=clock),
        volume_views=VolumeViews(clock=clock),
        snapshot_views=SnapshotViews(
            engine_views=EngineViews(leases=leases, clock=clock),
            market_views=MarketViews(clock=clock),
            clock=clock,
        ),
        reason_views=ReasonViews(store=DynamoStore(clock), clock=clock),
        setting_views=SettingViews(clock=clock),
        setting_changes=SettingChanges(leases=leases, clock=clock, log=log),
        log=log,
        log_views=LogViews(clock=clock),
        tokens=Tokens(clock=clock),
        usage=Usage(clock, Allowed.of(os.environ)),
        audit_views=AuditViews(),
        iam_callers=IamCallers.of(os.environ),
        log_days=log_days(clock),
        system_views=SystemViews(
            leases=leases,
            clock=clock,
            engines=lambda: engine_views.performance(None, samples=100),
        ),
        alerts=Alerts(clock=clock),
        errors=Errors(clock=clock),
        channels=Channels(
            vault=KmsVault(),
            clock=clock,
            may_be_local=environment.is_local(),
            topic_arn=environment.optional("CTS_ALERT_TOPIC_ARN"),
        ),
        health=lambda: health(leases, clock),
    )
