"""Every function on its sample event, with secrets in play and a venue that echoes them: no log,
answer, error or stored row holds one, and no call goes beyond what the function is granted."""

import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.builders import an_instrument
from tests.dynamo import create_tables, point_tables_at
from tests.echoing import Echo, echoing
from tests.gateway import Gateway
from tests.grants import FOLDERS, keeping_to

import services
from adapters.aws import client
from adapters.clock import SystemClock
from adapters.monitoring.senders import Channel, Senders
from adapters.monitoring.service_log import live_log
from adapters.opener import VenueOpener
from adapters.runner import run
from adapters.tables import ALL, ConnectionRow, EngineStateRow, LeaseItem
from adapters.tokens import Role, issue_token
from adapters.world import live_world
from app import lambda_handler

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "tests" / "events"
KEYS = {
    "api_key": "planted-key-7741",
    "api_secret": "planted-secret-7742",
    "api_passphrase": "planted-phrase-7743",
}
HOOK_PATH, HOOK_SECRET = "planted-hook-7744", "planted-hook-secret-7745"
BOT = "774600:planted-bot-token-7746"
CONTEXT: Any = SimpleNamespace(
    function_name="sample",
    memory_limit_in_mb=512,
    invoked_function_arn="arn",
    aws_request_id="request-1",
    get_remaining_time_in_millis=lambda: 30_000,
)


@dataclass(frozen=True, slots=True)
class Deployed:
    """An account on a venue that echoes, channels that echo, and who set them up."""

    connection_id: str
    token: str
    venue: Echo
    channels: Echo

    @property
    def secrets(self) -> list[str]:
        return [*KEYS.values(), HOOK_PATH, HOOK_SECRET, BOT, self.token]


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """What the functions are given by a deployment, on tables and a key of this process."""
    made = (client, live_world, live_log, services.live_services)
    for cached in made:
        cached.cache_clear()
    hooks, venues = tmp_path / "hooks", tmp_path / "venue"
    hooks.mkdir()
    venues.mkdir()
    with mock_aws(), echoing(venues, tls=True) as venue, echoing(hooks, tls=False) as channels:
        point_tables_at(None)
        create_tables()
        key = boto3.client("kms", region_name="us-east-1").create_key()
        monkeypatch.setenv("CTS_KMS_KEY_ID", key["KeyMetadata"]["KeyId"])
        monkeypatch.setenv("CTS_ENVIRONMENT", "local")
        monkeypatch.setenv("CTS_PAPER_ADDRESS", venue.address)
        monkeypatch.setenv("CTS_PAPER_CA", str(venue.ca_file))
        monkeypatch.setattr(Senders, "of", sending_to(channels))
        now = {"ts": str(SystemClock().now_ms())}
        venue.answers["/api/v5/public/time"] = {"code": "0", "msg": "", "data": [now]}
        for loop in ("trade", "position"):
            machine = f"arn:aws:states:us-east-1:000000000000:stateMachine:cts-{loop}-loop"
            monkeypatch.setenv(f"CTS_{loop.upper()}_LOOP_ARN", machine)
        with every_venue_closed():
            yield set_up(venue, channels)
    for cached in made:
        cached.cache_clear()


