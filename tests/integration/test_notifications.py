"""Notices of alerts: over each channel, once where all is well, again where it is not."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest
from tests.api_world import ApiWorld, PlainVault

from adapters.aws import client
from adapters.monitoring.alerts import Alerts, Condition, Severity
from adapters.monitoring.channels import Change, Channels
from adapters.monitoring.memory import Memory
from adapters.monitoring.notifying import ATTEMPTS, BACK_OFF_MS, Notifying
from adapters.monitoring.outside import check_url, post
from adapters.monitoring.senders import Channel, Senders, signature
from adapters.tables import AuditRow, NoticeRow
from engine.errors import RefusedError
from services import services

PATH = "/api/monitoring/notifications"
SECRET = "a-secret-of-sixteen"
BOT = "123456:abcdefghijklmnopqrstuvwxyz"


@dataclass(slots=True)
class Listener:
    """A server that notes what it is sent and answers `status`."""

    port: int = 0
    status: int = 200
    heard: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def listening() -> Iterator[Listener]:
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            listener.heard.append((self.path, dict(self.headers), body))
            self.send_response(listener.status)
            self.send_header("Location", listener.url)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.port = server.server_address[1]
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def notifying(api: ApiWorld, *, telegram: str = "", topic: str = "") -> Notifying:
    senders = Senders(may_be_local=True, topic_arn=topic, telegram=telegram)
    return Notifying(senders=senders, vault=PlainVault(), clock=api.clock)


def channels(api: ApiWorld, topic: str = "") -> Channels:
    return Channels(vault=PlainVault(), clock=api.clock, may_be_local=True, topic_arn=topic)


def to_webhook(api: ApiWorld, url: str, **changes: Any) -> None:
    secret = {"url": f"{url}/hook", "secret": SECRET}
    change = Change(enabled=True, secret=secret, **changes)
    channels(api).change({Channel.WEBHOOK: change}, by="admin")


def raised(api: ApiWorld, *severities: Severity) -> None:
    conditions = [
        Condition(rule=f"rule-{severity}", severity=severity, text=f"it is {severity}")
        for severity in severities
    ]
    Alerts(clock=api.clock).keep(conditions, judged={""}, keep_days=30)


def subjects(listener: Listener) -> list[str]:
    return [json.loads(body)["subject"] for _, _, body in listener.heard]


def test_a_webhook_hears_of_begin_and_end_once_and_can_trust_it(api: ApiWorld) -> None:
    send = notifying(api)
    with listening() as listener:
        to_webhook(api, listener.url)
        raised(api, Severity.CRITICAL, Severity.LOW)
        send(Memory())
        send(Memory())
        raised(api)
        send(Memory())
        send(Memory())

    path, headers, body = listener.heard[0]
    at_ms = int(headers["X-CTS-Timestamp"])
    assert subjects(listener) == ["CTS CRITICAL: rule-critical", "CTS RESOLVED: rule-critical"]
    assert path == "/hook"
    assert headers["X-CTS-Signature"] == signature(SECRET, at_ms, body)
    assert headers["X-CTS-Signature"] != signature("another secret", at_ms, body)
    assert SECRET not in str(listener.heard)


def test_a_channel_that_fails_is_tried_later_and_later_under_the_same_id(api: ApiWorld) -> None:
    send = notifying(api)
    with listening() as listener:
        listener.status = 302  # a redirect is no delivery, and is not followed
        to_webhook(api, listener.url)
        raised(api, Severity.HIGH)
        failures = send(Memory())
        send(Memory())
        too_soon = len(listener.heard)
        listener.status = 200
        api.clock.advance(BACK_OFF_MS)
        fine = send(Memory())

    names = {headers["X-CTS-Notice"] for _, headers, _ in listener.heard}
    assert [one["text"] for one in failures] == ["webhook: answered 302"]
    assert (too_soon, len(listener.heard), len(names), fine) == (1, 2, 1, [])


def test_a_channel_that_never_answers_is_given_up_for_that_notice(api: ApiWorld) -> None:
    send = notifying(api)
    with listening() as listener:
        listener.status = 500
        to_webhook(api, listener.url)
        raised(api, Severity.HIGH)
        for _ in range(ATTEMPTS + 3):
            send(Memory())
            api.clock.advance(16 * BACK_OFF_MS)

    assert len(listener.heard) == ATTEMPTS


def test_mute_severity_and_acknowledgement_keep_it_quiet(api: ApiWorld) -> None:
    send = notifying(api)
    with listening() as listener:
        until_ms = api.clock.now_ms() + 1_000
        to_webhook(api, listener.url, muted_until_ms=until_ms, min_severity=Severity.HIGH)
        raised(api, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)
        send(Memory())
        muted = subjects(listener)
        critical = next(
            one
            for one in api.get("/api/monitoring/alerts").body["alerts"]
            if one["severity"] == "critical"
        )
        api.post(f"/api/monitoring/alerts/{critical['id']}/acknowledge", {})
        api.clock.advance(1_000)
        send(Memory())

    assert muted == []
    assert subjects(listener) == ["CTS HIGH: rule-high"]


def test_telegram_and_the_topic_hear_of_it_too(
    api: ApiWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client.cache_clear()
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    queue = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])
    with listening() as listener:
        secret = {"bot_token": BOT, "chat_id": "-100200300"}
        changes = {
            Channel.TELEGRAM: Change(enabled=True, secret=secret),
            Channel.SNS: Change(enabled=True),
        }
        channels(api, topic).change(changes, by="admin")
        raised(api, Severity.HIGH)
        trouble = notifying(api, telegram=listener.url, topic=topic)(Memory())

    path, _, body = listener.heard[0]
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    client.cache_clear()
    assert trouble == []
    assert path == f"/bot{BOT}/sendMessage"
    assert json.loads(body)["chat_id"] == "-100200300"
    assert json.loads(json.loads(message["Body"])["Message"])["rule"] == "rule-high"


def test_a_test_notice_is_sent_by_the_next_run_and_its_result_shown(api: ApiWorld) -> None:
    off = api.post(f"{PATH}/webhook/test", {})
    nowhere = api.post(f"{PATH}/pigeon/test", {})
    with listening() as listener:
        to_webhook(api, listener.url)
        asked = api.post(f"{PATH}/webhook/test", {})
        notifying(api)(Memory())
        notifying(api)(Memory())

    told = {one["channel"]: one for one in api.get(PATH).body["channels"]}["webhook"]
    assert (off.status, nowhere.status, asked.status) == (409, 404, 200)
    assert asked.body["channel"]["testPending"] is True
    assert subjects(listener) == ["CTS: test"]
    assert (told["testPending"], told["lastResult"]["ok"]) == (False, True)


def test_what_is_secret_is_written_and_never_told(api: ApiWorld) -> None:
    secret = {"url": "https://example.com/hook/token-of-mine", "secret": SECRET}
    body = {"webhook": {**secret, "enabled": True, "minSeverity": "high"}}
    operator = api.call("PUT", PATH, body)
    done = api.call("PUT", PATH, body, token="admin")
    told = {one["channel"]: one for one in done.body["channels"]}["webhook"]
    (row,) = NoticeRow.query("channel")
    readable = {name: value for name, value in row.attribute_values.items() if name != "secret"}
    audit = str([line.details for line in AuditRow.query("system")])
    everything = f"{done.text} {api.get(PATH).text} {readable} {audit}"

    assert (operator.status, done.status) == (403, 200)
    assert (told["target"], told["minSeverity"]) == ("https://example.com", "high")
    assert [one for one in (SECRET, "token-of-mine") if one in everything] == []


def test_an_address_that_may_not_be_called_is_refused_and_changes_nothing(api: ApiWorld) -> None:
    urls = [
        "http://example.com/hook",
        "https://127.0.0.1/hook",
        "https://[::1]/hook",
        "https://[::ffff:10.0.0.1]/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/",
        "https://user:password@example.com/",
        "ftp://example.com/hook",
    ]
    found = [
        api.call("PUT", PATH, {"webhook": {"url": url, "secret": SECRET}}, token="admin").status
        for url in urls
    ]
    no_target = api.call("PUT", PATH, {"sns": {"enabled": True}}, token="admin")

    assert found == [400] * len(urls)
    assert no_target.status == 409
    assert list(NoticeRow.query("channel")) == []
    assert services().channels.may_be_local is False


def test_a_name_that_leads_inside_is_not_called() -> None:
    assert check_url("https://localhost/hook", may_be_local=False) == "localhost"
    with pytest.raises(RefusedError, match="private address"):
        post("https://localhost/hook", b"", {}, may_be_local=False)
