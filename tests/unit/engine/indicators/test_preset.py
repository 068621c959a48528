"""Preset signals from candles: when they fall, and that no cut or grouping shows."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from tests.market import bars_of, candles_of, mirrored, walked, with_gaps, without_rows

from engine.errors import CorruptStateError
from engine.indicators.configurations import preset_configurations
from engine.indicators.preset import preset_signals
from engine.indicators.state import PresetState, preset_fingerprint
from engine.market import Candles
from engine.settings import Settings, with_values

NAMES = ("A", "B", "C")
QUICK: dict[str, object] = {
    "presetTimeframe": "5",
    "presetMinBars": 5,
    "presetMinStrength": "0.3",
    "rsiPeriods": [7],
    "rsiOversold": [45],
    "rsiOverbought": [55],
    "macdFast": [6],
    "macdSlow": [13],
    "macdSignal": [5],
    "bollingerPeriods": [10, 12],
    "sarEnabled": True,
    "adxPeriods": [7],
    "emaShort": [5],
    "emaLong": [11],
    "smaEnabled": False,
    "stochasticK": [7],
    "atrPeriods": [7],
}
"""Everything but the slow average, warm after fifteen bars of 5 s, two configurations."""


def quick(**values: object) -> Settings:
    return with_values(Settings(), {**QUICK, **values})


def fresh(candles: Candles, settings: Settings) -> PresetState:
    return PresetState.fresh(len(candles.symbols), preset_configurations(settings))


def seconds(seed: int, gap_share: float = 0.0, length: int = 160) -> Candles:
    return walked(
        seed, length=length, symbols=NAMES, span_ms=1000, start=90_000, gap_share=gap_share
    )


def timeline(signals: np.ndarray, symbols: Sequence[str]) -> list[tuple[Any, ...]]:
    """Signals by time and name of the symbol."""
    rows = signals[
        ["at_ms", "symbol", "configuration", "sign", "strength", "agreeing", "price", "longs"]
    ]
    return sorted((at, symbols[symbol], *rest) for at, symbol, *rest in rows.tolist())


def held(state: PresetState) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in state.arrays().items()}


@examples(max_examples=8)
@given(
    seed=st.integers(0, 1 << 20),
    share=st.sampled_from([0.0, 0.1, 0.5]),
    missing=st.lists(st.integers(0, 159), max_size=12),
    where=st.lists(st.integers(0, 160), max_size=4),
)
def test_candles_cut_in_time_give_the_same_signals_counts_and_state(
    seed: int, share: float, missing: list[int], where: list[int]
) -> None:
    settings = quick()
    candles = without_rows(seconds(seed, share), sorted(set(missing)))
    whole, signals, counts = preset_signals(fresh(candles, settings), candles, settings)

    state, found, counted = fresh(candles, settings), [], dict.fromkeys(counts, 0)
    for begin, end in pairwise([0, *sorted(min(w, len(candles)) for w in where), len(candles)]):
        state, some, parts = preset_signals(state, candles.rows(begin, end), settings)
        found += timeline(some, NAMES)
        counted = {name: count + parts[name] for name, count in counted.items()}

    assert held(state) == held(whole)
    assert found == timeline(signals, NAMES)
    assert counted == counts


@pytest.mark.parametrize("order", ["ABC", "CAB"])
@pytest.mark.parametrize("group", [1, 2])
def test_symbols_grouped_otherwise_give_the_same_signals_counts_and_state(
    order: str, group: int
) -> None:
    settings, candles = quick(), seconds(3, 0.1)
    whole, signals, counts = preset_signals(fresh(candles, settings), candles, settings)

    parts = [candles.select(list(some)) for some in (order[:group], order[group:])]
    runs = [preset_signals(fresh(part, settings), part, settings) for part in parts]
    joined = PresetState.join([state for state, _, _ in runs])
    back = joined.select(np.array([order.index(name) for name in NAMES]))

    assert len(signals) > 10
    places = signals[["bar", "symbol", "configuration"]].tolist()
    assert places == sorted(places)
    assert held(back) == held(whole)
    together = [
        line
        for part, (_, some, _) in zip(parts, runs, strict=True)
        for line in timeline(some, part.symbols)
    ]
    assert sorted(together) == timeline(signals, NAMES)
    assert {name: sum(each[name] for _, _, each in runs) for name in counts} == counts


def test_a_later_candle_changes_nothing_earlier() -> None:
    settings, candles = quick(), seconds(3)
    other = seconds(4)
    prices: dict[str, Any] = {
        name: np.concatenate([getattr(candles, name)[:103], getattr(other, name)[103:]])
        for name in ("open", "high", "low", "close")
    }

    _, signals, _ = preset_signals(fresh(candles, settings), candles, settings)
    _, changed, _ = preset_signals(fresh(candles, settings), replace(candles, **prices), settings)

    early, still = (each[each["bar"] < 103] for each in (signals, changed))
    assert len(early) > 10
    assert still.tolist() == early.tolist()
    assert changed.tolist() != signals.tolist()


ALONE: dict[str, object] = {
    **{
        f"{name}Enabled": False
        for name in ("macd", "sar", "adx", "ema", "sma", "stochastic", "atr")
    },
    "presetTimeframe": "60",
    "presetMinBars": 30,
}


def fallen(steps: int = 60) -> Candles:
    """A straight fall: oversold and below the bands."""
    return candles_of([100_000 - 40 * step for step in range(steps)], span_ms=60_000)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_fall_is_answered_long_and_a_rise_short(sign: int) -> None:
    settings = with_values(Settings(), {**ALONE, "bollingerEdge": "0.5"})
    candles = fallen() if sign > 0 else mirrored(fallen(), 100_000)

    _, signals, _ = preset_signals(fresh(candles, settings), candles, settings)

    assert signals["bar"].tolist() == list(range(29, 60))
    assert set(signals["sign"].tolist()) == {sign}


def test_a_bar_that_ends_with_a_gap_or_late_counts_and_says_nothing() -> None:
    settings = with_values(Settings(), {**ALONE, "bollingerEdge": "0.5"})
    closes = [100_000 - 10 * step for step in range(400)]
    candles = candles_of(closes, span_ms=15_000)
    at_ms = candles.close_ms
    gap, lost = 219, 239  # both end a bar
    assert (at_ms[[gap, lost]] % 60_000 == 0).all()
    gaps = np.zeros((400, 1), np.bool_)
    gaps[gap] = True

    state, signals, _ = preset_signals(
        fresh(candles, settings), without_rows(with_gaps(candles, gaps), [lost]), settings
    )

    ended = at_ms[at_ms % 60_000 == 0][29:].tolist()
    assert signals["at_ms"].tolist() == [t for t in ended if t not in at_ms[[gap, lost]]]
    assert state.seen.tolist() == [100]


def test_a_symbol_is_silent_until_it_has_seen_enough_bars() -> None:
    settings = with_values(Settings(), {**ALONE, "bollingerEdge": "0.5", "presetMinBars": 50})

    both = candles_of(
        np.repeat(fallen().close, 2, axis=1).tolist(), symbols=("A", "B"), span_ms=60_000
    )
    gaps = np.arange(60)[:, None] < np.array([0, 5])
    gaps[25, 1] = True
    candles = with_gaps(both, gaps)

    state, none, _ = preset_signals(fresh(candles, settings), candles.rows(0, 20), settings)
    _, signals, _ = preset_signals(state, candles.rows(20, 60), settings)

    assert len(none) == 0
    assert [signals["bar"][signals["symbol"] == each].min() for each in (0, 1)] == [29, 35]
    places = signals[["bar", "symbol"]].tolist()
    assert places == sorted(places)


def test_near_ties_are_counted_for_every_symbol_and_bar() -> None:
    settings = with_values(Settings(), {**ALONE, "atrEnabled": True})
    bars = bars_of([(1500, 1501, 1500, 1500)] * 60, span_ms=60_000)

    _, _, counts = preset_signals(fresh(bars, settings), bars, settings)

    # One and a half ranges of a tick are exactly the position cost, from the fifteenth bar on.
    assert counts["near_ties"] == 60 - 14


def test_without_configurations_nothing_is_said() -> None:
    settings = with_values(Settings(), {**ALONE, "rsiEnabled": False, "bollingerEnabled": False})

    state, signals, counts = preset_signals(fresh(fallen(), settings), fallen(), settings)

    assert (len(state.configurations), len(signals), sum(counts.values())) == (0, 0, 0)


def test_a_state_comes_back_from_its_arrays() -> None:
    settings, candles = quick(), seconds(3, 0.1)
    state, _, _ = preset_signals(fresh(candles, settings), candles, settings)

    assert held(fresh(candles, settings).restored(state.arrays())) == held(state)


@pytest.mark.parametrize("name", ["seen", "open_bar.close", "macd.average"])
def test_arrays_that_miss_or_do_not_fit_are_refused(name: str) -> None:
    state = fresh(seconds(1), quick())
    arrays = state.arrays()

    with pytest.raises(CorruptStateError):
        state.restored({key: each for key, each in arrays.items() if key != name})
    with pytest.raises(CorruptStateError):
        state.restored(arrays | {name: arrays[name][:1]})


def test_states_of_other_configurations_do_not_join() -> None:
    one, other = (fresh(seconds(1), quick(rsiPeriods=[n])) for n in (7, 8))

    with pytest.raises(CorruptStateError, match="different configurations"):
        PresetState.join([one, other])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("presetTimeframe", "15"),
        ("presetMinBars", 51),
        ("rsiPeriods", [7]),
        ("rsiOversold", [25]),
        ("macdCrossStrength", "0.5"),
        ("crossFullPercent", "0.2"),
        ("bollingerEdge", "0.1"),
        ("sarFullPercent", "5"),
        ("adxFull", "60"),
        ("stochasticOversold", 25),
        ("stochasticOverbought", 75),
        ("atrMultiplier", ["2"]),
        ("positionCost", "0.2"),
    ],
)
def test_whatever_counts_from_a_start_on_changes_the_fingerprint(key: str, value: object) -> None:
    plain, changed = Settings(), with_values(Settings(), {key: value})

    prints = {preset_fingerprint(preset_configurations(each), each) for each in (plain, changed)}

    assert len(prints) == 2
