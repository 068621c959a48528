"""Reads a running twin's books and ticks: `python -m tests.e2e.twin_probe CONNECTION CONTROL_URL`.

A process of its own, because tables read their names when they are imported. Each line on stdin is
a question in JSON, each line on stdout its answer.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import httpx

from local.places import Places
from local.stack import STACK, credentials, loop_arn


class Probe:
    """The asking side."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, question: str, **values: Any) -> Any:
        """Ask and wait for the answer; a question that failed there fails here."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"question": question, **values}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline() or '{"error": "the probe ended"}')
        if "error" in answer:
            raise ProbeError(answer["error"])
        return answer["answer"]


class ProbeError(Exception):
    """A question could not be answered now: a part of the twin is away."""


@contextmanager
def probing(places: Places, connection_id: str) -> Iterator[Probe]:
    """A probe of a twin whose stack is deployed."""
    own = {"CTS_TABLE_PREFIX": STACK, "CTS_POSITION_LOOP_ARN": loop_arn("position")}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.twin_probe", connection_id, places.control_url],
        env={**os.environ, **credentials(places), **own},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Probe(process)
    finally:
        process.kill()
        process.communicate()


def main() -> None:
    """Answer until stdin ends."""
    from botocore.exceptions import BotoCoreError
    from pynamodb.exceptions import PynamoDBException

    from engine.errors import CtsError

    connection_id, control = sys.argv[1], httpx.Client(base_url=sys.argv[2], trust_env=False)
    for line in sys.stdin:
        asked = json.loads(line)
        question = QUESTIONS[asked.pop("question")]
        try:
            answer = {"answer": question(connection_id, control, **asked)}
        except (httpx.HTTPError, BotoCoreError, PynamoDBException, CtsError, TimeoutError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def wish(connection_id: str, control: httpx.Client, symbol: str, side: str) -> dict[str, str]:
    """Ask for a position with wide exits, and wake the loop; the command's and position's ids."""
    from adapters.commands import submit, wish_command
    from adapters.market_views import last_prices
    from adapters.starter import StepFunctionsStarter
    from engine.orders import position_id
    from engine.values import Exits, IndicationType, Loop, SetKey, Side, Wish

    del control
    now_ms = time.time_ns() // 1_000_000
    wide = Exits(take_profit_pct=Decimal(5), stop_loss_pct=Decimal(3))
    key = SetKey(
        symbol=symbol,
        indication=IndicationType.ACTIVE,
        parameter=1,
        side=Side(side),
        exits=wide,
    )
    asked = Wish(key=key, entry_close_ms=now_ms, price=last_prices(connection_id)[symbol])
    command = wish_command(asked, now_ms=now_ms)
    submit(connection_id, command)
    StepFunctionsStarter().start(connection_id, Loop.POSITION, reason="wish")
    position = position_id(connection_id, key.text, now_ms)
    return {"command": command.command_id, "position": position, "key": f"{symbol} {side}"}


def outcome(connection_id: str, control: httpx.Client, command_id: str) -> str:
    """What became of a wish: empty while it waits."""
    from local.wire_ring import verdict

    del control
    return verdict.outcome(connection_id, command_id)


def ticks(connection_id: str, control: httpx.Client, since_ms: int) -> dict[str, dict[str, int]]:
    """For each loop: stored ticks that began after `since_ms`, and overlaps of all there are."""
    from adapters.engine_rows import read_engine
    from local import gather
    from local.report import overlaps

    del control
    settings = read_engine(connection_id).settings
    runs = {
        "trade": gather.trade_run(connection_id, settings)[0],
        "position": gather.position_run(connection_id, settings),
    }
    return {
        name: {
            "ticks": sum(tick.started_us >= since_ms * 1000 for tick in run.ticks),
            "overlaps": overlaps(run.ticks),
        }
        for name, run in runs.items()
    }


def books(connection_id: str, control: httpx.Client) -> dict[str, Any]:
    """Both sides' books after a quiet moment, read while nothing changed in the venue's."""
    from local import gather
    from local.demo import quiet_books
    from local.report import drift

    while True:
        venue = quiet_books(control, "binance")
        ours, orders = gather.our_books(connection_id), gather.order_counts(connection_id)
        after = control.get("/books").json()
        if after["orders_received"] == venue["orders_received"] and (
            after["trades"] == venue["trades"]
            and after["open_algo_orders"] == venue["open_algo_orders"]
        ):
            break
    positions = venue["positions"]
    return {
        "drift": drift(ours, gather.venue_books(venue)),
        "orders": orders,
        "orders_received": venue["orders_received"],
        "fills": venue["fills"],
        "duplicates": sum(venue["duplicates"].values()),
        "unprotected": [p["symbol"] for p in positions if not p["protected"]],
        "positions": {f"{p['symbol']} {p['side']}": p["quantity"] for p in positions},
    }


def held(connection_id: str, control: httpx.Client, positions: list[str]) -> dict[str, str]:
    """The stored quantity of each of these positions that is open."""
    from adapters.tables import PositionRow

    del control
    rows = PositionRow.live.query(connection_id, consistent_read=True)
    return {
        row.position_id: str(row.quantity)
        for row in rows
        if row.position_id in positions and row.status == "open"
    }


def fate(connection_id: str, control: httpx.Client, position: str) -> str:
    """Status of a position, and why it closed; empty if there never was one."""
    from adapters.tables import PositionRow

    del control
    try:
        row = PositionRow.get(connection_id, position, consistent_read=True)
    except PositionRow.DoesNotExist:
        return ""
    return f"{row.status} {row.close_reason or ''}".strip()


QUESTIONS: dict[str, Callable[..., Any]] = {
    "wish": wish,
    "outcome": outcome,
    "ticks": ticks,
    "books": books,
    "held": held,
    "fate": fate,
}


if __name__ == "__main__":
    main()
