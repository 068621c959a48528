"""What may go wrong on the way to a venue and back, and how often: drawn once for a case."""

import random
from dataclasses import dataclass, field
from enum import StrEnum

from local.paper.wire import Trouble


class Fate(StrEnum):
    """What becomes of a request."""

    FINE = "fine"
    REFUSED = "connection refused"
    LOST = "request lost"
    LATE = "request late"
    BUSY = "429 rate limit"
    BANNED = "418 ban"
    FORBIDDEN = "403 firewall"
    OVERLOADED = "503 overloaded"
    MAINTENANCE = "maintenance"
    CLOCK = "clock refused"
    KEY = "key revoked for a moment"
    DENIED = "refused by the venue"
    INTERNAL = "500"
    UNKNOWN = "503 unknown result"
    TIMEOUT = "408 time-out of the venue"
    HANG = "accepted, then hang"
    ABORT = "accepted, then abort"
    GATEWAY = "502 page"
    GARBAGE = "accepted, then malformed JSON"
    TRUNCATED = "accepted, then truncated JSON"
    SLOW = "slow answer"
    LAGGING = "not found yet"
    EMPTY = "empty answer"


# How each is worded is the venue's own; after the doubtful ones nobody knows what was carried out.
TROUBLES = {
    Fate.BUSY: Trouble.RATE_LIMIT,
    Fate.BANNED: Trouble.BANNED,
    Fate.FORBIDDEN: Trouble.FORBIDDEN,
    Fate.OVERLOADED: Trouble.OVERLOADED,
    Fate.MAINTENANCE: Trouble.MAINTENANCE,
    Fate.CLOCK: Trouble.CLOCK_REFUSED,
    Fate.KEY: Trouble.KEY_REVOKED,
    Fate.INTERNAL: Trouble.INTERNAL,
    Fate.GATEWAY: Trouble.BAD_GATEWAY,
    Fate.UNKNOWN: Trouble.UNKNOWN_RESULT,
    Fate.TIMEOUT: Trouble.TIMEOUT,
}
DOUBTFUL = frozenset({Fate.INTERNAL, Fate.GATEWAY, Fate.UNKNOWN, Fate.TIMEOUT})
_LAG_MS = 500
_LIES = 0.1
_LIE_APART_US = 15_000_000
READS = frozenset({"find", "open_orders", "fills"})
_WEIGHTS = {
    Fate.BUSY: 0.3,
    Fate.BANNED: 0.05,
    Fate.FORBIDDEN: 0.1,
    Fate.KEY: 0.1,
    Fate.DENIED: 0.5,
    Fate.LATE: 2.0,
    Fate.HANG: 2.0,
}


class News(StrEnum):
    """What becomes of a frame of the user-data stream."""

    FINE = "fine"
    DROPPED = "event dropped"
    DOUBLED = "event doubled"
    DELAYED = "event delayed"


@dataclass(slots=True)
class Weather:
    """A case's faults: chances per request and per frame; calm once the storm is over.

    `severity` 0 is a clear sky; the kinds that occur are a seeded part of all.
    """

    dice: random.Random
    severity: float
    kinds: tuple[Fate, ...] = ()
    frame_chance: float = 0.0
    lag_ms: int = 0  # of every read
    is_calm: bool = False
    empty_at_us: int = -(10**12)
    _weights: dict[str, tuple[tuple[Fate, ...], tuple[float, ...]]] = field(default_factory=dict)

    @classmethod
    def drawn(cls, dice: random.Random) -> "Weather":
        """Few kinds often, or many kinds seldom."""
        kinds = [fate for fate in Fate if fate is not Fate.FINE]
        chosen = tuple(sorted(dice.sample(kinds, dice.randrange(2, len(kinds)))))
        return cls(
            dice=dice,
            severity=dice.choice((0.0, 0.04, 0.1, 0.2)),
            kinds=chosen,
            frame_chance=dice.choice((0.0, 0.1, 0.35)),
            lag_ms=dice.choice((0, 0, 300, 800)),
        )

    def fate(self, step: str, now_us: int) -> Fate:
        """Of one request at a step."""
        if self.is_calm:
            return Fate.FINE
        if step == "positions" and Fate.EMPTY in self.kinds and self.dice.random() < _LIES:
            return self._empty(now_us)
        if self.dice.random() >= self.severity:
            return Fate.FINE
        fates, weights = self._weights.get(step) or self._weigh(step)
        if not fates:
            return Fate.FINE
        fate = self.dice.choices(fates, weights)[0]
        return self._empty(now_us) if fate is Fate.EMPTY else fate

    def _empty(self, now_us: int) -> Fate:
        """Two in a row would be evidence: a venue that lies for long cannot be survived."""
        if now_us - self.empty_at_us < _LIE_APART_US:
            return Fate.FINE
        self.empty_at_us = now_us
        return Fate.EMPTY

    def hide_ms(self, step: str, *, is_lagging: bool) -> int:
        """How old a thing must be to show in this answer."""
        if self.is_calm or step not in READS:
            return 0
        return max(self.lag_ms, _LAG_MS if is_lagging else 0)

    def news(self) -> News:
        """Of one frame."""
        if self.is_calm or self.dice.random() >= self.frame_chance:
            return News.FINE
        return self.dice.choice((News.DROPPED, News.DOUBLED, News.DELAYED))

    def _weigh(self, step: str) -> tuple[tuple[Fate, ...], tuple[float, ...]]:
        fates = tuple(fate for fate in self.kinds if _can(fate, step))
        weights = tuple(_WEIGHTS.get(fate, 1.0) for fate in fates)
        self._weights[step] = (fates, weights)
        return fates, weights


def _can(fate: Fate, step: str) -> bool:
    """Whether it makes sense there."""
    if fate is Fate.LAGGING:
        return step in READS
    if fate is Fate.EMPTY:
        return step in ("positions", "open_orders")
    if fate is Fate.DENIED:
        return step in ("place", "cancel", "prepare")
    return True
