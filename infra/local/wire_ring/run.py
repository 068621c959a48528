"""`cts chaos --wire`: for each venue bring a twin up and run its share of the cases; report."""

import time
from collections.abc import Callable, Sequence
from typing import Any, cast

from engine.values import Side
from local import logs
from local.operator import PAPER_ACCOUNTS, PaperAccount, PaperVenue
from local.places import Places
from local.programs import Market
from local.twin import Wishes, twin_up
from local.wire_ring.ring import Ring, Tally

VENUES: tuple[PaperVenue, ...] = ("binance", "bybit", "okx")
SYMBOLS = 5
KINDS = ("duplicates", "lost", "unprotected", "drift", "unresolved")
Say = Callable[[str], None]


async def run(
    places: Places,
    *,
    cases: int,
    seed: int,
    venues: Sequence[str] = (),
    say: Say,
    now_ms: Callable[[], int],
) -> dict[str, Any]:
    """So many cases, shared among the venues; each has a fresh twin whose engine trades on it.

    Raises
    ------
    NotReadyError, ChildError, DeployError, OperatorError
        Whatever kept a twin from coming up, as one sentence.
    """
    begun = time.monotonic()
    names = [cast(PaperVenue, name) for name in venues] or list(VENUES)
    tally, problems, first = Tally(), 0, 0
    for index, name in enumerate(names):
        share = cases * (index + 1) // len(names) - first
        if share:
            say(f"{name}: {share} of {cases} cases")
            numbers = range(first, first + share)
            await _on(PAPER_ACCOUNTS[name], places, numbers, seed, tally, say, now_ms)
            problems += len(logs.error_lines(places.logs))
        first += share
    return {
        "cases": tally.cases,
        "venues": names,
        "seed": seed,
        "faults_injected": tally.faults + tally.kills,
        "kills": tally.kills,
        "orders_sent": tally.orders,
        "longest_unprotected_s": round(tally.bare[0], 1),
        "longest_unprotected": tally.bare[1],
        **{kind: tally.counts.get(kind, 0) for kind in KINDS},
        "problem_lines": problems,
        "wrong": tally.wrong,
        "seconds": round(time.monotonic() - begun, 1),
    }


async def _on(
    account: PaperAccount,
    places: Places,
    numbers: range,
    seed: int,
    tally: Tally,
    say: Say,
    now_ms: Callable[[], int],
) -> None:
    sides = (Side.LONG,) if account.api_type == "spot" else tuple(Side)
    wishes = Wishes(market=Market(symbols=SYMBOLS), account=account, console=False, fresh=True)
    async with twin_up(places, wishes, say=say, now_ms=now_ms) as twin:
        ring = Ring(twin, account.books, seed=seed, sides=sides)
        try:
            await ring.run(numbers, tally, say=say)
            tally.orders += ring.orders_received()
        finally:
            ring.close()
        say("stopping")
