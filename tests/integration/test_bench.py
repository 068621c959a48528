import json
import sys
from pathlib import Path

import pytest
from tests.bench.race import Race, run_race

from local.bench import run

PEER = """
import json, sys
import numpy as np
sys.path[:0] = {path!r}
from tests.bench.markets import make_job
from tests.bench.replay import replay

folder, wrong = sys.argv[1], {wrong}
job = make_job(bars=2_000, rows=2, configurations=20)
lines = replay(job).orders(job).lines
if wrong:
    lines = lines[1:]
print(json.dumps({{"version": "0", "failed": {{"rust": "it is not installed"}}}}), flush=True)
for asked in sys.stdin:
    wanted = json.loads(asked)
    chosen = [np.isin(lines[:, 1], part) & (lines[:, 0] == row) for row, part in wanted["jobs"]]
    if wanted["keep"]:
        np.save(f"{{folder}}/orders-numba.npy", lines[np.any(chosen, axis=0)])
    print(json.dumps({{"seconds": 1.0, "peak_mb": 7.0}}), flush=True)
"""


def a_race(tmp_path: Path, *, wrong: bool) -> Race:
    script = tmp_path / "peer.py"
    script.write_text(PEER.format(path=sys.path, wrong=wrong))
    return run_race(
        bars=2_000,
        rows=2,
        configurations=20,
        rounds=1,
        tell=lambda text: None,
        start=lambda folder: [sys.executable, str(script), str(folder)],
    )


def test_a_peer_that_trades_the_same_gives_ratios_and_equal_trades(tmp_path: Path) -> None:
    race = a_race(tmp_path, wrong=False)

    assert race.trades_equal is True
    assert race.compared == {"numba single": 20, "numba batched": 40}
    assert race.ratio("CTS single", "numba single") == pytest.approx(
        race.rates["CTS single"] / (2_000 * 20)
    )
    assert race.missing == {"rust": "it is not installed"}
    assert race.memory_mb["numba"] == 7.0


def test_a_peer_that_trades_once_less_is_found_out(tmp_path: Path) -> None:
    race = a_race(tmp_path, wrong=True)

    assert race.trades_equal is False
    assert race.differing == {"numba single": 1, "numba batched": 1}


def test_without_the_peer_our_figures_remain_and_its_are_missing_with_the_reason() -> None:
    race = run_race(
        bars=2_000,
        rows=2,
        configurations=20,
        rounds=1,
        tell=lambda text: None,
        start=lambda folder: [sys.executable, "-c", "raise SystemExit(3)"],
    )

    assert race.trades_equal is None
    assert race.ratio("CTS single", "numba single") is None
    assert race.rates["CTS batched"] > 0
    assert race.missing == {"vectorbt": "vectorbt ended with code 3"}


def test_the_measurements_run_in_a_process_that_ends_with_one_json_object(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = run(["j2"], as_json=True, tiny=True)

    assert code == 0
    assert set(json.loads(capfd.readouterr().out)) == {"j2_100k_ms", "j2_1m_ms"}


def test_a_feed_of_real_sockets_is_measured_under_a_share_of_the_processor(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = run(["feed"], as_json=True, tiny=True)
    shown = capfd.readouterr()
    figures = json.loads(shown.out)

    assert code == 0
    assert figures["feed_median_streamed"] == 1
    assert figures["feed_tenfold_message_us"] > 0
    assert "what the starved feed said is wrong" in shown.err


def test_the_apis_own_work_is_measured_without_what_the_store_takes(
    capfd: pytest.CaptureFixture[str],
) -> None:
    code = run(["api"], as_json=True, tiny=True)
    shown = capfd.readouterr()

    figures = json.loads(shown.out)

    assert code == 0
    of_routes = figures["api_own_p95_ms"]
    assert {"snapshot each second", "status", "statistics of positions", "pause or resume"} <= set(
        of_routes
    )
    assert min(of_routes.values()) > 0
    assert figures["api_worst_p95_ms"] in of_routes.values()
    assert "reads" in shown.err


def test_a_part_that_does_not_exist_fails_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["j4"], as_json=False) == 2
    assert "no part is named j4" in capfd.readouterr().err
