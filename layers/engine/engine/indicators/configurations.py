"""Preset configurations: which parameter sets of the enabled indicators are tried together."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import count, islice, product

from engine.settings import Settings
from engine.values import plain

Parameters = tuple[Decimal, ...]


class IndicatorKind(StrEnum):
    """A common indicator; what its parameters are, in order."""

    RSI = "rsi"  # period, oversold, overbought
    MACD = "macd"  # fast, slow, signal
    BOLLINGER = "bb"  # period, deviations
    SAR = "sar"  # acceleration, maximum
    ADX = "adx"  # period, threshold
    EMA = "ema"  # short, long
    SMA = "sma"  # short, long
    STOCHASTIC = "sto"  # k, d, slowing
    ATR = "atr"  # period, multiplier


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetConfiguration:
    """One parameter set of each enabled indicator, in the order of `IndicatorKind`."""

    parameters: tuple[tuple[IndicatorKind, Parameters], ...]

    @property
    def text(self) -> str:
        """Its identity, like `rsi14/30/70 macd12/26/9`."""
        return " ".join(
            f"{kind}{'/'.join(plain(value) for value in values)}"
            for kind, values in self.parameters
        )


def preset_configurations(settings: Settings) -> tuple[PresetConfiguration, ...]:
    """Every combination of the parameter lists of the enabled indicators, up to the cap.

    A product past `presetMaxConfigurations` is sampled evenly, without walking it. There is no
    configuration if no indicator that gives signals is enabled.
    """
    lists = _enabled(settings)
    if all(kind is IndicatorKind.ATR for kind in lists):
        return ()
    sets = {
        kind: [each for each in product(*of) if _fits(kind, each)] for kind, of in lists.items()
    }
    most = settings.preset_max_configurations
    few = math.prod(map(len, sets.values())) <= most
    combined = list(product(*sets.values())) if few else _sampled(lists, most)
    return tuple(
        PresetConfiguration(parameters=tuple(zip(lists, each, strict=True))) for each in combined
    )


def spread_digits(sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Numbers of the mixed radix `sizes`, as digits, without an end; some come more than once.

    Any stretch of them takes all values of every digit about equally often, and all pairs, and so
    on: each digit goes around its circle by the root of a prime of its own.
    """
    turns = [math.isqrt(prime << 128) % _CIRCLE for prime in _PRIMES[: len(sizes)]]
    for number in count():
        yield tuple(
            number * turn % _CIRCLE * size >> 64 for turn, size in zip(turns, sizes, strict=True)
        )


_CIRCLE = 1 << 64
_PRIMES = (
    2,
    3,
    5,
    7,
    11,
    13,
    17,
    19,
    23,
    29,
    31,
    37,
    41,
    43,
    47,
    53,
    59,
    61,
    67,
    71,
    73,
    79,
    83,
    89,
)

_Lists = dict[IndicatorKind, tuple[list[Decimal], ...]]


def _sampled(lists: _Lists, most: int) -> list[tuple[Parameters, ...]]:
    """`most` different combinations, fewer than there are."""
    flat = [each for of in lists.values() for each in of]
    chosen: dict[tuple[Parameters, ...], None] = {}
    for digits in spread_digits([len(each) for each in flat]):
        values = iter([each[digit] for each, digit in zip(flat, digits, strict=True)])
        sets = tuple(tuple(islice(values, len(of))) for of in lists.values())
        if all(_fits(kind, each) for kind, each in zip(lists, sets, strict=True)):
            chosen[sets] = None
        if len(chosen) == most:
            break
    return list(chosen)


def _enabled(settings: Settings) -> _Lists:
    """The parameter lists of each enabled indicator, each value once, rising."""
    s = settings
    listed: dict[IndicatorKind, tuple[bool, tuple[Sequence[int | Decimal], ...]]] = {
        IndicatorKind.RSI: (s.rsi_enabled, (s.rsi_periods, s.rsi_oversold, s.rsi_overbought)),
        IndicatorKind.MACD: (s.macd_enabled, (s.macd_fast, s.macd_slow, s.macd_signal)),
        IndicatorKind.BOLLINGER: (s.bollinger_enabled, (s.bollinger_periods, s.bollinger_sigmas)),
        IndicatorKind.SAR: (s.sar_enabled, (s.sar_accelerations, s.sar_maxima)),
        IndicatorKind.ADX: (s.adx_enabled, (s.adx_periods, s.adx_thresholds)),
        IndicatorKind.EMA: (s.ema_enabled, (s.ema_short, s.ema_long)),
        IndicatorKind.SMA: (s.sma_enabled, (s.sma_short, s.sma_long)),
        IndicatorKind.STOCHASTIC: (
            s.stochastic_enabled,
            (s.stochastic_k, s.stochastic_d, s.stochastic_slowing),
        ),
        IndicatorKind.ATR: (s.atr_enabled, (s.atr_periods, s.atr_multipliers)),
    }
    return {
        kind: tuple(sorted({Decimal(each) for each in one}) for one in of)
        for kind, (on, of) in listed.items()
        if on
    }


_CROSSING = (IndicatorKind.MACD, IndicatorKind.EMA, IndicatorKind.SMA)


def _fits(kind: IndicatorKind, values: Parameters) -> bool:
    """A fast average must be faster than the slow one."""
    return kind not in _CROSSING or values[0] < values[1]
