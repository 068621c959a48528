"""Where alerts are sent."""

from chalice.app import Blueprint

from adapters.monitoring.alerts import Severity
from adapters.monitoring.channels import SECRETS, Change
from adapters.monitoring.senders import Channel
from adapters.refusals import UnknownError
from adapters.tokens import Role
from models.notifications import (
    ChannelAnswer,
    ChannelChange,
    NotificationsAnswer,
    NotificationsChange,
)
from operation import operation
from services import services

notifications = Blueprint(__name__)
ROOT = "/api/monitoring/notifications"


@operation(notifications, ("GET",), ROOT, answer=NotificationsAnswer)
def list_notifications(*, caller: str) -> NotificationsAnswer:
    """Every channel, without what is secret."""
    return NotificationsAnswer.model_validate(services().channels.all())


@operation(
    notifications,
    ("PUT", "PATCH"),
    ROOT,
    body=NotificationsChange,
    answer=NotificationsAnswer,
    failures=(409,),
    role=Role.ADMIN,
)
def change_notifications(*, body: NotificationsChange, caller: str) -> NotificationsAnswer:
    """Set channels up, mute them, switch them on and off."""
    asked = {Channel(name): getattr(body, name) for name in NotificationsChange.model_fields}
    changes = {name: _change(name, one) for name, one in asked.items() if one is not None}
    return NotificationsAnswer.model_validate(services().channels.change(changes, by=caller))


@operation(
    notifications,
    ("POST",),
    f"{ROOT}/{{channel}}/test",
    answer=ChannelAnswer,
    failures=(404, 409),
)
def test_notification(channel: str, *, caller: str) -> ChannelAnswer:
    """Have a test notice sent within a minute."""
    if channel not in set(Channel):
        raise UnknownError(f"there is no channel {channel[:40]!r}")
    told = services().channels.test(Channel(channel), by=caller)
    return ChannelAnswer.model_validate({"channel": told})


def _change(channel: Channel, body: ChannelChange) -> Change:
    secret = {name: getattr(body, name) for name in SECRETS[channel]}
    given = any(value is not None for value in secret.values())
    return Change(
        enabled=body.enabled,
        min_severity=None if body.min_severity is None else Severity(body.min_severity),
        muted_until_ms=body.muted_until_ms,
        secret=secret if given else None,
    )
