"""Steps: how far a price walked, and how straight.

In step mode `cost` each symbol has an anchor. When a close is a unit or more away from it, the
anchor follows by whole units and each is one step, up or down. The unit is the anchor times
position cost times step size factor, in ticks, half up, at least 1; it is taken anew after every
step. In mode `time` every known candle is a step, from the close before it; a flat one has the
sign 0 and ends a run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.indications.step_events import Events, candle_events, cost_events
from engine.market import Ints
from engine.settings import Settings
from engine.ticks import ratio_units

KEPT = 64
"""Steps remembered for each symbol."""

_FIELDS = ("sign", "at_ms", "anchor", "high", "low", "run", "before")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLog:
    """Steps as columns; a sign of 0 marks the first price of a symbol, or no step at all.

    Attributes
    ----------
    sign : +1 up, -1 down.
    at_ms : close time of the candle that made it.
    anchor : where the step ended, in ticks.
    high, low : extremes of the candles since the one of the step before, its own included.
    run : steps of this sign in a row, this one included.
    before : length of the completed run before this one.
    """

    sign: Ints
    at_ms: Ints
    anchor: Ints
    high: Ints
    low: Ints
    run: Ints
    before: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """The last `KEPT` steps (S, KEPT) and the extremes (S,) of the candles since the last one."""

    log: StepLog
    high: Ints
    low: Ints

    @staticmethod
    def fresh(symbols: int) -> "StepState":
        log = {name: np.zeros((symbols, KEPT), np.int64) for name in _FIELDS}
        high, low = np.zeros(symbols, np.int64), np.full(symbols, _HIGHEST)
        return StepState(log=StepLog(**log), high=high, low=low)

    def select(self, columns: Ints) -> "StepState":
        """The steps of these symbols alone, in this order."""
        log = {name: getattr(self.log, name)[columns] for name in _FIELDS}
        return StepState(log=StepLog(**log), high=self.high[columns], low=self.low[columns])

    @staticmethod
    def join(states: "Sequence[StepState]") -> "StepState":
        """Steps of different symbols, one after another."""
        log = {n: np.concatenate([getattr(state.log, n) for state in states]) for n in _FIELDS}
        return StepState(
            log=StepLog(**log),
            high=np.concatenate([state.high for state in states]),
            low=np.concatenate([state.low for state in states]),
        )

    def arrays(self) -> dict[str, Ints]:
        """Everything by name; `of_arrays` undoes it."""
        log = {f"step_{name}": getattr(self.log, name) for name in _FIELDS}
        return log | {"since_high": self.high, "since_low": self.low}

    @staticmethod
    def of_arrays(arrays: Mapping[str, Ints]) -> "StepState":
        """The steps `arrays` were taken of."""
        log = StepLog(**{name: arrays[f"step_{name}"] for name in _FIELDS})
        return StepState(log=log, high=arrays["since_high"], low=arrays["since_low"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The steps of some candles behind those remembered, symbol after symbol in one column.

    `index` holds the rows of `log` after which a candle's steps were complete, `bar` and
    `symbol` that candle. `KEPT` rows before each of them are of the same symbol. `ahead` candles
    are remembered before the first of them.
    """

    log: StepLog
    index: Ints
    bar: Ints
    symbol: Ints
    ahead: int


_HIGHEST = np.int64(1 << 60)


def walk_steps(
    state: StepState,
    close_ms: Ints,
    close: Ints,
    high: Ints,
    low: Ints,
    known: NDArray[np.bool_],
    settings: Settings,
    ahead: int = 0,
) -> tuple[StepState, Walk]:
    """Walk T candles (T, S) of S symbols; a close of 0 is a price not known yet.

    Gaps (not `known`) come with the last known price as close, high and low, and make no step.
    """
    bar, symbol, sign, anchor = _events(state, close, known, settings)
    if not len(bar):
        known = low > 0
        opened = np.where(known, low, _HIGHEST).min(axis=0, initial=_HIGHEST)
        highest = np.maximum(state.high, high.max(axis=0, initial=0))
        lowest = np.minimum(state.low, opened)
        empty = np.zeros(0, np.int64)
        walk = Walk(log=state.log, index=empty, bar=empty, symbol=empty, ahead=ahead)
        return replace(state, high=highest, low=lowest), walk
    order = np.lexsort((bar, symbol))  # stable: steps of one candle stay in their order
    bar, symbol, sign, anchor = bar[order], symbol[order], sign[order], anchor[order]
    highs, lows, rest_high, rest_low = _segments(state, bar, symbol, high, low)
    run, before = _runs(state.log, symbol, sign)
    new = (sign, close_ms[bar], anchor, highs, lows, run, before)
    log, at = _behind(state.log, symbol, dict(zip(_FIELDS, new, strict=True)))
    last = np.append((np.diff(symbol) != 0) | (np.diff(bar) != 0), True)
    walk = Walk(log=log, index=at[last], bar=bar[last], symbol=symbol[last], ahead=ahead)
    kept = _kept(state.log, log, at, symbol)
    return StepState(log=kept, high=rest_high, low=rest_low), walk


