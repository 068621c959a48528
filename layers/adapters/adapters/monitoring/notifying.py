"""Sends what is due: at least once, repeats recognisable, failures later and later, bounded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action as Assignment

from adapters.monitoring.alerts import RESOLVED, Severity, open_alerts
from adapters.monitoring.channels import VAULT_NAME, channel_rows
from adapters.monitoring.entries import safe_text
from adapters.monitoring.memory import Memory
from adapters.monitoring.senders import Channel, Notice, Senders
from adapters.tables import AlertRow, NoticeRow
from adapters.transactions import is_refused, reading
from engine.errors import CtsError, RefusedError
from engine.ports import Clock, Vault

SENDS_A_RUN = 20
TIME_A_RUN_MS = 15_000
BACK_OFF_MS = 60_000
ATTEMPTS = 8
"""The last one comes about an hour after the first."""
RECENT = 50
RECENT_MS = 3_600_000

Action = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifying:
    """One of the watch's chores: a channel that fails does not keep notices from the others."""

    senders: Senders
    vault: Vault
    clock: Clock

    def __call__(self, remembered: Memory) -> list[Action]:
        """Send what is due over each channel that is on; returns what failed."""
        channels = {one: row for one, row in channel_rows().items() if row.enabled}
        if not channels:
            return []
        alerts = [*open_alerts(), *_recent(self.clock.now_ms())]
        end_ms = self.clock.monotonic_ms() + TIME_A_RUN_MS
        return [
            action
            for channel, row in channels.items()
            for action in self._over(channel, row, alerts, end_ms)
        ]

    def _over(
        self, channel: Channel, row: NoticeRow, alerts: list[AlertRow], end_ms: int
    ) -> Iterator[Action]:
        due = [*_test(row), *(one for one in alerts if self._is_due(channel, row, one))]
        if not due:
            return
        try:
            secret = self.vault.open(VAULT_NAME, row.secret) if row.secret else {}
        except CtsError as error:
            yield _failed(channel, error)
            return
        for one in due[:SENDS_A_RUN]:
            if self.clock.monotonic_ms() >= end_ms:
                return
            yield from self._send(channel, row, one, secret)

    def _send(
        self, channel: Channel, row: NoticeRow, one: AlertRow | None, secret: Mapping[str, str]
    ) -> Iterator[Action]:
        """Send, then note it: a run that dies between sends it again under the same id."""
        now_ms = self.clock.now_ms()
        error: CtsError | None = None
        try:
            self.senders.of(channel)(_notice(one, row, now_ms), secret)
        except CtsError as caught:
            error = caught
        if one is not None:
            self._note(channel, one, error)
        text = "" if error is None else safe_text(error)
        actions: list[Assignment] = [
            NoticeRow.last_result.set({"at_ms": now_ms, "ok": error is None, "error": text})
        ]
        if one is None:
            actions.append(NoticeRow.test_wanted_ms.remove())
        row.update(actions)
        if error is not None:
            yield _failed(channel, error)

    def _is_due(self, channel: Channel, row: NoticeRow, alert: AlertRow) -> bool:
        now_ms = self.clock.now_ms()
        if (row.muted_until_ms or 0) > now_ms:
            return False
        if Severity(alert.severity).rank < Severity(row.min_severity or Severity.MEDIUM).rank:
            return False
        state = (alert.deliveries or {}).get(channel.value, {})
        is_late = state.get("attempts", 0) >= ATTEMPTS or state.get("next_ms", 0) > now_ms
        return (
            not is_late
            and _event(alert) not in ("", *state.get("sent", ()))
            and (_event(alert) == "raised" or "raised" in state.get("sent", ()))
        )

    def _note(self, channel: Channel, alert: AlertRow, error: CtsError | None) -> None:
        """What was sent, or when to try again; an operator who was faster has it sent once more."""
        deliveries = dict(alert.deliveries or {})
        state = dict(deliveries.get(channel.value, {}))
        if error is None:
            state = {"sent": [*state.get("sent", []), _event(alert)]}
        else:
            attempts = ATTEMPTS if isinstance(error, RefusedError) else state.get("attempts", 0) + 1
            pause_ms = BACK_OFF_MS * 2 ** min(attempts - 1, 4)
            state |= {"attempts": attempts, "next_ms": self.clock.now_ms() + pause_ms}
        alert.deliveries = {**deliveries, channel.value: state}
        unchanged = AlertRow.version == alert.version
        try:
            alert.update([AlertRow.deliveries.set(alert.deliveries)], condition=unchanged)
        except UpdateError as refused:
            if not is_refused(refused):
                raise


def _event(alert: AlertRow) -> str:
    """What there is to tell of an alert; nothing more once somebody looks after it."""
    return {"active": "raised", RESOLVED: "resolved"}.get(alert.status, "")


def _test(row: NoticeRow) -> list[None]:
    return [] if row.test_wanted_ms is None else [None]


def _recent(now_ms: int) -> Iterator[AlertRow]:
    """Alerts that ended lately; the newest began last, not ended last, so a few more are read."""
    with reading("alerts"):
        rows = islice(AlertRow.query(RESOLVED, scan_index_forward=False, limit=RECENT), RECENT)
        yield from (row for row in rows if now_ms - (row.resolved_ms or 0) <= RECENT_MS)


def _notice(alert: AlertRow | None, row: NoticeRow, now_ms: int) -> Notice:
    if alert is None:
        name = f"test-{row.test_wanted_ms}"
        text = "This is a test. If you can read it, alerts of CTS reach you."
        return Notice(notice_id=name, subject="CTS: test", text=text, values={}, at_ms=now_ms)
    event = _event(alert)
    values: dict[str, Any] = {
        "event": event,
        "alert": alert.alert_id,
        "rule": alert.rule,
        "severity": alert.severity,
        "connection_id": alert.connection_id,
    }
    head = alert.severity.upper() if event == "raised" else "RESOLVED"
    return Notice(
        notice_id=f"{alert.alert_id}:{event}",
        subject=f"CTS {head}: {alert.rule}",
        text=alert.text,
        values=values,
        at_ms=now_ms,
    )


def _failed(channel: Channel, error: CtsError) -> Action:
    return {"connection_id": "", "act": "not sent", "text": f"{channel}: {safe_text(error)}"}
