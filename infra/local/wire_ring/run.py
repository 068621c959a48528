"""`cts chaos --wire`: bring a twin up, run the cases, report."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.values import Side
from local import logs
from local.places import Places
from local.twin import Wishes, twin_up
from local.wire_ring.ring import Ring

KINDS = ("duplicates", "lost", "unprotected", "drift", "unresolved")


async def run(
    places: Places,
    wishes: Wishes,
    *,
    cases: int,
    seed: int,
    say: Callable[[str], None],
    now_ms: Callable[[], int],
) -> dict[str, Any]:
    """A fresh twin, its engine trading on one venue's wire, and so many cases one after another.

    Raises
    ------
    NotReadyError, ChildError, DeployError, OperatorError
        Whatever kept the twin from coming up, as one sentence.
    """
    sides = (Side.LONG,) if wishes.account.api_type == "spot" else tuple(Side)
    async with twin_up(places, replace(wishes, fresh=True), say=say, now_ms=now_ms) as twin:
        begun = time.monotonic()
        ring = Ring(twin, wishes.account.books, seed=seed, sides=sides)
        try:
            tally = await ring.run(cases, say=say)
            sent = ring.orders_received()
        finally:
            ring.close()
        seconds = time.monotonic() - begun
        say("stopping")
    counts = {kind: tally.counts.get(kind, 0) for kind in KINDS}
    return {
        "cases": tally.cases,
        "venue": wishes.account.books,
        "faults_injected": tally.faults,
        "kills": tally.kills,
        "orders_sent": sent,
        "longest_unprotected_s": round(tally.longest_bare_s, 1),
        **counts,
        "seconds": round(seconds, 1),
        "wrong": tally.wrong,
        "problem_lines": len(logs.error_lines(places.logs)),
    }
