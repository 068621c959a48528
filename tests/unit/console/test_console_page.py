import asyncio
from pathlib import Path

from tests.console_api import CONNECTION
from tests.unit.console.screens import Clock, a_client, an_api

from console.page import Console


async def test_a_click_on_stop_reaches_the_engine_only_after_the_second_one(
    tmp_path: Path,
) -> None:
    clock = Clock()
    api = an_api(clock)
    console = Console(a_client(api, tmp_path), clock)
    await console.reader.refresh()
    console.open()

    console.act("ask-stop")
    console.act("toggle-close")
    await asyncio.sleep(0)
    posted = [asked for asked in api.asked if asked[0] == "POST"]
    assert posted == []

    console.act("stop")
    async with asyncio.timeout(5):
        while not console.reader.screen.choice.notice:
            await asyncio.sleep(0)
    console.close()

    posted = [asked for asked in api.asked if asked[0] == "POST"]
    body = {"connectionId": CONNECTION, "closePositions": True}
    assert posted == [("POST", "/api/trade-engine/stop", body)]
    assert console.reader.screen.choice.notice == "the engine stops"
    assert not console.reader.screen.choice.asks_stop


async def test_a_refused_command_is_told_and_the_buttons_come_back(tmp_path: Path) -> None:
    clock = Clock()
    api = an_api(clock)
    console = Console(a_client(api, tmp_path), clock)
    await console.reader.refresh()
    console.open()

    api.down = True
    console.act("start")
    async with asyncio.timeout(5):
        while not console.reader.screen.choice.notice:
            await asyncio.sleep(0)
    console.close()

    choice = console.reader.screen.choice
    assert "nothing answers" in choice.notice
    assert choice.notice_is_problem


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
