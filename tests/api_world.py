"""The API on tables in this process, with fakes of the venue, the machines and the vault."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chalice.test import Client
from tests.builders import an_instrument
from tests.fake_venue import FakeVenue
from tests.fakes import FakeClock
from tests.grants import keeping_to, within

from adapters.account_test import AccountTest
from adapters.analytics_views import AnalyticsViews
from adapters.audit_views import AuditViews
from adapters.connections import Connections
from adapters.emergency import Emergency
from adapters.engine_stopping import Stopping
from adapters.engine_views import EngineViews
from adapters.health import health
from adapters.leases import DynamoLeases
from adapters.market_views import MarketViews
from adapters.monitoring.alert_views import Errors
from adapters.monitoring.alerts import Alerts
from adapters.monitoring.channels import Channels
from adapters.monitoring.log_views import LogViews
from adapters.monitoring.packets import write_packet
from adapters.monitoring.recorder import Recorder, kept_for
from adapters.monitoring.service_log import ServiceLog
from adapters.monitoring.system_views import SystemViews
from adapters.operations import Operations
from adapters.position_commands import PositionCommands
from adapters.reason_views import ReasonViews
from adapters.setting_changes import SettingChanges
from adapters.setting_views import SettingViews
from adapters.snapshot_views import SnapshotViews
from adapters.store import DynamoStore
from adapters.tables import ConnectionRow, EngineStateRow
from adapters.tokens import Role, Tokens, issue_token
from adapters.trading_views import TradingViews
from adapters.usage import Allowed, Usage
from adapters.volume_views import VolumeViews
from app import app
from engine.errors import CtsError
from engine.ports import Exchange
from engine.values import Loop
from services import Services, using

PROJECT = Path(__file__).parents[1] / "functions" / "api"
SECRETS = {"api_key": "key-of-the-test-9931", "api_secret": "secret-of-the-test-4417"}
# Time stands still in most tests, and nothing is to be refused for being asked often.
PLENTY = Allowed(changes_per_minute=10**6, reads_per_second=10**6, failures_per_minute=10**6)
NEW = {"name": "Paper", "exchange": "binance", "is_paper": True, **SECRETS}


class PlainVault:
    """`engine.ports.Vault` that binds the connection in, and hides nothing but the order."""

    def seal(self, connection_id: str, credentials: Mapping[str, str]) -> bytes:
        return json.dumps({"of": connection_id, **credentials}).encode()[::-1]

    def open(self, connection_id: str, sealed: bytes) -> Mapping[str, str]:
        opened: dict[str, str] = json.loads(sealed[::-1])
        assert opened.pop("of") == connection_id
        return opened


@dataclass(slots=True)
class NotedMachines:
    """State machines that note what was started; `running` executions are told as such."""

    started: list[tuple[str, str, str]] = field(default_factory=list)
    stopped: list[tuple[str, bool]] = field(default_factory=list)
    running: set[str] = field(default_factory=set)
    error: CtsError | None = None
    emergencies: list[tuple[str, str, int]] = field(default_factory=list)

    def engine_start(self, connection_id: str, run_id: str) -> None:
        if self.error is not None:
            raise self.error
        self.started.append(("start", connection_id, run_id))

    def engine_stop(self, connection_id: str, *, close_positions: bool) -> None:
        self.stopped.append((connection_id, close_positions))

    def emergency_stop(self, connection_id: str, emergency_id: str, *, number: int) -> None:
        if self.error is not None:
            raise self.error
        self.emergencies.append((connection_id, emergency_id, number))
        self.running.add(f"{emergency_id}-{number}")

    def is_stopping_in_emergency(
        self, connection_id: str, emergency_id: str, *, number: int
    ) -> bool:
        return f"{emergency_id}-{number}" in self.running

    def is_starting(self, connection_id: str, run_id: str) -> bool:
        return run_id in self.running


@dataclass(slots=True)
class NotedStarter:
    """`engine.ports.Starter` that notes which loops were started."""

    started: list[tuple[str, Loop]] = field(default_factory=list)

    def start(self, connection_id: str, loop: Loop, *, reason: str) -> None:
        self.started.append((connection_id, loop))


@dataclass(slots=True)
class InProcessControl:
    """What EngineControlFunction does, without the invocation."""

    account_test: AccountTest

    def test(self, connection_id: str, *, by: str) -> Mapping[str, Any]:
        return asyncio.run(self.account_test.run(connection_id, by=by))


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: dict[str, Any]
    text: str
    headers: Mapping[str, Any]


@dataclass(slots=True)
class ApiWorld:
    """One API with a token of each role."""

    client: Client
    clock: FakeClock
    venue: FakeVenue
    machines: NotedMachines
    starter: NotedStarter
    leases: DynamoLeases
    operations: Operations
    stopping: Stopping
    admin: str
    operator: str
    viewer: str
    tokens: Tokens
    venue_error: CtsError | None = None
    meanwhile: Callable[[], None] | None = None
    heard: list[str] = field(default_factory=list)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = "operator",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        sent = {"content-type": "application/json"} if body is not None else {}
        if token is not None:
            known = {"admin": self.admin, "operator": self.operator, "viewer": self.viewer}
            sent["authorization"] = f"Bearer {known.get(token, token)}"
        raw = b"" if body is None else body if isinstance(body, bytes) else _encoded(body)
        with keeping_to("ApiFunction"):
            answer = self.client.http.request(
                method, path, headers=sent | dict(headers or {}), body=raw
            )
        text = answer.body.decode()
        self.heard.append(text)
        return Answer(answer.status_code, json.loads(text or "{}"), text, answer.headers)

    def get(self, path: str, **more: Any) -> Answer:
        return self.call("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return self.call("POST", path, {} if body is None else body, **more)

    def created(self, **changes: Any) -> str:
        """A new connection's id."""
        answer = self.post("/api/settings/connections", {**NEW, **changes})
        assert answer.status == 201, answer.text
        return str(answer.body["id"])

    def tested(self, **changes: Any) -> str:
        """A connection after a successful test."""
        connection_id = self.created(**changes)
        assert self.post(f"/api/settings/connections/{connection_id}/test").body["success"]
        return connection_id

    def running(self) -> str:
        """A connection whose engine runs."""
        connection_id = self.tested()
        self.post("/api/trade-engine/start", {"connectionId": connection_id})
        EngineStateRow(connection_id).update([EngineStateRow.actual_state.set("running")])
        return connection_id

    async def open_exchange(self, row: ConnectionRow) -> Exchange:
        if self.venue_error is not None:
            raise self.venue_error
        if self.meanwhile is not None:
            self.meanwhile()
        return self.venue


