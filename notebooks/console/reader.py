"""Asks the API and keeps its last answers; each subject fails or succeeds by itself."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from console.address import SetupError
from console.client import ApiError, Client
from console.models import Candles
from console.state import KEPT_CANDLES, Screen, Tally, chosen, joined, settled, tallied

SELDOM = 5  # refreshes between two readings of what changes slowly
_FIRST_TICKS = 300
_SPARE_SECONDS = 10  # asked for beyond what is missing, so that no hole is left
_MOST_WORKING_ORDERS = 500
_OF_CHOICE = frozenset({"tally", "positions", "working", "orders", "candles"})


class Reader:
    """The screen's state and how it is renewed."""

    def __init__(self, client: Client, clock_ms: Callable[[], int]) -> None:
        self.screen = Screen()
        self._client = client
        self._clock_ms = clock_ms
        self._turn = 0

    async def refresh(self) -> None:
        """Read everything once, and what belongs to a newly chosen engine once more."""
        subjects = [self._read("status", self._client.status)]
        if self._turn % SELDOM == 0 or self.screen.connection is None:
            subjects.append(self._read("connections", self._client.connections))
            subjects.append(self._read("performance", self._client.performance))
        self._turn += 1
        await asyncio.gather(*subjects, *self._of_choice())
        before = self.screen.choice
        self.screen = settled(self.screen)
        if self.screen.choice != before:
            await asyncio.gather(*self._of_choice())

    async def turn_to(self, symbol: str) -> None:
        """Show another symbol of the same engine."""
        connection_id = self.screen.choice.connection_id
        self.screen = chosen(self.screen, connection_id=connection_id, symbol=symbol)
        await self._candles()

    def turn_to_next_engine(self) -> None:
        """Show the engine after this one; the next refresh fills it."""
        status, engine = self.screen.status.value, self.screen.engine
        if status is None or engine is None:
            return
        engines = status.connections
        following = engines[(engines.index(engine) + 1) % len(engines)]
        turned = chosen(self.screen, connection_id=following.connection_id, symbol="")
        self.screen = settled(turned)

    def choose(self, **changes: Any) -> None:
        """Change what the operator chose or is being asked."""
        self.screen = replace(self.screen, choice=replace(self.screen.choice, **changes))

    def _of_choice(self) -> list[Coroutine[Any, Any, None]]:
        """What is read of the chosen engine; nothing before one is known."""
        connection_id = self.screen.choice.connection_id
        if not connection_id:
            return []
        client = self._client
        working = partial(client.orders, only_open=True, limit=_MOST_WORKING_ORDERS)
        seldom = self._turn % SELDOM == 1 or self.screen.tally.value is None
        tally = [self._read("tally", partial(self._tallied, connection_id))] if seldom else []
        return [
            *tally,
            self._read("positions", partial(client.positions, connection_id)),
            self._read("working", partial(working, connection_id)),
            self._read("orders", partial(client.orders, connection_id)),
            self._candles(),
        ]

    async def _candles(self) -> None:
        choice = self.screen.choice
        if choice.symbol:
            asked = partial(self._joined, choice.connection_id, choice.symbol)
            await self._read("candles", asked)

    async def _joined(self, connection_id: str, symbol: str) -> Candles:
        known = self.screen.candles.value
        limit = KEPT_CANDLES
        if known is not None and known.candles:
            limit = min(KEPT_CANDLES, self._missed_seconds(known.candles[-1].time_ms))
        latest = await self._client.candles(connection_id, symbol, limit=limit)
        return joined(self.screen.candles.value, latest)

    async def _tallied(self, connection_id: str) -> Tally | None:
        known = self.screen.tally.value
        limit = _FIRST_TICKS
        if known is not None:
            limit = min(_FIRST_TICKS, self._missed_seconds(known.last_ms))
        answer = await self._client.progression(connection_id, limit=limit)
        ticks = [tick for engine in answer.connections for tick in engine.trade_cycles]
        return tallied(self.screen.tally.value, ticks)

    def _missed_seconds(self, since_ms: int) -> int:
        return max(0, self._clock_ms() - since_ms) // 1000 + _SPARE_SECONDS

    async def _read(self, subject: str, ask: Callable[[], Awaitable[object]]) -> None:
        """Take over an answer, unless it is of something that is no longer chosen."""
        asked_of = _chosen_of(self.screen)
        try:
            value, problem = await ask(), ""
        except (ApiError, SetupError) as error:
            value, problem = None, str(error)
        if subject in _OF_CHOICE and _chosen_of(self.screen) != asked_of:
            return
        reading = getattr(self.screen, subject)
        if value is None:
            renewed = reading.failed(problem)
        else:
            renewed = reading.renewed(value, self._clock_ms())
        self.screen = replace(self.screen, **{subject: renewed})


def _chosen_of(screen: Screen) -> tuple[str, str]:
    return screen.choice.connection_id, screen.choice.symbol
