"""J3: entry, first exit, next entry, over five days of seconds, for all configurations at once."""

import sys
from dataclasses import dataclass

import numpy as np
from tests.bench.markets import Job, make_job
from tests.bench.measuring import peak_mb, peak_mb_alone

from engine.exits import OPEN, Triggers, Window, first_exit, make_window
from engine.market import Ints
from engine.ticks import distance

NEVER = 1 << 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Entries and exits as (row, configuration, bar), one line each, sorted."""

    lines: Ints

    @staticmethod
    def sorted(lines: Ints) -> "Orders":
        return Orders(lines=lines[np.lexsort((lines[:, 2], lines[:, 1], lines[:, 0]))])

    def counts(self, rows: int, configurations: int) -> Ints:
        """(R, C) trades begun by each."""
        place = self.lines[:, 0] * configurations + self.lines[:, 1]
        orders = np.bincount(place, minlength=rows * configurations)
        return ((orders + 1) // 2).reshape(rows, configurations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    """What a replay traded: the place (row * C + configuration), entry and exit bar of each."""

    place: Ints
    entered: Ints
    left: Ints

    def __len__(self) -> int:
        return len(self.place)

    def orders(self, job: Job) -> Orders:
        """As the peer writes them: those still open have no exit."""
        configurations, bars = len(job.stop), len(job.candles)
        closed = self.left < bars
        place = np.concatenate([self.place, self.place[closed]])
        bar = np.concatenate([self.entered, self.left[closed]])
        row, configuration = place // configurations, place % configurations
        return Orders.sorted(np.stack([row, configuration, bar], axis=1))


def replay(job: Job) -> Trades:
    """Everything from candles to trades, the pyramid included.

    As on the trade side all configurations go together, round by round; but one order a bar, as
    the peer counts: after an exit the next entry is a later bar's.
    """
    return _Course(job, make_window(job.candles)).run()


class _Course:
    def __init__(self, job: Job, window: Window) -> None:
        self.window, self.bars = window, len(job.candles)
        self.count = len(job.stop)
        rows = np.repeat(job.rows, self.count)
        self.row, self.sign = rows, 1 - 2 * (rows % 2)
        self.stop, self.target = (np.tile(each, len(job.rows)) for each in (job.stop, job.target))
        self.close = np.ascontiguousarray(job.candles.close.T)
        self.reach = self.bars + 1
        keys = [number * self.reach + bars for number, bars in enumerate(job.entries)]
        self.keys = np.append(np.concatenate(keys), -1)
        self.entry = np.arange(len(job.rows)).repeat(self.count) * self.reach

    def run(self) -> Trades:
        rounds: list[tuple[Ints, Ints, Ints]] = []
        waiting, free = np.arange(len(self.row)), np.zeros(len(self.row), np.int64)
        while len(waiting):
            base = self.entry[waiting]
            found = self.keys[np.searchsorted(self.keys[:-1], base + free)]
            bar = found - base
            some = (bar >= 0) & (bar < self.bars)
            waiting, bar = waiting[some], bar[some]
            exits = first_exit(self.window, self._triggers(waiting, bar))
            rounds.append((waiting, bar, exits.bar))
            closed = exits.reason != OPEN
            waiting, free = waiting[closed], exits.bar[closed] + 1
        place, entered, left = (np.concatenate(each) for each in zip(*rounds, strict=True))
        return Trades(place=place, entered=entered, left=left)

    def _triggers(self, waiting: Ints, bar: Ints) -> Triggers:
        row = self.row[waiting]
        price = self.close[row // 2, bar]
        own = self.sign[waiting] * price
        return Triggers(
            row=row,
            start=bar + 1,
            stop=own - distance(price, self.stop[waiting]),
            target=own + distance(price, self.target[waiting]),
            arm=np.full(len(row), NEVER, np.int64),
            trail=np.zeros(len(row), np.int64),
            peak=own,
        )


def replay_peak_mb(job: Job) -> float:
    """Peak memory of a process that replays such a job and does nothing else."""
    sizes = (len(job.rows), len(job.stop), len(job.candles))
    return peak_mb_alone("tests.bench.replay", *map(str, sizes))


if __name__ == "__main__":
    rows, configurations, bars = map(int, sys.argv[1:])
    replay(make_job(rows=rows, configurations=configurations, bars=bars))
    print(peak_mb())
