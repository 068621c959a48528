"""The console itself: asks the API each second in the notebook's own event loop, and draws."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from typing import Any

from IPython.display import display
from ipywidgets import Box  # type: ignore[import-untyped]

from console.address import SetupError, find_address
from console.charts import CandleChart
from console.client import ApiError, Client
from console.panels.orders import orders_panel
from console.panels.positions import positions_panel
from console.panels.safety import safety_panel
from console.panels.totals import totals_panel
from console.state import KEPT_CANDLES, Screen, chosen, joined, settled
from console.view import View

REFRESH_MS = 1_000
_SELDOM = 5  # refreshes between two readings of what changes slowly
_LATEST_CANDLES = 60
_OF_CHOICE = frozenset({"positions", "working", "orders", "candles"})


def wall_clock_ms() -> int:
    """UTC epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Console:
    """Holds the screen's state; every refresh replaces it, every drawing shows it."""

    def __init__(self, client: Client, clock_ms: Callable[[], int] = wall_clock_ms) -> None:
        self.screen = Screen()
        self._client = client
        self._clock_ms = clock_ms
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turn = 0
        self._safety = View(self.act)
        self._totals = View(self.act)
        self._positions = View(self.act)
        self._orders = View(self.act)
        self._chart = CandleChart(self.act)
        self.widget = self._laid_out()

    def open(self) -> None:
        """Begin to refresh and to draw, beside whatever else the notebook runs."""
        self._loop = asyncio.get_running_loop()
        self._spawn(self._refresh_always())
        self._spawn(self._draw_always())

    def close(self) -> None:
        """Stop refreshing; what is shown stays and greys out."""
        for task in tuple(self._tasks):
            task.cancel()

    def _laid_out(self) -> Box:
        tables = Box([self._positions, self._orders])
        parts = {
            "cts-safety": self._safety,
            "cts-chart": self._chart,
            "cts-totals": self._totals,
            "cts-tables": tables,
        }
        for name, part in parts.items():
            part.add_class(name)
        page = Box(list(parts.values()))
        page.add_class("cts-console")
        return page

    def draw(self) -> None:
        """Show the present state, with ages as of now."""
        now_ms = self._clock_ms()
        self.screen = screen = replace(self.screen, now_ms=now_ms)
        self._safety.show(safety_panel(screen), now_ms)
        self._totals.show(totals_panel(screen), now_ms)
        self._positions.show(positions_panel(screen), now_ms)
        self._orders.show(orders_panel(screen), now_ms)
        self._chart.show(screen)

    async def refresh(self) -> None:
        """Read everything once; each subject fails or succeeds by itself."""
        first = [self._read("status", self._client.status())]
        if self._turn % _SELDOM == 0 or self.screen.connection is None:
            first.append(self._read("connections", self._client.connections()))
            first.append(self._read("performance", self._client.performance()))
        self._turn += 1
        await asyncio.gather(*first, *self._read_choice())
        before = self.screen.choice
        self.screen = settled(self.screen)
        if self.screen.choice != before:
            await asyncio.gather(*self._read_choice())

    def act(self, action: str) -> None:
        """What a click asks for; safe to call from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._acted, action)

    def _acted(self, action: str) -> None:
        name, _, value = action.partition(":")
        choice = self.screen.choice
        if name == "symbol":
            self.screen = chosen(self.screen, connection_id=choice.connection_id, symbol=value)
            self._spawn(self._read_candles())
        elif name == "next-connection":
            self._turn_to_next()
        elif name in {"start", "stop"}:
            self._spawn(self._command(name))
        else:
            changes: dict[str, dict[str, bool]] = {
                "ask-stop": {"asks_stop": True, "close_positions": False},
                "toggle-close": {"close_positions": not choice.close_positions},
                "keep": {"asks_stop": False},
            }
            self._choose(**changes.get(name, {}))
        self.draw()

    def _choose(self, **changes: Any) -> None:
        self.screen = replace(self.screen, choice=replace(self.screen.choice, **changes))

    def _turn_to_next(self) -> None:
        status, engine = self.screen.status.value, self.screen.engine
        if status is None or engine is None:
            return
        engines = status.connections
        following = engines[(engines.index(engine) + 1) % len(engines)]
        self.screen = chosen(self.screen, connection_id=following.connection_id, symbol="")
        self.screen = settled(self.screen)

    async def _command(self, name: str) -> None:
        choice = self.screen.choice
        self._choose(busy=f"{name} asked\u2026", asks_stop=False, notice="")
        self.draw()
        try:
            if name == "start":
                said = await self._client.start(choice.connection_id)
            else:
                said = await self._client.stop(
                    choice.connection_id, close_positions=choice.close_positions
                )
        except (ApiError, SetupError) as problem:
            self._choose(busy="", notice=f"{name}: {problem}", notice_is_problem=True)
        else:
            self._choose(busy="", notice=said, notice_is_problem=False)
        self.draw()

    async def _read[T](self, subject: str, answer: Awaitable[T]) -> None:
        """Take over an answer, unless it is of something that is no longer chosen."""
        asked_of = self.screen.choice
        try:
            value, problem = await answer, ""
        except (ApiError, SetupError) as error:
            value, problem = None, str(error)
        choice = self.screen.choice
        same = asked_of.connection_id == choice.connection_id and asked_of.symbol == choice.symbol
        if subject in _OF_CHOICE and not same:
            return
        reading = getattr(self.screen, subject)
        renewed = (
            reading.failed(problem) if value is None else reading.renewed(value, self._clock_ms())
        )
        self.screen = replace(self.screen, **{subject: renewed})

    def _read_choice(self) -> list[Coroutine[Any, Any, None]]:
        """What is read of the chosen engine; nothing before one is known."""
        connection_id = self.screen.choice.connection_id
        if not connection_id:
            return []
        client = self._client
        return [
            self._read("positions", client.positions(connection_id)),
            self._read("working", client.orders(connection_id, only_open=True, limit=500)),
            self._read("orders", client.orders(connection_id)),
            self._read_candles(),
        ]

    async def _read_candles(self) -> None:
        choice = self.screen.choice
        if not choice.symbol:
            return

        async def latest() -> Any:
            known = self.screen.candles.value
            limit = _LATEST_CANDLES if known is not None and known.candles else KEPT_CANDLES
            answer = await self._client.candles(choice.connection_id, choice.symbol, limit=limit)
            return joined(self.screen.candles.value, answer)

        await self._read("candles", latest())

    async def _refresh_always(self) -> None:
        try:
            while True:
                began_ms = self._clock_ms()
                await self.refresh()
                self.draw()
                spent_ms = self._clock_ms() - began_ms
                await asyncio.sleep(max(50, REFRESH_MS - spent_ms) / 1000)
        finally:
            await self._client.close()

    async def _draw_always(self) -> None:
        """Ages go on counting while an answer is awaited."""
        while True:
            self.draw()
            await asyncio.sleep(REFRESH_MS / 1000)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


_opened: list[Console] = []


def open_console() -> None:
    """Show the console below the cell; the one shown before stops refreshing."""
    while _opened:
        _opened.pop().close()
    console = Console(Client(find_address()))
    _opened.append(console)
    console.open()
    display(console.widget)  # type: ignore[no-untyped-call]
