"""Preset configurations: which parameter sets of the enabled indicators are tried together."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import product

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
    choices = [(kind, sets) for kind, sets in _choices(settings).items() if sets]
    if all(kind is IndicatorKind.ATR for kind, _ in choices):
        return ()
    sizes = [len(sets) for _, sets in choices]
    return tuple(
        PresetConfiguration(
            parameters=tuple(
                (kind, sets[digit]) for (kind, sets), digit in zip(choices, digits, strict=True)
            )
        )
        for digits in spread_digits(sizes, settings.preset_max_configurations)
    )


def spread_digits(sizes: Sequence[int], most: int) -> list[tuple[int, ...]]:
    """Up to `most` different numbers of the mixed radix `sizes`, spread evenly, as digits.

    All of them in their order if they are no more. Else multiples of a step prime to their count
    and near its golden section: no number comes twice, and every digit takes all its values.
    """
    total = math.prod(sizes)
    step = 1
    if total > most:
        step = max(1, total * 618_033_989 // 1_000_000_000)
        while math.gcd(step, total) != 1:
            step += 1
    return [_digits(number * step % total, sizes) for number in range(min(total, most))]


def _digits(number: int, sizes: Sequence[int]) -> tuple[int, ...]:
    digits = []
    for size in reversed(sizes):
        number, digit = divmod(number, size)
        digits.append(digit)
    return tuple(reversed(digits))


def _choices(settings: Settings) -> dict[IndicatorKind, list[Parameters]]:
    """Parameter sets of each indicator; none of one that is not enabled."""
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
    return {kind: _sets(kind, lists) if on else [] for kind, (on, lists) in listed.items()}


_RISING = (IndicatorKind.MACD, IndicatorKind.EMA, IndicatorKind.SMA)


def _sets(kind: IndicatorKind, lists: tuple[Sequence[int | Decimal], ...]) -> list[Parameters]:
    """The product of the lists; a fast average must be faster than the slow one."""
    values = [sorted({Decimal(each) for each in one}) for one in lists]
    return [each for each in product(*values) if kind not in _RISING or each[0] < each[1]]
