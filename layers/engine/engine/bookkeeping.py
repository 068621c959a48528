"""Books results: what a Set's next result changes, and which old ones it pushes out."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.history import History, Ring
from engine.market import Ints
from engine.promotion import Bools, exchange_drawdown_ms
from engine.settings import Settings
from engine.statistics import COLUMNS, TIMES, WINDOW, Stage, Standing, Status, advance

ARCHIVED = np.dtype(
    [
        ("bar", np.int64),
        ("at_ms", np.int64),  # close of the candle whose result pushed it out
        ("symbol", np.int64),
        ("set", np.int64),
        ("number", np.int64),  # of the result, 0 for the Set's first
        ("result", np.int16),  # hundredths of a position cost
    ]
)
"""Results that left the kept ones, sorted by (bar, symbol, Set, number)."""


class Bookkeeper:
    """Books results on a copy of a `History`, which is made at the first one.

    Sets are numbered symbol * K + k here.
    """

    def __init__(self, history: History, settings: Settings, is_preset: Bools) -> None:
        self._history = history
        self._settings = settings
        self._is_preset = is_preset
        self._is_copy = False
        self._booked: list[tuple[Ints, NDArray[np.int16], Ints]] = []
        self._archived: list[NDArray[np.void]] = []
        self.columns = {
            name: getattr(history, name).reshape(-1) for name in ("count", "free_ms", *COLUMNS)
        }

    def book(
        self, ids: Ints, result: NDArray[np.int16], at_ms: Ints, from_main: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
        """One result each for different Sets; returns their stage before and after."""
        self._copy()
        columns = self.columns
        self._load(ids)
        before = Standing(**{name: columns[name][ids] for name in COLUMNS})
        anew = (before.status == Status.FAILED)[:, None]
        place = self._place[ids]
        window = np.where(anew, 0, self._window[place])
        window[:, :-1] = window[:, 1:]
        window[:, -1] = result
        times = np.where(anew, 0, self._times[place])
        times[:, :-1] = times[:, 1:]
        times[:, -1] = at_ms
        self._window[place], self._times[place] = window, times
        is_preset = self._is_preset[ids % len(self._is_preset)]
        after = advance(before, window, times, from_main, is_preset, self._settings)
        for name in COLUMNS:
            columns[name][ids] = getattr(after, name)
        rest_ms = self._settings.failed_retry_h * 3_600_000
        rest = np.where(after.status == Status.FAILED, rest_ms, 0)
        cooldown = self._settings.position_cooldown_s * 1000
        columns["free_ms"][ids] = at_ms + np.maximum(rest, cooldown)
        columns["count"][ids] += 1
        self._booked.append((ids, result, at_ms))
        return before.stage, after.stage

    def shadowed(self, ids: Ints) -> NDArray[np.bool_]:
        """Which Sets may open in shadow only: paused, or fallen too far from their peak."""
        shadowed: NDArray[np.bool_] = self.columns["filtered"][ids]
        shadowed = shadowed | (self.columns["status"][ids] == Status.PAUSED)
        return shadowed

    def proven(self, ids: Ints, at_ms: Ints) -> NDArray[np.bool_]:
        """Which Sets may open on the exchange now."""
        is_preset = self._is_preset[ids % len(self._is_preset)]
        limit = exchange_drawdown_ms(is_preset, self._settings)
        since: Ints = self.columns["underwater_ms"][ids]
        proven: NDArray[np.bool_] = (since == 0) | (at_ms - since <= limit)
        proven &= self.columns["stage"][ids] == Stage.EXCHANGE
        return proven

    def finish(self) -> tuple[History, NDArray[np.void]]:
        """The history with everything booked, and the results that it keeps no more.

        Those are `ARCHIVED` records without their bar, sorted by (time, symbol, Set, number).
        """
        if not self._booked:
            return self._history, np.zeros(0, ARCHIVED)
        shape = self._history.count.shape
        rings = self._rings(shape[1])
        columns = {name: column.reshape(shape) for name, column in self.columns.items()}
        archived = np.concatenate([np.zeros(0, ARCHIVED), *self._archived])
        names = ("number", "set", "symbol", "at_ms")
        order = np.lexsort([archived[name] for name in names])
        return replace(self._history, rings=rings, **columns), archived[order]

    def _copy(self) -> None:
        if self._is_copy:
            return
        self._is_copy = True
        self.columns = {name: column.copy() for name, column in self.columns.items()}
        self._place = np.full(len(self.columns["count"]), -1, np.int32)
        self._met = 0
        self._window = np.zeros((0, WINDOW), np.int16)
        self._times = np.zeros((0, TIMES), np.int64)

    def _load(self, ids: Ints) -> None:
        """Bring the last results of Sets not met before in this call into the windows."""
        new = ids[self._place[ids] < 0]
        if not len(new):
            return
        self._make_room(new)
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
            place = self._place[chosen]
            self._window[place] = np.where(epoch, ring.results[row[:, None], order], 0)
            self._times[place] = ring.times[row]

    def _make_room(self, new: Ints) -> None:
        """A row of the windows for each Set met first, empty; the windows double as they fill."""
        met = self._met + len(new)
        self._place[new] = np.arange(self._met, met)
        self._met = met
        if met > len(self._window):
            more = ((0, max(met, 2 * len(self._window)) - len(self._window)), (0, 0))
            self._window, self._times = np.pad(self._window, more), np.pad(self._times, more)

    def _rings(self, sets: int) -> tuple[Ring, ...]:
        ids, results, at_ms = (np.concatenate(column) for column in zip(*self._booked, strict=True))
        order = np.argsort(ids, kind="stable")  # rounds are in time: so are a Set's results
        rings = list(self._history.rings)
        bounds = np.searchsorted(ids[order], np.arange(len(rings) + 1) * sets)
        for symbol in np.flatnonzero(np.diff(bounds)).tolist():
            part = order[bounds[symbol] : bounds[symbol + 1]]
            columns = (ids[part] - symbol * sets, results[part], at_ms[part])
            rings[symbol] = self._ring(symbol, *columns)
        return tuple(rings)

    def _ring(self, symbol: int, k: Ints, results: NDArray[np.int16], at_ms: Ints) -> Ring:
        """The ring of a symbol with more `results`, sorted by Set and time."""
        ring = self._history.rings[symbol]
        first = np.flatnonzero(np.diff(k, prepend=-1))
        touched, added = k[first], np.diff(first, append=len(k))
        row, new = ring.row.copy(), touched[ring.row[touched] < 0]
        rows, storage = len(ring.results), ring.storage
        row[new] = np.arange(rows, rows + len(new))
        kept, times = _longer(ring.results, len(new)), _longer(ring.times, len(new))
        times[row[touched]] = self._times[self._place[symbol * len(ring.row) + touched]]
        before = self._history.count[symbol, touched].astype(np.int64)
        rank = np.arange(len(k)) - np.repeat(first, added)
        number = np.repeat(before, added) + rank
        whole = replace(ring, row=row, results=kept, times=times)
        fresh = _Fresh(symbol=symbol, touched=touched, before=before, added=added)
        self._archived.append(_surplus(whole, fresh, results, at_ms))
        newest = rank >= np.repeat(added, added) - storage
        kept[row[k[newest]], number[newest] % storage] = results[newest]
        return whole


def _longer[T: np.generic](rows: NDArray[T], more: int) -> NDArray[T]:
    """A copy with empty rows at its end."""
    longer = np.empty((len(rows) + more, *rows.shape[1:]), rows.dtype)
    longer[: len(rows)] = rows
    longer[len(rows) :] = 0
    return longer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fresh:
    """Sets of a symbol that got results, and how many each had and got."""

    symbol: int
    touched: Ints
    before: Ints
    added: Ints


def _surplus(
    ring: Ring, fresh: _Fresh, results: NDArray[np.int16], at_ms: Ints
) -> NDArray[np.void]:
    """Results no more kept, with the time of the result that pushed each out.

    `ring` has a row for every Set, but none of the new `results` yet.
    """
    after = fresh.before + fresh.added
    begin = fresh.before - ring.kept(fresh.before)
    left = after - ring.kept(after) - begin
    if not left.any():
        return np.zeros(0, ARCHIVED)
    if not left.any():
        return np.zeros(0, ARCHIVED)
    which = np.repeat(np.arange(len(left)), left)
    number = begin[which] + np.arange(len(which)) - np.repeat(np.cumsum(left) - left, left)
    batch = ring.storage - ring.limit + 1
    ahead = (np.cumsum(fresh.added) - fresh.added - fresh.before)[which]  # place of number 0
    pushed_by = ring.storage + number // batch * batch
    old = number < fresh.before[which]
    stored = ring.results[ring.row[fresh.touched[which]], number % ring.storage]
    archived = np.zeros(len(which), ARCHIVED)
    archived["at_ms"] = at_ms[ahead + pushed_by]
    archived["symbol"] = fresh.symbol
    archived["set"] = fresh.touched[which]
    archived["number"] = number
    archived["result"] = np.where(old, stored, results[np.where(old, 0, ahead + number)])
    return archived
