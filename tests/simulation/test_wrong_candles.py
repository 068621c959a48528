"""Candles no market can make: refused or made gaps, and they never open or close anything.

Refused at once: floats (so NaN and infinity), times that do not rise, candles not later than those
seen. Refused by name or made a gap: prices that are negative, zero, out of their candle or past
the limit, and negative volume.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.market import walked, with_gaps
from tests.unit.engine.trading import books_of, fresh, lenient, planned, timeline

from engine.candles import FIELDS, PRICE_LIMIT, Candles, Kind
from engine.errors import InvalidCandleError
from engine.market import Ints, join_time
from engine.trade import plan_trade

SYMBOLS = ("AUSDT", "BUSDT")
LENGTH = 80
RULES = lenient(validationTimeout=1, positionCooldown=0)
MARKET = walked(5, length=LENGTH, symbols=SYMBOLS, volatility=4e-3)
PRICES = ("open", "high", "low", "close")

where = st.lists(
    st.tuples(st.integers(1, LENGTH - 1), st.integers(0, 1)), min_size=1, max_size=6, unique=True
)
few = settings(max_examples=12)


def changed(name: str, cells: list[tuple[int, int]], values: Any) -> Candles:
    column = getattr(MARKET, name).copy()
    column[tuple(np.transpose(cells))] = values
    return replace(MARKET, **{name: column})


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf"), 100.5])
def test_numbers_that_are_not_whole_are_refused_before_anything_is_planned(
    name: str, number: float
) -> None:
    column = getattr(MARKET, name).astype(float)
    column[3, 1] = number

    with pytest.raises(InvalidCandleError, match=f"{name} must be integers, was float64"):
        replace(MARKET, **{name: column})


def test_prices_end_where_integers_would_overflow() -> None:
    tall = changed("high", [(7, 0)], PRICE_LIMIT)

    with pytest.raises(InvalidCandleError, match=f"AUSDT at {MARKET.close_ms[7]}"):
        planned(tall, RULES)

    planned(changed("high", [(7, 0)], PRICE_LIMIT - 1), RULES)


def impossible(name: str, candles: Candles, row: int, column: int) -> int:
    """A price no candle can have there."""
    low, high = int(candles.low[row, column]), int(candles.high[row, column])
    return {"open": high + 1, "close": low - 1, "high": low - 1, "low": high + 1}[name]


@few
@given(
    cells=where,
    name=st.sampled_from((*PRICES, "volume")),
    kind=st.sampled_from(["negative", "zero", "outside", "huge"]),
)
def test_a_wrong_candle_is_refused_by_symbol_and_time_and_made_a_gap_it_decides_nothing(
    cells: list[tuple[int, int]], name: str, kind: str
) -> None:
    wrong = wrong_value(name, kind, cells)
    if wrong is None:
        return
    broken = changed(name, cells, wrong)
    row, column = min(cells)
    told = f"{SYMBOLS[column]} at {MARKET.close_ms[row]}"

    with pytest.raises(InvalidCandleError, match=told):
        planned(broken, RULES)

    sound, counts = broken.without_wrong()
    gaps = np.zeros(MARKET.close.shape, np.bool_)
    gaps[tuple(np.transpose(cells))] = True
    assert sum(counts.values()) == len(cells)
    state, plan = planned(sound, RULES)
    expected, as_gaps = planned(with_gaps(MARKET, gaps), RULES)
    assert timeline([plan]) == timeline([as_gaps])
    assert books_of(state) == books_of(expected)
    for records in (plan.signals, plan.openings, plan.closings):
        assert not gaps[records["bar"], records["symbol"]].any()


def wrong_value(name: str, kind: str, cells: list[tuple[int, int]]) -> int | Ints | None:
    if name == "volume":
        return -1 if kind == "negative" else None
    if kind == "outside":
        return np.array([impossible(name, MARKET, *cell) for cell in cells])
    return {"negative": -5, "zero": 0, "huge": PRICE_LIMIT}[kind]


@few
@given(cells=where, garbage=st.sampled_from([-(1 << 62), -1, 1, 10**9, 1 << 62]))
def test_whatever_stands_in_a_gap_means_nothing(cells: list[tuple[int, int]], garbage: int) -> None:
    gaps = np.zeros(MARKET.close.shape, np.bool_)
    gaps[tuple(np.transpose(cells))] = True
    empty = with_gaps(MARKET, gaps)
    filled: dict[str, Any] = {
        name: np.where(gaps, garbage, getattr(empty, name)) for name in (*PRICES, "volume")
    }

    state, plan = planned(replace(empty, **filled), RULES)

    expected, same = planned(empty, RULES)
    assert timeline([plan]) == timeline([same])
    assert books_of(state) == books_of(expected)


@few
@given(order=st.permutations(range(6)), again=st.integers(0, 4))
def test_candles_out_of_order_or_twice_are_refused(order: list[int], again: int) -> None:
    pieces = [MARKET.rows(row, row + 1) for row in range(6)]

    if order != sorted(order):
        with pytest.raises(InvalidCandleError, match="close_ms must rise strictly"):
            join_time([pieces[row] for row in order])
    with pytest.raises(InvalidCandleError, match="close_ms must rise strictly"):
        join_time([*pieces[: again + 1], pieces[again]])


@pytest.mark.parametrize("begin", [0, 30, 39])
def test_candles_not_later_than_those_seen_are_refused_and_leave_the_state_as_it_was(
    begin: int,
) -> None:
    state, _ = plan_trade(fresh(SYMBOLS, RULES), MARKET.rows(0, 40), RULES)
    before = books_of(state)

    with pytest.raises(InvalidCandleError, match=f"later than {MARKET.close_ms[39]}"):
        plan_trade(state, MARKET.rows(begin, LENGTH), RULES)

    assert books_of(state) == before
    after, _ = plan_trade(state, MARKET.rows(40, LENGTH), RULES)
    assert books_of(after) == books_of(planned(MARKET, RULES)[0])


def test_a_wrong_candle_of_one_symbol_changes_nothing_of_the_others() -> None:
    broken = changed("low", [(row, 1) for row in range(10, LENGTH)], -1)

    state, plan = planned(broken.without_wrong()[0], RULES)

    expected, _ = planned(MARKET, RULES)
    assert books_of(state)["AUSDT"] == books_of(expected)["AUSDT"]
    assert (plan.signals["symbol"] == 0).any()
    assert not (plan.closings["bar"][plan.closings["symbol"] == 1] >= 10).any()
    assert (MARKET.kind != Kind.GAP).all()
