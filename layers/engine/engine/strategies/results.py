"""Results of Sets one after another, those of before and those just booked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.history import History
from engine.market import Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """Results of a stretch of candles, in the order they were booked; ids are symbol * K + k.

    `epoch` is the place of each in its epoch, 1 for the first.
    """

    ids: Ints
    r: NDArray[np.int16]
    epoch: Ints

    @staticmethod
    def none() -> "Booked":
        nothing = np.zeros(0, np.int64)
        return Booked(ids=nothing, r=np.zeros(0, np.int16), epoch=nothing)

    @staticmethod
    def join(parts: "Sequence[Booked]") -> "Booked":
        names = Booked.__slots__
        return Booked(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Results of Sets, each Set's together and oldest first, hundredths of a position cost.

    Attributes
    ----------
    ids : (N,) Set of each.
    number : (N,) how many results the Set ever had with it.
    epoch : (N,) its place in its epoch.
    r : (N,) int64
    """

    ids: Ints
    number: Ints
    epoch: Ints
    r: Ints

    @staticmethod
    def of(history: History, ids: Ints, booked: Booked, lookback: int) -> "Results":
        """All booked ones of these Sets (sorted), and of their epoch in `history` the last ones."""
        before = _before(history, ids, lookback)
        own = np.flatnonzero(np.isin(booked.ids, ids))
        own = own[np.argsort(booked.ids[own], kind="stable")]
        new = booked.ids[own]
        rank = np.arange(len(new)) - np.searchsorted(new, new)
        number = history.count.reshape(-1)[new] + rank + 1
        after = (new, number, booked.epoch[own], booked.r[own].astype(np.int64))
        joined = [np.concatenate(pair) for pair in zip(before, after, strict=True)]
        order = np.argsort(joined[0], kind="stable")
        return Results(**dict(zip(Results.__slots__, (c[order] for c in joined), strict=True)))

    def last(self, ids: Ints, count: Ints) -> Ints:
        """Where each Set's result number `count` stands, -1 for those that had none."""
        reach = int(self.number.max(initial=0)) + 1
        at = np.searchsorted(self.ids * reach + self.number, ids * reach + count)
        return np.where(count > 0, at, -1)

    def before(self, at: Ints, back: int | Ints) -> NDArray[np.bool_]:
        """Whether the result `back` places before `at` is known and of the same epoch."""
        there = np.maximum(at - back, 0)
        known: NDArray[np.bool_] = (
            (at >= back) & (self.ids[there] == self.ids[at]) & (self.epoch[at] > back)
        )
        return known


def _before(history: History, ids: Ints, lookback: int) -> tuple[Ints, Ints, Ints, Ints]:
    count = history.count.reshape(-1)[ids].astype(np.int64)
    epoch = history.results.reshape(-1)[ids].astype(np.int64)
    kept = np.minimum(epoch, lookback)
    which = np.repeat(np.arange(len(ids)), kept)
    behind = np.repeat(np.cumsum(kept), kept) - np.arange(len(which)) - 1
    number = count[which] - behind
    symbols, k = np.divmod(ids[which], history.count.shape[1])
    r = np.zeros(len(which), np.int64)
    for symbol in np.unique(symbols):
        ring, own = history.rings[symbol], np.flatnonzero(symbols == symbol)
        r[own] = ring.results[ring.row[k[own]], (number[own] - 1) % ring.storage]
    return ids[which], number, epoch[which] - behind, r
