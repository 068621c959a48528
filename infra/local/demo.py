"""The report of a run: one JSON object, and the reasons why it would not do."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx

from adapters.engine_rows import read_engine
from engine.settings import Settings
from local import gather, logs
from local.places import Places
from local.report import drift, loop_report, takeovers
from local.twin import Twin, Wishes, twin_up

LIVELY_S = 1_796_965_200
"""Where a demo enters the generated market: Sets prove themselves there, whatever the clock says.

Elsewhere minutes may go by in which nothing is worth an order, on honest rules and with fees.
"""
PROGRESS_S = 15
QUIET_S = 2.0
QUIET_WITHIN_S = 60.0
SHOWN = 800
"""Characters of an ERROR line told as a fault; the report has it whole."""


async def run(
    places: Places,
    wishes: Wishes,
    *,
    seconds: int,
    say: Callable[[str], None],
    now_ms: Callable[[], int],
) -> dict[str, Any]:
    """Bring a twin of its own up, let its engine run, take the report, and take it down.

    Raises
    ------
    NotReadyError, ChildError, DeployError, OperatorError
        Whatever kept it from coming up, as one sentence.
    """
    market = replace(wishes.market, begin_s=LIVELY_S)
    wishes = replace(wishes, fresh=True, market=market)
    async with twin_up(places, wishes, say=say, now_ms=now_ms) as twin:
        await _let_run(twin, seconds, say)
        found = await asyncio.to_thread(_taken, twin, wishes.account.books)
        lived = logs.error_lines(places.logs)
        say("stopping")
    # The twin's AWS may be starting a worker when its end comes; everything else has to end well.
    ended = [line for line in logs.error_lines(places.logs) if not line.startswith("aws: ")]
    return found | {"errors": [*(line for line in lived if line not in ended), *ended]}


async def _let_run(twin: Twin, seconds: int, say: Callable[[str], None]) -> None:
    for passed in range(0, seconds, PROGRESS_S):
        say(f"running, {seconds - passed} s to go")
        await asyncio.sleep(min(PROGRESS_S, seconds - passed))


def _taken(twin: Twin, books: str) -> dict[str, Any]:
    with httpx.Client(base_url=twin.places.control_url, timeout=10, trust_env=False) as control:
        venue = quiet_books(control, books)
    engine = read_engine(twin.connection_id)
    return report(twin.connection_id, engine.settings, venue, [])


def report(
    connection_id: str, settings: Settings, venue: Mapping[str, Any], errors: Sequence[str]
) -> dict[str, Any]:
    """Everything a run did; `venue` is the paper exchange's own books after a quiet moment."""
    trade, totals = gather.trade_run(connection_id, settings)
    position = gather.position_run(connection_id, settings)
    ours, theirs = gather.our_books(connection_id), gather.venue_books(venue)
    differences = drift(ours, theirs)
    return {
        "trade_loop": loop_report(trade),
        "position_loop": loop_report(position),
        "signals": totals.counts.get("signals", 0),
        "pseudo_positions": {
            "opened": totals.counts.get("opened", 0),
            "closed": totals.counts.get("closed", 0),
        },
        "close_reasons": dict(totals.close_reasons),
        "sets_promoted": totals.counts.get("promoted", 0),
        "orders": gather.order_counts(connection_id),
        "exchange": {
            "orders_received": venue["orders_received"],
            "duplicates": sum(venue["duplicates"].values()),
            "fills": venue["fills"],
            "open_positions": len(venue["positions"]),
            "protected_positions": sum(bool(p["protected"]) for p in venue["positions"]),
        },
        "drift": len(differences),
        "differences": differences,
        "lease_takeovers": sum(
            takeovers(run.ticks, lease_ms=settings.lease_ms) for run in (trade, position)
        ),
        "candles_from": {
            "stream": totals.sources.get("stream", 0),
            "polling": totals.sources.get("polling", 0),
        },
        "errors": list(errors),
    }


def faults(found: Mapping[str, Any]) -> list[str]:
    """What is wrong with a run, a sentence each; empty if nothing is."""
    wrong = [
        f"{loop} overlapped {found[loop]['overlaps']} times"
        for loop in ("trade_loop", "position_loop")
        if found[loop]["overlaps"]
    ]
    exchange = found["exchange"]
    if not found["trade_loop"]["ticks"]:
        wrong.append("the trade loop did not tick")
    if exchange["duplicates"]:
        wrong.append(f"{exchange['duplicates']} orders were accepted twice")
    if exchange["open_positions"] != exchange["protected_positions"]:
        wrong.append(
            f"{exchange['open_positions'] - exchange['protected_positions']} positions "
            "are not protected"
        )
    wrong += [f"drift: {line}" for line in found["differences"]]
    wrong += [f"ERROR line: {line[:SHOWN]}" for line in found["errors"]]
    return wrong


def quiet_books(control: httpx.Client, venue: str) -> dict[str, Any]:
    """The paper exchange's books of one venue, once nothing has changed in them for 2 s.

    Raises
    ------
    TimeoutError
        If they were not quiet for that long within a minute.
    """
    deadline = time.monotonic() + QUIET_WITHIN_S
    books, since = _traded(control, venue), time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(0.2)
        now = _traded(control, venue)
        if now != books:
            books, since = now, time.monotonic()
        elif time.monotonic() - since >= QUIET_S:
            return now
    raise TimeoutError(
        f"the paper exchange was not quiet for {QUIET_S} s within {QUIET_WITHIN_S} s"
    )


def _traded(control: httpx.Client, venue: str) -> dict[str, Any]:
    """The books without what moves with the market's price."""
    answer = control.get("/books", params={"venue": venue})
    answer.raise_for_status()
    books: dict[str, Any] = answer.json()
    books.pop("available", None)
    return books
