"""How often a caller may ask: changes are counted for all containers together, reads for one each.

Containers share nothing but tables. A change costs several writes anyway, so one more counts it:
a conditional add to the caller's minute. A read must not cost a write: each container holds a
bucket for each caller, and the gateway's own throttle bounds all of them together. A source address
that shows unknown tokens is told to wait. Whoever has a token is let in all the same: many callers
share an address, and a forgotten script must not keep an operator from stopping an engine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from adapters.tables import UsageRow
from adapters.transactions import is_refused
from engine.errors import RefusedError
from engine.ports import Clock

MINUTE_MS = 60_000
KEPT_S = 300
MAX_BUCKETS = 4096  # of one container; then the fullest are forgotten


class TooOftenError(RefusedError):
    """The caller asked more often than it may; `after_s` says when to come again."""

    def __init__(self, message: str, *, after_s: int) -> None:
        super().__init__(message)
        self.after_s = after_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What one caller may do; `failures_per_minute` is for a source address."""

    changes_per_minute: int = 120
    reads_per_second: int = 50
    failures_per_minute: int = 20

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Allowed":
        """As the deployment's environment says, else the defaults."""
        names = ("changes_per_minute", "reads_per_second", "failures_per_minute")
        given = {name: environ.get(f"CTS_API_{name.upper()}", "") for name in names}
        return cls(**{name: int(value) for name, value in given.items() if value})


@dataclass(slots=True)
class _Bucket:
    """So many at once, refilled evenly."""

    left: float
    at_ms: int


@dataclass(slots=True, kw_only=True)
class Buckets:
    """Token buckets by name, in this container."""

    size: int
    per_second: float
    _held: dict[str, _Bucket] = field(default_factory=dict)

    def take(self, name: str, now_ms: int) -> int:
        """Take one; 0, or the seconds until there is one again."""
        bucket = self._filled(name, now_ms)
        if bucket.left < 1:
            return self._wait_s(bucket)
        bucket.left -= 1
        return 0

    def _wait_s(self, bucket: _Bucket) -> int:
        return max(1, -int(-(1 - bucket.left) // self.per_second))

    def _filled(self, name: str, now_ms: int) -> _Bucket:
        bucket = self._held.get(name)
        if bucket is None:
            self._make_room()
            bucket = self._held[name] = _Bucket(self.size, now_ms)
        gained = max(0, now_ms - bucket.at_ms) / 1000 * self.per_second
        bucket.left, bucket.at_ms = min(self.size, bucket.left + gained), now_ms
        return bucket

    def _make_room(self) -> None:
        """Forgetting the fullest bucket forgives the least."""
        if len(self._held) >= MAX_BUCKETS:
            del self._held[max(self._held, key=lambda name: self._held[name].left)]


class Usage:
    """Counts what callers ask for, and refuses what is too much."""

    def __init__(self, clock: Clock, allowed: Allowed) -> None:
        self._clock = clock
        self._allowed = allowed
        reads, failures = allowed.reads_per_second, allowed.failures_per_minute
        self._reads = Buckets(size=5 * reads, per_second=reads)
        self._failures = Buckets(size=failures, per_second=failures / 60)

    def read(self, caller_id: str) -> None:
        """Count a read; raises TooOftenError."""
        wait_s = self._reads.take(caller_id, self._clock.now_ms())
        if wait_s:
            allowed = self._allowed.reads_per_second
            raise TooOftenError(f"at most {allowed} reads a second", after_s=wait_s)

    def change(self, caller_id: str, *, at_most: int | None = None) -> None:
        """Count a change for all containers; raises TooOftenError."""
        allowed = min(at_most or self._allowed.changes_per_minute, self._allowed.changes_per_minute)
        now_ms = self._clock.now_ms()
        minute = now_ms // MINUTE_MS
        row = UsageRow(f"{caller_id}#{minute}")
        expires_at = (minute + 1) * MINUTE_MS // 1000 + KEPT_S
        actions: list[Action] = [UsageRow.used.add(1), UsageRow.expires_at.set(expires_at)]
        try:
            row.update(
                actions, condition=UsageRow.used.does_not_exist() | (UsageRow.used < allowed)
            )
        except UpdateError as error:
            if not is_refused(error):
                raise
            after_s = -((now_ms - (minute + 1) * MINUTE_MS) // 1000)
            raise TooOftenError(f"at most {allowed} changes a minute", after_s=after_s) from error

    def failed(self, address: str) -> None:
        """Count an unknown token that an address showed; raises TooOftenError if it were many."""
        wait_s = self._failures.take(address, self._clock.now_ms())
        if wait_s:
            raise TooOftenError("too many unknown tokens from this address", after_s=wait_s)
