"""The kept results of Sets: standing columns for all, rings only for those that ever closed."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.market import Ints
from engine.settings import Settings
from engine.statistics import TIMES, WINDOW, Stage, Standing, Status, advance

_COLUMNS = ("status", "stage", "results", "main_mask", "filtered", "underwater_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Results of one symbol's Sets, hundredths of a position cost.

    Attributes
    ----------
    row : (K,) int32
        Row of each Set in the arrays below, -1 before its first result.
    results : (R, size) int16
        Result number n of a Set stands in column n % size.
    times : (R, 30) int64
        Close times of the last 30 results of the epoch, newest last, 0 where there are fewer.
    """

    row: NDArray[np.int32]
    results: NDArray[np.int16]
    times: Ints

    @staticmethod
    def fresh(sets: int, size: int) -> "Ring":
        return Ring(
            row=np.full(sets, -1, np.int32),
            results=np.zeros((0, size), np.int16),
            times=np.zeros((0, TIMES), np.int64),
        )


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
    def fresh(symbols: int, sets: int, size: int) -> "History":
        shape = (symbols, sets)
        return History(
            count=np.zeros(shape, np.int32),
            free_ms=np.zeros(shape, np.int64),
            status=np.zeros(shape, np.int8),
            stage=np.zeros(shape, np.int8),
            results=np.zeros(shape, np.int32),
            main_mask=np.zeros(shape, np.int32),
            filtered=np.zeros(shape, np.bool_),
            underwater_ms=np.zeros(shape, np.int64),
            rings=tuple(Ring.fresh(sets, size) for _ in range(symbols)),
        )

    def last_results(self, symbol: int, k: int) -> NDArray[np.int16]:
        """Kept results of one Set, oldest first."""
        ring, count = self.rings[symbol], int(self.count[symbol, k])
        size = ring.results.shape[1]
        order = np.arange(max(0, count - size), count) % size
        kept: NDArray[np.int16] = ring.results[ring.row[k], order]
        return kept


class Bookkeeper:
    """Books results on a copy of a `History`, which is made at the first one.

    Sets are numbered symbol * K + k here.
    """

    def __init__(self, history: History, settings: Settings, failed_rest_ms: int) -> None:
        self._history = history
        self._settings = settings
        self._failed_rest_ms = failed_rest_ms
        self._is_copy = False
        self._booked: list[tuple[Ints, NDArray[np.int16]]] = []
        self.columns = {
            name: getattr(history, name).reshape(-1) for name in ("count", "free_ms", *_COLUMNS)
        }

    def book(
        self, ids: Ints, result: NDArray[np.int16], at_ms: Ints, from_main: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """One result each for different Sets; returns their stage before and after."""
        self._copy()
        columns = self.columns
        self._load(ids)
        before = Standing(**{name: columns[name][ids] for name in _COLUMNS})
        anew = (before.status == Status.FAILED)[:, None]
        window = np.where(anew, 0, self._window[ids])
        window[:, :-1] = window[:, 1:]
        window[:, -1] = result
        times = np.where(anew, 0, self._times[ids])
        times[:, :-1] = times[:, 1:]
        times[:, -1] = at_ms
        self._window[ids], self._times[ids] = window, times
        after = advance(before, window, times, from_main, self._settings)
        for name in _COLUMNS:
            columns[name][ids] = getattr(after, name)
        rest = np.where(after.status == Status.FAILED, self._failed_rest_ms, 0)
        cooldown = self._settings.position_cooldown_s * 1000
        columns["free_ms"][ids] = at_ms + np.maximum(rest, cooldown)
        columns["count"][ids] += 1
        self._booked.append((ids, result))
        return before.stage, after.stage

    def shadowed(self, ids: Ints) -> NDArray[np.bool_]:
        """Which Sets may open in shadow only: paused, or fallen too far from their peak."""
        shadowed: NDArray[np.bool_] = self.columns["filtered"][ids]
        shadowed = shadowed | (self.columns["status"][ids] == Status.PAUSED)
        return shadowed

    def proven(self, ids: Ints, at_ms: Ints) -> NDArray[np.bool_]:
        """Which Sets may open on the exchange now."""
        limit = self._settings.max_drawdown_time_h * 3_600_000
        since: Ints = self.columns["underwater_ms"][ids]
        proven: NDArray[np.bool_] = (since == 0) | (at_ms - since <= limit)
        proven &= self.columns["stage"][ids] == Stage.EXCHANGE
        return proven

    def finish(self) -> History:
        """The history with everything booked."""
        if not self._booked:
            return self._history
        shape = self._history.count.shape
        rings = self._rings(shape[1])
        columns = {name: column.reshape(shape) for name, column in self.columns.items()}
        return replace(self._history, rings=rings, **columns)

    def _copy(self) -> None:
        if self._is_copy:
            return
        self._is_copy = True
        self.columns = {name: column.copy() for name, column in self.columns.items()}
        count = len(self.columns["count"])
        self._loaded = np.zeros(count, np.bool_)
        self._window = np.zeros((count, WINDOW), np.int16)
        self._times = np.zeros((count, TIMES), np.int64)

    def _load(self, ids: Ints) -> None:
        """Bring the last results of Sets not met before in this call into the windows."""
        new = ids[~self._loaded[ids]]
        if not len(new):
            return
        self._loaded[new] = True
        new = new[self.columns["count"][new] > 0]
        sets = self._history.count.shape[1]
        symbols = new // sets
        for symbol in np.unique(symbols):
            chosen = new[symbols == symbol]
            ring = self._history.rings[symbol]
            row = ring.row[chosen - symbol * sets]
            size = ring.results.shape[1]
            back = np.arange(-WINDOW, 0)
            order = (self.columns["count"][chosen][:, None] + back) % size
            epoch = -back[None, :] <= self.columns["results"][chosen][:, None]
            self._window[chosen] = np.where(epoch, ring.results[row[:, None], order], 0)
            self._times[chosen] = ring.times[row]

    def _rings(self, sets: int) -> tuple[Ring, ...]:
        ids = np.concatenate([ids for ids, _ in self._booked])
        results = np.concatenate([result for _, result in self._booked])
        order = np.argsort(ids, kind="stable")  # rounds are in time: so are a Set's results
        ids, results = ids[order], results[order]
        rings = list(self._history.rings)
        bounds = np.searchsorted(ids, np.arange(len(rings) + 1) * sets)
        for symbol in np.flatnonzero(np.diff(bounds)):
            part = slice(bounds[symbol], bounds[symbol + 1])
            offset = symbol * sets
            rings[symbol] = self._ring(rings[symbol], ids[part], results[part], int(offset))
        return tuple(rings)

    def _ring(self, ring: Ring, ids: Ints, results: NDArray[np.int16], offset: int) -> Ring:
        touched, first, added = np.unique(ids, return_index=True, return_counts=True)
        row, new = ring.row.copy(), touched[ring.row[touched - offset] < 0]
        rows = len(ring.results)
        row[new - offset] = np.arange(rows, rows + len(new))
        size = ring.results.shape[1]
        kept = np.zeros((rows + len(new), size), np.int16)
        kept[:rows] = ring.results
        times = np.zeros((rows + len(new), TIMES), np.int64)
        times[:rows] = ring.times
        times[row[touched - offset]] = self._times[touched]
        before = self._history.count.reshape(-1)[touched]
        rank = np.arange(len(ids)) - np.repeat(first, added)
        number = np.repeat(before, added) + rank
        newest = rank >= np.repeat(added, added) - size
        kept[row[ids[newest] - offset], number[newest] % size] = results[newest]
        return Ring(row=row, results=kept, times=times)