def _events(state: StepState, close: Ints, known: NDArray[np.bool_], settings: Settings) -> Events:
    anchor = state.log.anchor[:, -1]
    if settings.step_mode == "time":
        return candle_events(anchor, close, known)
    unit = ratio_units(settings.position_cost_pct * settings.step_size_factor)
    return cost_events(anchor, close, unit)


def _segments(
    state: StepState, bar: Ints, symbol: Ints, high: Ints, low: Ints
) -> tuple[Ints, Ints, Ints, Ints]:
    """Extremes between steps, and those left open after the last one of each symbol."""
    length, symbols = high.shape
    flat_high = _with_end(high, 0)
    flat_low = _with_end(np.where(low > 0, low, _HIGHEST), _HIGHEST)
    first = np.append(True, np.diff(symbol) != 0)
    previous = np.append(0, bar[:-1])
    begin = np.where(first, 0, np.where(previous == bar, bar, previous + 1))
    spans = (symbol * (length + 1))[:, None] + np.stack([begin, bar + 1], axis=1)
    highs = np.maximum.reduceat(flat_high, spans.ravel())[::2]
    lows = np.minimum.reduceat(flat_low, spans.ravel())[::2]
    highs[first] = np.maximum(highs[first], state.high[symbol[first]])
    lows[first] = np.minimum(lows[first], state.low[symbol[first]])
    rest = np.zeros(symbols, np.int64)
    rest[symbol] = bar + 1
    spans = (np.arange(symbols) * (length + 1))[:, None] + np.stack(
        [rest, np.full(symbols, length)], axis=1
    )
    walked = np.zeros(symbols, np.bool_)
    walked[symbol] = True
    rest_high = np.maximum.reduceat(flat_high, spans.ravel())[::2]
    rest_low = np.minimum.reduceat(flat_low, spans.ravel())[::2]
    return (
        highs,
        lows,
        np.where(walked, rest_high, np.maximum(rest_high, state.high)),
        np.where(walked, rest_low, np.minimum(rest_low, state.low)),
    )


def _with_end(values: Ints, neutral: int | np.int64) -> Ints:
    """(T, S) symbol after symbol, each followed by one neutral row."""
    padded = np.full((values.shape[1], len(values) + 1), neutral, np.int64)
    padded[:, :-1] = values.T
    return padded.ravel()


def _runs(log: StepLog, symbol: Ints, sign: Ints) -> tuple[Ints, Ints]:
    """Steps of one sign in a row up to each step, and the completed run before."""
    index = np.arange(len(sign))
    first = np.append(True, np.diff(symbol) != 0)
    follows = np.append(0, sign[:-1])
    follows[first] = log.sign[symbol[first], -1]
    begins = (sign != follows) | first
    start = np.maximum.accumulate(np.where(begins, index, 0))
    carried = first & (sign == follows)  # goes on with the run of the steps remembered
    run = index - start + 1 + np.where(carried[start], log.run[symbol, -1], 0)
    run[sign == 0] = 0
    ended = np.where(first[start], log.run[symbol, -1], run[start - 1])
    return run, np.where(carried[start], log.before[symbol, -1], ended)


def _behind(log: StepLog, symbol: Ints, new: dict[str, Ints]) -> tuple[StepLog, Ints]:
    """New steps behind the remembered ones of the symbols that have any, and where they are."""
    moved, count = np.unique(symbol, return_counts=True)
    begin = np.cumsum(np.append(0, count + KEPT))[:-1]
    within = np.arange(len(symbol)) - np.repeat(np.cumsum(np.append(0, count))[:-1], count)
    at = np.repeat(begin + KEPT, count) + within
    kept = (begin[:, None] + np.arange(KEPT)).ravel()
    columns = {}
    for name in _FIELDS:
        column = np.zeros(len(symbol) + len(moved) * KEPT, np.int64)
        column[kept] = getattr(log, name)[moved].ravel()
        column[at] = new[name]
        columns[name] = column
    return StepLog(**columns), at


def _kept(old: StepLog, log: StepLog, at: Ints, symbol: Ints) -> StepLog:
    """The remembered steps after those of `log`, found at `at`."""
    last = np.append(np.diff(symbol) != 0, True)
    rows = at[last][:, None] + np.arange(1 - KEPT, 1)
    columns = {}
    for name in _FIELDS:
        column = getattr(old, name).copy()
        column[symbol[last]] = getattr(log, name)[rows]
        columns[name] = column
    return StepLog(**columns)
