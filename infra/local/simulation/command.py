"""What `cts chaos` does: a campaign of cases, or one of them again."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.simulation.campaign import cases_of, ready_venues, replay, run_campaign
from local.simulation.table import write_table

STOPPED = 130
Say = Callable[[str], None]


class ChaosError(Exception):
    """What was asked for cannot be run, as one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A campaign as the command line asks for it; no venues are all of them.

    `first` of its cases were run before: `cases` more follow.
    """

    cases: int
    first: int
    seed: int
    venues: Sequence[str]
    workers: int
    table: Path | None


def run(asked: Asked, *, tell: Say, out: Say) -> int:
    """Run the cases and print the figures last; 0 if nothing was wrong, 130 after Ctrl-C.

    Raises
    ------
    ChaosError
        If a venue is not known.
    """
    venues = _chosen(asked.venues)
    begun = time.monotonic()
    cases = cases_of(asked.seed, asked.cases, venues, first=asked.first)
    figures, is_whole = run_campaign(cases, workers=asked.workers, say=tell)
    seconds = time.monotonic() - begun
    summary = figures.summary(seconds, seed=asked.seed, venues=venues, stopped=not is_whole)
    if asked.table is not None and is_whole:
        first = f" --first {asked.first}" if asked.first else ""
        which = f"--cases {asked.cases}{first} --seed {asked.seed}"
        command = f"cts chaos {which} --table {asked.table}"
        write_table(asked.table, figures.rows, command=command, figures=summary)
    out(json.dumps(summary))
    if not is_whole:
        tell(f"goes on with --first {asked.first + figures.cases}")
        return STOPPED
    return 0 if figures.is_clean else 1


def run_again(text: str, *, tell: Say) -> int:
    """Run the case `SEED:VENUE` and tell its history; 0 if nothing was wrong.

    Raises
    ------
    ChaosError
        If the text names no case.
    """
    seed, _, venue = text.partition(":")
    if not seed.isdigit():
        raise ChaosError(f"a case is SEED:VENUE, such as 1000017:binance; was {text!r}")
    (chosen,) = _chosen([venue or "binance"])
    return 0 if replay((int(seed), chosen), tell).is_clean else 1


def _chosen(venues: Sequence[str]) -> tuple[str, ...]:
    ready = ready_venues()
    unknown = sorted(set(venues) - set(ready))
    if unknown:
        raise ChaosError(f"venue must be one of {', '.join(ready)}; was {', '.join(unknown)}")
    return tuple(venues) or ready
