"""The notebook as a user runs it: every cell, in a kernel of its own, before a stand-in API."""

import asyncio
import time
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from tests.console_api import TOKEN, ConsoleApi
from tests.e2e.console_lab import NOTEBOOKS, free_port, served


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def refreshed(api: ConsoleApi, times: int) -> None:
    """Wait until the console has read the whole screen so many times more."""
    before = len(api.asked)
    async with asyncio.timeout(15):
        while sum(path == "/api/snapshot" for _, path, _ in api.asked[before:]) < times:
            await asyncio.sleep(0.05)


def test_the_notebook_is_a_valid_document() -> None:
    nbformat.validate(nbformat.read(NOTEBOOKS / "console.ipynb", as_version=4))


@pytest.mark.timeout(120)
async def test_the_notebook_refreshes_by_itself_and_leaves_the_kernel_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = nbformat.read(NOTEBOOKS / "console.ipynb", as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("6 * 7"))
    api = ConsoleApi(now_ms=now_ms, began_ms=now_ms())
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    client = NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(NOTEBOOKS)}})

    with served(api, tmp_path, free_port()) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        async with client.async_setup_kernel():
            await client.async_execute_cell(notebook.cells[1], 1)
            await refreshed(api, 3)
            began = time.monotonic()
            await client.async_execute_cell(notebook.cells[2], 2)
            waited_s = time.monotonic() - began
            await client.async_execute_cell(notebook.cells[1], 1)
            await refreshed(api, 2)

    assert waited_s < 1
    assert notebook.cells[2].outputs[0].data["text/plain"] == "42"
    (shown,) = notebook.cells[1].outputs
    assert "application/vnd.jupyter.widget-view+json" in shown.data
    assert TOKEN not in nbformat.writes(notebook)


@pytest.mark.timeout(120)
async def test_running_the_cell_again_leaves_one_console_that_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = nbformat.read(NOTEBOOKS / "console.ipynb", as_version=4)
    api = ConsoleApi(now_ms=now_ms, began_ms=now_ms())
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    client = NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(NOTEBOOKS)}})

    with served(api, tmp_path, free_port()) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        async with client.async_setup_kernel():
            for _ in range(3):
                await client.async_execute_cell(notebook.cells[1], 1)
            await refreshed(api, 1)
            began = time.monotonic()
            await refreshed(api, 4)
            lasted_s = time.monotonic() - began

    assert lasted_s > 2.5
