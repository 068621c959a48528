"""Who asks: key, passphrase, signature, and the request's age."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from local.paper.credentials import Credentials
from local.paper.venues.okx import errors
from local.paper.wire import Request

WINDOW_MS = 30_000
_LOGIN_PATH = "/users/self/verify"


def check_signed(credentials: Credentials, request: Request, now_ms: int) -> None:
    """All four headers of a private request; header names are in lower case."""
    headers = request.headers
    _check_key(credentials, headers.get("ok-access-key", ""))
    _check_stamp(_milliseconds(headers.get("ok-access-timestamp", "")), now_ms)
    if not _same(headers.get("ok-access-passphrase", ""), credentials.passphrase):
        raise errors.VenueError(errors.BAD_PASSPHRASE)
    query = f"?{request.query}" if request.query else ""
    text = f"{headers['ok-access-timestamp']}{request.method}{request.path}{query}{request.body}"
    if not _same(headers.get("ok-access-sign", ""), _signature(credentials, text)):
        raise errors.VenueError(errors.BAD_SIGNATURE)


def check_login(credentials: Credentials, given: Mapping[str, str], now_ms: int) -> str:
    """The code of what is wrong with a socket's login, or empty."""
    stamp = str(given.get("timestamp", ""))
    if not _same(str(given.get("apiKey", "")), credentials.api_key):
        return "60005"
    if not stamp.isdigit():
        return "60004"
    if abs(int(stamp) * 1000 - now_ms) > WINDOW_MS + 1000:  # whole seconds
        return "60006"
    if not _same(str(given.get("passphrase", "")), credentials.passphrase):
        return "60024"
    signature = _signature(credentials, f"{stamp}GET{_LOGIN_PATH}")
    return "" if _same(str(given.get("sign", "")), signature) else "60007"


def check_deadline(headers: Mapping[str, str], now_ms: int) -> None:
    """An order that arrives after its `expTime` is not carried out."""
    until = headers.get("exptime", "")
    if until and not until.isdigit():
        raise errors.VenueError(errors.illegal("expTime"))
    if until and now_ms > int(until):
        raise errors.VenueError(errors.LATE_ORDER)


def _check_key(credentials: Credentials, given: str) -> None:
    if not given:
        raise errors.VenueError(errors.NO_KEY)
    if not _same(given, credentials.api_key):
        raise errors.VenueError(errors.BAD_KEY)


def _milliseconds(stamp: str) -> int:
    try:
        return round(datetime.fromisoformat(stamp).timestamp() * 1000)
    except ValueError:
        raise errors.VenueError(errors.BAD_STAMP) from None


def _check_stamp(stamp_ms: int, now_ms: int) -> None:
    if abs(stamp_ms - now_ms) > WINDOW_MS:
        raise errors.VenueError(errors.LATE_STAMP)


def _signature(credentials: Credentials, text: str) -> str:
    digest = hmac.new(credentials.api_secret.encode(), text.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