@contextmanager
def api_world(allowed: Allowed = PLENTY) -> Iterator[ApiWorld]:
    """The API on empty tables that exist already."""
    clock = FakeClock()
    tokens = Tokens(clock=clock)
    leases, machines, starter = DynamoLeases(clock), NotedMachines(), NotedStarter()
    operations = Operations(machines=machines, leases=leases, starter=starter, clock=clock)
    venue = FakeVenue(clock, {"BTCUSDT": an_instrument()})
    log = ServiceLog("api", Recorder(kept_for(lambda: 30, write_packet), clock), clock)
    with Client(app, project_dir=str(PROJECT)) as client:
        world = ApiWorld(
            client=client,
            clock=clock,
            venue=venue,
            machines=machines,
            starter=starter,
            leases=leases,
            operations=operations,
            stopping=within(
                Stopping(operations=operations, leases=leases, clock=clock), "EngineControlFunction"
            ),
            tokens=tokens,
            admin=issue_token(Role.ADMIN, now_ms=clock.now_ms()),
            operator=issue_token(Role.OPERATOR, now_ms=clock.now_ms()),
            viewer=issue_token(Role.VIEWER, now_ms=clock.now_ms()),
        )
        account_test = AccountTest(open_exchange=world.open_exchange, clock=clock)
        engine_views = EngineViews(leases=leases, clock=clock)
        parts = Services(
            connections=Connections(
                vault=PlainVault(),
                control=InProcessControl(account_test),
                operations=operations,
                clock=clock,
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
            tokens=tokens,
            usage=Usage(clock, allowed),
            audit_views=AuditViews(),
            log_days=lambda: 30,
            system_views=SystemViews(
                leases=leases,
                clock=clock,
                engines=lambda: engine_views.performance(None, samples=100),
            ),
            alerts=Alerts(clock=clock),
            errors=Errors(clock=clock),
            channels=Channels(vault=PlainVault(), clock=clock, may_be_local=False, topic_arn=""),
            health=lambda: health(leases, clock),
        )
        with using(parts):
            yield world


def _encoded(body: Any) -> bytes:
    return json.dumps(body).encode()
