"""Who asks: API key, signature, and the request's age."""

import hashlib
import hmac
from collections.abc import Mapping

from local.paper.credentials import Credentials
from local.paper.venues.bybit import errors

_DEFAULT_WINDOW_MS = "5000"
_AHEAD_MS = 1_000


def check_signed(
    credentials: Credentials, headers: Mapping[str, str], payload: str, now_ms: int
) -> None:
    """`payload` is the query of a GET or the body of a POST, as sent.

    Raises
    ------
    VenueError
        10003 for a key that is not known, 10004 for a wrong signature, and 10002 for a request
        from more than a second ahead of the venue's clock or older than its window.
    """
    key, sent = headers.get("x-bapi-api-key", ""), headers.get("x-bapi-timestamp", "")
    window = headers.get("x-bapi-recv-window") or _DEFAULT_WINDOW_MS
    if not _same(key, credentials.api_key):
        raise errors.VenueError(10003, "API key is invalid.")
    if not (sent.isdigit() and window.isdigit()):
        raise errors.bad("timestamp and recv_window must be integers")
    wanted = _signature(credentials, sent + key + window + payload)
    if not _same(headers.get("x-bapi-sign", ""), wanted):
        raise errors.VenueError(10004, "Error sign, please check your signature generation.")
    if not int(sent) - _AHEAD_MS < now_ms <= int(sent) + int(window):
        raise errors.VenueError(
            10002,
            "invalid request, please check your server timestamp or recv_window param."
            f" req_timestamp[{sent}],server_timestamp[{now_ms}],recv_window[{window}]",
        )


def is_login(credentials: Credentials, args: object, now_ms: int) -> bool:
    """Whether the arguments of a socket's login name the key, and are signed and not expired."""
    match args:
        case [str(key), str() | int() as expires, str(signature)]:
            text = f"GET/realtime{expires}"
            known = _same(key, credentials.api_key)
            signed = _same(signature, _signature(credentials, text))
            return known and signed and str(expires).isdigit() and int(expires) > now_ms
    return False


def _signature(credentials: Credentials, text: str) -> str:
    return hmac.new(credentials.api_secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
