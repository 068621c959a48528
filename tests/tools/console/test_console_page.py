import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.console_api import CONNECTION, ConsoleApi
from tests.tools.console.screens import Clock, a_client, an_api

from console.page import Console


@dataclass(kw_only=True)
class Opened:
    """A console that shows a screen, and what reached its API."""

    api: ConsoleApi
    console: Console

    @property
    def posted(self) -> list[tuple[str, dict[str, Any]]]:
        return [(path, values) for method, path, values in self.api.asked if method == "POST"]

    async def click(self, *actions: str) -> None:
        for action in actions:
            self.console.act(action)
            await asyncio.sleep(0)

    async def told(self) -> str:
        """What became of the last command."""
        async with asyncio.timeout(5):
            while self.console.reader.screen.choice.busy or not self._notice:
                await asyncio.sleep(0)
        return self._notice

    @property
    def _notice(self) -> str:
        return self.console.reader.screen.choice.notice


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Opened]:
    clock = Clock()
    api = an_api(clock)
    console = Console(a_client(api, tmp_path), clock)
    await console.reader.refresh()
    console.open()
    yield Opened(api=api, console=console)
    console.close()


ENGINE = "/api/trade-engine"
SENT = {"reason": "from the console", "connectionId": CONNECTION}


@pytest.mark.parametrize(
    ("asked", "path", "body"),
    [
        ("stop", f"{ENGINE}/stop", SENT | {"closePositions": False}),
        ("emergency", f"{ENGINE}/emergency-stop", SENT | {"flatten": True}),
        ("close-all", "/api/positions/close-all", SENT),
        ("close-profitable", "/api/positions/close-profitable", SENT),
        (
            "close:BTCUSDT-LONG",
            "/api/positions/BTCUSDT-LONG/close",
            {"reason": "from the console"},
        ),
    ],
)
async def test_what_is_dangerous_reaches_the_api_only_after_the_second_click(
    opened: Opened, asked: str, path: str, body: dict[str, Any]
) -> None:
    await opened.click(f"do:{asked}", f"ask:{asked}")
    assert opened.posted == []

    await opened.click("keep", f"do:{asked}")
    assert opened.posted == []

    await opened.click(f"ask:{asked}", f"do:{asked}")

    assert await opened.told()
    assert opened.posted == [(path, body)]
    assert not opened.console.reader.screen.choice.asks


@pytest.mark.parametrize("asked", ["pause", "resume", "start"])
async def test_what_is_harmless_is_done_at_once(opened: Opened, asked: str) -> None:
    await opened.click(f"do:{asked}")

    assert await opened.told()
    assert opened.posted == [(f"{ENGINE}/{asked}", SENT)]


async def test_the_box_beside_the_question_is_sent(opened: Opened) -> None:
    await opened.click("ask:stop", "tick", "do:stop")

    assert await opened.told() == "the engine stops"
    assert opened.posted == [(f"{ENGINE}/stop", SENT | {"closePositions": True})]


async def test_two_quick_clicks_are_one_command(opened: Opened) -> None:
    opened.console.act("do:pause")
    opened.console.act("do:pause")

    assert await opened.told()
    assert len(opened.posted) == 1


async def test_a_reset_that_is_refused_says_why_and_the_latch_stays(opened: Opened) -> None:
    await opened.click("ask:emergency", "do:emergency")
    await opened.told()

    await opened.click("ask:reset", "do:reset")

    assert "the venue has not proved yet what is left" in await opened.told()
    engine = opened.console.reader.screen.engine
    assert engine is not None
    assert engine.emergency is not None


async def test_a_refused_command_is_told_and_the_buttons_come_back(opened: Opened) -> None:
    opened.api.down = True

    await opened.click("do:pause")

    assert "nothing answers" in await opened.told()
    choice = opened.console.reader.screen.choice
    assert choice.notice_is_problem
    assert not choice.busy


async def test_drawing_again_without_news_sends_the_browser_nothing_of_the_tables(
    tmp_path: Path,
) -> None:
    clock = Clock()
    console = Console(a_client(an_api(clock, has_positions=False), tmp_path), clock)
    await console.reader.refresh()
    console.draw()
    sent: list[str] = []
    for view in console.widget.children[3].children:
        view.observe(lambda change: sent.append(change["name"]), names="tree")

    clock.now_ms += 500
    console.draw()

    assert sent == []
