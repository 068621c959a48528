"""Preset signals: candles in, confluences of common indicators out."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from engine.indicators.bars import Bars
from engine.indicators.confluence import REFUSALS, SIGNAL, SILENT, Verdict, decide
from engine.indicators.panel import Rules
from engine.indicators.state import PresetState
from engine.indicators.timeframe import ClosedBars, closed_bars
from engine.indicators.votes import Votes, votes
from engine.market import Candles, Ints, Kind
from engine.settings import Settings

PRESET_SIGNAL = np.dtype(
    [
        ("bar", np.int64),  # candle of this call that closed the bar
        ("at_ms", np.int64),  # its close time
        ("symbol", np.int64),
        ("configuration", np.int64),
        ("sign", np.int64),  # +1 LONG, -1 SHORT
        ("strength", np.int64),  # ten-thousandths
        ("agreeing", np.int64),  # how many indicators are on that side
        ("longs", np.int64),  # which are long, a bit for each by its place in IndicatorKind
        ("shorts", np.int64),
        ("price", np.int64),  # the close, ticks
    ]
)
"""A preset signal, sorted by (bar, symbol, configuration)."""

_BLOCK_CELLS = 1 << 20


def preset_signals(
    state: PresetState, candles: Candles, settings: Settings
) -> tuple[PresetState, NDArray[np.void], dict[str, int]]:
    """The signals of `candles`, and what was refused and nearly tied.

    Signals fall on candles that end a bar on time and are no gap, once a symbol has seen
    `presetMinBars` bars. However candles are cut in time and symbols are grouped, signals, counts
    and state are the same.
    """
    timeframe_ms = int(settings.preset_timeframe_s) * 1000
    open_bar, closed = closed_bars(state.open_bar, candles, timeframe_ms)
    state = replace(state, open_bar=open_bar)
    counts = dict.fromkeys((*REFUSALS, "near_ties"), 0)
    found = [np.zeros(0, PRESET_SIGNAL)]
    widest = max([len(state.configurations), *(len(each.values) for each in state.rules)])
    block = max(1, _BLOCK_CELLS // max(1, len(state.seen) * widest))
    for begin in range(0, len(closed) if state.rules else 0, block):
        part = closed.rows(begin, begin + block)
        state, signals, counted = _spoken(state, candles, part, settings)
        found.append(signals)
        counts = {name: count + counted[name] for name, count in counts.items()}
    return state, np.concatenate(found), counts


def _spoken(
    state: PresetState, candles: Candles, closed: ClosedBars, settings: Settings
) -> tuple[PresetState, NDArray[np.void], dict[str, int]]:
    bars = Bars.of(closed.high, closed.low, closed.close)
    carries, said = [], []
    for rules, each in zip(state.rules, state.carries, strict=True):
        after, outputs = rules.indicator.advance(each, bars)
        carries.append(after)
        said.append((rules, votes(rules, outputs, bars.close, settings)))
    usable = _usable(state, candles, closed, bars, settings)
    verdict = decide(said, settings)
    refusal = np.where(usable[..., None], verdict.refusal, SILENT)
    counts = {name: int((refusal == number).sum()) for number, name in enumerate(REFUSALS)}
    counts["near_ties"] = _near_ties(said)
    signals = _records(np.nonzero(refusal == SIGNAL), verdict, candles, closed, bars)
    after_all = replace(state, carries=tuple(carries), seen=state.seen + bars.count)
    return after_all, signals, counts


def _usable(
    state: PresetState, candles: Candles, closed: ClosedBars, bars: Bars, settings: Settings
) -> NDArray[np.bool_]:
    """(T, S), in the rows of `bars`: closed on time, by a known candle, after enough bars."""
    known = candles.kind[closed.row] != Kind.GAP
    allowed = np.take_along_axis(known & closed.on_time[:, None], bars.source, axis=0)
    usable: NDArray[np.bool_] = allowed & bars.warm(state.seen, settings.preset_min_bars)
    return usable


def _near_ties(said: list[tuple[Rules, Votes]]) -> int:
    return sum(int(each.near.sum()) for _, each in said)


def _records(
    where: tuple[Ints, ...], verdict: Verdict, candles: Candles, closed: ClosedBars, bars: Bars
) -> NDArray[np.void]:
    _, symbol, configuration = where
    bar = closed.row[bars.source[where[:2]]]
    signals = np.zeros(len(bar), PRESET_SIGNAL)
    signals["bar"], signals["at_ms"] = bar, candles.close_ms[bar]
    signals["symbol"], signals["configuration"] = symbol, configuration
    signals["price"] = candles.close[bar, symbol]
    for name in ("sign", "agreeing", "longs", "shorts"):
        signals[name] = getattr(verdict, name)[where]
    signals["strength"] = verdict.strong[where] // verdict.signals[where]
    if bars.even:  # already in order
        return signals
    return signals[np.lexsort((configuration, symbol, bar))]
