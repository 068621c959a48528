"""What an error of ccxt means for whoever made the call.

Two things matter: was the request surely *not* carried out, and may it be tried again. Whatever
does not carry the venue's own "no" is unclear: a time-out, a cut line, a gateway's page.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from adapters.ccxt_loader import load_errors
from adapters.limit_answers import banned_until_ms, is_restricted
from engine.errors import (
    CredentialsError,
    CtsError,
    RestrictedLocationError,
    RetryableError,
    VenueBusyError,
    VenueRefusedError,
)
from engine.events import Unclear

_QUERY = re.compile(r"\?\S*")
# How ccxt words an answer that it knows by its status alone.
_STATUS = re.compile(r"^\S+ [A-Z]+ \S+ (\d{3}) ")
# What reading a row raises that lacks a key, or holds something else than promised.
UNREADABLE = (LookupError, AttributeError, TypeError, ValueError, ArithmeticError)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorWords:
    """How a venue words its errors.

    `code` and `message` find them in its answer, as their first groups. `busy` are codes for "not
    carried out, try later", `clock` those for a refused time, `unclear` those that leave open what
    became of a request, and `late` those among them for one that came after its deadline.
    """

    code: re.Pattern[str]
    message: re.Pattern[str]
    busy: frozenset[str]
    clock: frozenset[str]
    unclear: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()


class VenueUnclearError(RetryableError):
    """The request may or may not have been carried out."""

    def __init__(self, message: str, *, why: Unclear) -> None:
        super().__init__(message)
        self.why = why


class LateRequestError(VenueUnclearError):
    """It came after its deadline, by the venue's clock: ours may be out of step."""


class OrderUnknownError(VenueRefusedError):
    """The venue knows no such order."""


class NoChangeError(VenueRefusedError):
    """What was to be set is so already."""


class ClockSkewError(VenueBusyError):
    """The venue refused our timestamp: nothing was carried out, and our clock must be set."""


def translate(error: Exception, words: ErrorWords, *, hide: Callable[[str], str] = str) -> CtsError:
    """The engine's error for one of ccxt; `hide` takes out what a venue must not repeat."""
    text = hide(str(error))
    code = _first(words.code, text)
    said = f"{code} {_first(words.message, text)}".strip() or redact(text)
    kinds = load_errors()
    status = int(_first(_STATUS, text) or 0)
    if is_restricted(status, text) or isinstance(error, kinds.RestrictedLocation):
        return RestrictedLocationError(said)
    if code in words.clock or isinstance(error, kinds.InvalidNonce):
        return ClockSkewError(said)
    if _is_busy(error, status) or code in words.busy:
        return VenueBusyError(said, until_ms=banned_until_ms(text))
    if code in words.late:
        return LateRequestError(said, why=Unclear.VENUE)
    is_unclear = code in words.unclear or (not code and type(error) in _vague(kinds))
    if isinstance(error, kinds.OperationFailed) or is_unclear:
        return VenueUnclearError(said, why=_why(error, code))
    if isinstance(error, kinds.AuthenticationError):
        return CredentialsError(said)
    return _refusal(error)(said, code=code)


async def understood[T](answer: Awaitable[T]) -> T:
    """The answer, or VenueUnclearError if it was not of the shape the venue promises."""
    try:
        return await answer
    except UNREADABLE as error:
        raise VenueUnclearError(
            f"the answer could not be read: {type(error).__name__} {redact(str(error))}",
            why=Unclear.VENUE,
        ) from error


def redact(text: str) -> str:
    """`text` without query strings (they carry signatures), at most 300 characters."""
    return _QUERY.sub("", text)[:300]


def _is_busy(error: Exception, status: int) -> bool:
    """Whether the venue's counters stopped the request before it was looked at."""
    kinds = load_errors()
    return isinstance(error, kinds.DDoSProtection | kinds.RateLimitExceeded) or status in (418, 429)


def _refusal(error: Exception) -> type[VenueRefusedError]:
    kinds = load_errors()
    if isinstance(error, kinds.OrderNotFound):
        return OrderUnknownError
    return NoChangeError if isinstance(error, kinds.NoChange) else VenueRefusedError


def _vague(kinds: Any) -> tuple[type[Exception], ...]:
    """Classes that without a code do not tell a refusal from a broken answer."""
    return (kinds.BaseError, kinds.ExchangeError)


def _why(error: Exception, code: str) -> Unclear:
    kinds = load_errors()
    if isinstance(error, kinds.RequestTimeout | asyncio.TimeoutError):
        return Unclear.TIMEOUT
    if isinstance(error, kinds.NetworkError) and not code:
        return Unclear.CONNECTION
    return Unclear.VENUE


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(1) if found else ""
