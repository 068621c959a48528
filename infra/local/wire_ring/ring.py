"""Runs cases on a twin that is up, one after the other, and counts what held."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import psutil

from adapters.commands import submit, wish_command
from adapters.engine_rows import read_engine
from adapters.market_views import last_prices
from adapters.starter import StepFunctionsStarter
from engine.records import Command
from engine.values import IndicationType, Loop, SetKey, Side, Wish
from local.processes import lambda_workers
from local.twin import Twin
from local.wire_ring.cases import Case, Wanted, drawn
from local.wire_ring.verdict import Wrongs, wrongs

SETTLED_WITHIN_S = 120.0
LOOK_AGAIN_S = 0.7
WATCH_S = 0.25
_PARAMETERS = 5
"""Wishes take turns through so many short keys of a symbol and side."""


@dataclass(slots=True)
class Tally:
    """What a run did and found."""

    cases: int = 0
    kills: int = 0
    faults: int = 0
    orders: int = 0
    bare: tuple[float, str] = (0.0, "")
    wrong: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, case: Case, found: Wrongs) -> None:
        for kind in ("duplicates", "lost", "unprotected", "drift", "unresolved"):
            lines = getattr(found, kind)
            self.counts[kind] = self.counts.get(kind, 0) + len(lines)
        self.wrong += [f"case {case.number}: {line}" for line in found.lines()]


class Ring:
    """The cases of one seed on one twin."""

    def __init__(self, twin: Twin, books: str, *, seed: int, sides: tuple[Side, ...]) -> None:
        self._twin = twin
        self._books_of = books
        self._seed = seed
        self._sides = sides
        self._serial = 0
        self._number = 0
        self._prices: dict[str, Decimal] = {}
        self._starter = StepFunctionsStarter()
        self._control = httpx.Client(base_url=twin.places.control_url, timeout=10, trust_env=False)

    async def run(self, numbers: range, tally: Tally, *, say: Callable[[str], None]) -> None:
        """The cases of these numbers; what went wrong in one is told at once."""
        symbols = read_engine(self._twin.connection_id).symbols
        await self._until_priced(symbols)
        watching = asyncio.create_task(self._watch_stops(tally))
        try:
            for number in numbers:
                await self._one(drawn(self._seed, number, symbols, sides=self._sides), tally, say)
        finally:
            watching.cancel()

    async def _one(self, case: Case, tally: Tally, say: Callable[[str], None]) -> None:
        begun, self._number = time.monotonic(), case.number
        found = await self._done(case, tally)
        tally.cases += 1
        tally.add(case, found)
        took = time.monotonic() - begun
        faults = ", ".join(rule["fault"] for rule in case.rules)
        killed = f"; {case.kills} killed" if case.kills else ""
        say(f"case {case.number}: {faults}{killed}; settled after {took:.1f} s")
        for line in found.lines():
            say(f"  {line}")

    def close(self) -> None:
        self._control.close()

    def orders_received(self) -> int:
        """Orders the exchange accepted so far."""
        return int(self._books()["orders_received"])

    async def _watch_stops(self, tally: Tally) -> None:
        """Measure the longest time that a position was without a stop for all of it.

        It counts through storms and through the lease of a killed worker.
        """
        bare: dict[str, float] = {}
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                venue = await asyncio.to_thread(self._books)
            except httpx.HTTPError:
                continue
            now = time.monotonic()
            names = {
                f"{one['symbol']} {one['position_side']}"
                for one in venue["positions"]
                if not one["protected"]
            }
            bare = {name: bare.get(name, now) for name in names}
            for name, since in bare.items():
                where = f"{name} in case {self._number}"
                tally.bare = max(tally.bare, (now - since, where))

    async def _until_priced(self, symbols: Sequence[str]) -> None:
        """Wait for the first candles of all symbols."""
        async with asyncio.timeout(SETTLED_WITHIN_S):
            while not self._prices.keys() >= set(symbols):
                await asyncio.sleep(LOOK_AGAIN_S)
                self._prices |= last_prices(self._twin.connection_id)

    async def _done(self, case: Case, tally: Tally) -> Wrongs:
        rules = [rule | {"venue": self._books_of} for rule in case.rules]
        await self._set(rules)
        names = [self._wish(wanted) for wanted in case.wanted]
        begun = time.monotonic()
        if case.kills:
            await asyncio.sleep(case.kill_after_s)
            self._kill(case.kills)
            tally.kills += 1
        if case.closes:
            await asyncio.sleep(case.storm_s / 2)
            self._close_all()
        await asyncio.sleep(max(0.0, begun + case.storm_s - time.monotonic()))
        tally.faults += await self._calm()
        return await self._settled(names)

    async def _settled(self, names: list[str]) -> Wrongs:
        """What is still wrong once two looks agree that nothing is, or when time is up."""
        deadline, clean = time.monotonic() + SETTLED_WITHIN_S, 0
        while True:
            found = await asyncio.to_thread(self._look, names)
            clean = 0 if found.lines() else clean + 1
            if clean == 2 or time.monotonic() > deadline:
                return found
            await asyncio.sleep(LOOK_AGAIN_S)

    def _look(self, names: list[str]) -> Wrongs:
        """Both books, read while nothing changed in the venue's."""
        try:
            while True:
                venue = self._books()
                found = wrongs(self._twin.connection_id, venue, names)
                after = self._books()
                same = ("orders_received", "fills", "open_algo_orders", "open_orders")
                if all(venue[name] == after[name] for name in same):
                    return found
        except httpx.HTTPError as error:  # it was killed and is coming back
            return Wrongs(unresolved=[f"the paper exchange does not answer: {error!r}"])

    def _wish(self, wanted: Wanted) -> str:
        now_ms = self._twin.now_ms()
        self._serial += 1
        key = SetKey(
            symbol=wanted.symbol,
            indication=IndicationType.ACTIVE,
            parameter=1 + self._serial % _PARAMETERS,
            side=wanted.side,
            exits=wanted.exits,
        )
        self._prices |= last_prices(self._twin.connection_id)  # without those in a gap
        wish = Wish(key=key, entry_close_ms=now_ms, price=self._prices[wanted.symbol])
        command = wish_command(wish, now_ms=now_ms)
        self._submit(command)
        return command.command_id

    def _close_all(self) -> None:
        now_ms = self._twin.now_ms()
        name = f"{now_ms:013d}|chaos-close-{self._serial}"
        self._submit(Command(command_id=name, kind="close_all", created_at_ms=now_ms))

    def _submit(self, command: Command) -> None:
        submit(self._twin.connection_id, command)
        self._starter.start(self._twin.connection_id, Loop.POSITION, reason="chaos")

    def _kill(self, name: str) -> None:
        child = self._twin.children.get(name)
        if child is not None:
            if child.pid is not None:
                os.kill(child.pid, signal.SIGKILL)
            return
        for worker in lambda_workers(self._twin.places.home, name):
            try:
                worker.kill()
            except psutil.NoSuchProcess:
                continue

    def _books(self) -> dict[str, Any]:
        answer = self._control.get("/books", params={"venue": self._books_of})
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    async def _set(self, rules: list[dict[str, Any]]) -> None:
        answer = await asyncio.to_thread(
            self._control.post, "/faults", json={"rules": rules, "seed": self._seed}
        )
        answer.raise_for_status()

    async def _calm(self) -> int:
        """End every fault; how often they struck. A killed exchange has forgotten them."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while True:
            try:
                told = await asyncio.to_thread(self._control.get, "/faults")
                told.raise_for_status()
                strikes = sum(rule["strikes"] for rule in told.json()["rules"])
                (await asyncio.to_thread(self._control.delete, "/faults")).raise_for_status()
                return int(strikes)
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(LOOK_AGAIN_S)
