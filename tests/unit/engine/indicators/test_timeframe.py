"""Bars of a timeframe: what they hold, when they close, and that no cut or grouping shows."""

from collections.abc import Sequence
from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.market import START_MS, bars_of, candles_of, walked, with_gaps, without_rows

from engine.indicators import carry
from engine.indicators.timeframe import ClosedBars, OpenBar, closed_bars
from engine.market import Candles

NAMES = ("A", "B", "C")
Bar = tuple[int, int, int, int, bool]  # closed at, high, low, close, on time


def listed(closed: ClosedBars, candles: Candles) -> dict[str, list[Bar]]:
    """The known bars of each symbol, by the close time of the candle each closed with."""
    at_ms = candles.close_ms[closed.row].tolist()
    return {
        symbol: [
            (at, *prices, on_time)
            for at, *prices, on_time in zip(
                at_ms,
                *(getattr(closed, each)[:, column].tolist() for each in ("high", "low", "close")),
                closed.on_time.tolist(),
                strict=True,
            )
            if prices[2]
        ]
        for column, symbol in enumerate(candles.symbols)
    }


def bars(candles: Candles, timeframe_ms: int) -> list[Bar]:
    _, closed = closed_bars(OpenBar.fresh(1), candles, timeframe_ms)
    return listed(closed, candles)["BTCUSDT"]


def test_a_bar_holds_the_candles_up_to_the_multiple_of_the_timeframe() -> None:
    candles = bars_of([(9, 9, 7, 8), (8, 12, 8, 11), (11, 11, 5, 6), (6, 7, 6, 7), (7, 20, 7, 20)])

    (bar,) = bars(candles, 4000)

    assert bar == (START_MS + 4000, 12, 5, 7, True)


def test_the_last_bar_stays_open_until_its_end() -> None:
    candles = candles_of([5, 6, 7])

    state, closed = closed_bars(OpenBar.fresh(1), candles, 5000)

    assert len(closed) == 0
    assert [each.tolist() for _, each in carry.parts(state)] == [[START_MS + 5000], [7], [5], [7]]


@pytest.mark.parametrize("span_ms", [5000, 60_000])
def test_candles_no_shorter_than_the_timeframe_are_bars_themselves(span_ms: int) -> None:
    candles = candles_of([5, 6, 7], span_ms=span_ms)

    assert [close for _, _, _, close, _ in bars(candles, 5000)] == [5, 6, 7]


def test_gaps_add_nothing_and_a_bar_of_gaps_alone_is_unknown() -> None:
    gaps = np.array([0, 1, 1, 1, 0, 1])[:, None] == 1

    found = bars(with_gaps(candles_of([5, 9, 9, 9, 6, 9]), gaps), 2000)

    assert found == [(START_MS + 2000, 5, 5, 5, True), (START_MS + 6000, 6, 6, 6, True)]


def test_a_bar_whose_last_candle_never_came_closes_late_with_the_next() -> None:
    found = bars(without_rows(candles_of([5, 6, 7, 8, 9, 4]), [1, 2]), 2000)

    assert found == [
        (START_MS + 4000, 5, 5, 5, False),
        (START_MS + 4000, 8, 8, 8, True),
        (START_MS + 6000, 9, 4, 4, True),
    ]


def naive(candles: Candles, timeframe_ms: int) -> dict[str, list[Bar]]:
    """Bars by the definition, candle by candle."""
    found: dict[str, list[Bar]] = {symbol: [] for symbol in candles.symbols}
    for column, symbol in enumerate(candles.symbols):
        end, prices = 0, (0, 0, 0)
        for row, at in enumerate(candles.close_ms.tolist()):
            until = -(-at // timeframe_ms) * timeframe_ms
            if until != end and prices[2]:
                found[symbol].append((at, *prices, False))
            if until != end:
                end, prices = until, (0, 0, 0)
            high, low, close = (
                int(getattr(candles, each)[row, column]) for each in ("high", "low", "close")
            )
            if close:
                known = prices if prices[2] else (high, low, close)
                prices = (max(high, known[0]), min(low, known[1]), close)
            if at == until:
                if prices[2]:
                    found[symbol].append((at, *prices, True))
                prices = (0, 0, 0)
    return found


def holey(seed: int, share: float, missing: Sequence[int]) -> Candles:
    candles = walked(seed, length=40, symbols=NAMES, span_ms=1000, start=90, gap_share=share)
    return without_rows(candles, sorted({row % 40 for row in missing}))


@settings(max_examples=30)
@given(
    seed=st.integers(0, 1 << 20),
    share=st.sampled_from([0.0, 0.3, 0.9]),
    missing=st.lists(st.integers(0, 39), max_size=20),
    where=st.lists(st.integers(0, 40), max_size=5),
    timeframe_ms=st.sampled_from([1000, 5000, 15_000]),
)
def test_bars_are_those_of_the_definition_however_candles_are_cut(
    seed: int, share: float, missing: list[int], where: list[int], timeframe_ms: int
) -> None:
    candles = holey(seed, share, missing)
    found: dict[str, list[Bar]] = {symbol: [] for symbol in NAMES}
    whole, _ = closed_bars(OpenBar.fresh(3), candles, timeframe_ms)

    state = OpenBar.fresh(3)
    for begin, end in pairwise(
        [0, *sorted(min(each, len(candles)) for each in where), len(candles)]
    ):
        piece = candles.rows(begin, end)
        state, closed = closed_bars(state, piece, timeframe_ms)
        for symbol, some in listed(closed, piece).items():
            found[symbol] += some

    assert found == naive(candles, timeframe_ms)
    assert_same(state, whole)


def test_bars_of_a_symbol_do_not_depend_on_its_company() -> None:
    candles = holey(3, 0.5, [4, 9, 10, 11])
    state, closed = closed_bars(OpenBar.fresh(3), candles, 5000)

    parts = [candles.select([name]) for name in NAMES]
    alone = [closed_bars(OpenBar.fresh(1), part, 5000) for part in parts]

    assert_same(carry.join([each for each, _ in alone]), state)
    for (_, own), part in zip(alone, parts, strict=True):
        (symbol,) = part.symbols
        assert listed(own, part)[symbol] == listed(closed, candles)[symbol]


def assert_same(one: OpenBar, other: OpenBar) -> None:
    for each in fields(OpenBar):
        assert getattr(one, each.name).tolist() == getattr(other, each.name).tolist(), each.name
