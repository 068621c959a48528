"""A cut of the wire ring: the whole twin is hurt a few times, and both sides' books agree after."""

import json
from pathlib import Path

import pytest
from tests.e2e.twin_process import a_home

pytestmark = [pytest.mark.twin, pytest.mark.timeout(420)]


def test_hurt_on_the_wire_the_twin_neither_doubles_nor_loses_an_order(tmp_path: Path) -> None:
    home = a_home(tmp_path / "ring")
    ports = home.ports[:6]  # none for the console
    done = home.cts(
        *("chaos", "--wire", "--venue", "bybit", "--cases", "4", "--seed", "1", "--json", *ports),
        within_s=400,
    )

    found = json.loads(done.stdout.splitlines()[-1])
    wrongs = ("duplicates", "lost", "unprotected", "drift", "unresolved")
    assert {kind: found[kind] for kind in wrongs} == dict.fromkeys(wrongs, 0), done.stderr
    assert done.returncode == 0, done.stderr
    assert found["cases"] == 4
    assert found["kills"] == 1
    assert found["orders_sent"] > 0
