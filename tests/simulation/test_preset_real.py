"""Preset signals on candles that venues really made; skipped where the recordings are absent."""

import hashlib
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.market import walked
from tests.recordings import month_of_minutes, needs_recordings, some_seconds

from engine.indicators.configurations import preset_configurations
from engine.indicators.preset import preset_signals
from engine.indicators.state import PresetState
from engine.market import Candles, join_symbols
from engine.settings import Settings, with_values

ROOT = Path(__file__).parents[2]
SEVERAL: dict[str, object] = {
    "sarEnabled": True,
    "rsiPeriods": [7, 14],
    "rsiOversold": [30, 40],
    "macdFast": [8, 12],
    "bollingerSigmas": ["1.5", "2"],
    "emaShort": [5, 9],
    "presetMaxConfigurations": 24,
}


def told(candles: Candles, settings: Settings, cuts: list[int]) -> tuple[str, np.ndarray]:
    """Signals named by time, and what the state came to, to the bit."""
    state = PresetState.fresh(len(candles.symbols), preset_configurations(settings))
    found = []
    for begin, end in pairwise([0, *sorted(cuts), len(candles)]):
        state, signals, _ = preset_signals(state, candles.rows(begin, end), settings)
        signals["bar"] = 0
        found.append(signals)
    digest = hashlib.sha256()
    for name, array in state.arrays().items():
        digest.update(name.encode() + array.tobytes())
    return digest.hexdigest(), np.concatenate(found)


@needs_recordings
def test_a_real_month_gives_signals_of_both_sides_alike_in_days_and_at_once() -> None:
    candles, settings = month_of_minutes(), with_values(Settings(), SEVERAL)

    whole = told(candles, settings, [])
    daily = told(candles, settings, list(range(1440, len(candles), 1440)))

    assert {1, -1} == set(whole[1]["sign"].tolist())
    assert len(set(whole[1]["configuration"].tolist())) == 24
    assert (whole[1]["strength"] >= 5000).all()
    assert (whole[1]["agreeing"] >= 2).all()
    assert daily[0] == whole[0]
    assert (daily[1] == whole[1]).all()


@needs_recordings
@pytest.mark.parametrize("timeframe", ["1", "5", "15"])
def test_real_seconds_of_two_symbols_give_the_same_one_by_one(timeframe: str) -> None:
    candles = join_symbols([some_seconds("btc"), some_seconds("eth")])
    short = {"presetMinBars": 20, "presetMinStrength": "0.2"}
    calm = {"atrEnabled": False, "smaEnabled": False}  # eleven minutes of a quiet market
    settings = with_values(Settings(), {**SEVERAL, **short, **calm, "presetTimeframe": timeframe})

    whole = told(candles, settings, [])
    single = told(candles, settings, list(range(1, len(candles))))

    assert len(whole[1]) > 10
    assert single[0] == whole[0]
    assert (single[1] == whole[1]).all()


def widely_told() -> str:
    """What a wide market of walks comes to: state and signals, to the bit."""
    names = [f"S{number}" for number in range(37)]
    candles = walked(9, length=3_000, symbols=names, gap_share=0.02)
    state, signals = told(candles, with_values(Settings(), SEVERAL), [1000])
    return f"{state} {hashlib.sha256(signals.tobytes()).hexdigest()}"


def test_wide_vectors_of_the_processor_change_no_bit() -> None:
    names = "from tests.simulation.test_preset_real import widely_told"
    told_elsewhere = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"{names}; print(widely_told())"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NPY_DISABLE_CPU_FEATURES": "X86_V4"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert told_elsewhere.stdout.strip() == widely_told()
