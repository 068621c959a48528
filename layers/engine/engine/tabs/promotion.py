"""What a Set must have earned: its phases, and its way from Base to the exchange."""

from dataclasses import dataclass
from decimal import Decimal

from engine.setting import Effect, Tab

TICK = Tab("strategy", Effect.TICK)


@dataclass(frozen=True, kw_only=True)
class PromotionSettings:
    """Each line: default, key, range, what it means; the word before says when it counts."""

    first_win_pct: int = TICK.whole(
        40, "initialWinPercent", "10 .. 90 by 1 %", "Wins of the first 10 results, or it fails."
    )
    second_win_pct: int = TICK.whole(
        45, "expandedWinPercent", "10 .. 90 by 1 %", "Wins of the first 50, or it pauses."
    )
    second_win_to_loss: Decimal = TICK.decimal(
        "1.2", "expandedProfitRatio", "0.5 .. 5 by 0.1", "Average win over average loss at 50."
    )
    pause_win_pct: int = TICK.whole(
        38, "pauseWinPercent", "10 .. 90 by 1 %", "Wins of the last 50 below which a Set pauses."
    )
    resume_win_pct: int = TICK.whole(
        43, "resumeWinPercent", "10 .. 90 by 1 %", "Wins of the last 50 that end a pause."
    )
    pause_drawdown_pct: int = TICK.whole(
        30, "pauseDrawdownPercent", "5 .. 100 by 5 %", "Fall from the peak, of the gains, allowed."
    )
    set_drawdown_ratio: Decimal = TICK.decimal(
        "0.3", "setDrawdownRatio", "0.1 .. 1 by 0.1", "Gains given back past which it is a shadow."
    )
    failed_retry_h: int = TICK.whole(
        24, "failedRetryHours", "1 .. 168 by 1 h", "Rest of a failed Set before it begins anew."
    )
    base_min_avg_r: Decimal = TICK.decimal(
        "0.4", "baseProfitFactor", "0.1 .. 2 by 0.1 position costs", "Average to stay a Base Set."
    )
    preset_base_min_avg_r: Decimal = TICK.decimal(
        "0.4", "baseProfitFactorPreset", "0.1 .. 2 by 0.1 position costs", "Same in preset mode."
    )
    last_positions_count: int = TICK.whole(
        8, "lastPositionsCount", "3 .. 25 by 1", "Last results the Base and Real rules average."
    )
    main_min_avg_r: Decimal = TICK.decimal(
        "0.5", "mainProfitFactor", "0.1 .. 2 by 0.1 position costs", "Average to become Main."
    )
    preset_main_min_avg_r: Decimal = TICK.decimal(
        "0.5", "mainProfitFactorPreset", "0.1 .. 2 by 0.1 position costs", "Same in preset mode."
    )
    previous_positions_count: int = TICK.whole(
        5, "previousPositionsCount", "1 .. 25 by 1", "Results the Main rule averages."
    )
    last_state_count: int = TICK.whole(
        3, "lastStateCount", "1 .. 10 by 1", "Last results the state of a Set is judged by."
    )
    last_state_mode: str = TICK.choice(
        "majority", "lastStateMode", "majority | all | last", "Which of them must have won."
    )
    real_min_avg_r: Decimal = TICK.decimal(
        "0.6", "realProfitFactor", "0.1 .. 2 by 0.1 position costs", "Average to become Real."
    )
    preset_real_min_avg_r: Decimal = TICK.decimal(
        "0.6", "realProfitFactorPreset", "0.1 .. 2 by 0.1 position costs", "Same in preset mode."
    )
    real_short_window: int = TICK.whole(
        15, "realShortWindow", "5 .. 50 by 1", "Results of one average of which one must do."
    )
    real_long_window: int = TICK.whole(
        25, "realLongWindow", "5 .. 50 by 1", "Results of the other average."
    )
    real_main_entries: int = TICK.whole(
        10, "realMinTrades", "1 .. 20 by 1", "Entries at Main, of the last 20, to become Real."
    )
    max_drawdown_time_h: int = TICK.whole(
        12, "maxDrawdownTimeHours", "1 .. 72 by 1 h", "Longest time below the peak to be Real."
    )
