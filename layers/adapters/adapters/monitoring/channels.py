"""Channels as operators set them up; what is secret in them is only ever written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from adapters import audited
from adapters.audited import audit_row
from adapters.monitoring.alerts import Severity
from adapters.monitoring.outside import check_url
from adapters.monitoring.senders import Channel
from adapters.refusals import ConflictError, Reason
from adapters.tables import NoticeRow
from adapters.transactions import reading
from engine.errors import RefusedError
from engine.ports import Clock, Vault

KIND = "channel"
VAULT_NAME = "notifications"
"""What the vault binds these secrets to: no connection's id can be it."""
SECRETS = {
    Channel.SNS: (),
    Channel.WEBHOOK: ("url", "secret"),
    Channel.TELEGRAM: ("bot_token", "chat_id"),
}

View = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is None stays as it is; `secret` is given whole or not at all."""

    enabled: bool | None = None
    min_severity: Severity | None = None
    muted_until_ms: int | None = None
    secret: Mapping[str, str] | None = None


def channel_rows() -> dict[Channel, NoticeRow]:
    """Every channel; an empty row for one that was never set up."""
    with reading("notifications"):
        found = {row.name: row for row in NoticeRow.query(KIND, consistent_read=True)}
    return {
        channel: found.get(channel.value) or NoticeRow(KIND, channel.value, version=0)
        for channel in Channel
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """Reads and changes; each change is audited."""

    vault: Vault
    clock: Clock
    may_be_local: bool
    topic_arn: str

    def all(self) -> View:
        """Every channel, without what is secret."""
        return {"channels": [self._told(row) for row in channel_rows().values()]}

    def change(self, changes: Mapping[Channel, Change], *, by: str) -> View:
        """Apply them, channel by channel.

        Raises
        ------
        RefusedError
            If an address may not be called.
        ConflictError
            If a channel is to be on that has no target, or was changed meanwhile.
        """
        rows = channel_rows()
        checked = {channel: self._values(rows[channel], one) for channel, one in changes.items()}
        for channel, values in checked.items():
            self._store(rows[channel], values, "notifications.change", by=by)
        return self.all()

    def test(self, channel: Channel, *, by: str) -> View:
        """Have a test notice sent by the supervisor's next run, within a minute.

        Raises
        ------
        ConflictError
            If the channel is off.
        """
        row = channel_rows()[channel]
        if not row.enabled:
            raise ConflictError(
                f"{channel} is off", Reason(code="channel_off", message="set it up and enable it")
            )
        values = {"test_wanted_ms": self.clock.now_ms()}
        self._store(row, values, "notifications.test", by=by)
        return self._told(channel_rows()[channel])

    def _values(self, row: NoticeRow, change: Change) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if change.min_severity is not None:
            values["min_severity"] = change.min_severity.value
        if change.muted_until_ms is not None:
            values["muted_until_ms"] = change.muted_until_ms
        if change.secret is not None:
            values["target"] = self._target(Channel(row.name), change.secret)
            values["secret"] = self.vault.seal(VAULT_NAME, change.secret)
        if change.enabled is not None:
            values["enabled"] = change.enabled
            self._require_target(row, values)
        return values

    def _require_target(self, row: NoticeRow, values: Mapping[str, Any]) -> None:
        has_target = self._target_of(row) or "target" in values
        if values["enabled"] and not has_target:
            text = "give its address and secret, or deploy with AlertTopicArn"
            raise ConflictError(f"{row.name} has no target", Reason(code="no_target", message=text))

    def _target(self, channel: Channel, secret: Mapping[str, str]) -> str:
        """What may be shown of it."""
        missing = [name for name in SECRETS[channel] if not secret.get(name)]
        if missing or channel is Channel.SNS:
            raise RefusedError(f"{channel} needs {', '.join(SECRETS[channel]) or 'no secret'}")
        if channel is Channel.TELEGRAM:
            return f"chat ...{secret['chat_id'][-4:]}"
        host = check_url(secret["url"], may_be_local=self.may_be_local)
        return f"{urlsplit(secret['url']).scheme}://{host}"

    def _target_of(self, row: NoticeRow) -> str:
        return self.topic_arn if row.name == Channel.SNS.value else row.target or ""

    def _store(self, row: NoticeRow, values: dict[str, Any], action: str, *, by: str) -> None:
        now_ms = self.clock.now_ms()
        shown = {name: value for name, value in values.items() if name != "secret"}
        details = {"channel": row.name, **shown, "secret_changed": "secret" in values}
        audit = audit_row("system", action, by=by, now_ms=now_ms, details=details)
        version = row.version
        is_new = NoticeRow.name.does_not_exist()
        values |= {"version": version + 1, "updated_at_ms": now_ms}
        audited.update(audit, row, values, NoticeRow.version == version if version else is_new)

    def _told(self, row: NoticeRow) -> View:
        return {
            "channel": row.name,
            "enabled": bool(row.enabled),
            "minSeverity": row.min_severity or Severity.MEDIUM.value,
            "mutedUntilMs": row.muted_until_ms,
            "target": self._target_of(row) or None,
            "testPending": row.test_wanted_ms is not None,
            "lastResult": row.last_result,
            "version": row.version,
        }
