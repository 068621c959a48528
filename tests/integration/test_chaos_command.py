"""`cts chaos` as its user sees it: figures last, a page of outcomes, histories, a clean stop."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = (sys.executable, "-m", "local.cli", "chaos")
FIGURES = (
    "cases",
    "faults_injected",
    "orders_sent",
    "duplicates",
    "lost",
    "unprotected",
    "drift",
    "unresolved",
    "seconds",
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run((*COMMAND, *arguments), capture_output=True, text=True, check=False)


def test_the_last_line_is_one_object_with_every_figure(tmp_path: Path) -> None:
    table = tmp_path / "chaos.md"
    done = run("--cases", "9", "--seed", "2", "--json", "--table", str(table))

    figures = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stderr
    assert set(FIGURES) <= set(figures)
    assert (figures["cases"], figures["drift"], figures["stopped"]) == (9, 0, False)
    page = table.read_text(encoding="utf-8")
    assert "| fault | step | outcome | times |" in page
    assert f"{figures['faults_injected']} faults" in page


def test_a_case_is_told_again_by_its_seed_and_venue() -> None:
    done = run("--replay", "2000001:bybit")

    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].startswith("history ")


def test_what_was_stopped_goes_on_where_it_was() -> None:
    whole, begin, rest = (
        json.loads(run("--seed", "3", "--json", *more).stdout.splitlines()[-1])
        for more in (("--cases", "9"), ("--cases", "4"), ("--cases", "5", "--first", "4"))
    )

    for figure in ("cases", "faults_injected", "orders_sent", "virtual_seconds"):
        assert abs(begin[figure] + rest[figure] - whole[figure]) <= (figure == "virtual_seconds")


def test_what_cannot_be_run_is_told_in_a_sentence() -> None:
    assert "venue must be one of" in run("--venue", "nowhere").stderr
    assert "SEED:VENUE" in run("--replay", "tomorrow").stderr


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def to_all(pid: int) -> None:
    """As a terminal does on Ctrl-C."""
    os.killpg(pid, signal.SIGINT)


def to_the_first(pid: int) -> None:
    """As whoever stops a program does."""
    os.kill(pid, signal.SIGTERM)


@pytest.mark.parametrize("interrupt", [to_all, to_the_first])
def test_an_interrupt_ends_it_with_the_figures_so_far(interrupt: Callable[[int], None]) -> None:
    command = (*COMMAND, "--cases", "100000", "--seed", "2", "--json")
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stderr is not None
        assert "of 100000 cases" in running.stderr.readline()
        begun = time.monotonic()
        interrupt(running.pid)
        out, err = running.communicate(timeout=60)

    figures = json.loads(out.splitlines()[-1])
    assert running.returncode == 130
    assert figures["stopped"]
    assert f"goes on with --first {figures['cases']}" in err
    assert 0 < figures["cases"] < 100_000
    assert time.monotonic() - begun < 60
    while is_alive(running.pid):  # Python's own tracker of resources goes a moment later
        assert time.monotonic() - begun < 60
        time.sleep(0.05)
