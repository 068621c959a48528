"""What counts as a signal."""

from dataclasses import dataclass
from decimal import Decimal

from engine.setting import Effect, Tab

START = Tab("indication", Effect.START)
TICK = Tab("indication", Effect.TICK)


@dataclass(frozen=True, kw_only=True)
class IndicationSettings:
    """Each line: default, key, range, what it means; the word before says when it counts."""

    step_mode: str = START.choice(
        "cost",
        "stepMode",
        "cost | time | window",
        "What Direction and Move count: cost steps, candles, or no steps but means of windows.",
    )
    step_size_factor: Decimal = START.decimal(
        "1", "stepSizeFactor", "0.1 .. 5 by 0.05", "Size of a cost step in position costs."
    )
    direction_enabled: bool = START.switch(
        True, "directionEnabled", "Reversals after a straight run."
    )
    move_enabled: bool = START.switch(True, "moveEnabled", "Continuations of a straight run.")
    active_enabled: bool = START.switch(
        True, "activeEnabled", "Moves past a threshold in a window."
    )
    grid_ranges: tuple[int, ...] = START.wholes(
        "3 5 8 12 15 20 25 30", "gridRanges", "3 .. 30 steps", "Ranges N of Direction and Move."
    )
    activity_enabled: bool = START.switch(
        False, "activityEnabled", "Windows in which enough samples move one way."
    )
    optimal_enabled: bool = START.switch(
        False, "optimalEnabled", "Direction of proven Sets that no other indication contradicts."
    )
    optimal_source: str = TICK.choice(
        "direction", "optimalSource", "direction | move", "Which rule Optimal takes its legs from."
    )
    active_advanced_enabled: bool = START.switch(
        False, "activeAdvancedEnabled", "Moves away from the mean of minutes that go on."
    )
    auto_enabled: bool = START.switch(
        False, "autoEnabled", "Moves in line with the trends of up to eight hours."
    )
    direction_confirm_ratio: Decimal = TICK.decimal(
        "0.2", "directionConfirmRatio", "0.05 .. 1 by 0.05", "Opposite steps, of N, that confirm."
    )
    move_seconds_per_range: int = TICK.whole(
        20, "moveSecondsPerStep", "1 .. 600 by 1 s", "A run of N steps may last N times this long."
    )
    direction_threshold_pct: Decimal = TICK.decimal(
        "0.5", "directionThreshold", "0 .. 5 by 0.1 %", "Change of Direction in step mode window."
    )
    move_threshold_pct: Decimal = TICK.decimal(
        "0.3", "moveThreshold", "0 .. 5 by 0.1 %", "Change of Move in step modes time and window."
    )
    move_real_share: Decimal = TICK.decimal(
        "0.6", "moveRealShare", "0.1 .. 1 by 0.05", "Share of candles that move, in mode time."
    )
    active_thresholds_pct: tuple[Decimal, ...] = START.decimals(
        "0.5 1.0 1.5 2.0 2.5", "activeThresholds", "0.1 .. 10 %", "Changes that count as active."
    )
    active_window_s: int = START.whole(
        60, "activeWindowSeconds", "1 .. 600 by 1 s", "Window of Active."
    )
    drawdown_ratio: Decimal = TICK.decimal(
        "0.3", "drawdownRatio", "0.1 .. 0.5 by 0.1", "Give-back allowed from a leg's best price."
    )
    market_change_range: int = TICK.whole(
        3, "marketChangeRange", "1 .. 10 by 1", "Index of the average change a leg needs, 1 to 10."
    )
    market_change_norm_s: int = TICK.whole(
        10, "marketChangeNormSeconds", "1 .. 60 by 1 s", "Span the average change is given for."
    )
    last_part_ratio: Decimal = TICK.decimal(
        "1.5", "lastPartRatioFactor", "1.0 .. 2.5 by 0.5", "How much faster the last part must be."
    )
    last_part_share: Decimal = TICK.decimal(
        "0.2", "lastPartRatio", "0.1 .. 0.5 by 0.05", "Share of the leg that is its last part."
    )
    min_calculation_s: int = TICK.whole(
        3, "minCalculationTime", "1 .. 60 by 1 s", "Shortest leg the filters accept."
    )
    max_calculation_s: int = START.whole(
        60, "maxCalculationTime", "10 .. 600 by 10 s", "Longest window of the market change."
    )
    market_activity_enabled: bool = TICK.switch(
        True, "marketActivityEnabled", "Whether a quiet market gives no signals."
    )
    market_activity_s: int = START.whole(
        10, "marketActivityCalculationRange", "5 .. 20 by 1 s", "Window of the market's activity."
    )
    market_activity_factor: int = TICK.whole(
        2,
        "marketActivityPositionCostRatio",
        "1 .. 20 by 1",
        "Mean change in a second that wakes a symbol, in twentieths of the position cost.",
    )
    market_activity_release: Decimal = TICK.decimal(
        "0.7",
        "marketActivityDeactivation",
        "0.1 .. 1 by 0.05",
        "Share of that change below which it sleeps again.",
    )
    market_activity_volatility_pct: Decimal = TICK.decimal(
        "0",
        "marketActivityMinVolatility",
        "0 .. 1 by 0.001 %",
        "Deviation of the changes that wakes it, too.",
    )
    market_activity_change_pct: Decimal = TICK.decimal(
        "0",
        "marketActivityMinPriceChange",
        "0 .. 5 by 0.01 %",
        "Change over the window that wakes it, too.",
    )
    active_advanced_continuation: Decimal = TICK.decimal(
        "0.6", "activeAdvancedContinuation", "0 .. 2 by 0.1", "Least pace of the last part."
    )
    active_advanced_volatility_pct: Decimal = TICK.decimal(
        "0.1", "activeAdvancedMinVolatility", "0 .. 5 by 0.05 %", "Least deviation in the window."
    )
    active_advanced_decline_pct: Decimal = TICK.decimal(
        "5", "activeAdvancedMaxDrawdown", "0.5 .. 50 by 0.5 %", "Widest range of the window."
    )
    active_advanced_samples: int = START.whole(
        10, "activeAdvancedMinSamples", "3 .. 100 by 1", "Samples of history it needs."
    )
    auto_history_min: int = START.whole(
        100, "autoMinHistory", "60 .. 480 by 10 min", "History Auto needs, of its eight hours."
    )
    auto_trend_pct: Decimal = TICK.decimal(
        "0.3", "autoTrendChange", "0.1 .. 5 by 0.1 %", "Change of a frame that is a trend."
    )
    auto_activity_pct: Decimal = TICK.decimal(
        "0.5", "autoActivity", "0.01 .. 5 by 0.01 %", "Mean change a minute that needs no trends."
    )
    auto_progression_pct: Decimal = TICK.decimal(
        "0.5", "autoStepProgression", "0 .. 10 by 0.1 %", "Least way gone times its one-sidedness."
    )
    auto_noise_pct: Decimal = TICK.decimal(
        "0.01", "autoNoise", "0 .. 1 by 0.01 %", "Changes up to this are no step on that way."
    )
    auto_min_volatility_pct: Decimal = TICK.decimal(
        "0.1", "autoMinVolatility", "0 .. 5 by 0.1 %", "Least deviation of an hour."
    )
    auto_max_volatility_pct: Decimal = TICK.decimal(
        "3", "autoMaxVolatility", "0.5 .. 20 by 0.5 %", "Largest deviation of an hour."
    )
    auto_momentum_pct: Decimal = TICK.decimal(
        "0.5", "autoMomentum", "0.1 .. 10 by 0.1 %", "Momentum of eight hours that names a side."
    )
    auto_trail_start: Decimal = TICK.decimal(
        "0.5", "autoTrailStart", "0.1 .. 2 by 0.1", "Trailing start, times volatility."
    )
    auto_trail_stop: Decimal = TICK.decimal(
        "0.2", "autoTrailStop", "0.1 .. 2 by 0.1", "Trailing stop, times volatility."
    )
    auto_min_profit_factor: Decimal = TICK.decimal(
        "0.6", "autoMinProfitFactor", "0.1 .. 2 by 0.1", "Mean result of Auto Sets that earn."
    )
    auto_min_success: Decimal = TICK.decimal(
        "0.5", "autoMinSuccess", "0.1 .. 1 by 0.05", "Share of wins Auto uses Block from."
    )
    auto_situation_success: Decimal = TICK.decimal(
        "0.45", "autoSituationSuccess", "0.1 .. 1 by 0.05", "Share of wins that does as well."
    )
    auto_level_activity_pct: Decimal = TICK.decimal(
        "0.3", "autoLevelActivity", "0.01 .. 5 by 0.01 %", "Mean change Auto uses Level from."
    )
    auto_ladder_volatility_pct: Decimal = TICK.decimal(
        "0.5", "autoLadderVolatility", "0.1 .. 10 by 0.1 %", "Deviation Auto uses DCA from."
    )