@contextmanager
def every_venue_closed() -> Iterator[None]:
    """Close at the end what a container would keep open for its next invocation."""
    opened: list[Any] = []
    as_deployed = VenueOpener._opened

    def noted(*asked: Any, **named: Any) -> Any:
        opened.append(as_deployed(*asked, **named))
        return opened[-1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(VenueOpener, "_opened", noted)
        yield
    for venue in opened:
        run(venue.feed.close())
        run(venue.wire.close())


def sending_to(channels: Echo) -> Any:
    """`Senders.of` as it is, but for where Telegram is."""
    as_deployed = Senders.of

    def of(senders: Senders, channel: Channel) -> Any:
        return as_deployed(replace(senders, telegram=f"http://{channels.address}"), channel)

    return of


def set_up(venue: Echo, channels: Echo) -> Deployed:
    """Made over the API as deployed: the secrets go the way they really go."""
    token = issue_token(Role.ADMIN, now_ms=SystemClock().now_ms())
    gateway = Gateway(token=token)
    new = {"name": "Okx", "exchange": "okx", "is_paper": True, **KEYS}
    connection_id = sent(gateway, "POST", "/api/settings/connections", new)["id"]
    hook = f"http://{channels.address}/{HOOK_PATH}"
    notices = {
        "webhook": {"url": hook, "secret": HOOK_SECRET, "enabled": True, "minSeverity": "low"},
        "telegram": {"botToken": BOT, "chatId": "7", "enabled": True, "minSeverity": "low"},
    }
    sent(gateway, "PUT", "/api/monitoring/notifications", notices)
    flags = {"is_active": True, "is_live_trade": True, "last_test_result": "success"}
    ConnectionRow("connection", connection_id).update(
        [getattr(ConnectionRow, name).set(value) for name, value in flags.items()]
    )
    EngineStateRow(
        connection_id,
        desired_state="running",
        actual_state="running",
        run_id="r1",
        may_trade=True,
        symbols=["BTCUSDT"],
        instruments=[an_instrument("BTCUSDT")],
        position_counters={"unreconciled": 1},
        version=1,
    ).save()
    for loop in ("trade", "position"):
        LeaseItem(f"{connection_id}#{loop}", fencing_token=1).save()
    return Deployed(connection_id, token, venue, channels)


def sent(gateway: Gateway, method: str, path: str, body: Any) -> Any:
    answer = gateway.ask(
        method, path, json.dumps(body).encode(), headers={"content-type": "application/json"}
    )
    assert answer.status in (200, 201), answer.text
    return answer.body


def made(function: str) -> ModuleType:
    """The module of a function, as a new container loads it."""
    source = ROOT / "functions" / function / "app.py"
    spec = spec_from_file_location(f"{function}_app", source)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def told_by(deployed: Deployed, function: str, event: dict[str, Any]) -> str:
    """The answer, or the error with its traceback, as Lambda prints it."""
    handler = lambda_handler if function == "api" else made(function).handler
    (logical,) = (name for name, folder in FOLDERS.items() if folder == function)
    with keeping_to(logical):
        try:
            return str(handler(event, CONTEXT))
        except Exception:  # whatever it is, Lambda prints it
            return traceback.format_exc()


def stored() -> str:
    """Every row of every table; what is sealed is left out."""
    sealed = {"credentials", "secret"}
    rows = [row.attribute_values for model in ALL for row in model.scan()]
    return str([{name: row[name] for name in row if name not in sealed} for row in rows])


def event_of(function: str, deployed: Deployed) -> dict[str, Any]:
    text = (EVENTS / f"{function}.json").read_text()
    event: dict[str, Any] = json.loads(text.replace("c-000000000001", deployed.connection_id))
    return event


SAMPLES: list[tuple[str, dict[str, str]]] = [
    (path.stem, {}) for path in sorted(EVENTS.glob("*.json"))
]
ACTIONS = [("engine_control", {"action": name, "run_id": "r1"}) for name in ("test", "prepare")]


@pytest.mark.parametrize(("function", "changes"), [*SAMPLES, *ACTIONS])
def test_no_function_tells_a_secret(
    function: str,
    changes: dict[str, str],
    deployed: Deployed,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")  # whatever a library prints then, too
    event = event_of(function, deployed) | changes

    told = told_by(deployed, function, event)
    emitted = capfd.readouterr()

    everything = "\n".join([told, emitted.out, emitted.err, caplog.text, stored()])
    assert [secret for secret in deployed.secrets if secret in everything] == []


def test_the_venue_and_the_channels_were_told_secrets_indeed(deployed: Deployed) -> None:
    """Else the test above finds nothing because there was nothing."""
    for function in ("position_tick", "supervisor"):
        told_by(deployed, function, event_of(function, deployed))

    heard = " ".join([*deployed.venue.heard, *deployed.channels.heard])
    on_the_way = [KEYS["api_key"], KEYS["api_passphrase"], HOOK_PATH, BOT]
    assert [secret for secret in on_the_way if secret not in heard] == []
