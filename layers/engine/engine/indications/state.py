"""What the indications of some symbols remember between two calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.indications.steps import StepState
from engine.indications.thinned import Thinned
from engine.indicators.state import preset_fingerprint
from engine.market import Ints
from engine.settings import Settings
from engine.values import plain

Arrays = Mapping[str, NDArray[Any]]

_PRICES = ("close", "high", "low")
_PRESET = "preset."


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicationState:
    """What indications of S symbols remember.

    Attributes
    ----------
    steps : StepState
    span_ms, at_ms (H,) : span and close times of the remembered candles.
    close, high, low : (H, S) int64, gaps filled with the last known price.
    validated_ms : (S, J) int64, last accepted signal of each slot, 0 before the first.
    awake : (S,) bool, whether the market of a symbol is active.
    thinned, minutes : prices of longer windows; empty where no slot needs them.
    preset : (S, ...) arrays of the common indicators; empty where no slot needs them, or before
        the first candle.
    """

    steps: StepState
    span_ms: int
    at_ms: Ints
    close: Ints
    high: Ints
    low: Ints
    validated_ms: Ints
    awake: NDArray[np.bool_]
    thinned: Thinned
    minutes: Thinned
    preset: Arrays

    @staticmethod
    def fresh(symbols: int, slots: int) -> "IndicationState":
        nothing = np.zeros((0, symbols), np.int64)
        return IndicationState(
            steps=StepState.fresh(symbols),
            span_ms=0,
            at_ms=np.zeros(0, np.int64),
            close=nothing,
            high=nothing,
            low=nothing,
            validated_ms=np.zeros((symbols, slots), np.int64),
            awake=np.zeros(symbols, np.bool_),
            thinned=Thinned.fresh(symbols),
            minutes=Thinned.fresh(symbols),
            preset={},
        )

    def select(self, columns: Ints) -> "IndicationState":
        """The state of these symbols alone, in this order."""
        return replace(
            self,
            steps=self.steps.select(columns),
            validated_ms=self.validated_ms[columns],
            close=self.close[:, columns],
            high=self.high[:, columns],
            low=self.low[:, columns],
            awake=self.awake[columns],
            thinned=self.thinned.select(columns),
            minutes=self.minutes.select(columns),
            preset={name: array[columns] for name, array in self.preset.items()},
        )

    @staticmethod
    def join(states: "Sequence[IndicationState]") -> "IndicationState":
        """States of different symbols as one; those that began later know no earlier prices."""
        longest = max(states, key=lambda state: len(state.at_ms)).at_ms

        def prices(name: str) -> Ints:
            columns = [getattr(state, name) for state in states]
            return np.hstack([np.pad(c, ((len(longest) - len(c), 0), (0, 0))) for c in columns])

        names = states[0].preset
        return replace(
            states[0],
            steps=StepState.join([state.steps for state in states]),
            validated_ms=np.concatenate([state.validated_ms for state in states]),
            at_ms=longest,
            close=prices("close"),
            high=prices("high"),
            low=prices("low"),
            awake=np.concatenate([state.awake for state in states]),
            thinned=Thinned.join([state.thinned for state in states]),
            minutes=Thinned.join([state.minutes for state in states]),
            preset={n: np.concatenate([state.preset[n] for state in states]) for n in names},
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything but the span, by name; `of_arrays` undoes it."""
        own = {name: getattr(self, name) for name in (*_PRICES, "validated_ms", "awake")}
        longer = self.thinned.arrays("thinned") | self.minutes.arrays("minutes")
        preset = {_PRESET + name: array for name, array in self.preset.items()}
        at_ms = np.diff(self.at_ms, prepend=0)
        return own | self.steps.arrays() | longer | preset | {"at_ms": at_ms}

    @staticmethod
    def of_arrays(arrays: Arrays, span_ms: int) -> "IndicationState":
        """The state `arrays` were taken of."""
        own = {name: arrays[name] for name in (*_PRICES, "validated_ms", "awake")}
        ahead = len(_PRESET)
        return IndicationState(
            steps=StepState.of_arrays(arrays),
            span_ms=span_ms,
            at_ms=np.cumsum(arrays["at_ms"]),
            thinned=Thinned.of_arrays(arrays, "thinned"),
            minutes=Thinned.of_arrays(arrays, "minutes"),
            preset={n[ahead:]: each for n, each in arrays.items() if n.startswith(_PRESET)},
            **own,
        )


def kept_under(settings: Settings) -> str:
    """Names the settings that what indications remember depends on."""
    s = settings
    steps = f"{s.step_mode}|{plain(s.position_cost_pct)}|{plain(s.step_size_factor)}"
    windows = f"{s.active_window_s}|{s.max_calculation_s}|{s.market_activity_s}"
    preset = preset_fingerprint((), settings)
    return f"{steps}|{windows}|{s.active_advanced_samples}|{preset}"
