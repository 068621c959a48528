"""What preset signals remember from candle to candle, and what they depend on."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.errors import CorruptStateError
from engine.indicators import carry
from engine.indicators.carry import Array
from engine.indicators.configurations import PresetConfiguration
from engine.indicators.panel import Rules, rules_of
from engine.indicators.timeframe import OpenBar
from engine.market import Ints
from engine.settings import Settings


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


def _of(group: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    ahead = f"{group}."
    return {name[len(ahead) :]: each for name, each in arrays.items() if name.startswith(ahead)}
