"""The order book around the last price: a pure function of (seed, symbol, time).

Sizes and update ids change on a grid of 50 milliseconds, so a snapshot and the updates of any
stream count alike: the update of a moment follows that of any earlier moment on the grid. What our
own orders take is not missing a moment later: other makers step in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import islice

from local.paper.market.instruments import PaperInstrument
from local.paper.market.noise import key_of, whole

SLOT_MS = 50
LEVELS = 50
"""Levels on each side; past the last one there is nobody."""
IDS_A_SLOT = 4
_HOLD_MS = 2_000  # a level keeps its size so long
_SHARES = 64

Levels = tuple[tuple[int, int], ...]
"""(price in ticks, size in steps), best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Bids and asks at a moment of the grid.

    Attributes
    ----------
    update_id : int
        Number of the last update it holds; grows with time, by the same step every 50 ms.
    """

    update_id: int
    time_ms: int
    bids: Levels
    asks: Levels


def slot_of(time_ms: int) -> int:
    """The moment of the grid at or before a time."""
    return time_ms // SLOT_MS * SLOT_MS


def update_id(time_ms: int) -> int:
    """Number of the last update at a time."""
    return time_ms // SLOT_MS * IDS_A_SLOT


@lru_cache(maxsize=1 << 16)
def _share(key: int, ticks: int, moment: int) -> float:
    return 0.8 + whole(key ^ (ticks << 20), moment, _SHARES) / _SHARES


class Depth:
    """Sizes of the levels, drawn by address."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._keys: dict[tuple[str, int], int] = {}

    def levels(
        self, one: PaperInstrument, best_ticks: int, sign: int, time_ms: int, scale: Decimal
    ) -> Iterator[tuple[int, int]]:
        """One side from its best price outward; ``sign`` +1 is the asks, -1 the bids.

        The best level holds 0.8 to 1.8 times what the market trades in a second, deeper
        ones more; ``scale`` thins or thickens all.
        """
        base = one.quote_per_second / one.start_price / float(one.step) * float(scale)
        gap = max(1, round(best_ticks * 2e-5))
        key = self._key(one.symbol, sign)
        for place in range(LEVELS):
            ticks = best_ticks + sign * gap * place
            if ticks <= 0:
                return
            moment = (time_ms + ticks % _SHARES * 31) // _HOLD_MS
            share = _share(key, ticks, moment) * (1 + 0.2 * place)
            yield ticks, max(int(base * share), 1)

    def book(
        self, one: PaperInstrument, best: tuple[int, int], time_ms: int, limit: int, scale: Decimal
    ) -> Book:
        """The book of a moment on the grid around its best bid and ask, in ticks."""
        bids = tuple(islice(self.levels(one, best[0], -1, time_ms, scale), limit))
        asks = tuple(islice(self.levels(one, best[1], +1, time_ms, scale), limit))
        return Book(update_id=update_id(time_ms), time_ms=time_ms, bids=bids, asks=asks)

    def _key(self, symbol: str, sign: int) -> int:
        found = self._keys.get((symbol, sign))
        if found is None:
            found = self._keys[symbol, sign] = key_of(self._seed, symbol, "depth", sign)
        return found
