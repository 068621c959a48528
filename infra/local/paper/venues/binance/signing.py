"""Who asks: API key, signature, and the request's age."""

import hashlib
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl

from local.paper.venues.binance import errors

_DEFAULT_WINDOW_MS = 5_000
_LONGEST_WINDOW_MS = 60_000
_AHEAD_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The one account's key and secret."""

    api_key: str
    api_secret: str = field(repr=False)

    @classmethod
    def from_environment(cls) -> Self:
        return cls(
            api_key=os.environ.get("CTS_PAPER_API_KEY", "paper"),
            api_secret=os.environ.get("CTS_PAPER_API_SECRET", "paper-secret"),
        )

    def check_key(self, headers: Mapping[str, str]) -> None:
        given = headers.get("X-MBX-APIKEY", "")
        if not given:
            raise errors.VenueError(errors.BAD_KEY_FORMAT)
        if not hmac.compare_digest(given.encode(), self.api_key.encode()):
            raise errors.VenueError(errors.BAD_KEY)

    def check_signature(self, payload: str) -> None:
        """``payload`` is the query string followed by the body, as sent.

        The signature stands last.
        """
        text, found, signature = payload.rpartition("signature=")
        if not found:
            raise errors.VenueError(errors.missing("signature"))
        digest = hmac.new(self.api_secret.encode(), text.rstrip("&").encode(), hashlib.sha256)
        if not hmac.compare_digest(digest.hexdigest(), signature):
            raise errors.VenueError(errors.BAD_SIGNATURE)


def check_age(values: Mapping[str, str], now_ms: int) -> None:
    """A request is good from a second ahead of the venue's clock until its window has passed."""
    for name in ("timestamp", "recvWindow"):
        if not values.get(name, "0").isdigit():
            raise errors.VenueError(errors.illegal(name))
    if "timestamp" not in values:
        raise errors.VenueError(errors.missing("timestamp"))
    window_ms = int(values.get("recvWindow", _DEFAULT_WINDOW_MS))
    if window_ms > _LONGEST_WINDOW_MS:
        raise errors.VenueError(errors.Answer(-1131, "recvWindow must be less than 60000."))
    sent_ms = int(values["timestamp"])
    if not sent_ms - _AHEAD_MS <= now_ms <= sent_ms + window_ms:
        raise errors.VenueError(errors.BAD_TIMESTAMP)


def decoded(payload: str) -> dict[str, str]:
    """Parameters of a query string or form body; a name sent twice is illegal."""
    pairs = parse_qsl(payload, keep_blank_values=True)
    values = dict(pairs)
    if len(values) < len(pairs):
        raise errors.VenueError(errors.Answer(-1101, "Too many parameters; a duplicate was sent."))
    return values
