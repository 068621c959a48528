"""What every indicator owes, as properties that tests of any size run."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from tests.market import walked, with_gaps
from tests.unit.engine.indicators.computing import INDICATORS, bars_of

from engine.indicators import carry
from engine.indicators.panel import Indicator
from engine.market import Candles

NAMES = ("A", "B", "C")


def market(seed: int, gap_share: float, length: int) -> Candles:
    """Symbols that begin at different bars, with gaps."""
    candles = walked(seed, length=length, symbols=NAMES, start=2000, gap_share=gap_share)
    late = np.arange(length)[:, None] < np.array([0, 7, length // 2])
    return with_gaps(candles, late) if gap_share else candles


def spread(indicator: Indicator, state: Any, candles: Candles) -> tuple[Any, list[np.ndarray]]:
    """The carry after `candles`, and the outputs in the rows of the candles."""
    bars = bars_of(candles)
    after, outputs = indicator.advance(state, bars)
    lines = (outputs,) if isinstance(outputs, np.ndarray) else outputs
    return after, [bars.spread(line) for line in lines]


def held(state: carry.Carry) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in carry.parts(state)}


def assert_same(one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> None:
    """To the bit."""
    for a, b in zip(one, other, strict=True):
        assert a.shape == b.shape
        assert a.tobytes() == b.tobytes()


def assert_cutting_changes_nothing(name: str, candles: Candles, where: Sequence[int]) -> None:
    indicator, symbols = INDICATORS[name], len(candles.symbols)
    whole, lines = spread(indicator, indicator.fresh(symbols), candles)
    state, pieces = indicator.fresh(symbols), []
    for begin, end in pairwise([0, *sorted(where), len(candles)]):
        state, piece = spread(indicator, state, candles.rows(begin, end))
        pieces.append(piece)

    assert held(state) == held(whole)
    assert_same([np.concatenate(each) for each in zip(*pieces, strict=True)], lines)


def assert_grouping_changes_nothing(
    name: str, candles: Candles, order: Sequence[str], group: int
) -> None:
    indicator = INDICATORS[name]
    whole, lines = spread(indicator, indicator.fresh(len(order)), candles)
    parts = [
        spread(indicator, indicator.fresh(len(some)), candles.select(some))
        for some in (order[:group], order[group:])
    ]
    joined = carry.join([state for state, _ in parts])
    columns = np.array([order.index(symbol) for symbol in candles.symbols])

    assert held(carry.select(joined, columns)) == held(whole)
    together = zip(*(each for _, each in parts), strict=True)
    assert_same([np.hstack(each)[:, columns] for each in together], lines)
