"""How a notice leaves: over an SNS topic, a webhook, or Telegram."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from adapters import environment
from adapters.aws import client
from adapters.monitoring.outside import post
from engine.errors import RetryableError

TELEGRAM = "https://api.telegram.org"
MAX_SUBJECT, MAX_TEXT = 100, 3_000


class Channel(StrEnum):
    """Where notices go."""

    SNS = "sns"
    WEBHOOK = "webhook"
    TELEGRAM = "telegram"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`notice_id` is the same each time it is sent, so that a receiver can drop repeats."""

    notice_id: str
    subject: str
    text: str
    values: Mapping[str, Any]
    at_ms: int


class Send(Protocol):
    """Sends once; `secret` is what the vault opened for the channel.

    Raises RefusedError or RetryableError, whose text holds no secret.
    """

    def __call__(self, notice: Notice, secret: Mapping[str, str]) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Senders:
    """The three ways; `telegram` is replaced by a test."""

    may_be_local: bool
    topic_arn: str
    telegram: str = TELEGRAM

    def of(self, channel: Channel) -> Send:
        """How notices leave over a channel."""
        ways: dict[Channel, Send] = {
            Channel.SNS: self._over_sns,
            Channel.WEBHOOK: self._to_webhook,
            Channel.TELEGRAM: self._to_telegram,
        }
        return ways[channel]

    def _over_sns(self, notice: Notice, secret: Mapping[str, str]) -> None:
        if not self.topic_arn:
            raise RetryableError("no topic is deployed: set the template's AlertTopicArn")
        try:
            client("sns").publish(
                TopicArn=self.topic_arn,
                Subject=notice.subject[:MAX_SUBJECT],
                Message=json.dumps(_body(notice)),
                MessageAttributes={
                    "notice_id": {"DataType": "String", "StringValue": notice.notice_id}
                },
            )
        except ClientError as error:
            raise RetryableError(f"SNS answered {error.response['Error']['Code']}") from None
        except BotoCoreError as error:
            raise RetryableError(f"no answer: {type(error).__name__}") from None

    def _to_webhook(self, notice: Notice, secret: Mapping[str, str]) -> None:
        body = json.dumps(_body(notice)).encode()
        headers = {
            "X-CTS-Notice": notice.notice_id,
            "X-CTS-Timestamp": str(notice.at_ms),
            "X-CTS-Signature": signature(secret["secret"], notice.at_ms, body),
        }
        post(secret["url"], body, headers, may_be_local=self.may_be_local)

    def _to_telegram(self, notice: Notice, secret: Mapping[str, str]) -> None:
        text = f"{notice.subject}\n{notice.text}"[:MAX_TEXT]
        body = json.dumps({"chat_id": secret["chat_id"], "text": text}).encode()
        url = f"{self.telegram}/bot{secret['bot_token']}/sendMessage"
        post(url, body, {}, may_be_local=self.may_be_local)


def signature(secret: str, at_ms: int, body: bytes) -> str:
    """What a receiver compares: HMAC-SHA256 over "<timestamp>.<body>"."""
    signed = hmac.new(secret.encode(), f"{at_ms}.".encode() + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"


def live_senders() -> Senders:
    """As this deployment has them: on one machine a webhook may be on it, too."""
    return Senders(
        may_be_local=environment.is_local(), topic_arn=environment.optional("CTS_ALERT_TOPIC_ARN")
    )


def _body(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.notice_id,
        "at_ms": notice.at_ms,
        "subject": notice.subject,
        "text": notice.text,
        **notice.values,
    }
