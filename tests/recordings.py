"""Candles that venues really made; tests that need them are skipped where they are absent."""

import csv
import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from engine.market import Candles, Kind

DATA = Path(__file__).parents[2] / "shared" / "data" / "market"
needs_recordings = pytest.mark.skipif(not DATA.is_dir(), reason=f"no recorded market in {DATA}")


def month_of_minutes() -> Candles:
    """BTC perpetual, January 2022, without gaps."""
    return _recorded("btc_perp_1m_2022-01.csv.gz", "BTCUSDT", ("0.5", "1"), 60_000, 0)


def some_seconds(base: str = "btc") -> Candles:
    """BTC or ETH spot, 651 seconds of August 2024."""
    name = f"binance_spot_{base}usdt_20240808_1s.csv"
    return _recorded(name, f"{base.upper()}USDT", ("0.01", "0.00001"), 1000, 1000)


def _recorded(
    name: str, symbol: str, steps: tuple[str, str], span_ms: int, close_offset_ms: int
) -> Candles:
    """`steps` are the tick of the price and the step of the quantity."""
    raw = (DATA / name).read_bytes()
    text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
    rows = list(csv.DictReader(text.splitlines()))
    tick, step = steps

    def column(field: str, unit: str) -> np.ndarray:
        units = (int(Decimal(row[field]) / Decimal(unit)) for row in rows)
        return np.fromiter(units, np.int64, len(rows))[:, None]

    prices = {field: column(field, tick) for field in ("open", "high", "low", "close")}
    close_ms = np.array([int(row["ts_ms"]) + close_offset_ms for row in rows], np.int64)
    return Candles(
        symbols=(symbol,),
        span_ms=span_ms,
        close_ms=close_ms,
        volume=column("volume", step),
        kind=np.full((len(rows), 1), Kind.TRADED, np.int8),
        **prices,
    )
