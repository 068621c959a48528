"""What OKX wants in headers, and ccxt gives no way to say.

A plain order's deadline stands in the header `expTime`. Conditional orders and cancels have none:
their time stamp, which OKX takes for 30 s, is set back so that those end at the deadline.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.venues import Socket

VALID_UNTIL = "cts_valid_until"
"""The parameter that carries a request's deadline up to its signature, in the venue's time (ms)."""
_STAMP_MS = 30_000
_WITH_HEADER = frozenset({"trade/order"})
_LISTS = frozenset({"trade/cancel-algos"})  # their body is a list of requests


def sign_with_deadlines(client: Any) -> None:
    """Let a ccxt client heed `VALID_UNTIL` in every private request."""
    sign = client.sign

    def signed(path: str, api: Any = "public", method: str = "GET", params: Any = None) -> Any:
        given = dict(params) if isinstance(params, Mapping) else params
        until_ms = given.pop(VALID_UNTIL, None) if isinstance(given, dict) else None
        body = [given] if path in _LISTS and isinstance(given, dict) else given or {}
        if until_ms is None:
            return sign(path, api, method, body)
        if path in _WITH_HEADER:
            request = sign(path, api, method, body)
            request["headers"]["expTime"] = str(until_ms)
            return request
        offset_ms = client.options["timeDifference"]
        stamp_ms = min(until_ms - _STAMP_MS, int(client.nonce()))
        client.options["timeDifference"] = client.milliseconds() - stamp_ms
        try:
            return sign(path, api, method, body)
        finally:
            client.options["timeDifference"] = offset_ms

    client.sign = signed


def logged_in(client: Any, url: str, args: Sequence[Mapping[str, str]]) -> Socket:
    """A private socket: the login first, and the subscription once that was answered."""

    def reply(message: Any) -> Mapping[str, Any] | None:
        is_login = isinstance(message, dict) and message.get("event") == "login"
        return {"op": "subscribe", "args": list(args)} if is_login else None

    return Socket(url=url, request=_login(client), reply=reply)


def _login(client: Any) -> dict[str, Any]:
    stamp = str(int(client.nonce()) // 1000)
    text = client.encode(f"{stamp}GET/users/self/verify")
    return {
        "op": "login",
        "args": [
            {
                "apiKey": client.apiKey,
                "passphrase": client.password,
                "timestamp": stamp,
                "sign": client.hmac(text, client.encode(client.secret), hashlib.sha256, "base64"),
            }
        ],
    }
