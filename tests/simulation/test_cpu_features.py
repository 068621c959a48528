"""The same plans whatever vector instructions numpy may use."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.simulation.full_run import vector_features

ROOT = Path(__file__).resolve().parents[2]
WIDEST = "X86_V4"


def begun(disabled: list[str]) -> subprocess.Popen[str]:
    """A full run that may not use these features: numpy asks for them when it is imported."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.simulation.full_run"],
        cwd=ROOT,
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(disabled)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(run: subprocess.Popen[str]) -> dict[str, Any]:
    out, problems = run.communicate(timeout=500)
    assert run.returncode == 0, problems
    answer: dict[str, Any] = json.loads(out)
    return answer


@pytest.mark.timeout(600)
def test_a_full_run_plans_the_same_without_the_widest_vectors_and_without_any() -> None:
    """With X86_V4 (AVX-512) off where the machine has it, and with all of numpy's dispatch off."""
    features = vector_features()
    if not features:
        pytest.skip("numpy uses nothing here beyond what it was built for")
    at = features.index(WIDEST) if WIDEST in features else len(features) - 1
    without = {"widest": features[at:], "any": features}
    print("off:", without)

    usual = told(begun([]))
    assert usual["features"] == features
    assert json.loads(usual["counts"])["closed"] > 1000
    for disabled in without.values():
        other = told(begun(disabled))

        assert not set(other["features"]) & set(disabled)
        assert other | {"features": usual["features"]} == usual
