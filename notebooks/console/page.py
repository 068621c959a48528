"""The console itself: renews and draws in the notebook's own event loop, and obeys clicks."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from IPython.display import display
from ipywidgets import Box  # type: ignore[import-untyped]

from console.address import SetupError, find_address
from console.charts import CandleChart
from console.client import ApiError, Client
from console.commands import COMMANDS, body_of
from console.panels.orders import orders_panel
from console.panels.positions import positions_panel
from console.panels.safety import safety_panel
from console.panels.totals import totals_panel
from console.reader import Reader
from console.view import View

REFRESH_MS = 1_000
_LONGEST_REST_MS = 3_000


def wall_clock_ms() -> int:
    """UTC epoch milliseconds."""
    return time.time_ns() // 1_000_000


class Console:
    """Every refresh replaces the screen's state, every drawing shows it."""

    def __init__(self, client: Client, clock_ms: Callable[[], int] = wall_clock_ms) -> None:
        self.reader = Reader(client, clock_ms)
        self._client = client
        self._clock_ms = clock_ms
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
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

    def draw(self) -> None:
        """Show the present state, with ages as of now."""
        now_ms = self._clock_ms()
        screen = replace(self.reader.screen, now_ms=now_ms)
        self._safety.show(safety_panel(screen), now_ms)
        self._totals.show(totals_panel(screen), now_ms)
        self._positions.show(positions_panel(screen), now_ms)
        self._orders.show(orders_panel(screen), now_ms)
        self._chart.show(screen)

    def act(self, action: str) -> None:
        """What a click asks for; safe to call from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._acted, action)

    def _acted(self, action: str) -> None:
        name, _, value = action.partition(":")
        choose, choice = self.reader.choose, self.reader.screen.choice
        if name == "symbol":
            self._spawn(self._drawn(self.reader.turn_to(value)))
        elif name == "next-account":
            self._spawn(self._drawn(self.reader.turn_to_next_account()))
        elif name == "ask":
            choose(asks=value, ticked=COMMANDS[value.partition(":")[0]].ticked)
        elif name == "tick":
            choose(ticked=not choice.ticked)
        elif name == "keep":
            choose(asks="")
        elif name == "do" and not choice.busy and self._is_confirmed(value):
            self._command(value)
        self.draw()

    def _is_confirmed(self, asked: str) -> bool:
        """Whether nothing is to be asked first, or this very thing was."""
        command = COMMANDS[asked.partition(":")[0]]
        return not command.question or self.reader.screen.choice.asks == asked

    async def _drawn(self, turning: Coroutine[Any, Any, None]) -> None:
        await turning
        self.draw()

    def _command(self, asked: str) -> None:
        """Send it; until it is answered no other click is taken."""
        name, position_id, body = body_of(asked, self.reader.screen)
        self.reader.choose(busy=f"{name} asked\u2026", asks="", notice="")
        self._spawn(self._sent(name, position_id, body))

    async def _sent(self, name: str, position_id: str, body: dict[str, str | bool]) -> None:
        try:
            told = await self._client.command(name, body, position_id=position_id)
        except (ApiError, SetupError) as problem:
            self.reader.choose(notice=f"\u26a0 {name}: {problem}", notice_is_problem=True)
        else:
            self.reader.choose(notice=told.message, notice_is_problem=not told.success)
        self.reader.choose(busy="")
        await self.reader.refresh()
        self.draw()

    async def _refresh_always(self) -> None:
        try:
            while True:
                began_ms = self._clock_ms()
                await self.reader.refresh()
                self.draw()
                rest_ms = _rest_ms(self._clock_ms() - began_ms)
                await asyncio.sleep(max(rest_ms / 1000, self.reader.wait_s))
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


def _rest_ms(spent_ms: int) -> int:
    """Until the next second; a slow API is left alone for as long as it took to answer."""
    return max(REFRESH_MS - spent_ms, min(spent_ms, _LONGEST_REST_MS))


_opened: list[Console] = []


def open_console() -> None:
    """Show the console below the cell; the one shown before stops refreshing.

    Raises
    ------
    SetupError
        If `CTS_API_URL` is not an https address.
    """
    while _opened:
        _opened.pop().close()
    console = Console(Client(find_address()))
    _opened.append(console)
    console.open()
    display(console.widget)  # type: ignore[no-untyped-call]
