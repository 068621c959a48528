"""`cts demo` as its own process: its last line is one JSON object, and what that says holds."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.twin_process import Home, a_home

from local.places import ROOT

pytestmark = [pytest.mark.twin, pytest.mark.timeout(420)]
TAPE = ROOT.parent / "shared/data/market/binance_spot_btcusdt_20240808_trades.csv.gz"
INTERVALS_MS = {"trade_loop": 1_000, "position_loop": 300}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return a_home(tmp_path / "home")


def demo(home: Home, *options: str) -> dict[str, Any]:
    """The report of a run that ended with exit code 0 and left nothing behind."""
    aws, paper, api = home.ports[0:2], home.ports[2:4], home.ports[4:6]
    ended = home.cts("demo", "--json", *aws, *paper, *api, *options, within_s=360)
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stdout.splitlines()) == 1, "progress belongs on stderr"
    assert home.leftovers() == []
    assert home.bound() == []
    report: dict[str, Any] = json.loads(ended.stdout)
    return report


def is_sound(report: dict[str, Any]) -> None:
    """What holds of every run, whatever its market."""
    assert report["errors"] == []
    assert report["drift"] == 0
    assert report["exchange"]["duplicates"] == 0
    assert report["orders"]["unknown"] == 0
    exchange = report["exchange"]
    assert exchange["protected_positions"] == exchange["open_positions"]
    for loop in INTERVALS_MS:
        assert report[loop]["overlaps"] == 0


def test_the_generated_market_is_traded_on_time_and_under_protection(home: Home) -> None:
    report = demo(home, "--seconds", "60")

    is_sound(report)
    assert report["orders"]["filled"] >= 1
    assert report["exchange"]["fills"] >= 1
    for loop, interval_ms in INTERVALS_MS.items():
        found = report[loop]
        assert found["ticks"] >= 0.97 * found["active_ms"] / interval_ms
        assert found["start_jitter_ms"]["p99"] <= 100
    assert report["candles_from"]["stream"] > 0


def test_without_streams_every_candle_is_polled(home: Home) -> None:
    report = demo(home, "--seconds", "25", "--no-stream")

    is_sound(report)
    assert report["candles_from"]["stream"] == 0
    assert report["candles_from"]["polling"] >= 15


@pytest.mark.skipif(not TAPE.exists(), reason=f"the recorded market {TAPE.name} is not here")
def test_a_recorded_market_is_traded_from_the_stream(home: Home) -> None:
    report = demo(home, "--seconds", "45", "--tape", str(TAPE))

    is_sound(report)
    assert report["candles_from"]["stream"] > 0
    assert report["candles_from"]["stream"] >= 0.97 * report["trade_loop"]["ticks"]
