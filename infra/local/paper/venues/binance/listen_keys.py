"""Listen keys: who may read the user data stream.

Not journalled: a restart forgets them, as a venue may.
"""

import secrets

from local.paper.venues.binance import errors

VALID_MS = 3_600_000


class ListenKeys:
    """The account's one key: issued, extended, closed; an hour after that it is dead."""

    def __init__(self) -> None:
        self._key = ""
        self._expires_ms = 0

    def issue(self, now_ms: int) -> str:
        """A living key is given again and extended."""
        if not self._key or now_ms > self._expires_ms:
            self._key = secrets.token_hex(32)
        self._expires_ms = now_ms + VALID_MS
        return self._key

    def extend(self, now_ms: int) -> str:
        if not self.is_valid(self._key, now_ms):
            raise errors.VenueError(errors.INVALID_LISTEN_KEY)
        self._expires_ms = now_ms + VALID_MS
        return self._key

    def close(self) -> None:
        self._key = ""

    def is_valid(self, key: str, now_ms: int) -> bool:
        return bool(key) and secrets.compare_digest(key, self._key) and now_ms <= self._expires_ms
