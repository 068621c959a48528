"""J3 beside the peer: rounds of both in turn, trades compared, the best of each."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from tests.bench.exchange import (
    CHUNK,
    Peer,
    PeerError,
    Start,
    chunks,
    differing,
    read_orders,
    running_peer,
    vectorbt,
    write_job,
)
from tests.bench.markets import BARS, Job, make_job
from tests.bench.measuring import seconds
from tests.bench.replay import Orders, Trades, replay, replay_peak_mb

Tell = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Best:
    """Fastest seconds of each runner so far."""

    took: dict[str, float] = field(default_factory=dict)

    def note(self, name: str, value: float) -> None:
        self.took[name] = min(value, self.took.get(name, value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """What became of J3.

    Attributes
    ----------
    rates : config-bars a second of every runner
    trades : of one symbol, and of all rows
    differing : (row, configuration) pairs whose trades are not the peer's, by engine
    compared : pairs compared, by engine
    memory_mb : peak of every runner
    missing : why an engine of the peer has no figures
    """

    rates: dict[str, float]
    trades: tuple[int, int]
    differing: dict[str, int]
    compared: dict[str, int]
    memory_mb: dict[str, float]
    missing: dict[str, str]
    version: str

    @property
    def trades_equal(self) -> bool | None:
        """Whether every trade of every configuration compared is the same; None without a peer."""
        return not any(self.differing.values()) if self.compared else None

    def ratio(self, ours: str, theirs: str) -> float | None:
        """How many times faster; None without that runner."""
        return self.rates[ours] / self.rates[theirs] if theirs in self.rates else None


def run_race(
    *,
    bars: int = BARS,
    rows: int = 10,
    configurations: int = 1_000,
    rounds: int = 7,
    tell: Tell,
    start: Start = vectorbt,
) -> Race:
    """Our replay of one row and of all rows, and vectorbt's engines where it can be had."""
    job = make_job(bars=bars, rows=rows, configurations=configurations)
    jobs = {"single": job.only(1), "batched": job}
    trades = {name: replay(each) for name, each in jobs.items()}
    best, missing = Best(), {}
    found = _Against(job, trades["batched"])
    try:
        with tempfile.TemporaryDirectory() as folder:
            write_job(job, Path(folder))
            tell("vectorbt: making its environment and compiling")
            with running_peer(Path(folder), start) as peer:
                missing = peer.failed
                found.version = peer.version
                for number in range(rounds):
                    tell(f"round {number + 1} of {rounds}")
                    _ours(jobs, best)
                    found.round(peer, Path(folder), best, keep=number == 0)
    except PeerError as error:
        missing = {"vectorbt": str(error)}
        for _ in range(rounds):
            _ours(jobs, best)
    own_mb = {f"CTS {name}": replay_peak_mb(each) for name, each in jobs.items()}
    return Race(
        rates={name: found.config_bars(name) / took for name, took in best.took.items()},
        trades=(len(trades["single"]), len(trades["batched"])),
        differing=found.differing,
        compared=found.compared,
        memory_mb=own_mb | found.memory_mb,
        missing=missing,
        version=found.version,
    )


def _ours(jobs: dict[str, Job], best: Best) -> None:
    for name, job in jobs.items():
        best.note(f"CTS {name}", seconds(partial(replay, job)))


class _Against:
    """The peer's passes: every configuration on one row; one chunk on every row; some by rust."""

    def __init__(self, job: Job, trades: Trades) -> None:
        self.job, self.orders = job, trades.orders(job)
        count = len(job.stop)
        spread = list(range(0, count, max(1, count // CHUNK)))[:CHUNK]
        whole = chunks([0], range(count))
        self.passes = {
            "numba single": ("numba", whole),
            "numba batched": ("numba", chunks(range(len(job.rows)), spread)),
            "rust single": ("rust", whole[::5]),
        }
        self.differing: dict[str, int] = {}
        self.compared: dict[str, int] = {}
        self.memory_mb: dict[str, float] = {}
        self.version = ""

    def round(self, peer: Peer, folder: Path, best: Best, *, keep: bool) -> None:
        for name, (engine, jobs) in self.passes.items():
            if engine in peer.failed:
                continue
            answer = peer.run(engine, jobs, keep=keep)
            best.note(name, answer.seconds)
            self.memory_mb[engine] = answer.peak_mb
            if keep:
                self._compare(name, read_orders(folder, engine), jobs)

    def _compare(self, name: str, theirs: Orders, jobs: Sequence[tuple[int, list[int]]]) -> None:
        count = len(self.job.stop)
        places = np.concatenate([np.array(part) + row * count for row, part in jobs])
        ours = self.orders.lines
        chosen = np.isin(ours[:, 0] * count + ours[:, 1], places)
        own = Orders(lines=ours[chosen])
        self.differing[name] = differing(own, theirs, len(self.job.rows), count)
        self.compared[name] = len(places)

    def config_bars(self, name: str) -> int:
        if name.startswith("CTS"):
            return self.job.config_bars if name == "CTS batched" else self.job.only(1).config_bars
        return len(self.job.candles) * sum(len(part) for _, part in self.passes[name][1])
