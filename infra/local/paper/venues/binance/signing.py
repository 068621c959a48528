"""Who asks: API key, signature, and the request's age."""

import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl

from local.paper.credentials import Credentials
from local.paper.venues.binance import errors

_DEFAULT_WINDOW_MS = 5_000
_LONGEST_WINDOW_MS = 60_000
_AHEAD_MS = 1_000


def check_key(credentials: Credentials, headers: Mapping[str, str]) -> None:
    """Header names are in lower case."""
    given = headers.get("x-mbx-apikey", "")
    if not given:
        raise errors.VenueError(errors.BAD_KEY_FORMAT)
    if not hmac.compare_digest(given.encode(), credentials.api_key.encode()):
        raise errors.VenueError(errors.BAD_KEY)


def check_signature(credentials: Credentials, payload: str) -> None:
    """``payload`` is the query string followed by the body, as sent.

    The signature stands last.
    """
    text, found, signature = payload.rpartition("signature=")
    if not found:
        raise errors.VenueError(errors.missing("signature"))
    digest = hmac.new(credentials.api_secret.encode(), text.rstrip("&").encode(), hashlib.sha256)
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
