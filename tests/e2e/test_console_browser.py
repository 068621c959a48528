"""The console in JupyterLab and a headless Chromium, before a stand-in of the API."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright
from tests.console_api import CONNECTION, ConsoleApi
from tests.e2e.console_lab import NOTEBOOKS, end_kernels, free_port, jupyter_lab, served

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium"),
]
FIRST_PAINT_MS = 60_000
NEXT_MS = 3_000
STALE_MS = 8_000
AGE = 10  # the column
SENT = {"reason": "from the console", "connectionId": CONNECTION}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass(kw_only=True)
class Opened:
    api: ConsoleApi
    page: Page
    outside: list[str]
    folder: Path
    url: str


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    """The console as an operator finds it after opening the URL, nothing clicked."""
    folder = tmp_path_factory.mktemp("console")
    api = ConsoleApi(now_ms=now_ms, began_ms=now_ms())
    outside: list[str] = []

    def note(url: str) -> None:
        if url.startswith(("http", "ws")) and "//127.0.0.1:" not in url:
            outside.append(url)

    with (
        served(api, folder, free_port()) as environment,
        jupyter_lab(environment, folder) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.on("request", lambda request: note(request.url))
        page.goto(url)
        expect(page.locator("[data-of=positions-table] tbody tr")).to_have_count(
            5, timeout=FIRST_PAINT_MS
        )
        yield Opened(api=api, page=page, outside=outside, folder=folder, url=url)
        browser.close()


def test_the_first_candle_and_the_first_row_go_on_within_three_seconds(opened: Opened) -> None:
    page = opened.page
    chart = page.locator("[data-of=chart]")
    expect(chart).to_have_attribute("data-candles", re.compile(r"^[1-9]\d+$"), timeout=NEXT_MS)
    age = page.locator("[data-of='BTCUSDT-LONG'] td").nth(AGE)
    mark = page.locator("[data-of='BTCUSDT-LONG'] td").nth(4)
    last, shown_age = chart.get_attribute("data-last"), age.text_content()
    shown_mark = mark.text_content()
    assert last
    assert shown_age
    assert shown_mark

    expect(chart).not_to_have_attribute("data-last", last, timeout=NEXT_MS)
    expect(age).not_to_have_text(shown_age, timeout=NEXT_MS)
    expect(mark).not_to_have_text(shown_mark, timeout=NEXT_MS)


def test_only_the_cells_that_changed_are_touched(opened: Opened) -> None:
    symbol = opened.page.locator("[data-of='BTCUSDT-LONG'] td").nth(1)
    age = opened.page.locator("[data-of='BTCUSDT-LONG'] td").nth(AGE)
    node, shown = symbol.element_handle(), age.text_content()
    opened.page.evaluate(
        """(node) => {
            window.touched = 0;
            new MutationObserver(() => window.touched++).observe(
                node, { childList: true, characterData: true, attributes: true, subtree: true });
        }""",
        node,
    )
    assert shown

    expect(age).not_to_have_text(shown, timeout=NEXT_MS)

    assert node.evaluate("(cell) => cell.isConnected")
    assert opened.page.evaluate("window.touched") == 0


CUT_OFF = """() => [...document.querySelectorAll(".cts-console .panel, .cts-console table")]
    .filter((part) => part.scrollWidth > part.parentElement.clientWidth + 1
        || (part.matches(".panel") && part.scrollHeight > part.clientHeight + 1))
    .map((part) => part.dataset.of)"""


@pytest.mark.parametrize("width", [1280, 1450, 1920])
def test_no_column_is_cut_off_in_windows_of_other_widths(opened: Opened, width: int) -> None:
    opened.page.set_viewport_size({"width": width, "height": 1000})
    opened.page.wait_for_timeout(500)

    cut = opened.page.evaluate(CUT_OFF)

    opened.page.set_viewport_size({"width": 1600, "height": 1000})
    assert cut == []


def test_it_fits_the_window_and_nothing_is_cut_off(opened: Opened) -> None:
    page = opened.page
    boxes = [
        page.locator(f"[data-of={name}]").bounding_box()
        for name in ("safety", "chart", "totals", "positions", "orders")
    ]

    assert all(box is not None for box in boxes)
    found = [box for box in boxes if box is not None]
    assert all(box["x"] >= 0 and box["x"] + box["width"] <= 1600 for box in found)
    assert all(box["y"] >= 0 and box["y"] + box["height"] <= 1000 for box in found)
    cut = page.evaluate(CUT_OFF)
    assert cut == []


def test_code_and_prompts_are_out_of_sight(opened: Opened) -> None:
    expect(opened.page.locator(".jp-Cell-inputWrapper:visible")).to_have_count(0)
    expect(opened.page.locator(".jp-MarkdownCell:visible")).to_have_count(0)


def test_a_click_on_a_position_turns_the_chart_to_its_symbol(opened: Opened) -> None:
    page = opened.page

    page.locator("[data-of='SOLUSDT-SHORT']").click()

    expect(page.locator("select.symbols")).to_have_value("SOLUSDT", timeout=NEXT_MS)
    expect(page.locator("[data-of='SOLUSDT-SHORT']")).to_have_class(re.compile("chosen"))
    page.select_option("select.symbols", "BTCUSDT")
    expect(page.locator("[data-of='BTCUSDT-LONG']")).to_have_class(
        re.compile("chosen"), timeout=NEXT_MS
    )


def test_silence_greys_the_panels_and_an_answer_heals_them(opened: Opened) -> None:
    page = opened.page

    opened.api.down = True
    expect(page.locator("[data-of=positions]")).to_have_class(re.compile("stale"), timeout=STALE_MS)
    expect(page.locator("[data-of=chart]")).to_have_class(re.compile("stale"), timeout=NEXT_MS)
    expect(page.locator("[data-of=positions] [data-of=stale]")).to_contain_text("old")
    expect(page.locator("[data-of=silence]")).to_contain_text("503")
    opened.api.down = False

    for name in ("positions", "orders", "totals", "chart", "safety"):
        expect(page.locator(f"[data-of={name}]")).not_to_have_class(
            re.compile("stale"), timeout=NEXT_MS
        )


def test_stop_asks_first_and_start_brings_it_back(opened: Opened) -> None:
    page, api = opened.page, opened.api

    page.locator("[data-of='ask:stop']").click()
    page.locator("[data-of=tick]").click()
    expect(page.locator("[data-of=tick]")).to_have_attribute("aria-checked", "true")
    page.locator("[data-of='do:stop']").click()
    expect(page.locator("[data-of=engine]")).to_contain_text("stopping", timeout=NEXT_MS)
    page.locator("[data-of='do:start']").click()
    expect(page.locator("[data-of=engine]")).to_contain_text("running", timeout=NEXT_MS)

    posted = [(path, body) for method, path, body in api.asked if method == "POST"]
    assert posted == [
        ("/api/trade-engine/stop", SENT | {"closePositions": True}),
        ("/api/trade-engine/start", SENT),
    ]


def test_the_emergency_stop_asks_first_and_its_latch_is_not_to_be_overlooked(
    opened: Opened,
) -> None:
    page, api = opened.page, opened.api
    before = len(api.asked)

    page.locator("[data-of='ask:emergency']").click()
    expect(page.locator("[data-of='do:emergency']")).to_be_visible()
    page.locator("[data-of='do:emergency']").click()
    banner = page.locator("[data-of=emergency]")
    expect(banner).to_contain_text("not verified yet", timeout=NEXT_MS)
    cut = page.evaluate(CUT_OFF)
    page.screenshot(path=opened.folder / "emergency.png")
    api.emergency = (api.emergency or {}) | {"verified": True, "time_to_flat_ms": 1900}
    expect(banner).to_contain_text("time to flat 1.9 s", timeout=NEXT_MS)
    page.locator("[data-of='ask:reset']").click()
    page.locator("[data-of='do:reset']").click()
    expect(banner).to_have_count(0, timeout=NEXT_MS)
    page.locator("[data-of='do:start']").click()
    expect(page.locator("[data-of=engine]")).to_contain_text("running", timeout=NEXT_MS)

    posted = [(path, body) for method, path, body in api.asked[before:] if method == "POST"]
    assert posted == [
        ("/api/trade-engine/emergency-stop", SENT | {"flatten": True}),
        ("/api/trade-engine/reset-emergency", SENT | {"acceptOpenPositions": False}),
        ("/api/trade-engine/start", SENT),
    ]
    assert cut == []


def test_a_reloaded_page_shows_a_running_console_again(opened: Opened) -> None:
    page = opened.page

    page.reload()
    rows = page.locator("[data-of=positions-table] tbody tr")
    expect(rows).to_have_count(5, timeout=FIRST_PAINT_MS)
    age = page.locator("[data-of='BTCUSDT-LONG'] td").nth(AGE)
    shown = age.text_content()

    assert shown
    expect(age).not_to_have_text(shown, timeout=NEXT_MS)


def test_the_notebook_on_disk_stays_as_it_was_and_nothing_went_outside(opened: Opened) -> None:
    picture = opened.folder / "console.png"
    opened.page.screenshot(path=picture)

    assert '"outputs": []' in (NOTEBOOKS / "console.ipynb").read_text()
    assert opened.outside == []
    assert picture.stat().st_size > 50_000


def test_a_kernel_that_has_ended_is_seen_at_once(opened: Opened) -> None:
    page = opened.page

    end_kernels(opened.url)

    expect(page.locator(".cts-console")).to_have_class(re.compile("silent"), timeout=15_000)
