"""Many cases on all cores: progress, figures, the table, and what to replay."""

import gc
import json
import multiprocessing
import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

from adapters.opener import dialect_of
from engine.errors import RefusedError
from local.paper.venues import WIRES
from local.simulation.case import CaseResult, listed, run_case
from local.simulation.machines import API_TYPE
from local.simulation.outcomes import Row
from local.simulation.venue import DENIALS

SEEDS_APART = 1_000_000
"""Cases of one campaign's seed are numbered from `seed * SEEDS_APART` on."""
_BATCH = 8
_TOLD_EVERY_S = 5.0
_LISTEN_S = 0.2
_SHOWN = 10
KINDS = ("duplicates", "lost", "unprotected", "drift", "unresolved")

Case = tuple[int, str]
Say = Callable[[str], None]


@dataclass(slots=True)
class Figures:
    """What the cases so far came to."""

    cases: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    orders_sent: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    rows: Counter[Row] = field(default_factory=Counter)
    failed: list[CaseResult] = field(default_factory=list)
    virtual_s: float = 0.0

    def add(self, result: CaseResult) -> None:
        """Count one more case."""
        self.cases += 1
        self.faults += result.faults
        self.orders_sent += result.orders_sent
        self.rows += result.outcomes
        self.virtual_s += result.virtual_s
        for kind in KINDS:
            self.wrong[kind] += len(getattr(result.verdict, kind))
        self.wrong["errors"] += len(result.troubles)
        if not result.is_clean:
            self.failed.append(result)

    @property
    def is_clean(self) -> bool:
        return not self.failed

    def summary(self, seconds: float, **more: Any) -> dict[str, Any]:
        """The figures as JSON holds them."""
        return {
            "cases": self.cases,
            "faults_injected": self.faults.total(),
            "orders_sent": self.orders_sent,
            **{kind: self.wrong[kind] for kind in (*KINDS, "errors")},
            "failed": [f"{one.seed}:{one.venue}" for one in self.failed[:_SHOWN]],
            "virtual_seconds": round(self.virtual_s),
            **more,
            "seconds": round(seconds, 1),
        }


def ready_venues() -> tuple[str, ...]:
    """Venues that have a wire here and a dialect for their perpetuals."""
    return tuple(name for name in DENIALS if name in WIRES and _speaks(name))


def _speaks(name: str) -> bool:
    try:
        dialect_of(name, API_TYPE)
    except RefusedError:
        return False
    return True


def cases_of(seed: int, count: int, venues: Sequence[str], *, first: int = 0) -> list[Case]:
    """The cases of a campaign from the number `first` on, venue by venue in turn."""
    numbers = range(first, first + count)
    return [(seed * SEEDS_APART + n, venues[n % len(venues)]) for n in numbers]


def run_campaign(cases: Sequence[Case], *, workers: int, say: Say) -> tuple[Figures, bool]:
    """Run them all; the figures, and whether it came to the end (Ctrl-C ends it before).

    They are counted in their order: what was counted when it ended need not be run again.
    """
    figures, told_at = Figures(), time.monotonic()
    pool = ProcessPoolExecutor(
        workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin
    )
    try:
        with _interrupts() as heard:
            with _held_back():
                futures = deque(pool.submit(_run, batch) for batch in batched(cases, _BATCH))
            for result in _results(futures, heard):
                figures.add(result)
                if not result.is_clean:
                    say(failure(result))
                if time.monotonic() - told_at > _TOLD_EVERY_S:
                    told_at = time.monotonic()
                    say(f"{figures.cases} of {len(cases)} cases, {len(figures.failed)} failed")
            if heard.is_set():
                say("stopping")
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return figures, figures.cases == len(cases)


def failure(result: CaseResult) -> str:
    """What a case did wrong, in a line, and how to see it."""
    wrong = {kind: getattr(result.verdict, kind) for kind in KINDS}
    words = {kind: found[:3] for kind, found in wrong.items() if found}
    if result.troubles:
        words["errors"] = list(result.troubles[:3])
    return f"{json.dumps(words)}; cts chaos --replay {result.seed}:{result.venue}"


def replay(case: Case, say: Say) -> CaseResult:
    """Run one case and tell its whole history."""
    result = run_case(*case, tell=True)
    for line in result.story:
        say(line)
    say(f"history {result.digest}, {result.orders_sent} orders, {result.faults.total()} faults")
    if not result.is_clean:
        say(failure(result))
    return result


def _results(
    futures: "deque[Future[list[CaseResult]]]", heard: threading.Event
) -> Iterator[CaseResult]:
    """In the order of the cases, until all are there or an interrupt was heard."""
    while futures and not heard.is_set():
        done, _ = wait([futures[0]], timeout=_LISTEN_S)
        if done:
            yield from futures.popleft().result()


def _run(cases: Sequence[Case]) -> list[CaseResult]:
    return [run_case(*case) for case in cases]


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Ctrl-C or SIGTERM as an event: an exception anywhere could leave a lock taken for ever.

    Whoever dies without it leaves processes that wait for work that will never come.
    """
    heard = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: heard.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _held_back() -> Iterator[None]:
    """Ctrl-C comes afterwards; what is born meanwhile never hears it, and so cannot die of it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _begin() -> None:
    """What every case needs is no garbage to search again."""
    for venue in ready_venues():
        listed(venue)
    gc.freeze()
