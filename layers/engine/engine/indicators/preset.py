"""Preset signals: candles in, confluences of common indicators out, and the state in between."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import CorruptStateError
from engine.indicators import carry
from engine.indicators.bars import Bars
from engine.indicators.carry import Array
from engine.indicators.configurations import PresetConfiguration
from engine.indicators.confluence import REFUSALS, SIGNAL, SILENT, Verdict, decide
from engine.indicators.panel import Rules, rules_of
from engine.indicators.timeframe import ClosedBars, OpenBar, closed_bars
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
        ("agreeing", np.int64),  # indicators on that side
        ("price", np.int64),  # the close, ticks
    ]
)
"""A preset signal, sorted by (bar, symbol, configuration)."""

_BLOCK_CELLS = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetState:
    """What the indicators of S symbols remember.

    `configurations` and their `rules` are the same for every symbol; `seen` (S,) counts known
    bars; `carries` holds one carry for each of the rules.
    """

    configurations: tuple[PresetConfiguration, ...]
    rules: tuple[Rules, ...]
    open_bar: OpenBar
    seen: Ints
    carries: tuple[Any, ...]

    @staticmethod
    def fresh(symbols: int, configurations: Sequence[PresetConfiguration]) -> "PresetState":
        rules = rules_of(configurations)
        return PresetState(
            configurations=tuple(configurations),
            rules=rules,
            open_bar=OpenBar.fresh(symbols),
            seen=np.zeros(symbols, np.int64),
            carries=tuple(each.indicator.fresh(symbols) for each in rules),
        )

    def select(self, columns: Ints) -> "PresetState":
        """The state of these symbols alone, in this order."""
        return replace(
            self,
            open_bar=carry.select(self.open_bar, columns),
            seen=self.seen[columns],
            carries=tuple(carry.select(each, columns) for each in self.carries),
        )

    @staticmethod
    def join(states: Sequence["PresetState"]) -> "PresetState":
        """States of different symbols as one.

        Raises
        ------
        CorruptStateError
            If their configurations differ.
        """
        first = states[0]
        if any(state.configurations != first.configurations for state in states):
            raise CorruptStateError("preset states of different configurations do not join")
        return replace(
            first,
            open_bar=carry.join([state.open_bar for state in states]),
            seen=np.concatenate([state.seen for state in states]),
            carries=tuple(
                carry.join(each) for each in zip(*(state.carries for state in states), strict=True)
            ),
        )

    def arrays(self) -> dict[str, Array]:
        """All it remembers as (S, ...) arrays by name."""
        arrays = {f"open_bar.{name}": array for name, array in carry.parts(self.open_bar)}
        for rules, each in zip(self.rules, self.carries, strict=True):
            arrays |= {f"{rules.kind}.{name}": array for name, array in carry.parts(each)}
        return {"seen": self.seen, **arrays}

    def restored(self, arrays: Mapping[str, Array]) -> "PresetState":
        """The same state with what `arrays` gave back.

        Raises
        ------
        CorruptStateError
            If an array is missing, or of another shape or type.
        """
        seen = arrays.get("seen")
        if seen is None or (seen.shape, seen.dtype) != (self.seen.shape, self.seen.dtype):
            raise CorruptStateError("seen bars of the preset state are missing or misshapen")
        return replace(
            self,
            open_bar=carry.restored(self.open_bar, _of("open_bar", arrays)),
            seen=seen,
            carries=tuple(
                carry.restored(each, _of(rules.kind, arrays))
                for rules, each in zip(self.rules, self.carries, strict=True)
            ),
        )


def preset_fingerprint(configurations: Sequence[PresetConfiguration], settings: Settings) -> str:
    """Names everything their signals depend on that counts from an engine's start on."""
    s = settings
    text = [each.text for each in configurations]
    text += [f"{s.preset_timeframe_s}|{s.preset_min_bars}|{s.macd_cross_strength}"]
    text += [f"{s.cross_full_pct}|{s.sar_full_pct}|{s.adx_full}|{s.bollinger_edge}"]
    text += [f"{s.stochastic_oversold}|{s.stochastic_overbought}|{s.position_cost_pct}"]
    return hashlib.sha256("\n".join(text).encode()).hexdigest()[:16]


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
    signals["sign"], signals["agreeing"] = verdict.sign[where], verdict.agreeing[where]
    signals["strength"] = verdict.strong[where] // verdict.signals[where]
    if bars.even:  # already in order
        return signals
    return signals[np.lexsort((configuration, symbol, bar))]


def _of(group: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    ahead = f"{group}."
    return {name[len(ahead) :]: each for name, each in arrays.items() if name.startswith(ahead)}
