"""Take the README's picture of a console: `python -m tests.e2e.console_picture URL FILE`.

URL is the console's address with its token, as `cts up` prints it. It waits until a position is
shown beside two minutes of candles and turns to that one's symbol: work, not an empty table.
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE_MS = 600_000
READY = """() => Number(document.querySelector("[data-of=chart]")?.dataset.candles) >= 120
    && document.querySelectorAll("[data-of=positions-table] tbody tr").length > 0"""


def take(url: str, file: Path) -> None:
    """Write `file`, a PNG of 1600 by 1000 pixels."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1600, "height": 1000})
        page.goto(url)
        page.wait_for_function(READY, timeout=PATIENCE_MS)
        page.locator("[data-of=positions-table] tbody tr").first.click()
        page.wait_for_timeout(4_000)
        page.mouse.move(0, 0)
        page.screenshot(path=file)
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1], Path(sys.argv[2]))
