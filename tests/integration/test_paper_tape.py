"""Recorded tapes: shifted to now, looped, exact."""

from pathlib import Path

import numpy as np
import pytest

from local.paper.market.bridge import bridge
from local.paper.market.market import TapeMarket
from local.paper.market.tape import read_tape, symbol_of

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "market"
ANCHOR_S = 1_795_263_600


def recorded(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"recorded market data is not at {path}")
    return path


def rows_of(path: Path, count: int | None = None) -> np.ndarray:
    """The first rows of a csv file, plain or gzipped, by column name."""
    return np.genfromtxt(path, delimiter=",", names=True, max_rows=count)


def a_trades_tape(directory: Path) -> Path:
    path = directory / "btcusdt_trades.csv"
    path.write_text(
        "ts_ms,price,qty,buyer_is_maker\n"
        "5000250,100.03,0.0142,1\n5000900,100.26,0.0004,0\n5002100,99.9,0.02,1\n"
    )
    return path


def test_the_first_row_plays_now_and_the_tape_loops_both_ways(tmp_path: Path) -> None:
    market = TapeMarket(read_tape(a_trades_tape(tmp_path), 7), ANCHOR_S)

    around = market.seconds("BTCUSDT", ANCHOR_S - 3, ANCHOR_S + 6)

    one_loop_open, one_loop_close = [1000, 1003, 999], [1003, 1003, 999]
    assert around.open.tolist() == one_loop_open * 3
    assert around.close.tolist() == one_loop_close * 3
    assert around.volume.tolist() == [15, 0, 20] * 3


def test_trades_keep_their_milliseconds_and_are_rounded_to_tick_and_step(tmp_path: Path) -> None:
    market = TapeMarket(read_tape(a_trades_tape(tmp_path), 7), ANCHOR_S)

    first, again = market.trades("BTCUSDT", ANCHOR_S), market.trades("BTCUSDT", ANCHOR_S + 3)

    assert [one[1:] for one in first] == [
        (ANCHOR_S * 1000 + 250, 1000, 14, True),
        (ANCHOR_S * 1000 + 900, 1003, 1, False),
    ]
    assert [one.ts_ms - 3_000 for one in again] == [one.ts_ms for one in first]
    assert {one.trade_id for one in first}.isdisjoint(one.trade_id for one in again)
    assert market.trades("BTCUSDT", ANCHOR_S + 1) == ()


def test_a_real_trades_tape_adds_up_to_its_recorded_candles() -> None:
    trades = recorded("binance_spot_btcusdt_20240808_trades.csv.gz")
    candles = rows_of(recorded("binance_spot_btcusdt_20240808_1s.csv"))
    market = TapeMarket(read_tape(trades, 7), ANCHOR_S)

    played = market.seconds("BTCUSDT", ANCHOR_S, ANCHOR_S + len(candles))

    for name in ("open", "high", "low", "close"):
        expected = np.rint(candles[name] / 0.1).astype(int)
        assert getattr(played, name).tolist() == expected.tolist()
    second = ANCHOR_S + 100
    prices = [one.price_ticks for one in market.trades("BTCUSDT", second)]
    assert (prices[0], max(prices), min(prices), prices[-1]) == (
        played.open[100], played.high[100], played.low[100], played.close[100],
    )  # fmt: skip


def test_minute_candles_are_played_as_seconds_that_add_up_to_them() -> None:
    path = recorded("btc_perp_1m_2022-01.csv.gz")
    rows = rows_of(path, 30)
    market = TapeMarket(read_tape(path, 7), ANCHOR_S)

    minutes = market.minutes("BTCUSDT", ANCHOR_S, ANCHOR_S + 30 * 60)

    for name in ("open", "high", "low", "close"):
        assert (getattr(minutes, name) / 10).tolist() == rows[name].tolist()
    later = TapeMarket(read_tape(path, 7), ANCHOR_S).seconds(
        "BTCUSDT", ANCHOR_S + 700, ANCHOR_S + 760
    )
    longer = market.seconds("BTCUSDT", ANCHOR_S + 600, ANCHOR_S + 800)
    assert longer.window(ANCHOR_S + 700, ANCHOR_S + 760).close.tolist() == later.close.tolist()


@pytest.mark.parametrize("index", range(20))
@pytest.mark.parametrize(
    "shape", [(0, 40, -30, 10), (0, 40, -30, -10), (0, 0, -50, -50), (0, 0, 0, 0)]
)
def test_a_bridge_is_pinned_to_open_high_low_close_and_volume(
    index: int, shape: tuple[int, int, int, int]
) -> None:
    opening, high, low, close = (1_000 + one for one in shape)

    seconds = bridge((opening, high, low, close, 777), 60, (7, "BTCUSDT", index))

    whole = seconds.aggregate(60)
    assert (whole.open[0], whole.high[0], whole.low[0], whole.close[0]) == (
        opening,
        high,
        low,
        close,
    )
    assert whole.volume[0] == 777
    assert (seconds.open[1:] == seconds.close[:-1]).all()
    assert all(one == 0 or one >= 5 for one in seconds.volume.tolist())


def test_a_tape_of_several_symbols_plays_them_together(tmp_path: Path) -> None:
    path = tmp_path / "both.csv"
    path.write_text(
        "ts_ms,open,high,low,close,volume,symbol\n"
        "1000,10,11,9,10,1,BTCUSDT\n2000,10,12,10,12,1,BTCUSDT\n2000,5,5,5,5,1,ETHUSDT\n"
    )
    market = TapeMarket(read_tape(path, 7), ANCHOR_S)

    assert market.seconds("ETHUSDT", ANCHOR_S, ANCHOR_S + 2).close.tolist() == [500, 500]
    assert market.trades("ETHUSDT", ANCHOR_S) == ()
    assert market.seconds("BTCUSDT", ANCHOR_S, ANCHOR_S + 2).high.tolist() == [110, 120]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("binance_spot_ethusdt_20240808_1s.csv", "ETHUSDT"),
        ("btc_perp_1m_2022-01.csv.gz", "BTCUSDT"),
        ("sol.csv", "SOLUSDT"),
    ],
)
def test_a_tape_is_named_after_its_symbol(name: str, symbol: str) -> None:
    assert symbol_of(name) == symbol


def test_a_tape_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    path = tmp_path / "btc.csv"
    path.write_text("time,price\n1,2\n")
    with pytest.raises(ValueError, match="tape columns must hold"):
        read_tape(path, 7)
    path.write_text("ts_ms,price,qty,buyer_is_maker\n2000,1,1,0\n1000,1,1,0\n")
    with pytest.raises(ValueError, match="in order of ts_ms"):
        read_tape(path, 7)
    with pytest.raises(ValueError, match="names no known symbol"):
        symbol_of("prices.csv")
