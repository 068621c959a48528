"""Models of notifications."""

from typing import Annotated

from pydantic import Field

from models.alerts import SeverityName
from models.base import AskedCamel, Told, ToldCamel
from models.monitoring import TimeMs


class ChannelChange(AskedCamel):
    """What is left out stays as it is."""

    enabled: bool | None = None
    min_severity: SeverityName | None = None
    muted_until_ms: TimeMs | None = None


class WebhookChange(ChannelChange):
    """`url` (https) and `secret`, which signs what is sent, together; neither is ever shown."""

    url: Annotated[str, Field(min_length=8, max_length=1000)] | None = None
    secret: Annotated[str, Field(min_length=16, max_length=200)] | None = None


class TelegramChange(ChannelChange):
    """The bot's token and the chat, together; the token is never shown."""

    bot_token: Annotated[str, Field(pattern=r"^\d{1,20}:[A-Za-z0-9_-]{20,100}$")] | None = None
    chat_id: Annotated[str, Field(pattern=r"^(-?\d{1,20}|@\w{3,64})$")] | None = None


class NotificationsChange(AskedCamel):
    """Channels to change."""

    sns: ChannelChange | None = None
    webhook: WebhookChange | None = None
    telegram: TelegramChange | None = None


class DeliveryTold(Told):
    """How the newest notice over a channel fared."""

    at_ms: int
    ok: bool
    error: str


class ChannelTold(ToldCamel):
    """A channel; `target` is what may be shown of where it goes."""

    channel: str
    enabled: bool
    min_severity: str
    muted_until_ms: int | None
    target: str | None
    test_pending: bool
    last_result: DeliveryTold | None
    version: int


class NotificationsAnswer(Told):
    """Every channel."""

    success: bool = True
    channels: list[ChannelTold]


class ChannelAnswer(Told):
    """One channel; a test is sent within a minute, and its result shown then."""

    success: bool = True
    channel: ChannelTold
