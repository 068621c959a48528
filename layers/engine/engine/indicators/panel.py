"""Which indicators a family of configurations needs: each distinct one is computed once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from engine.indicators.adx import Adx
from engine.indicators.averages import Ema, Sma
from engine.indicators.bars import Bars, Floats
from engine.indicators.bollinger import Bollinger
from engine.indicators.configurations import IndicatorKind, Parameters, PresetConfiguration
from engine.indicators.macd import Macd
from engine.indicators.ranges import Atr
from engine.indicators.rsi import Rsi
from engine.indicators.sar import Sar
from engine.indicators.stochastic import Stochastic
from engine.market import Ints


class Indicator(Protocol):
    """The one shape of all indicators; a carry and its outputs belong to their indicator."""

    def fresh(self, symbols: int) -> Any: ...

    def advance(self, carry: Any, bars: Bars) -> tuple[Any, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """R distinct parameter sets of one kind, and the indicator that serves them.

    Attributes
    ----------
    kind : IndicatorKind
    indicator : Indicator
    values : (R, n) float64
        The parameters.
    lanes : (n, R) int64
        Which outputs of the indicator each rule looks at; n is 2 for crosses of averages, else 1.
    of : (C,) int64
        The rule of each configuration.
    """

    kind: IndicatorKind
    indicator: Indicator
    values: Floats
    lanes: Ints
    of: Ints


def rules_of(configurations: Sequence[PresetConfiguration]) -> tuple[Rules, ...]:
    """The rules of each kind the configurations hold; all of them hold the same kinds."""
    if not configurations:
        return ()
    kinds = [kind for kind, _ in configurations[0].parameters]
    columns = zip(*(each.parameters for each in configurations), strict=True)
    return tuple(
        _rules(kind, [values for _, values in column])
        for kind, column in zip(kinds, columns, strict=True)
    )


def _rules(kind: IndicatorKind, chosen: list[Parameters]) -> Rules:
    distinct = sorted(set(chosen))
    place = {values: number for number, values in enumerate(distinct)}
    indicator, lanes = _served(kind, distinct)
    return Rules(
        kind=kind,
        indicator=indicator,
        values=np.array(distinct, np.float64),
        lanes=np.array(lanes, np.int64),
        of=np.array([place[values] for values in chosen], np.int64),
    )


def _served(kind: IndicatorKind, rules: list[Parameters]) -> tuple[Indicator, list[list[int]]]:
    """An indicator with a lane for each distinct computation, and the lanes of every rule."""
    if kind is IndicatorKind.MACD:
        return Macd(tuple((int(f), int(s), int(n)) for f, s, n in rules)), [_numbered(rules)]
    if kind is IndicatorKind.STOCHASTIC:
        return Stochastic(tuple((int(k), int(d), int(n)) for k, d, n in rules)), [_numbered(rules)]
    if kind is IndicatorKind.SAR:
        return Sar(tuple((float(step), float(most)) for step, most in rules)), [_numbered(rules)]
    if kind in (IndicatorKind.EMA, IndicatorKind.SMA):
        periods = _distinct(value for rule in rules for value in rule)
        lanes = [[periods.index(int(rule[end])) for rule in rules] for end in (0, 1)]
        return _OVER_PERIODS[kind](periods), lanes
    periods = _distinct(rule[0] for rule in rules)
    return _OVER_PERIODS[kind](periods), [[periods.index(int(rule[0])) for rule in rules]]


_OVER_PERIODS: dict[IndicatorKind, Callable[[tuple[int, ...]], Indicator]] = {
    IndicatorKind.RSI: Rsi,
    IndicatorKind.BOLLINGER: Bollinger,
    IndicatorKind.ADX: Adx,
    IndicatorKind.EMA: Ema,
    IndicatorKind.SMA: Sma,
    IndicatorKind.ATR: Atr,
}


def _distinct(values: Iterable[Any]) -> tuple[int, ...]:
    return tuple(sorted({int(value) for value in values}))


def _numbered(rules: list[Parameters]) -> list[int]:
    return list(range(len(rules)))
