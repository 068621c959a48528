"""The common indicators of preset trading: which run, on what bars, with which parameters."""

from dataclasses import dataclass
from decimal import Decimal

from engine.errors import InvalidSettingError
from engine.setting import Effect, Tab

START = Tab("preset", Effect.START)
TICK = Tab("preset", Effect.TICK)


@dataclass(frozen=True, kw_only=True)
class PresetSettings:
    """Each line: default, key, range, what it means; the word before says when it counts."""

    preset_timeframe_s: str = START.choice(
        "60", "presetTimeframe", "1 | 5 | 15 | 30 | 60 | 300", "Bars of the indicators, in seconds."
    )
    preset_min_bars: int = START.whole(
        50, "presetMinBars", "1 .. 500 by 1 bars", "Bars a symbol needs before its first signal."
    )
    preset_confluence: int = TICK.whole(
        2, "presetConfluence", "1 .. 8 by 1", "Indicators that must agree on an entry."
    )
    preset_min_strength: Decimal = TICK.decimal(
        "0.5", "presetMinStrength", "0 .. 1 by 0.05", "Strength of a side, over all signals."
    )
    preset_max_configurations: int = START.whole(
        500, "presetMaxConfigurations", "1 .. 500 by 1", "Parameter combinations, sampled evenly."
    )
    rsi_enabled: bool = START.switch(True, "rsiEnabled", "Relative strength index.")
    rsi_periods: tuple[int, ...] = START.wholes(
        "14", "rsiPeriods", "7 .. 21 by 1 bars", "Changes its averages run over."
    )
    rsi_oversold: tuple[int, ...] = START.wholes(
        "30", "rsiOversold", "15 .. 45 by 5", "Below this it is long."
    )
    rsi_overbought: tuple[int, ...] = START.wholes(
        "70", "rsiOverbought", "55 .. 85 by 5", "Above this it is short."
    )
    macd_enabled: bool = START.switch(True, "macdEnabled", "Convergence and divergence.")
    macd_fast: tuple[int, ...] = START.wholes(
        "12", "macdFast", "6 .. 18 by 2 bars", "Fast average; below the slow one."
    )
    macd_slow: tuple[int, ...] = START.wholes(
        "26", "macdSlow", "13 .. 39 by 2 bars", "Slow average."
    )
    macd_signal: tuple[int, ...] = START.wholes(
        "9", "macdSignal", "5 .. 13 by 1 bars", "Average of their difference."
    )
    macd_cross_strength: Decimal = START.decimal(
        "1", "macdCrossStrength", "0 .. 1 by 0.1", "Least strength where the histogram turns sign."
    )
    cross_full_pct: Decimal = START.decimal(
        "0.1", "crossFullPercent", "0.01 .. 5 by 0.01 %", "MACD or average distance of strength 1."
    )
    bollinger_enabled: bool = START.switch(True, "bollingerEnabled", "Bollinger bands.")
    bollinger_periods: tuple[int, ...] = START.wholes(
        "20", "bollingerPeriods", "10 .. 30 by 2 bars", "Bars of the mean."
    )
    bollinger_sigmas: tuple[Decimal, ...] = START.decimals(
        "2", "bollingerSigmas", "1 .. 3 by 0.5", "Deviations from the mean to a band."
    )
    bollinger_edge: Decimal = START.decimal(
        "0.2", "bollingerEdge", "0.05 .. 0.5 by 0.05", "Share of the bands that is near a band."
    )
    sar_enabled: bool = START.switch(False, "sarEnabled", "Parabolic stop and reverse.")
    sar_accelerations: tuple[Decimal, ...] = START.decimals(
        "0.02", "sarAccelerations", "0.01 .. 0.03 by 0.005", "First factor, and each step of it."
    )
    sar_maxima: tuple[Decimal, ...] = START.decimals(
        "0.2", "sarMaxima", "0.1 .. 0.3 by 0.05", "Largest factor."
    )
    sar_full_pct: Decimal = START.decimal(
        "10", "sarFullPercent", "0.1 .. 20 by 0.1 %", "Distance from the price of strength 1."
    )
    adx_enabled: bool = START.switch(True, "adxEnabled", "Average directional index.")
    adx_periods: tuple[int, ...] = START.wholes(
        "14", "adxPeriods", "7 .. 21 by 1 bars", "Bars its averages run over."
    )
    adx_thresholds: tuple[int, ...] = START.wholes(
        "25", "adxThresholds", "13 .. 37 by 2", "Below this a trend is no signal."
    )
    adx_full: Decimal = START.decimal("50", "adxFull", "10 .. 100 by 5", "Index of strength 1.")
    ema_enabled: bool = START.switch(True, "emaEnabled", "Cross of exponential averages.")
    ema_short: tuple[int, ...] = START.wholes(
        "9", "emaShort", "5 .. 13 by 1 bars", "Fast average; below the slow one."
    )
    ema_long: tuple[int, ...] = START.wholes("21", "emaLong", "11 .. 31 by 2 bars", "Slow average.")
    sma_enabled: bool = START.switch(True, "smaEnabled", "Cross of simple averages.")
    sma_short: tuple[int, ...] = START.wholes(
        "10", "smaShort", "5 .. 15 by 1 bars", "Fast average."
    )
    sma_long: tuple[int, ...] = START.wholes("50", "smaLong", "25 .. 75 by 5 bars", "Slow average.")
    stochastic_enabled: bool = START.switch(True, "stochasticEnabled", "Slow stochastic.")
    stochastic_k: tuple[int, ...] = START.wholes(
        "14", "stochasticK", "7 .. 21 by 1 bars", "Bars of its range."
    )
    stochastic_d: tuple[int, ...] = START.wholes(
        "3", "stochasticD", "2 .. 4 by 1 bars", "Mean of %K that is %D."
    )
    stochastic_slowing: tuple[int, ...] = START.wholes(
        "3", "stochasticSlowing", "2 .. 4 by 1 bars", "Mean of the raw value that is %K."
    )
    stochastic_oversold: int = START.whole(
        20, "stochasticOversold", "5 .. 45 by 5", "Below this it is long, with %K above %D."
    )
    stochastic_overbought: int = START.whole(
        80, "stochasticOverbought", "55 .. 95 by 5", "Above this it is short, with %K below %D."
    )
    atr_enabled: bool = START.switch(True, "atrEnabled", "Average true range, as a filter.")
    atr_periods: tuple[int, ...] = START.wholes(
        "14", "atrPeriods", "7 .. 21 by 1 bars", "Bars of its average."
    )
    atr_multipliers: tuple[Decimal, ...] = START.decimals(
        "1.5", "atrMultiplier", "1 .. 3 by 0.5", "So many ranges must cover the position cost."
    )


def check_preset(settings: PresetSettings) -> None:
    """Of averages that cross, one must be able to be the fast one.

    Raises
    ------
    InvalidSettingError
        Naming the two keys and what they hold.
    """
    pairs = (
        ("macdFast", settings.macd_fast, "macdSlow", settings.macd_slow),
        ("emaShort", settings.ema_short, "emaLong", settings.ema_long),
    )
    for fast_key, fast, slow_key, slow in pairs:
        if min(fast) >= max(slow):
            raise InvalidSettingError(
                f"{fast_key} must hold a value below one of {slow_key}, were {min(fast)} or more "
                f"and {max(slow)} or less"
            )
