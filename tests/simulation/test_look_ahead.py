"""No kernel looks ahead: whatever comes later, what it told of earlier candles stays."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.everything import everything
from tests.indicating import EVERY, TYPES, every_setting, indicated
from tests.market import walked
from tests.unit.engine.indicators.computing import INDICATORS
from tests.unit.engine.indicators.properties import spread
from tests.unit.engine.trading import planned

from engine.bookkeeping import Bookkeeper
from engine.exits import Triggers, first_exit, make_window
from engine.history import History
from engine.indications.steps import StepState, walk_steps
from engine.market import Candles, join_time
from engine.settings import Settings
from engine.ticks import distance
from engine.values import IndicationType

SYMBOLS = ("AUSDT", "BUSDT")
LENGTH = 700
TRADED = 1500
FEW = settings(max_examples=6)

Told = list[tuple[object, ...]]
"""What was told, each with the number of its candle first."""


def steps(candles: Candles) -> Told:
    state = StepState.fresh(len(candles.symbols))
    prices = (candles.close, candles.high, candles.low)
    known = np.ones(candles.close.shape, np.bool_)
    _, walk = walk_steps(state, candles.close_ms, *prices, known, Settings())
    log = {name: getattr(walk.log, name)[walk.index] for name in walk.log.__slots__}
    return rows(walk.bar, walk.symbol, *log.values())


def indication(candles: Candles, kind: IndicationType) -> Told:
    slots = tuple(slot for slot in EVERY if slot.indication in (kind, IndicationType.DIRECTION))
    _, signals, _ = indicated(candles, slots, every_setting())
    chosen = signals[signals["indication"] == list(IndicationType).index(kind)]
    told: Told = chosen.tolist()
    return told


def indicator(candles: Candles, name: str) -> Told:
    kernel = INDICATORS[name]
    _, lines = spread(kernel, kernel.fresh(len(candles.symbols)), candles)
    return [
        (bar, number, line[bar].tobytes())
        for number, line in enumerate(lines)
        for bar in range(len(line))
    ]


def exits(candles: Candles) -> Told:
    """Positions of both sides opened on the first candle, some trailing, at many distances."""
    count = 400
    rng = np.random.default_rng(1)
    row = rng.integers(0, 2 * len(candles.symbols), count)
    entry = candles.close[0, row // 2]
    own = np.where(row % 2 == 0, entry, -entry)
    stop, target, arm, trail = rng.integers(1, 60, (4, count)) * 50_000
    trail[rng.random(count) < 0.5] = 0
    positions = Triggers(
        row=row,
        start=np.ones(count, np.int64),
        stop=own - distance(entry, stop),
        target=own + distance(entry, target),
        arm=np.where(trail > 0, own + distance(entry, arm), 1 << 60),
        trail=trail,
        peak=own,
    )
    found = first_exit(make_window(candles), positions)
    return rows(found.bar, np.arange(count), found.reason, found.price)


def trade(candles: Candles, rules: Settings) -> Told:
    _, plan = planned(candles, rules)
    records = (plan.signals, plan.openings, plan.closings, plan.changes, plan.archived)
    return [(int(each["bar"]), name, each.tolist()) for name, r in enumerate(records) for each in r]


def rows(*columns: np.ndarray) -> Told:
    return list(zip(*(column.tolist() for column in columns), strict=True))


KERNELS: dict[str, Callable[[Candles], Told]] = {
    "steps": steps,
    "exits": exits,
    "trade: everything": partial(trade, rules=everything(maxSetsPerSymbol=800)),
    "trade: default": partial(trade, rules=Settings()),
    **{f"indication {kind}": partial(indication, kind=kind) for kind in TYPES},
    **{f"indicator {name}": partial(indicator, name=name) for name in INDICATORS},
}
LATER = ("doubled", "another", "gone")


def market(seed: int, name: str) -> Candles:
    """Seconds, and for Auto, which looks back for hours, minutes."""
    span_ms = 60_000 if "auto" in name else 1000
    length = TRADED if "trade" in name else LENGTH
    return walked(seed, length=length, symbols=SYMBOLS, span_ms=span_ms, volatility=8e-4)


def with_other_end(candles: Candles, cut: int, how: str) -> Candles:
    """The same candles up to `cut`; from there on other prices, or none any more."""
    head, tail = candles.rows(0, cut), candles.rows(cut, len(candles))
    if how == "gone":
        return head
    names = ("open", "high", "low", "close")
    if how == "doubled":
        other = replace(tail, **{name: 2 * getattr(tail, name) for name in names})
    else:
        walk = walked(99, length=len(tail), symbols=SYMBOLS, volatility=2e-3)
        other = replace(walk, close_ms=tail.close_ms, span_ms=tail.span_ms)
    return join_time([head, other])


@pytest.mark.parametrize("name", KERNELS)
@FEW
@given(seed=st.integers(0, 9999), share=st.floats(0.1, 0.95), how=st.sampled_from(LATER))
def test_later_candles_change_nothing_told_of_earlier_ones(
    name: str, seed: int, share: float, how: str
) -> None:
    kernel = KERNELS[name]
    candles = market(seed, name)
    cut = int(len(candles) * share)

    told, told_otherwise = kernel(candles), kernel(with_other_end(candles, cut, how))

    assert [each for each in told if each[0] < cut] == [  # type: ignore[operator]
        each
        for each in told_otherwise
        if each[0] < cut  # type: ignore[operator]
    ]


@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel_has_something_to_tell(name: str) -> None:
    assert any(len(KERNELS[name](market(seed, name))) > 10 for seed in range(4))


@FEW
@given(results=st.lists(st.integers(-900, 900), min_size=60, max_size=60), cut=st.integers(1, 59))
def test_a_later_result_changes_no_earlier_standing(results: list[int], cut: int) -> None:
    def standings(sequence: list[int]) -> Told:
        rules = Settings()
        keeper = Bookkeeper(History.fresh(1, 1, rules), rules, np.array([False]))
        told: Told = []
        for number, result in enumerate(sequence):
            one = np.array([result], np.int16)
            at_ms = np.array([60_000 * (number + 1)])
            keeper.book(np.array([0]), one, at_ms, np.array([number % 2 == 0]))
            told.append((number, *(column.tolist() for column in keeper.columns.values())))
        return told

    later = [*results[:cut], *(-result for result in results[cut:])]

    assert standings(results)[:cut] == standings(later)[:cut]
