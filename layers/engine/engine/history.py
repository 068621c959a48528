"""The kept results of Sets: standing columns for all, rings only for those that ever closed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.market import Ints
from engine.promotion import TIMES, WINDOW, Evidence
from engine.settings import Settings


def storage_limit(settings: Settings) -> int:
    """Results a Set may hold: the kept number and its slack, rounded up."""
    slack = settings.database_size * settings.database_threshold_pct
    return settings.database_size + -(-slack // 100)


def kept_count(count: Ints, limit: int, storage: int) -> Ints:
    """Results kept of `count`: one more than `storage` leaves the newest `limit`."""
    past = count - storage - 1
    return np.where(past < 0, count, limit + past % (storage - limit + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Results of one symbol's Sets, hundredths of a position cost.

    Attributes
    ----------
    row : (K,) int32
        Row of each Set in the arrays below, -1 before its first result.
    results : (R, storage) int16
        Result number n of a Set stands in column n % storage.
    times : (R, 30) int64
        Close times of the last 30 results of the epoch, newest last, 0 where there are fewer.
    limit : int
        Results left of a full row; see `kept_count`.
    """

    row: NDArray[np.int32]
    results: NDArray[np.int16]
    times: Ints
    limit: int

    @staticmethod
    def fresh(sets: int, limit: int, storage: int) -> "Ring":
        return Ring(
            row=np.full(sets, -1, np.int32),
            results=np.zeros((0, storage), np.int16),
            times=np.zeros((0, TIMES), np.int64),
            limit=limit,
        )

    @property
    def storage(self) -> int:
        """Results a row has room for."""
        return int(self.results.shape[1])

    def kept(self, count: Ints) -> Ints:
        """Results kept of Sets that ever had `count`."""
        return kept_count(count, self.limit, self.storage)


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Every Set of S symbols, K each: columns are (S, K).

    `count` is the number of results ever, `free_ms` the earliest entry after cooldown or
    failure; the rest as in `Standing`.
    """

    count: NDArray[np.int32]
    free_ms: Ints
    status: NDArray[np.int8]
    stage: NDArray[np.int8]
    results: NDArray[np.int32]
    main_mask: NDArray[np.int32]
    filtered: NDArray[np.bool_]
    underwater_ms: Ints
    rings: tuple[Ring, ...]

    @staticmethod
    def fresh(symbols: int, sets: int, settings: Settings) -> "History":
        shape = (symbols, sets)
        limit, storage = settings.database_size, storage_limit(settings)
        return History(
            count=np.zeros(shape, np.int32),
            free_ms=np.zeros(shape, np.int64),
            status=np.zeros(shape, np.int8),
            stage=np.zeros(shape, np.int8),
            results=np.zeros(shape, np.int32),
            main_mask=np.zeros(shape, np.int32),
            filtered=np.zeros(shape, np.bool_),
            underwater_ms=np.zeros(shape, np.int64),
            rings=tuple(Ring.fresh(sets, limit, storage) for _ in range(symbols)),
        )

    def results_kept(self) -> int:
        """How many results all Sets keep together."""
        count = self.count.astype(np.int64)
        return sum(int(ring.kept(count[row]).sum()) for row, ring in enumerate(self.rings))

    def last_results(self, symbol: int, k: int) -> NDArray[np.int16]:
        """Kept results of one Set, oldest first."""
        ring, count = self.rings[symbol], self.count[symbol, k].astype(np.int64)
        if not count:
            return np.zeros(0, np.int16)
        order = np.arange(count - ring.kept(count), count) % ring.storage
        kept: NDArray[np.int16] = ring.results[ring.row[k], order]
        return kept

    def evidence(self, symbol: int, k: int, *, is_preset: bool) -> Evidence:
        """What the rules of one Set are judged by, after its newest result."""
        results = int(self.results[symbol, k])
        window, times = np.zeros((1, WINDOW), np.int64), np.zeros((1, TIMES), np.int64)
        newest = min(results, WINDOW)
        if newest:
            window[0, WINDOW - newest :] = self.last_results(symbol, k)[-newest:]
            times[0] = self.rings[symbol].times[self.rings[symbol].row[k]]
        return Evidence(
            status=self.status[symbol, k : k + 1],
            results=np.array([results]),
            main_mask=self.main_mask[symbol, k : k + 1].astype(np.int64),
            r=window,
            times=times,
            is_preset=np.array([is_preset]),
        )
