"""How each venue words what the network puts into its mouth: a limit, a ban, a refusal."""

import json
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A status and a body as sent, with its headers."""

    status: int
    body: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tongue:
    """A venue's own words; `ban` is given the time until which it lasts."""

    busy: Said
    overloaded: Said
    denied: Said
    ban: Callable[[int], Said]


FORBIDDEN = Said(status=403, body="<html><body>403 Forbidden</body></html>")
GATEWAY = Said(status=502, body="<html><body>502 Bad Gateway</body></html>")
UNAVAILABLE = Said(status=503, body="<html><body>503 Service Temporarily Unavailable</body></html>")


def _json(status: int, *headers: tuple[str, str], **body: object) -> Said:
    return Said(status=status, body=json.dumps(body), headers=headers)


_RETRY = ("Retry-After", "1")

BINANCE = Tongue(
    busy=_json(429, _RETRY, code=-1003, msg="Too many requests; current limit is 2400."),
    overloaded=_json(503, code=-1008, msg="Request throttled by system-level protection."),
    denied=_json(400, code=-2027, msg="Exceeded the maximum allowable position."),
    ban=lambda until_ms: _json(
        418, code=-1003, msg=f"Way too many requests; IP banned until {until_ms}."
    ),
)
BYBIT = Tongue(
    busy=_json(200, retCode=10006, retMsg="Too many visits!", result={}),
    overloaded=_json(200, retCode=10016, retMsg="Server error.", result={}),
    denied=_json(200, retCode=110090, retMsg="Position size would exceed the limit.", result={}),
    ban=lambda until_ms: _json(
        403, retCode=10018, retMsg=f"IP rate limit; until {until_ms}.", result={}
    ),
)
OKX = Tongue(
    busy=_json(429, _RETRY, code="50011", msg="Too Many Requests", data=[]),
    overloaded=_json(503, code="50001", msg="Service temporarily unavailable", data=[]),
    denied=_json(200, code="1", msg="", data=[{"sCode": "51004", "sMsg": "Exceeds the limit."}]),
    ban=lambda until_ms: _json(429, _RETRY, code="50011", msg="Too Many Requests", data=[]),
)
TONGUES = {"binance": BINANCE, "bybit": BYBIT, "okx": OKX}
