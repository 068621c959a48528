"""What the status and headers of a venue's answer ask of whoever calls it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_BANNED_UNTIL = re.compile(r"banned until (\d{13})")
_NOT_HERE = re.compile(
    r"restricted location|block access from your country|not available in your (?:country|region)",
    re.IGNORECASE,
)
# Where the venue names no end: a minute for its own counters, and for a firewall's wrath the same,
# doubled each time it comes again.
_UNSAID_MS = 60_000
_LONGEST_UNSAID_MS = 600_000
_COUNTER_FULL = re.compile(r'"retCode"\s*:\s*(?:10006|10018)\b')
_SAID_AT = re.compile(r'"time"\s*:\s*(\d{13})')
_COUNTED_MS = 1_000
_LONGEST_REFUSAL = 2_000  # characters; what is longer are rows


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLimit:
    """How many orders an account may send in an interval that starts at its whole multiples."""

    interval_ms: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Nothing is to be sent before `until_ms`; a restriction is for good, where we are."""

    until_ms: int
    reason: str
    is_restriction: bool = False


def demanded(
    status: int,
    headers: Mapping[str, str],
    body: str,
    *,
    now_ms: int,
    repeated: int = 0,
    unsaid_ms: int = _UNSAID_MS,
) -> Demand | None:
    """What an answer demands; header names in lower case.

    Bybit's counters refuse with status 200 and tell by its own clock when they begin anew.
    429 and 418 are the venue's own counters, 403 without JSON a firewall's, of which `repeated`
    came before; `unsaid_ms` is how long a limit lasts that tells no time. 451, and 403 in the
    words of a country block, mean that nobody is served here.
    """
    if is_restricted(status, body):
        return Demand(until_ms=now_ms, reason=f"{status}: {_words(body)}", is_restriction=True)
    reset_ms = _until_reset_ms(headers, body)
    if reset_ms is not None:
        return Demand(until_ms=now_ms + reset_ms, reason="its counter of requests was full")
    if status not in (403, 418, 429) or (status == 403 and body.lstrip().startswith("{")):
        return None
    wait_ms = _retry_after_ms(headers)
    if wait_ms is None:
        wait_ms = unsaid_ms
        if status == 403:
            wait_ms = min(_LONGEST_UNSAID_MS, _UNSAID_MS << min(repeated, 8))
    until_ms = max(now_ms + wait_ms, banned_until_ms(body) or 0)
    return Demand(until_ms=until_ms, reason=f"it answered {status}")


def is_restricted(status: int, text: str) -> bool:
    """Whether the venue serves nobody at our place in the world."""
    return status == 451 or (status == 403 and _NOT_HERE.search(text) is not None)


def banned_until_ms(text: str) -> int | None:
    """The end of a ban that the venue wrote into its message."""
    found = _BANNED_UNTIL.search(text)
    return int(found.group(1)) if found else None


def used_weight(headers: Mapping[str, str], name: str) -> int | None:
    """The minute's weight by the venue's count; None where it tells none."""
    text = headers.get(name.lower(), "") if name else ""
    return int(text) if text.isdigit() else None


def orders_wait_ms(
    headers: Mapping[str, str], limits: Mapping[str, OrderLimit], now_ms: int
) -> int:
    """When orders fit again, 0 if they do now."""
    ends = [0]
    for name, limit in limits.items():
        count = headers.get(name.lower(), "")
        if count.isdigit() and int(count) >= limit.most:
            ends.append((now_ms // limit.interval_ms + 1) * limit.interval_ms)
    return max(ends)


def _until_reset_ms(headers: Mapping[str, str], body: str) -> int | None:
    """How long one of Bybit's counters stays full; None if none refused the request."""
    if len(body) > _LONGEST_REFUSAL or _COUNTER_FULL.search(body) is None:
        return None
    reset, said = headers.get("x-bapi-limit-reset-timestamp", ""), _SAID_AT.search(body)
    if not reset.isdigit() or said is None:
        return _COUNTED_MS
    return min(max(int(reset) - int(said.group(1)), 0), _LONGEST_UNSAID_MS)


def _retry_after_ms(headers: Mapping[str, str]) -> int | None:
    text = headers.get("retry-after", "")
    return int(text) * 1000 if text.isdigit() else None


def _words(body: str) -> str:
    text = re.sub(r"<[^>]*>", " ", body)
    return " ".join(text.split())[:200] or "the venue serves nobody at this address"
