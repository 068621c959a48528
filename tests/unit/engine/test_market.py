from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tests.market import START_MS, candles_of, walked, without_rows

from engine.errors import CorruptStateError, InvalidCandleError
from engine.market import (
    Candles,
    Kind,
    bars_from_trades,
    fill_gaps,
    join_symbols,
    join_time,
    pack,
    unpack,
)

FIELDS = ("close_ms", "open", "high", "low", "close", "volume", "kind")


def assert_same(one: Candles, other: Candles) -> None:
    assert (one.symbols, one.span_ms) == (other.symbols, other.span_ms)
    for name in FIELDS:
        assert_array_equal(getattr(one, name), getattr(other, name), strict=True)


@given(
    seed=st.integers(0, 10**6),
    length=st.integers(0, 40),
    width=st.integers(1, 4),
    gaps=st.sampled_from([0.0, 0.3, 1.0]),
    start=st.sampled_from([3, 500_000, 10**10]),
)
def test_packed_candles_come_back_exactly(
    seed: int, length: int, width: int, gaps: float, start: int
) -> None:
    symbols = [f"S{number}USDT" for number in range(width)]
    candles = walked(seed, length=length + 1, symbols=symbols, gap_share=gaps, start=start)
    candles = candles.rows(0, length)

    assert_same(unpack(pack(candles)), candles)


def test_candles_with_missing_rows_come_back_exactly() -> None:
    candles = without_rows(walked(3, length=50), [4, 5, 20])

    assert_same(unpack(pack(candles)), candles)


def test_a_tick_row_of_eight_symbols_is_small() -> None:
    candles = walked(1, length=1, symbols=[f"SYMBOL{number}USDT" for number in range(8)])

    assert len(pack(candles)) < 400


@pytest.mark.parametrize("damage", [b"", b"not packed", pack(candles_of([100, 101]))[:-4]])
def test_damaged_packs_are_refused(damage: bytes) -> None:
    with pytest.raises(CorruptStateError):
        unpack(damage)


def test_pieces_join_in_time_and_across_symbols() -> None:
    whole = walked(5, length=20, symbols=("AUSDT", "BUSDT"))

    in_time = join_time([whole.rows(0, 7), whole.rows(7, 20)])
    across = join_symbols([whole.select(["AUSDT"]), whole.select(["BUSDT"])])

    assert_same(in_time, whole)
    assert_same(across, whole)


def test_a_candle_that_one_symbol_lacks_joins_as_a_gap() -> None:
    whole = walked(5, length=10, symbols=("AUSDT", "BUSDT"))
    short = without_rows(whole.select(["BUSDT"]), [3])

    joined = join_symbols([whole.select(["AUSDT"]), short])

    assert joined.kind[3].tolist() == [Kind.TRADED, Kind.GAP]
    assert_array_equal(joined.close[4:], whole.close[4:])


def test_missing_minutes_are_filled_as_gaps() -> None:
    candles = without_rows(candles_of([10, 11, 12, 13], span_ms=60_000), [1])

    filled = fill_gaps(candles, start_ms=START_MS, end_ms=START_MS + 5 * 60_000)

    assert filled.kind[:, 0].tolist() == [0, 2, 0, 0, 2]
    assert filled.close[:, 0].tolist() == [10, 0, 12, 13, 0]


def test_trades_become_candles_with_flat_seconds_between() -> None:
    at = np.array([1000, 1500, 1999, 4000]) + START_MS

    bars = bars_from_trades(
        "BTCUSDT",
        at,
        np.array([10, 14, 12, 9]),
        np.array([1, 2, 3, 4]),
        start_ms=START_MS,
        end_ms=START_MS + 5000,
    )

    assert bars.kind[:, 0].tolist() == [Kind.GAP, 0, Kind.FLAT, Kind.FLAT, 0]
    rows = np.hstack([bars.open, bars.high, bars.low, bars.close, bars.volume])
    assert rows[1].tolist() == [10, 14, 10, 12, 6]
    assert rows[2].tolist() == [12, 12, 12, 12, 0]
    assert rows[4].tolist() == [9, 9, 9, 9, 4]


@pytest.mark.parametrize("field, value", [("low", 0), ("high", 99), ("low", 101)])
def test_impossible_prices_are_refused_by_symbol_and_time(field: str, value: int) -> None:
    candles = candles_of([100, 100, 100])
    broken = getattr(candles, field).copy()
    broken[1] = value

    with pytest.raises(InvalidCandleError, match=f"BTCUSDT at {START_MS + 2000}"):
        replace(candles, **{field: broken}).check_prices()


def test_wrong_candles_become_gaps_and_leave_those_of_other_symbols_alone() -> None:
    candles = walked(5, length=4, symbols=["AUSDT", "BUSDT"], gap_share=0.0)
    high = candles.high.copy()
    high[2, 1] = candles.low[2, 1] - 1

    sound, wrong = replace(candles, high=high).without_wrong()

    assert wrong == {"BUSDT": 1}
    assert sound.kind[2, 1] == Kind.GAP
    assert_same(sound.check_prices().select(["AUSDT"]), candles.select(["AUSDT"]))
    assert_same(sound.select(["BUSDT"]).rows(0, 2), candles.select(["BUSDT"]).rows(0, 2))
