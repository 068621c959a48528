"""Binance spot's wire against the outside: an unmodified ccxt with production URLs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.paper_venue import KEY, SECRET, PaperProcess

SCRIPT, ROOT = "tests.contracts.spot_ccxt_script", Path(__file__).parents[2]


def test_an_unmodified_ccxt_client_trades_spot_with_production_urls(paper: PaperProcess) -> None:
    done = subprocess.run(
        [sys.executable, "-m", SCRIPT, str(paper.port), str(paper.directory / "ca.pem"), KEY,
         SECRET],
        capture_output=True, text=True, timeout=100, check=False, cwd=ROOT,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    market, trading = report["market"], report["trading"]
    assert (market["symbols"], market["spot"], market["minimum"]) == (4, True, 5)
    assert (market["step"], market["taker"]) == (0.00001, 0.001)
    assert (market["minutes"], market["tickers"], market["prices"]) == (100, 2, 4)
    assert (market["seconds"], market["quoted"], market["time"]) == (True, True, True)
    assert market["spread"] > 0
    assert all(report["streams"].values())
    held = trading.pop("held")
    assert held == pytest.approx(0.01 * 0.999 + 100 / 86_000, rel=0.05)
    assert trading == {
        "entry": "closed", "by_value": True, "stop": ["market", True], "locked": 0.009,
        "amended": 0.003, "listed": 3, "left": 0, "sold": "closed", "by_socket": "closed",
        "fees": ["BTC", "USDT"], "orders": 7, "watched": ["entry1", "rest1", "stop1"],
        "watched_fills": True,
    }  # fmt: skip
    assert report["refused"] == {
        "too_big": "InsufficientFunds", "nothing_to_sell": "InsufficientFunds",
        "too_small": "BadRequest", "post_only": "OrderImmediatelyFillable",
        "attached": "BadRequest", "immediate": "OrderImmediatelyFillable",
        "reduce_only": "BadRequest", "unknown_order": "OrderNotFound",
        "cancel_unknown": "OrderNotFound", "bad_signature": "AuthenticationError",
        "unknown_key": "AuthenticationError", "late": "InvalidNonce",
    }  # fmt: skip
